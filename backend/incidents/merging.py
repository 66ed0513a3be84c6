"""Incidents that turn out to be one, and alerts that turn out to be another's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import alert_repository, calling, repository, views
from backend.incidents.acts import to_change
from backend.incidents.changes import (
    advance,
    moments_of,
    new_incident,
    set_moments,
    take_alert,
    touch,
)
from backend.incidents.errors import NoSuchAlert
from backend.incidents.models import AlertTable, IncidentTable
from backend.incidents.repository import number_of
from backend.incidents.rules import (
    OPEN,
    Act,
    AlertStatus,
    IncidentState,
    Severity,
    merged_moments,
    worst,
)
from backend.incidents.schemas import IncidentRow
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotNow


async def merge_incidents(
    session: AsyncSession,
    principal: Principal,
    target_id: UUID,
    merged: Sequence[UUID],
    *,
    seen_version: int,
) -> IncidentRow:
    """End incidents in another, which takes their alerts and the earliest of their moments.

    Raises Invalid where an incident is to end in itself, NotNow where one of them has ended.
    """
    sources = sorted(set(merged) - {target_id})
    if not sources:
        detail = "Name the incidents that are to end in this one."
        raise Invalid(detail, errors=[FieldError("/merged", "missing", detail)])
    await repository.await_turn(session)
    # In the order of their ids, as everybody locks them.
    await repository.locked(session, sorted([target_id, *sources]))
    target = await to_change(session, principal, target_id, seen_version, states=OPEN)
    gone = [await to_change(session, principal, each, None, states=OPEN) for each in sources]
    for row in gone:
        await _end_in(session, principal, row, target)
    moved = await alert_repository.move(session, sources, target.id)
    set_moments(target, merged_moments(moments_of(target), [moments_of(row) for row in gone]))
    if target.state == IncidentState.MITIGATED and target.mitigated_at is None:
        answered = target.acknowledged_at is not None
        target.state = IncidentState.ACKNOWLEDGED if answered else IncidentState.TRIGGERED
    target.severity = worst(Severity(row.severity) for row in [target, *gone])
    target.regions = _union([target.regions, *(row.regions for row in gone)])
    target.services = _union([target.services, *(row.services for row in gone)])
    target.alerted_at = max(row.alerted_at or row.detected_at for row in [target, *gone])
    if any(row.cleared_at is None for row in gone):
        target.cleared_at = None
    names = ", ".join(number_of(row) for row in gone)
    touch(target, principal, f"merged {names} into it")
    repository.write(
        session, target.id, "merged", (principal.id, principal.name),
        f"Took in {names} with {moved} alert{'' if moved == 1 else 's'}.",
        merged=[str(row.id) for row in gone],
    )  # fmt: skip
    await session.flush()
    await identity.record(
        session, principal, "incident.merged", f"incident:{number_of(target)}",
        region=target.region, after={"merged": names},
    )  # fmt: skip
    return await views.one_out(session, target)


async def _end_in(
    session: AsyncSession, principal: Principal, row: IncidentTable, target: IncidentTable
) -> None:
    words = f"Merged into {number_of(target)}."
    await advance(session, principal, row, Act.MERGE, words, into=str(target.id))
    row.merged_into = target.id
    row.closed_at = None
    calling.stop(row)


def _union(lists: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(each for one in lists for each in one))


async def split_alerts(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    alerts: Sequence[UUID],
    *,
    seen_version: int,
    title: str | None = None,
) -> IncidentRow:
    """Part alerts from an incident into a new one with clocks of its own; the new one.

    Its impact began with the first of them. Raises NoSuchAlert, Invalid where none would stay.
    """
    await repository.await_turn(session)
    row = await to_change(session, principal, incident_id, seen_version, states=OPEN)
    scopes = identity.scopes(principal, "incidents:read")
    found = await alert_repository.locked(session, sorted(set(alerts)), scopes)
    chosen = [alert for alert in found.values() if alert.incident_id == row.id]
    if not chosen or len(chosen) < len(set(alerts)):
        raise NoSuchAlert("Not all of these alerts are the incident's.")
    counts = await repository.alert_counts(session, [row.id])
    if len(chosen) == counts[row.id].all:
        detail = "One alert at least stays where it is."
        raise Invalid(detail, errors=[FieldError("/alerts", "all_of_them", detail)])
    return await _part(session, principal, row, chosen, title)


async def _part(
    session: AsyncSession,
    principal: Principal,
    row: IncidentTable,
    chosen: list[AlertTable],
    title: str | None,
) -> IncidentRow:
    firing = [alert for alert in chosen if alert.status == AlertStatus.FIRING]
    if not firing:
        raise NotNow("None of these alerts fires; there is nothing to work on.")
    now = clock.now()
    made = await new_incident(
        session,
        principal,
        title=title or firing[0].title,
        severity=worst(Severity(alert.severity) for alert in firing),
        region=firing[0].region,
        service=firing[0].service,
        impact_started_at=min(alert.first_started_at for alert in chosen),
        detected_at=min(alert.received_at for alert in chosen),
    )
    for alert in chosen:
        alert.incident_id = made.id
        take_alert(session, made, alert, now)
    n = len(chosen)
    some = "1 alert" if n == 1 else f"{n} alerts"
    actor = (principal.id, principal.name)
    repository.write(
        session, row.id, "split", actor, f"{some} parted into {number_of(made)}.",
        into=str(made.id),
    )  # fmt: skip
    repository.write(
        session, made.id, "split", actor, f"Parted from {number_of(row)} with {some}.",
        source=str(row.id),
    )  # fmt: skip
    touch(row, principal, f"parted {number_of(made)} from it")
    await session.flush()
    # What stays may be over already.
    await repository.mark_cleared(session, [row.id])
    await identity.record(
        session, principal, "incident.split", f"incident:{number_of(row)}",
        region=row.region, after={"into": number_of(made), "alerts": n},
    )  # fmt: skip
    return await views.one_out(session, made)
