"""Whom a message about an order goes to; for contexts that write to people, never to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import contact_repository
from backend.dispatch.customer_rules import first_name
from backend.dispatch.models import OrderRow
from backend.dispatch.order_views import tracking_url
from backend.dispatch.orders import order_row
from backend.dispatch.rules import OrderState
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.tracking import service as tracking


@dataclass(frozen=True, slots=True)
class OrderContact:
    """What a message about an order needs: both ends' names and phones, times, link and driver.

    `place` is the most precise region code, `city` the city's.
    """

    order_id: UUID
    number: str
    merchant: str
    city: str
    place: str
    state: OrderState
    customer: str
    customer_phone: str
    sender: str
    sender_phone: str
    driver_id: UUID | None
    driver: str | None
    promised_at: datetime
    eta_at: datetime | None
    tracking_url: str


async def contact_of(
    session: AsyncSession, principal: Principal, named: UUID | str, permission: str
) -> OrderContact:
    """The contacts of an order, for a caller who holds the permission where it is.

    Raises NoSuchOrder for an order that they may not see.
    """
    row = await order_row(session, principal, named, permission)
    names = {}
    if row.driver_id is not None:
        names = await tracking.name_drivers(session, SYSTEM, [row.driver_id])
    driver = names.get(row.driver_id) if row.driver_id is not None else None
    return _contact(row, first_name(driver.name) if driver else None)


async def contacts_between(
    session: AsyncSession,
    principal: Principal,
    region: str,
    since: datetime,
    until: datetime,
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[OrderContact]:
    """The orders of a region that were open at any time of a span, by id from `after` on.

    Needs `orders:write` there. They are those that `orders_between` counts; drivers are not named.
    """
    identity.authorize(principal, "orders:write", region)
    rows = await contact_repository.open_between(
        session, region, since, until, after=after, limit=limit
    )
    return [_contact(row, None) for row in rows]


def _contact(row: OrderRow, driver: str | None) -> OrderContact:
    return OrderContact(
        order_id=row.id,
        number=row.number,
        merchant=row.merchant,
        city=row.region,
        place=row.hub or row.region,
        state=OrderState(row.state),
        customer=row.drop_name,
        customer_phone=row.drop_phone,
        sender=row.pickup_name,
        sender_phone=row.pickup_phone,
        driver_id=row.driver_id,
        driver=driver,
        promised_at=row.promised_at,
        eta_at=row.eta_at,
        tracking_url=tracking_url(row),
    )
