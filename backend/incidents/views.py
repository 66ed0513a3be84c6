"""How alerts, incidents and timelines are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository
from backend.incidents.models import AlertTable, IncidentTable, TimelineRow
from backend.incidents.places import related
from backend.incidents.repository import AlertCount, number_of
from backend.incidents.rules import (
    ALLOWED,
    Act,
    AlertStatus,
    IncidentState,
    Kind,
    Role,
    Severity,
    is_link,
)
from backend.incidents.schemas import (
    ActionKind,
    AlertOut,
    Clocks,
    IncidentRow,
    Link,
    RoleOut,
    TimelineOut,
    Verb,
)
from backend.platform import clock
from backend.platform.resources import current

_NO_ALERTS = AlertCount(0, 0)
_ENDED = (IncidentState.RESOLVED, IncidentState.CLOSED)
_DASHBOARDS = ("dashboard_url", "dashboardURL", "panelURL")
_MOST_TRACES = 10
_ACTS: dict[Verb, Act] = {
    "acknowledge": Act.ACKNOWLEDGE,
    "mitigate": Act.MITIGATE,
    "resolve": Act.RESOLVE,
    "close": Act.CLOSE,
    "reopen": Act.REOPEN,
}


async def rows_out(session: AsyncSession, rows: Sequence[IncidentTable]) -> list[IncidentRow]:
    """Incidents as a list shows them."""
    counts = await repository.alert_counts(session, [row.id for row in rows])
    return [row_out(row, counts.get(row.id, _NO_ALERTS)) for row in rows]


async def one_out(session: AsyncSession, row: IncidentTable) -> IncidentRow:
    """An incident after a change."""
    await session.flush()
    return (await rows_out(session, [row]))[0]


def row_out(row: IncidentTable, alerts: AlertCount) -> IncidentRow:
    """One incident with its alerts counted."""
    commander = next((each["name"] for each in row.roles if each["role"] == Role.COMMANDER), None)
    return IncidentRow(
        id=row.id,
        number=number_of(row),
        title=row.title,
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        kind=Kind(row.kind),
        region=row.region,
        regions=row.regions,
        services=row.services,
        impact_started_at=row.impact_started_at,
        detected_at=row.detected_at,
        acknowledged_at=row.acknowledged_at,
        mitigated_at=row.mitigated_at,
        resolved_at=row.resolved_at,
        closed_at=row.closed_at,
        snoozed_until=row.snoozed_until,
        acknowledgement_lapses_at=row.ack_lapses_at,
        firing=alerts.firing,
        alerts_count=alerts.all,
        commander=commander,
        reopened=row.reopened,
        running_s=clocks_of(row).running_s,
        version=row.version,
    )


def clocks_of(row: IncidentTable) -> Clocks:
    """Seconds from the start of the impact to each moment."""
    began = row.impact_started_at
    ended = row.resolved_at or (row.closed_at if row.state != IncidentState.MERGED else None)

    def since(at: datetime | None) -> float | None:
        return None if at is None else (at - began).total_seconds()

    return Clocks(
        detect_s=(row.detected_at - began).total_seconds(),
        acknowledge_s=since(row.acknowledged_at),
        mitigate_s=since(row.mitigated_at),
        resolve_s=since(row.resolved_at),
        running_s=((ended or clock.now()) - began).total_seconds(),
    )


def roles_out(row: IncidentTable) -> list[RoleOut]:
    """Who does what in an incident, the commander first."""
    order = list(Role)
    roles = [RoleOut.model_validate(each) for each in row.roles]
    return sorted(roles, key=lambda each: order.index(each.role))


def alert_out(row: AlertTable) -> AlertOut:
    """One alert."""
    told = row.model_dump(exclude={"first_started_at", "ended_by", "acknowledged_by"})
    told |= {"status": AlertStatus(row.status), "severity": Severity(row.severity)}
    return AlertOut(**{**told, "started_at": row.first_started_at})


def entry_out(row: TimelineRow) -> TimelineOut:
    """One entry of a timeline."""
    return TimelineOut(**row.model_dump(exclude={"incident_id"}))


def verbs_of(principal: Principal, row: IncidentTable) -> list[Verb]:
    """The verbs open to a caller in the incident's state."""
    if not may_write(principal, row) or row.state == IncidentState.MERGED:
        return []
    state = IncidentState(row.state)
    verbs: list[Verb] = [verb for verb, act in _ACTS.items() if state in ALLOWED[act]]
    verbs += ["add_note"]
    if state in _ENDED:
        return [*verbs, "set_kind", "save_review"]
    return [*verbs, "set_severity", "set_kind", "set_role", "merge", "split", "snooze", "act"]


def actions_of(principal: Principal, row: IncidentTable, paused: Sequence[str]) -> list[ActionKind]:
    """The actions that a caller may take from an incident; `paused` are cities without matching."""
    if "act" not in verbs_of(principal, row):
        return []
    found: list[ActionKind] = []
    if any(identity.may(principal, "dispatch:write", region) for region in row.regions):
        found += ["redispatch", "pause_matching"]
        if any(related(region, city) for region in row.regions for city in paused):
            found.append("resume_matching")
    if any(identity.may(principal, "orders:write", region) for region in row.regions):
        found.append("message_customers")
    if identity.may(principal, "flags:kill", "*"):
        found.append("flag_off")
    return found


def may_write(principal: Principal, row: IncidentTable) -> bool:
    """Whether a caller may work on an incident: in each of its regions, or in the first of them."""
    return identity.may(principal, "incidents:write", row.region)


def links_of(alerts: Sequence[AlertTable], traces: Sequence[str]) -> list[Link]:
    """Ways to look deeper: what senders link to, and the traces and logs of an incident."""
    links: dict[str, Link] = {}
    for alert in alerts:
        if is_link(alert.url):
            links[str(alert.url)] = Link(kind="alert", title=alert.title, url=str(alert.url))
        for name in _DASHBOARDS:
            url = alert.labels.get(name)
            if is_link(url):
                links[str(url)] = Link(kind="dashboard", title="Dashboard", url=str(url))
    settings = current().settings
    for trace in traces[:_MOST_TRACES]:
        for kind, pattern in (("trace", settings.trace_url), ("logs", settings.logs_url)):
            if pattern:
                url = pattern.replace("{trace_id}", trace)
                title = f"{kind.capitalize()} {trace[:8]}"
                links[url] = Link.model_validate({"kind": kind, "title": title, "url": url})
    return list(links.values())


def traces_of(alerts: Sequence[AlertTable], timeline: Sequence[TimelineRow]) -> list[str]:
    """Trace ids of an incident's alerts and entries, each once, in their order."""
    found = [*(row.trace_id for row in alerts), *(row.trace_id for row in timeline)]
    return list(dict.fromkeys(trace for trace in found if trace is not None))
