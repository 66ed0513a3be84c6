"""The life of an order: the table of rules, and that no order in the database leaves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.dispatch import service
from backend.dispatch.errors import WrongState
from backend.dispatch.rules import (
    EVENT_TYPES,
    ON_BOARD,
    TERMINAL,
    WITH_DRIVER,
    Action,
    OrderState,
    actions_from,
    default_promise,
    step,
)
from backend.identity.schemas import SYSTEM
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.dispatch.orders import order_in, place_order, seeded

S = OrderState
Picks = st.lists(st.tuples(st.booleans(), st.integers(0, 99)), max_size=25)


def chosen(state: OrderState, held_from: OrderState | None, pick: tuple[bool, int]) -> Action:
    """An action that may be done, as long as there is one, or any at all."""
    legal, number = pick
    some = sorted(actions_from(state, held_from)) if legal else []
    return (some or list(Action))[number % len(some or list(Action))]


@given(Picks)
def test_whatever_is_done_an_order_stays_within_its_life(picks: list[tuple[bool, int]]) -> None:
    state, held_from = S.CREATED, None
    path = [state]
    for pick in picks:
        action = chosen(state, held_from, pick)
        found = step(state, action, held_from)
        if found is None:
            continue
        assert state not in TERMINAL
        if found.keeps_driver:
            assert found.to in WITH_DRIVER | TERMINAL or held_from or action is Action.HOLD
        held_from = state if action is Action.HOLD else None
        state = found.to
        path.append(state)
    if S.DELIVERED in path:
        assert [s for s in (S.ACCEPTED, S.PICKED_UP, S.ARRIVED) if s not in path] == []
    if S.CANCELLED in path:
        before = path[-2]
        assert before not in ON_BOARD
        assert before is not S.ON_HOLD or path[-3] not in ON_BOARD
    if S.RETURNED in path:
        assert S.FAILED in path


def test_every_state_can_be_reached_and_every_action_is_told() -> None:
    seen, waiting = set[S](), [S.CREATED]
    while waiting:
        state = waiting.pop()
        if state not in seen:
            seen.add(state)
            steps = (step(state, action) for action in actions_from(state))
            waiting += [found.to for found in steps if found]
    assert seen == set(S)
    assert set(EVENT_TYPES) == set(Action)
    assert len(set(EVENT_TYPES.values())) == len(Action)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(picks=Picks)
async def test_no_order_in_the_database_leaves_its_life(
    resources: Resources, picks: list[tuple[bool, int]]
) -> None:
    await seeded(resources)
    driver = uuid7()
    async with resources.database.unit_of_work() as session:
        made = await service.create_order(session, SYSTEM, order_in())
        state, held_from, holder, done = S(made.state), None, None, 2
        for pick in picks:
            action = chosen(state, held_from, pick)
            order = await service.order_to_change(session, SYSTEM, "orders:write", made.id)
            expected = step(state, action, held_from)
            if expected is None:
                with pytest.raises(WrongState, match=order.number):
                    await service.move(session, SYSTEM, order, action, driver_id=driver)
                continue
            await service.move(session, SYSTEM, order, action, driver_id=driver)
            done += 1
            given_out = action in (Action.ASSIGN, Action.REASSIGN)
            holder = driver if given_out else holder if expected.keeps_driver else None
            held_from = state if action is Action.HOLD else None
            state = expected.to
    async with resources.database.unit_of_work() as session:
        now = await service.get_order(session, SYSTEM, made.id)
        steps = await service.order_history(session, SYSTEM, made.id)
        counted = (
            await session.scalars(
                text("SELECT seq FROM dispatch_order_event WHERE order_id = :id ORDER BY seq"),
                {"id": made.id},
            )
        ).all()
    assert (now.state, now.held_from, now.driver_id, now.version) == (
        state, held_from, holder, done,
    )  # fmt: skip
    assert (now.ended_at is not None) is (state in TERMINAL)
    assert list(counted) == list(range(1, done + 1))
    assert steps[-1].state == state
    assert [told.state for told in steps[:-1] if told.state in TERMINAL] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dispatch_order_event SET reason = 'x'",
        "DELETE FROM dispatch_order_event",
        "TRUNCATE dispatch_order_event",
    ],
)
async def test_history_can_only_be_added_to(resources: Resources, statement: str) -> None:
    await place_order(resources)
    with pytest.raises(DBAPIError, match="append-only"):
        async with resources.database.unit_of_work() as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("2026-03-01T09:00", "2026-03-01T21:00"),
        ("2026-03-01T16:59", "2026-03-01T21:00"),
        ("2026-03-01T17:00", "2026-03-02T21:00"),
    ],
)
def test_a_standard_order_is_due_the_same_evening_or_the_next(local: str, due: str) -> None:
    offset = timedelta(hours=7)
    now = datetime.fromisoformat(local).replace(tzinfo=UTC) - offset
    found = default_promise("standard", now, "Asia/Bangkok")
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC) - offset
