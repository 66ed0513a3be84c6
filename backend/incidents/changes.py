"""How an incident changes, whoever changes it: its row, its timeline and its event in one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM, Principal
from backend.incidents import calling, repository
from backend.incidents.models import AlertTable, IncidentTable
from backend.incidents.repository import number_of
from backend.incidents.rules import (
    Act,
    IncidentState,
    Kind,
    Moments,
    Refused,
    Severity,
    step,
    worst,
)
from backend.platform import clock
from backend.platform.errors import NotNow
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.scopes import covers

_EVENTS = {
    Act.ACKNOWLEDGE: "incident.acknowledged",
    Act.LAPSE: "incident.acknowledgement_lapsed",
    Act.MITIGATE: "incident.mitigated",
    Act.RELAPSE: "incident.relapsed",
    Act.RESOLVE: "incident.resolved",
    Act.CLOSE: "incident.closed",
    Act.REOPEN: "incident.reopened",
    Act.MERGE: "incident.merged",
}


def moments_of(row: IncidentTable) -> Moments:
    """The moments that an incident has reached."""
    return Moments(
        row.impact_started_at,
        row.detected_at,
        row.acknowledged_at,
        row.mitigated_at,
        row.resolved_at,
        row.closed_at,
    )


def set_moments(row: IncidentTable, moments: Moments) -> None:
    """Write moments down."""
    row.impact_started_at, row.detected_at = moments.impact_started_at, moments.detected_at
    row.acknowledged_at, row.mitigated_at = moments.acknowledged_at, moments.mitigated_at
    row.resolved_at, row.closed_at = moments.resolved_at, moments.closed_at


def touch(row: IncidentTable, principal: Principal, what: str) -> None:
    """Count a change that others must have seen before they change it too."""
    row.version += 1
    row.changed_by_name, row.changed_what, row.changed_at = principal.name, what, clock.now()
    if row.ack_lapses_at is not None and principal.kind != "system":
        # Something followed the acknowledgement.
        calling.lengthen(row)


async def advance(
    session: AsyncSession,
    principal: Principal,
    row: IncidentTable,
    act: Act,
    words: str,
    *,
    at: datetime | None = None,
    **data: Any,
) -> None:
    """Move an incident by an act; raises NotNow where it does not go from its state."""
    at = at or clock.now()
    former = row.state
    try:
        state, moments = step(
            IncidentState(row.state), moments_of(row), act, at, by_person=principal.kind != "system"
        )
    except Refused as refused:
        raise NotNow(str(refused)) from refused
    set_moments(row, moments)
    row.state = state
    touch(row, principal, _DID[act])
    repository.write(
        session, row.id, act.value, (principal.id, principal.name), words, at=at,
        former=former, **data,
    )  # fmt: skip
    await tell(session, principal, row, _EVENTS[act], at=at)


_DID = {
    Act.ACKNOWLEDGE: "acknowledged it", Act.LAPSE: "let its acknowledgement lapse",
    Act.MITIGATE: "mitigated it", Act.RELAPSE: "took back its mitigation",
    Act.RESOLVE: "resolved it", Act.CLOSE: "closed it", Act.REOPEN: "reopened it",
    Act.MERGE: "merged it",
}  # fmt: skip


async def tell(
    session: AsyncSession, principal: Principal, row: IncidentTable, kind: str, **data: Any
) -> None:
    """Emit an event of an incident."""
    told = {
        "incident_id": str(row.id),
        "number": number_of(row),
        "title": row.title,
        "severity": row.severity,
        "state": row.state,
        "regions": row.regions,
        "services": row.services,
        **data,
    }
    await emit(session, Event(kind, str(row.id), principal.id, told, row.region))


async def new_incident(
    session: AsyncSession,
    principal: Principal,
    *,
    title: str,
    severity: Severity,
    region: str,
    service: str,
    impact_started_at: datetime,
    detected_at: datetime,
    kind: Kind = Kind.REAL,
    follows: IncidentTable | None = None,
) -> IncidentTable:
    """A fresh incident with its first timeline entries, its call begun and its event emitted."""
    now = clock.now()
    row = IncidentTable(
        id=uuid7(),
        title=title,
        severity=severity,
        state=IncidentState.TRIGGERED,
        kind=kind,
        region=region,
        regions=[region],
        service=service,
        services=[service],
        impact_started_at=impact_started_at,
        detected_at=detected_at,
        alerted_at=now,
        roles=[],
        reopened=0,
        follows=follows.id if follows is not None else None,
        round=0,
        next_step=0,
        opened_by=principal.name,
        version=1,
        changed_by_name=principal.name,
        changed_what="opened it",
        changed_at=now,
    )
    await repository.add(session, row)
    actor = (principal.id, principal.name)
    repository.write(session, row.id, "impact", actor, "Impact began.", at=impact_started_at)
    repository.write(session, row.id, "detected", actor, f"Detected: {title}", at=detected_at)
    if follows is not None:
        words = f"Follows {number_of(follows)}, which had the same alert."
        repository.write(session, row.id, "linked", actor, words, follows=str(follows.id))
        repository.write(
            session, follows.id, "linked", actor, f"Followed by {number_of(row)}.",
            by=str(row.id),
        )  # fmt: skip
    await calling.begin(session, row)
    await tell(session, principal, row, "incident.opened")
    return row


async def open_anew(
    session: AsyncSession, alert: AlertTable, *, follows: IncidentTable | None
) -> IncidentTable:
    """The incident that an alert opens, since no other takes it."""
    return await new_incident(
        session,
        SYSTEM,
        title=alert.title,
        severity=Severity(alert.severity),
        region=alert.region,
        service=alert.service,
        impact_started_at=min(alert.started_at, alert.received_at),
        detected_at=alert.received_at,
        follows=follows,
    )


async def reopen_by_alert(session: AsyncSession, row: IncidentTable, alert: AlertTable) -> None:
    """Open an incident again because its alert came back soon after."""
    words = f"Reopened: {alert.title} came back. The clock has run through."
    await _reopen(session, SYSTEM, row, words, alert_id=str(alert.id))


async def reopen_by_person(
    session: AsyncSession, principal: Principal, row: IncidentTable, words: str
) -> None:
    """Open an incident again because somebody says that it is not over."""
    await _reopen(session, principal, row, words)


async def _reopen(
    session: AsyncSession, principal: Principal, row: IncidentTable, words: str, **data: Any
) -> None:
    await advance(session, principal, row, Act.REOPEN, words, **data)
    row.reopened += 1
    row.cleared_at = None
    row.alerted_at = clock.now()
    await calling.begin(session, row)


async def relapse(session: AsyncSession, row: IncidentTable, words: str) -> None:
    """Take a mitigation back: the harm goes on."""
    await advance(session, SYSTEM, row, Act.RELAPSE, words)
    if row.state == IncidentState.TRIGGERED:
        await calling.begin(session, row)
    else:
        calling.pause(row, await calling.lapse_of(session, row))


def take_alert(session: AsyncSession, row: IncidentTable, alert: AlertTable, now: datetime) -> None:
    """Widen an open incident by one of its alerts."""
    row.alerted_at, row.cleared_at = now, None
    row.impact_started_at = min(row.impact_started_at, alert.started_at)
    if not any(covers(region, alert.region) for region in row.regions):
        row.regions = [*row.regions, alert.region]
    if alert.service not in row.services:
        row.services = [*row.services, alert.service]
    severity = worst([Severity(row.severity), Severity(alert.severity)])
    if severity != row.severity:
        words = f"{severity} from {row.severity}: {alert.title}"
        repository.write(
            session, row.id, "severity", (SYSTEM.id, SYSTEM.name), words, former=row.severity
        )
        row.severity = severity


async def announce(
    session: AsyncSession, row: IncidentTable, joined: Sequence[AlertTable], flapped: int
) -> None:
    """Write what a batch of alerts brought to an incident, one entry of each kind."""
    actor = (SYSTEM.id, SYSTEM.name)
    if joined:
        words = f"{len(joined)} alerts joined, the newest: " if len(joined) > 1 else "Alert: "
        ids = [str(alert.id) for alert in joined[-50:]]
        repository.write(
            session, row.id, "alert", actor, words + joined[-1].title, alerts=ids, n=len(joined)
        )
    if flapped:
        words = "An alert" if flapped == 1 else f"{flapped} alerts"
        repository.write(
            session, row.id, "flapped", actor, f"{words} cleared and came back within a minute."
        )
    if row.state == IncidentState.MITIGATED and (joined or flapped):
        await relapse(session, row, "Not mitigated: alerts fire.")
