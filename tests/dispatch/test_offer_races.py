"""Drivers who accept and dispatchers who assign at the same moment leave one truth behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from backend.dispatch import service
from backend.dispatch.errors import DriverUnfit, OfferGone
from backend.dispatch.models import OrderEventRow, OrderRow
from backend.identity.schemas import SYSTEM
from backend.platform.errors import DomainError
from backend.platform.resources import Resources

from .city import (
    FAR,
    NEAR,
    can_carry,
    driver,
    offers_made,
    open_city,
    order,
    order_now,
    person,
    phone_of,
    turn,
)


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


async def _told(doing: Callable[[], Awaitable[Any]]) -> type[DomainError] | None:
    """None when it was done, or the kind of refusal."""
    try:
        await doing()
    except DomainError as error:
        return type(error)
    return None


async def _history(resources: Resources, order_id: UUID) -> list[str]:
    async with resources.database.unit_of_work() as session:
        steps = await session.scalars(
            select(col(OrderEventRow.type))
            .where(col(OrderEventRow.order_id) == order_id)
            .order_by(col(OrderEventRow.seq))
        )
        return list(steps)


async def test_a_phone_and_a_dispatcher_at_once_give_the_order_to_one_driver(
    resources: Resources,
) -> None:
    near, far = await driver(resources, NEAR), await driver(resources, FAR)
    for _ in range(6):
        waiting = await order(resources)
        await turn(resources)
        [offer] = await offers_made(resources, waiting.id)
        asked, other = (near, far) if offer.driver_id == near else (far, near)

        async def accept(offer: Any = offer, asked: UUID = asked) -> None:
            async with resources.database.unit_of_work() as session:
                await service.accept_offer(session, phone_of(asked), offer.id)

        async def assign(waiting: OrderRow = waiting, other: UUID = other) -> None:
            async with resources.database.unit_of_work() as session:
                await service.assign_order(
                    session, person("fleet_manager"), waiting.id, other, seen_version=1
                )

        accepted, assigned = await asyncio.gather(_told(accept), _told(assign))
        after = await order_now(resources, waiting.id)
        steps = await _history(resources, waiting.id)
        if accepted is None:
            assert assigned is not None
            assert (after.driver_id, after.state) == (asked, "accepted")
            assert steps == ["order.ready", "order.assigned", "order.accepted"]
        else:
            assert (accepted, assigned) == (OfferGone, None)
            assert (after.driver_id, after.state) == (other, "assigned")
            assert steps == ["order.ready", "order.assigned"]


async def test_room_is_not_given_twice_by_an_offer_and_by_hand(resources: Resources) -> None:
    """A driver with room for one: an accept and an assignment of another order at once."""
    near = await driver(resources, NEAR)
    await can_carry(resources, near, 1)
    offered = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources, offered.id)
    by_hand = await order(resources)

    async def accept() -> None:
        async with resources.database.unit_of_work() as session:
            await service.accept_offer(session, phone_of(near), offer.id)

    async def assign() -> None:
        async with resources.database.unit_of_work() as session:
            await service.assign_order(session, person("fleet_manager"), by_hand.id, near)

    outcomes = await asyncio.gather(_told(accept), _told(assign))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, DriverUnfit]))
    with_driver = [
        row.id
        for row in (
            await order_now(resources, offered.id),
            await order_now(resources, by_hand.id),
        )
        if row.driver_id == near
    ]
    assert len(with_driver) == 1


async def test_an_order_held_by_hand_cannot_be_accepted_and_its_offer_goes(
    resources: Resources,
) -> None:
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources, waiting.id)
    async with resources.database.unit_of_work() as session:
        await service.hold_order(session, SYSTEM, waiting.id, reason="address asked for")
    async with resources.database.unit_of_work() as session:
        assert await service.offers_of_driver(session, phone_of(near), near) == []
    with pytest.raises(OfferGone):
        async with resources.database.unit_of_work() as session:
            await service.accept_offer(session, phone_of(near), offer.id)
    await turn(resources)
    [after] = await offers_made(resources, waiting.id)
    assert (after.state, after.reason) == ("withdrawn", "overtaken")
