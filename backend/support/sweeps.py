"""What is due by the clock: clocks, warnings, solved ones to close, drafts, late orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.rules import TERMINAL
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.db import Database
from backend.support import list_repository, repository, settings_repository
from backend.support.calendars import policy_out
from backend.support.changes import actor_of, tell
from backend.support.clocks import set_clocks
from backend.support.opening import open_automatically
from backend.support.replying import step_to
from backend.support.rules import Kind, Priority, State

_AT_ONCE = 200
_ORDERS_AT_ONCE = 500
_SOON, _OVER = 1, 2
_DRAFTS_KEPT = timedelta(days=1)


async def sweep(database: Database, now: datetime | None = None) -> int:
    """Do all that is due; answers how much it was. Each part is a unit of work of its own."""
    now = now or clock.now()
    done = 0
    for part in (set_anew, warn, close_solved):
        async with database.unit_of_work() as session:
            done += await part(session, now)
    return done


async def set_anew(session: AsyncSession, now: datetime) -> int:
    """Set the clocks of what runs by hours or targets that were changed."""
    del now
    rows = await list_repository.stale(session, _AT_ONCE)
    for row in rows:
        await set_clocks(session, row)
    await session.flush()
    return len(rows)


async def warn(session: AsyncSession, now: datetime) -> int:
    """Write into timelines, and tell, whose clock is nearly up and whose is; each once."""
    rows = await list_repository.to_warn(session, now, _AT_ONCE)
    for row in rows:
        over = row.due_at < now
        answered = row.first_response_at is not None
        what = "be solved" if answered or row.due_at == row.resolution_due else "be answered"
        words = f"It was to {what} by now." if over else f"It is soon to {what}."
        row.warned = _OVER if over else _SOON
        repository.write(session, row, "sla", actor_of(SYSTEM), words, due=row.due_at.isoformat())
        kind = "escalation.sla_breached" if over else "escalation.sla_soon"
        await tell(session, SYSTEM, row, kind, due=row.due_at.isoformat())
    await session.flush()
    return len(rows)


async def close_solved(session: AsyncSession, now: datetime) -> int:
    """Close what has been solved for as long as its region's lead wants."""
    policies = [policy_out(row) for row in await settings_repository.policies(session)]
    shortest = min([each.close_solved_after_h for each in [policy_out(None), *policies]])
    rows = await list_repository.to_close(session, now - timedelta(hours=shortest), _AT_ONCE)
    closed = 0
    for row in rows:
        policy = policy_out(await settings_repository.policy_around(session, row.region))
        assert row.solved_at is not None
        if row.solved_at < now - timedelta(hours=policy.close_solved_after_h):
            note = f"nothing more was said for {policy.close_solved_after_h} hours."
            closed += await step_to(session, SYSTEM, row, State.CLOSED, note=note)
    await session.flush()
    return closed


async def drop_drafts(database: Database, now: datetime | None = None) -> int:
    """Forget what agents had begun to write for escalations that have been closed for a day.

    Until then a ticket that comes back finds the words of its agent again.
    """
    async with database.unit_of_work() as session:
        return await repository.drop_old_drafts(session, (now or clock.now()) - _DRAFTS_KEPT)


async def open_late(database: Database, now: datetime | None = None) -> int:
    """Open an escalation for each order that is later than its region allows, once an order."""
    now = now or clock.now()
    async with database.unit_of_work() as session:
        policies = [policy_out(row) for row in await settings_repository.policies(session)]
    soonest = min([each.late_after_min for each in [policy_out(None), *policies]])
    opened, after = 0, None
    while True:
        async with database.unit_of_work() as session:
            orders = await dispatch.overdue_orders(
                session, now - timedelta(minutes=soonest), after, _ORDERS_AT_ONCE
            )
            late = await _late(session, orders, now)
        for order, minutes in late:
            # Each by itself: whoever opens one makes all others wait to the commit.
            async with database.unit_of_work() as session:
                opened += await _open_for(session, order, minutes, now)
        if len(orders) < _ORDERS_AT_ONCE:
            return opened
        after = orders[-1].promised_at, orders[-1].id


async def _late(
    session: AsyncSession, orders: Sequence[dispatch.CustomersOrder], now: datetime
) -> list[tuple[dispatch.CustomersOrder, int]]:
    """Those later than their region allows that never had one about this, with the minutes."""
    had = await repository.orders_with(session, [order.id for order in orders], Kind.LATE)
    regions = {order.region for order in orders if order.id not in had}
    allowed = {
        region: policy_out(await settings_repository.policy_around(session, region)).late_after_min
        for region in regions
    }
    return [
        (order, allowed[order.region])
        for order in orders
        if order.id not in had
        and order.promised_at < now - timedelta(minutes=allowed[order.region])
    ]


async def _open_for(
    session: AsyncSession, order: dispatch.CustomersOrder, minutes: int, now: datetime
) -> int:
    await repository.await_turn(session)
    # Others were before us: it may have been handed over, or asked about, since it was looked at.
    current = await dispatch.customers_order(session, order.id)
    had = await repository.orders_with(session, [order.id], Kind.LATE)
    if current is None or current.state in TERMINAL or had:
        return 0
    why = f"It was promised for {order.promised_at:%d %b %H:%M} UTC and is not there."
    made = await open_automatically(
        session, current, Kind.LATE, Priority.NORMAL,
        f"Later than promised by {minutes} min", why, at=now, key="late",
    )  # fmt: skip
    return int(made is not None)
