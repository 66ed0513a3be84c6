"""A worker killed at any step of matching loses no order and gives none out twice."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from sqlalchemy import text

from backend.dispatch import (
    dispatcher,
    matching_repository,
    offer_repository,
    offers,
    service,
)
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources

from .city import (
    FAR,
    NEAR,
    driver,
    offers_made,
    open_city,
    order,
    order_now,
    phone_of,
    time_passes,
    turn,
)
from .dying import match_and_die


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


class Killed(BaseException):
    """The request dies here."""


_OTHERS_AT_WORK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
)

_STEPS = [
    (matching_repository, "lock_city"),
    (offer_repository, "withdraw_overtaken"),
    (offer_repository, "expire"),
    (matching_repository, "orders_to_match"),
    (dispatcher, "fleet_of"),
    (dispatcher, "cooling_pairs"),
    (dispatcher, "_weighed"),
    (dispatcher, "match"),
    (matching_repository, "add_decisions"),
    (matching_repository, "still_ready"),
    (offer_repository, "last_rounds"),
    (offer_repository, "add"),
    (offers, "tell"),
    (dispatcher, "_escalate"),
]


@pytest.mark.parametrize(("module", "step"), _STEPS, ids=[step for _, step in _STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(
    resources: Resources, module: Any, step: str, when: str
) -> None:
    first, second = await driver(resources, NEAR), await driver(resources, FAR)
    taken = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)
    async with resources.database.unit_of_work() as session:
        await service.accept_offer(session, phone_of(offer.driver_id), offer.id)
    waiting = [await order(resources) for _ in range(2)]
    await turn(resources)
    await time_passes(resources, 26)
    died = await asyncio.to_thread(match_and_die, module.__name__, step, when)
    assert died == -signal.SIGKILL
    await let_go(resources)
    assert [o.state for o in await offers_made(resources)] == ["accepted", "open", "open"]

    await turn(resources)
    for row in waiting:
        assert (await order_now(resources, row.id)).state == "ready"
        states = [o.state for o in await offers_made(resources, row.id)]
        assert states == ["expired", "open"]
        async with resources.database.unit_of_work() as session:
            stored = await service.why(session, SYSTEM, row.id)
        assert len(stored) == 2
    kept = await order_now(resources, taken.id)
    assert (kept.state, kept.driver_id) == ("accepted", offer.driver_id)
    assert {o.driver_id for o in await offers_made(resources)} == {first, second}


async def let_go(resources: Resources) -> None:
    """Wait until the database has noticed that the worker is gone, and given up its locks."""
    async with resources.database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        while await plain.scalar(_OTHERS_AT_WORK):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("step", ["answer", "withdraw_others"])
async def test_an_accept_that_dies_midway_can_be_said_again(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)

    async def dying(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(offer_repository, step, dying)
        with pytest.raises(Killed):
            async with resources.database.unit_of_work() as session:
                await service.accept_offer(session, phone_of(near), offer.id)
    assert (await order_now(resources, waiting.id)).state == "ready"
    async with resources.database.unit_of_work() as session:
        await service.accept_offer(session, phone_of(near), offer.id)
    assert (await order_now(resources, waiting.id)).driver_id == near
