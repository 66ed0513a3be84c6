"""Orders and their history as callers see them: contacts masked, links for who acts by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import order_repository
from backend.dispatch.lifecycle import may
from backend.dispatch.models import OrderEventRow, OrderRow, ParcelRow
from backend.dispatch.rules import OrderState, lateness
from backend.dispatch.schemas import (
    Eta,
    OrderEventOut,
    OrderOut,
    PaymentIn,
    Service,
    Terms,
)
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.money import Money
from backend.platform.resources import current


async def order_outs(
    session: AsyncSession, principal: Principal, rows: Sequence[OrderRow]
) -> list[OrderOut]:
    """The orders, in the order of the rows."""
    parcels: dict[Any, list[ParcelRow]] = {row.id: [] for row in rows}
    for parcel in await order_repository.parcels(session, [row.id for row in rows]):
        parcels[parcel.order_id].append(parcel)
    return [_out(principal, row, parcels[row.id]) for row in rows]


async def order_out(session: AsyncSession, principal: Principal, row: OrderRow) -> OrderOut:
    """One order."""
    return (await order_outs(session, principal, [row]))[0]


def _out(principal: Principal, row: OrderRow, parcels: Sequence[ParcelRow]) -> OrderOut:
    whole = principal.id == row.merchant
    state = OrderState(row.state)
    return OrderOut(
        id=row.id,
        number=row.number,
        reference=row.reference,
        merchant=row.merchant,
        region=row.region,
        hub=row.hub,
        service=cast(Service, row.service),
        state=state,
        held_from=OrderState(row.held_from) if row.held_from else None,
        version=row.version,
        lateness=lateness(state, row.promised_at, row.ended_at, row.eta_high, clock.now()),
        pickup=_place(row, "pickup", whole=whole),
        drop=_place(row, "drop", whole=whole),
        parcels=[parcel.model_dump(exclude={"order_id"}) for parcel in parcels],
        payment=PaymentIn(
            terms=cast(Terms, row.terms),
            amount=Money(minor=row.amount_minor, currency=row.currency),
            wallet_id=row.wallet_id,
            method=row.method,
            gateway=row.gateway,
        ),
        promised_at=row.promised_at,
        vehicle=row.vehicle,
        skills=row.skills,
        tags=row.tags,
        driver_id=row.driver_id,
        flagged=row.flagged,
        eta=eta_of(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        # Who may write to the order may replace the link, and so is told the one that stands.
        tracking_url=tracking_url(row) if whole or may(principal, "orders:write", row) else None,
    )


def tracking_url(row: OrderRow) -> str:
    """Where the order's customer follows it."""
    return f"{current().settings.public_url.rstrip('/')}/track/{row.tracking_token}"


def eta_of(row: OrderRow) -> Eta | None:
    """When the order is expected, where that is known."""
    if row.eta_at is None or row.eta_low is None or row.eta_high is None:
        return None
    return Eta(at=row.eta_at, low=row.eta_low, high=row.eta_high)


def _place(row: OrderRow, end: str, *, whole: bool) -> dict[str, Any]:
    opens, closes = getattr(row, f"{end}_from"), getattr(row, f"{end}_until")
    name, phone = contact(row, end, whole=whole)
    return {
        "name": name,
        "phone": phone,
        "address": getattr(row, f"{end}_address"),
        "lat": getattr(row, f"{end}_lat"),
        "lon": getattr(row, f"{end}_lon"),
        "window": None if opens is None else [opens, closes],
    }


def contact(row: OrderRow, end: str, *, whole: bool) -> tuple[str, str]:
    """Name and phone number at one end of an order, masked unless `whole`."""
    name, phone = getattr(row, f"{end}_name"), getattr(row, f"{end}_phone")
    return (name, phone) if whole else (initials(name), identity.mask({"phone": phone})["phone"])


def initials(name: str) -> str:
    """A masked name: the first letter of each word."""
    return " ".join(f"{word[0]}•••" for word in name.split()[:3])


def event_out(row: OrderEventRow, principal: Principal) -> OrderEventOut:
    """One step of a history; a marketplace is not told the names of people.

    Who took the parcels is a name at the door: whole for the order's marketplace alone.
    """
    values = row.model_dump(exclude={"order_id", "seq"})
    if identity.merchant_of(principal) is None:
        if taker := row.data.get("received_by"):
            values["data"] = {**row.data, "received_by": initials(taker)}
    elif row.actor != principal.id:
        values["actor_name"] = row.actor.partition(":")[0]
    return OrderEventOut(**values)
