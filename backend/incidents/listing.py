"""The verbs that look at incidents and alerts."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import alert_repository, repository, views
from backend.incidents.blast import radius_of
from backend.incidents.errors import NoSuchIncident
from backend.incidents.models import IncidentTable
from backend.incidents.repository import AlertCount
from backend.incidents.rules import IncidentState, Severity
from backend.incidents.schemas import (
    AlertFilter,
    AlertPage,
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    OpenCount,
    RawEventOut,
)
from backend.platform.errors import Invalid, NotFound

READ = "incidents:read"
_MOST_ALERTS_SHOWN = 200


def cursor(after: str | None) -> UUID | None:
    """The id that a page ended with; raises Invalid for what is none."""
    try:
        return UUID(after) if after is not None else None
    except ValueError as error:
        raise Invalid("This is not a cursor of ours.") from error


async def list_incidents(
    session: AsyncSession,
    principal: Principal,
    wanted: IncidentFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> IncidentPage:
    """Incidents of the caller's regions, newest first; needs `incidents:read`."""
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    rows = await repository.incidents(
        session, scopes, wanted, principal.id, cursor(after), limit + 1
    )
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    return IncidentPage(items=await views.rows_out(session, rows[:limit]), next_cursor=more)


async def count_open(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> OpenCount:
    """Open incidents of the caller's regions, or those that concern `region`."""
    identity.authorize(principal, READ)
    found = await repository.count_open(session, identity.scopes(principal, READ), region)
    by_severity: Counter[Severity] = Counter()
    unacknowledged = 0
    for severity, state, count in found:
        by_severity[Severity(severity)] += count
        if state == IncidentState.TRIGGERED:
            unacknowledged += count
    return OpenCount(
        by_severity=dict(by_severity), unacknowledged=unacknowledged, total=by_severity.total()
    )


async def incident_row(
    session: AsyncSession, principal: Principal, named: UUID | str
) -> IncidentTable:
    """The incident of an id or number; raises NoSuchIncident."""
    identity.authorize(principal, READ)
    row = await repository.incident(session, named, identity.scopes(principal, READ))
    if row is None:
        raise NoSuchIncident
    return row


async def get_incident(
    session: AsyncSession, principal: Principal, incident: UUID | str
) -> IncidentDetail:
    """One incident by id or number with all that its page shows; raises NoSuchIncident."""
    row = await incident_row(session, principal, incident)
    alerts = await alert_repository.of_incident(session, row.id, _MOST_ALERTS_SHOWN)
    counts = await repository.alert_counts(session, [row.id])
    timeline = await repository.timeline(session, row.id)
    linked = await repository.numbers(session, [row.follows, row.merged_into])
    traces = views.traces_of(alerts, timeline)
    shown = views.row_out(row, counts.get(row.id, AlertCount(0, 0)))
    return IncidentDetail(
        **shown.model_dump(),
        alerts=[views.alert_out(alert) for alert in alerts],
        timeline=[views.entry_out(entry) for entry in timeline],
        clocks=views.clocks_of(row),
        roles=views.roles_out(row),
        blast_radius=await radius_of(session, principal, row),
        allowed=views.verbs_of(principal, row),
        actions=views.actions_of(principal, row, await dispatch.paused_cities(session)),
        follows=row.follows,
        follows_number=linked.get(row.follows),
        merged_into=row.merged_into,
        merged_into_number=linked.get(row.merged_into),
        merged=await repository.merged_into(session, row.id),
        opened_by=row.opened_by,
        runbook=row.service,
        traces=traces,
        links=views.links_of(alerts, traces),
        review=row.review,
        reviewed_at=row.reviewed_at,
    )


async def list_alerts(
    session: AsyncSession,
    principal: Principal,
    wanted: AlertFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> AlertPage:
    """Alerts of the caller's regions, newest first; needs `incidents:read`."""
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    rows = await alert_repository.alerts(session, scopes, wanted, cursor(after), limit + 1)
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    return AlertPage(items=[views.alert_out(row) for row in rows[:limit]], next_cursor=more)


async def get_raw_event(session: AsyncSession, principal: Principal, event_id: UUID) -> RawEventOut:
    """A delivery as it came in, where one of its alerts is the caller's to see."""
    identity.authorize(principal, READ)
    row = await alert_repository.event(session, event_id, identity.scopes(principal, READ))
    if row is None:
        raise NotFound("There is no such delivery.")
    told = row.model_dump(exclude={"body"})
    return RawEventOut(**told, body=row.body.decode("utf-8", "replace"))
