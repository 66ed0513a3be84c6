"""What is due by the clock: alerts that have cleared, recoveries to verify, quiet that ended."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.incidents import alert_repository, calling, heartbeats, indicators, repository
from backend.incidents.changes import advance
from backend.incidents.grouping_rules import VERIFY_AFTER
from backend.incidents.models import AlertTable, IncidentTable
from backend.incidents.quiet import running_windows
from backend.incidents.rules import Act, AlertStatus, IncidentState
from backend.incidents.taking import BY_SENDER, place
from backend.platform import clock
from backend.platform.db import Database

_AT_ONCE = 500
_CALLS_AT_ONCE = 50
EVENTS_KEPT_FOR = timedelta(days=90)


async def sweep(database: Database, now: datetime | None = None) -> int:
    """Do all that is due; answers how much it was. Each part is a unit of work of its own."""
    now = now or clock.now()
    done = 0
    for part in (finish_clearing, place_quiet, verify, call_due, heartbeats.watch):
        async with database.unit_of_work() as session:
            done += await part(session, now)
    return done


async def finish_clearing(session: AsyncSession, now: datetime) -> int:
    """End the alerts whose delay is over, and see which incidents are clear now."""
    await repository.await_turn(session)
    rows = await alert_repository.clearing(session, now, _AT_ONCE)
    by_incident: defaultdict[UUID, list[AlertTable]] = defaultdict(list)
    for row in rows:
        row.status, row.clears_at, row.ended_by = AlertStatus.RESOLVED, None, BY_SENDER
        if row.incident_id is not None:
            by_incident[row.incident_id].append(row)
    for incident_id, ended in sorted(by_incident.items()):
        more = f" and {len(ended) - 1} more" if len(ended) > 1 else ""
        repository.write(
            session, incident_id, "alert_cleared", (SYSTEM.id, SYSTEM.name),
            f"Clear: {ended[0].title}{more}.",
            at=max(row.ended_at or now for row in ended), alerts=[str(row.id) for row in ended],
        )  # fmt: skip
    await session.flush()
    await repository.mark_cleared(session, sorted(by_incident))
    return len(rows)


async def place_quiet(session: AsyncSession, now: datetime) -> int:
    """Give an incident to alerts that fire on after their window or snooze has ended."""
    windows = await running_windows(session, now)
    await repository.await_turn(session)
    rows = [
        row
        for row in await alert_repository.quiet(session, now, _AT_ONCE, windows.ids)
        if windows.covering(row.region, row.service) is None
    ]
    if rows:
        await place(session, rows)
    return len(rows)


async def verify(session: AsyncSession, now: datetime) -> int:
    """Resolve incidents that are clear and, by their indicator, well; first say they are mitigated.

    Their end is when the last of their alerts ended, not when this was noticed. Without an
    indicator some quiet is the proof.
    """
    done = 0
    for row in await repository.to_verify(session, now, _AT_ONCE):
        cleared = row.cleared_at
        assert cleared is not None
        if row.state in (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED):
            at = _not_before(row, cleared)
            await advance(
                session, SYSTEM, row, Act.MITIGATE, "Mitigated: all alerts are clear.", at=at
            )
            calling.stop(row)
            done += 1
        if cleared > now - VERIFY_AFTER:
            continue
        wrong = await indicators.what_is_wrong(session, row, cleared)
        if wrong is None:
            at = _not_before(row, cleared)
            words = "Resolved: clear for a while, and nothing measured is wrong."
            await advance(session, SYSTEM, row, Act.RESOLVE, words, at=at)
            calling.stop(row)
            done += 1
    return done


def _not_before(row: IncidentTable, at: datetime) -> datetime:
    """A moment as it fits after those that the incident has reached."""
    reached = [row.detected_at, row.acknowledged_at, row.mitigated_at, at]
    return max(each for each in reached if each is not None)


async def call_due(session: AsyncSession, now: datetime) -> int:
    """Take the steps that are due, let acknowledgements lapse, wake what was snoozed."""
    rows = await repository.to_call(session, now, _CALLS_AT_ONCE)
    for row in rows:
        actor = (SYSTEM.id, SYSTEM.name)
        if row.snoozed_until is not None:
            row.snoozed_until = None
            repository.write(session, row.id, "woke", actor, "The snooze is over.", at=now)
            if row.state == IncidentState.TRIGGERED:
                await calling.begin(session, row)
        lapses_at = row.ack_lapses_at if row.state == IncidentState.ACKNOWLEDGED else None
        if lapses_at is not None and lapses_at <= now:
            words = "The acknowledgement lapsed: nothing followed it."
            await advance(session, SYSTEM, row, Act.LAPSE, words, at=now)
            await calling.begin(session, row)
        if row.next_step_at is not None and row.next_step_at <= now:
            await calling.call(session, row, now)
    return len(rows)


async def drop_expired(session: AsyncSession) -> None:
    """Forget deliveries at the doorways that are older than 90 days."""
    await alert_repository.drop_events(session, clock.now() - EVENTS_KEPT_FOR)
