"""ETAs follow the stops ahead, learn from how earlier ones came out, and say how sure they are."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dispatch import eta_rules, service
from backend.dispatch.eta_role import foretell_once
from backend.dispatch.eta_rules import (
    UNLEARNED,
    Correction,
    Outcomes,
    Visit,
    arrivals,
    expected,
    learned,
)
from backend.dispatch.etas import corrections_of
from backend.dispatch.matching_models import EtaErrorRow
from backend.dispatch.matching_rules import STOP_S
from backend.dispatch.models import OrderEventRow
from backend.dispatch.travel import local_hour, straight
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .city import CENTRE, CITY, driver, heard, open_city, order, order_now, person

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_nothing_learned_is_the_model_with_a_wide_interval() -> None:
    eta = expected(NOON, 1000, UNLEARNED)
    assert (eta.at, eta.low, eta.high) == (
        NOON + timedelta(seconds=1000),
        NOON + timedelta(seconds=750),
        NOON + timedelta(seconds=1500),
    )


def test_twenty_arrivals_are_believed_by_half() -> None:
    """Half way from (1.0, 0.75, 1.5) to (1.4, 1.25, 1.9)."""
    got = learned(UNLEARNED, Outcomes(20, 1.4, 1.25, 1.9))
    assert (got.ratio, got.low, got.high) == pytest.approx((1.2, 1.0, 1.7))


def test_a_single_arrival_hardly_counts() -> None:
    got = learned(UNLEARNED, Outcomes(1, 22.0, 22.0, 22.0))
    assert got.ratio == pytest.approx(2.0)
    assert got.low <= got.ratio <= got.high


@given(
    raw=st.floats(0, 20_000),
    ratio=st.floats(0.3, 3),
    low=st.floats(0.1, 3),
    high=st.floats(0.3, 6),
    n=st.integers(0, 10_000),
)
def test_the_interval_always_holds_the_estimate(
    raw: float, ratio: float, low: float, high: float, n: int
) -> None:
    eta = expected(NOON, raw, learned(UNLEARNED, Outcomes(n, ratio, low, high)))
    assert NOON <= eta.low <= eta.at <= eta.high
    assert (eta.high - eta.at).total_seconds() >= 59


def test_stops_are_waited_for_and_take_their_time() -> None:
    """300 s to a shop that opens at 600 s, 120 s there, 200 s on: 920 s; then 60 s and 100 s."""
    visits = [Visit(600, 120), Visit(0, 60), Visit(0, 60)]
    assert arrivals([300, 200, 100], visits) == [300, 920, 1080]


@pytest.fixture
async def bangkok(resources: Resources) -> Resources:
    """Stores with the regions in them."""
    await open_city(resources)
    return resources


def legs(*points: tuple[float, float]) -> list[float]:
    """What the travel model says of a bike in Bangkok now."""
    return straight(list(points), "bike", local_hour(clock.now(), "Asia/Bangkok")).seconds


async def test_an_order_on_its_way_is_expected_by_the_stops_before_it(
    bangkok: Resources,
) -> None:
    here = (CENTRE[0] - 0.01, CENTRE[1])
    who = await driver(bangkok, here)
    first = await order(bangkok, state="in_transit", driver_id=who)
    second = await order(
        bangkok, state="accepted", driver_id=who,
        promised_at=clock.now() + timedelta(hours=5), drop_lat=CENTRE[0], drop_lon=CENTRE[1] + 0.03,
    )  # fmt: skip
    drop = (CENTRE[0] + 0.02, CENTRE[1] + 0.02)
    now = clock.now()
    assert await foretell_once(bangkok) == 2
    to_first, to_shop, to_second = legs(here, drop, CENTRE, (CENTRE[0], CENTRE[1] + 0.03))
    one, two = await order_now(bangkok, first.id), await order_now(bangkok, second.id)
    assert one.eta_at is not None
    assert two.eta_at is not None
    assert (one.eta_at - now).total_seconds() == pytest.approx(to_first, abs=30)
    whole = to_first + STOP_S + to_shop + STOP_S + to_second
    assert (two.eta_at - now).total_seconds() == pytest.approx(whole, abs=30)
    assert one.eta_low is not None
    assert one.eta_high is not None
    assert one.eta_low < one.eta_at < one.eta_high
    assert one.version == first.version, "an ETA is nobody's change"


async def test_an_eta_that_hardly_moves_is_left_as_it_was_told(bangkok: Resources) -> None:
    who = await driver(bangkok, CENTRE)
    row = await order(bangkok, state="in_transit", driver_id=who)
    assert await foretell_once(bangkok) == 1
    told = (await order_now(bangkok, row.id)).eta_at
    assert await foretell_once(bangkok) == 0
    await heard(bangkok, who, (CENTRE[0] - 0.02, CENTRE[1]))
    assert await foretell_once(bangkok) == 1
    assert (await order_now(bangkok, row.id)).eta_at != told


async def test_an_order_without_a_driver_has_a_wide_interval(bangkok: Resources) -> None:
    who = await driver(bangkok, CENTRE)
    waiting = await order(bangkok)
    going = await order(bangkok, state="in_transit", driver_id=who)
    await foretell_once(bangkok)

    async def width(row: Any) -> float:
        now = await order_now(bangkok, row.id)
        assert now.eta_high is not None
        assert now.eta_low is not None
        assert now.eta_at is not None
        return (now.eta_high - now.eta_low) / (now.eta_at - clock.now())

    assert await width(waiting) > await width(going)


async def test_an_order_being_changed_is_passed_over(bangkok: Resources) -> None:
    row = await order(bangkok)
    async with bangkok.database.unit_of_work() as session:
        await service.order_to_change(session, SYSTEM, "orders:write", row.id)
        assert await asyncio.wait_for(foretell_once(bangkok), 10) == 0
    assert await foretell_once(bangkok) == 1


async def test_an_arrival_settles_the_guesses_made_before(bangkok: Resources) -> None:
    who = await driver(bangkok, CENTRE)
    row = await order(bangkok, state="in_transit", driver_id=who)
    await foretell_once(bangkok)
    async with bangkok.database.unit_of_work() as session:
        guess = await session.get(EtaErrorRow, (row.id, "in_transit"))
        assert guess is not None
        happened = guess.made_at + timedelta(seconds=guess.high_s + 100)
        session.add(
            OrderEventRow(
                id=uuid7(), order_id=row.id, seq=2, type="order.arrived", state="arrived",
                actor="x", actor_name="x", at=happened + timedelta(hours=1), device_at=happened,
                data={},
            )
        )  # fmt: skip
    await foretell_once(bangkok)
    async with bangkok.database.unit_of_work() as session:
        settled = await session.get(EtaErrorRow, (row.id, "in_transit"))
        [told] = await service.eta_accuracy(session, person("viewer", CITY), CITY)
        assert await service.eta_accuracy(session, person("viewer", "IN-KA"), CITY) == []
    assert settled is not None
    assert settled.actual_s == guess.high_s + 100
    assert settled.inside is False
    assert (told.city, told.horizon, told.n, told.inside) == (CITY, "in_transit", 1, 0.0)
    late = guess.high_s + 100 - guess.predicted_s
    assert (told.bias_s, told.mean_abs_error_s) == (late, late)


def _outcome(hub: str | None, hour: int, ratio: float, **more: Any) -> EtaErrorRow:
    now = clock.now()
    raw = 1000
    return EtaErrorRow(
        **{
            "order_id": uuid7(), "horizon": "accepted", "city": CITY, "hub": hub,
            "vehicle": "bike", "hour": hour, "made_at": now, "raw_s": raw, "predicted_s": raw,
            "low_s": 750, "high_s": 1500, "actual_s": round(raw * ratio), "inside": True,
            "arrived_at": now - timedelta(hours=1), **more,
        }
    )  # fmt: skip


async def test_a_hub_learns_from_its_hour_and_falls_back_to_the_city(
    bangkok: Resources,
) -> None:
    """Twenty arrivals at 8 of ratio 2 with a hub, none elsewhere: 1.5 city, 1.75 hour, 1.875 hub.

    Those of three weeks ago and those of another city say nothing.
    """
    old = {"arrived_at": clock.now() - timedelta(days=21)}
    async with bangkok.database.unit_of_work() as session:
        session.add_all(_outcome("TH-10.siam", 8, 2.0) for _ in range(20))
        session.add_all(_outcome("TH-10.siam", 8, 9.0, **old) for _ in range(50))
        session.add_all(_outcome(None, 8, 9.0, city="IN-KA-BLR") for _ in range(50))
    async with bangkok.database.unit_of_work() as session:
        found = await corrections_of(session, CITY, clock.now())
    assert found[None, 3].ratio == pytest.approx(1.5)
    assert found[None, 8].ratio == pytest.approx(1.75)
    assert found["TH-10.siam", 8] == Correction(
        pytest.approx(1.875), pytest.approx(1.84375), pytest.approx(1.9375)
    )
    assert ("TH-10.asok", 8) not in found
    assert eta_rules.UNLEARNED.ratio == 1.0
