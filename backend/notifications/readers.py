"""Who a message goes to: where they are reached, and by what they are known again."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.service import OrderContact
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications.message_rules import Channel
from backend.notifications.message_schemas import MessageIn, To
from backend.platform.errors import FieldError, Invalid
from backend.platform.resources import current
from backend.platform.sealing import key_for
from backend.regions import service as regions
from backend.tracking import service as tracking

NO_MERCHANT = ""
_PURPOSE = "readers of messages"


@dataclass(frozen=True, slots=True)
class Reader:
    """A person as messages know them.

    `key` is the same for the same phone number everywhere and says nothing without our secret;
    what they wish is their own for each `merchant`, of which a driver has none;
    `addresses` is where they are reached by what is known of them so far.
    """

    to: To
    key: str
    merchant: str
    shown: str
    place: str
    city: str
    zone: str
    addresses: dict[Channel, str]
    order: OrderContact | None
    driver_id: UUID | None


async def reader_of(
    session: AsyncSession, principal: Principal, wanted: MessageIn, permission: str
) -> Reader:
    """Whom a message goes to, if the caller holds the permission where they are.

    Raises NoSuchOrder or NoSuchDriver, and Invalid for an order that nobody drives.
    """
    order = None
    if wanted.order_id is not None:
        order = await dispatch.contact_of(session, principal, wanted.order_id, permission)
    match wanted.to:
        case "customer" | "sender":
            assert order is not None
            return await order_reader(session, order, wanted.to)
        case "driver":
            driver_id = wanted.driver_id or (order.driver_id if order else None)
            if driver_id is None:
                detail = "This order has no driver."
                raise Invalid(errors=[FieldError("/to", "no_driver", detail)])
            return await _driver(session, principal, driver_id, order, permission)
        case _:
            assert_never(wanted.to)


async def order_reader(session: AsyncSession, order: OrderContact, to: To) -> Reader:
    """The customer or the sender of an order."""
    phone = order.sender_phone if to == "sender" else order.customer_phone
    return Reader(
        to=to,
        key=key_of(phone),
        merchant=order.merchant,
        shown=_masked(phone),
        place=order.place,
        city=order.city,
        zone=await regions.time_zone_of(session, order.city),
        addresses=_by_phone(phone),
        order=order,
        driver_id=None,
    )


async def _driver(
    session: AsyncSession,
    principal: Principal,
    driver_id: UUID,
    order: OrderContact | None,
    permission: str,
) -> Reader:
    driver = await tracking.driver_contact(session, principal, driver_id, permission)
    return Reader(
        to="driver",
        key=key_of_driver(driver.id),
        merchant=NO_MERCHANT,
        shown=_masked(driver.phone) if driver.phone else "•••",
        place=driver.place,
        city=driver.city,
        zone=await regions.time_zone_of(session, driver.city),
        addresses=_by_phone(driver.phone) if driver.phone else {},
        order=order,
        driver_id=driver.id,
    )


def _by_phone(phone: str) -> dict[Channel, str]:
    return {Channel.SMS: phone, Channel.WHATSAPP: phone}


def _masked(phone: str) -> str:
    return str(identity.mask({"phone": phone})["phone"])


def key_of(phone: str) -> str:
    """What a phone number is known by."""
    return _digest(phone)


def key_of_driver(driver_id: UUID) -> str:
    """What a driver is known by, whatever their number."""
    return _digest(f"driver:{driver_id}")


def _digest(text: str) -> str:
    return hmac.digest(key_for(current().settings, _PURPOSE), text.encode(), "sha256").hex()
