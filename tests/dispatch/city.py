"""A small city for the tests of matching: drivers with positions, and orders to bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlmodel import col

from backend.dispatch.dispatcher_role import dispatch_once
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_schemas import RunResult
from backend.dispatch.models import CapacityRow, OrderEventRow, OrderRow
from backend.dispatch.numbers import new_number
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.tracking import service as tracking
from backend.tracking.livestate import LIVE_KEY, LiveState
from backend.tracking.schemas import DriverIn

CITY = "TH-10"
CENTRE = (13.7456, 100.5341)
NEAR = (CENTRE[0] + 0.002, CENTRE[1])
FAR = (CENTRE[0] + 0.05, CENTRE[1])


async def open_city(resources: Resources) -> None:
    """The regions, as a new installation has them."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)


async def driver(
    resources: Resources,
    place: tuple[float, float] | None = CENTRE,
    *,
    age_s: float = 0.0,
    battery: float | None = 0.8,
    **details: Any,
) -> UUID:
    """A driver on shift, heard of at a place."""
    wanted = {"name": "Somchai", "vehicle": "bike", "region": CITY, **details}
    async with resources.database.unit_of_work() as session:
        hired = await tracking.create_driver(session, SYSTEM, DriverIn(**wanted))
    if place is not None:
        await heard(resources, hired.id, place, age_s=age_s, battery=battery)
    return hired.id


async def heard(
    resources: Resources,
    driver_id: UUID,
    place: tuple[float, float],
    *,
    age_s: float = 0.0,
    battery: float | None = 0.8,
) -> None:
    """The driver's newest position."""
    at = int((clock.now().timestamp() - age_s) * 1000)
    state = LiveState(at, at, *place, battery=battery)
    await resources.redis.hset(LIVE_KEY, driver_id.bytes, state.pack())


async def can_carry(
    resources: Resources, driver_id: UUID, orders: int, skills: Sequence[str] = ()
) -> None:
    """So many orders, and no more, and these skills."""
    async with resources.database.unit_of_work() as session:
        session.add(
            CapacityRow(
                driver_id=driver_id,
                most_orders=orders,
                most_weight_g=1_000_000,
                most_volume_cm3=10_000_000,
                skills=list(skills),
                updated_at=clock.now(),
            )
        )


def order_row(**details: Any) -> OrderRow:
    """A ready order from the centre to a place three kilometres away."""
    now = clock.now()
    order_id = uuid7()
    return OrderRow(
        **{
            "id": order_id,
            "number": new_number(),
            "reference": f"R-{order_id}",
            "merchant": "service:market",
            "region": CITY,
            "hub": None,
            "service": "standard",
            "state": "ready",
            "version": 1,
            "pickup_name": "Shop",
            "pickup_phone": "+66812345678",
            "pickup_address": "1 Rama I Road",
            "pickup_lat": CENTRE[0],
            "pickup_lon": CENTRE[1],
            "drop_name": "Malee",
            "drop_phone": "+66812345679",
            "drop_address": "9 Sathorn Road",
            "drop_lat": CENTRE[0] + 0.02,
            "drop_lon": CENTRE[1] + 0.02,
            "weight_g": 1000,
            "volume_cm3": 2000,
            "skills": [],
            "terms": "prepaid",
            "amount_minor": 10000,
            "currency": "THB",
            "promised_at": now + timedelta(hours=2),
            "tags": [],
            "tracking_token": str(order_id),
            "sent": {},
            "created_at": now,
            "updated_at": now,
            **details,
        }
    )


async def order(resources: Resources, **details: Any) -> OrderRow:
    """A stored ready order, with the first step of its history."""
    row = order_row(**details)
    async with resources.database.unit_of_work() as session:
        session.add(row)
        session.add(
            OrderEventRow(
                id=uuid7(),
                order_id=row.id,
                seq=row.version,
                type="order.ready",
                state=row.state,
                actor="system",
                actor_name="Waypost",
                at=row.created_at,
                data={},
            )
        )
    return row


async def order_now(resources: Resources, order_id: UUID) -> OrderRow:
    """The order as it stands."""
    async with resources.database.unit_of_work() as session:
        found = await session.get(OrderRow, order_id)
    assert found is not None
    return found


async def offers_made(resources: Resources, order_id: UUID | None = None) -> list[OfferRow]:
    """Every offer, or an order's, the oldest first."""
    wanted = select(OfferRow).order_by(col(OfferRow.offered_at), col(OfferRow.id))
    if order_id is not None:
        wanted = wanted.where(col(OfferRow.order_id) == order_id)
    async with resources.database.unit_of_work() as session:
        return list(await session.scalars(wanted))


async def published(resources: Resources) -> list[str]:
    """The types of the events that wait to be published, in order."""
    async with resources.database.unit_of_work() as session:
        values = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        return [orjson.loads(value)["type"] for value in values]


async def time_passes(resources: Resources, seconds: float) -> None:
    """Everything that has happened to orders and offers is so much longer ago."""
    moved = {
        "dispatch_offer": ("offered_at", "expires_at", "answered_at"),
        "dispatch_order": ("created_at", "updated_at"),
        "dispatch_order_event": ("at",),
        "dispatch_decision": ("at",),
    }
    async with resources.database.unit_of_work() as session:
        # The history is append-only, by a trigger.
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for table, columns in moved.items():
            changes = ", ".join(
                f"{column} = {column} - make_interval(secs => :s)" for column in columns
            )
            await session.execute(text(f"UPDATE {table} SET {changes}"), {"s": seconds})


def phone_of(driver_id: UUID) -> Principal:
    """The driver's phone as a caller."""
    return Principal(
        kind="device",
        id=f"driver:{driver_id}",
        name="Somchai",
        permissions=frozenset({"tasks:write"}),
        regions=(CITY,),
        driver_id=driver_id,
    )


def person(role: str, region: str = "*") -> Principal:
    """Somebody with a role."""
    from backend.identity.schemas import GrantScope

    return Principal(
        kind="user", id=f"user:{uuid7()}", name="Nok", grants=(GrantScope(role, region),)
    )


async def turn(resources: Resources) -> RunResult:
    """One round of the only busy city."""
    [result] = await dispatch_once(resources)
    assert not result.busy
    return result
