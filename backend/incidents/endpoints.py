"""Incidents and alerts over HTTP, under `/api/v1/incidents` and `/api/v1/alerts`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.incidents import service
from backend.incidents.review_schemas import ClockFigures, Review, Runbook
from backend.incidents.rules import AlertStatus, IncidentState, Severity
from backend.incidents.schemas import (
    ActionIn,
    ActionResult,
    AlertBulkIn,
    AlertFilter,
    AlertPage,
    BlastRadius,
    BulkIn,
    IncidentDetail,
    IncidentFilter,
    IncidentIn,
    IncidentPage,
    IncidentRow,
    OpenCount,
    RawEventOut,
    TimelineOut,
)
from backend.incidents.verb_schemas import (
    KindIn,
    MergeIn,
    Mitigation,
    Noted,
    NoteIn,
    Reopening,
    Resolution,
    ReviewIn,
    RoleIn,
    Seen,
    SeverityIn,
    SnoozeIn,
    SplitIn,
)
from backend.platform.errors import NotFound
from backend.platform.http import Uow
from backend.platform.idempotency import Once
from backend.platform.many import BulkResults
from backend.platform.moments import Moment

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Reader = Annotated[Principal, Depends(requires("incidents:read"))]
Writer = Annotated[Principal, Depends(requires("incidents:write"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Named = Annotated[str, Path(max_length=40, pattern=r"^[^\x00]*$")]


def _incidents(
    state: Annotated[list[IncidentState] | None, Query()] = None,
    severity: Severity | None = None,
    region: Search | None = None,
    service: Search | None = None,
    q: Search | None = None,
    mine: bool = False,
    since: Moment | None = None,
    until: Moment | None = None,
) -> IncidentFilter:
    return IncidentFilter(
        states=state or [], severity=severity, region=region or None, service=service or None,
        q=q, mine=mine, since=since, until=until,
    )  # fmt: skip


def _alerts(
    status: AlertStatus | None = None,
    severity: Severity | None = None,
    region: Search | None = None,
    service: Search | None = None,
    integration: Search | None = None,
    incident_id: UUID | None = None,
    q: Search | None = None,
) -> AlertFilter:
    return AlertFilter(
        status=status, severity=severity, region=region or None, service=service or None,
        integration=integration or None, incident_id=incident_id, q=q,
    )  # fmt: skip


@router.get("/alerts")
async def list_alerts(
    session: Uow,
    caller: Reader,
    wanted: Annotated[AlertFilter, Depends(_alerts)],
    limit: Limit = 50,
    cursor: Search | None = None,
) -> AlertPage:
    """Alerts, newest first."""
    return await service.list_alerts(session, caller, wanted, after=cursor, limit=limit)


@router.post("/alerts/bulk")
async def act_on_alerts(session: Uow, caller: Writer, wanted: AlertBulkIn) -> BulkResults:
    """Acknowledge, snooze or end many alerts at once."""
    return await service.act_on_alerts(session, caller, wanted)


@router.get("/alerts/deliveries/{event_id}")
async def get_raw_event(session: Uow, caller: Reader, event_id: UUID) -> RawEventOut:
    """A delivery as it came in."""
    return await service.get_raw_event(session, caller, event_id)


@router.get("/incidents")
async def list_incidents(
    session: Uow,
    caller: Reader,
    wanted: Annotated[IncidentFilter, Depends(_incidents)],
    limit: Limit = 50,
    cursor: Search | None = None,
) -> IncidentPage:
    """Incidents, newest first; the open ones where no state is named."""
    return await service.list_incidents(session, caller, wanted, after=cursor, limit=limit)


@router.post("/incidents", status_code=201, response_model=IncidentRow)
async def open_incident(session: Uow, caller: Writer, once: Once, wanted: IncidentIn) -> Response:
    """Declare an incident."""
    return await once.answer(
        session, caller.id, lambda: service.open_incident(session, caller, wanted)
    )


@router.post("/incidents/bulk")
async def act_on_incidents(session: Uow, caller: Writer, wanted: BulkIn) -> BulkResults:
    """One verb on many."""
    return await service.act_on_incidents(session, caller, wanted)


@router.get("/incidents/counts")
async def count_open(session: Uow, caller: Reader, region: Search | None = None) -> OpenCount:
    """Open incidents by severity."""
    return await service.count_open(session, caller, region or None)


@router.get("/incidents/figures")
async def clock_figures(
    session: Uow,
    caller: Reader,
    since: Moment,
    until: Moment,
    region: Search | None = None,
) -> ClockFigures:
    """Times to detect, acknowledge, mitigate and resolve."""
    return await service.clock_figures(
        session, caller, since=since, until=until, region=region or None
    )


@router.get("/runbooks/{name}", dependencies=[Depends(requires("incidents:read"))])
async def get_runbook(name: Named) -> Runbook:
    """What to do when a service fails."""
    found = service.runbook(name)
    if found is None:
        raise NotFound("Nobody wrote a runbook for this service.")
    return found


@router.get("/incidents/{number}")
async def get_incident(session: Uow, caller: Reader, number: Named) -> IncidentDetail:
    """One incident, by its id or its number."""
    return await service.get_incident(session, caller, _named(number))


def _named(number: str) -> UUID | str:
    try:
        return UUID(number)
    except ValueError:
        return number


@router.get("/incidents/{incident_id}/blast-radius")
async def blast_radius(session: Uow, caller: Reader, incident_id: UUID) -> BlastRadius:
    """Whom it hurts, counted now."""
    return await service.blast_radius(session, caller, incident_id)


@router.get("/incidents/{incident_id}/review")
async def review_draft(session: Uow, caller: Reader, incident_id: UUID) -> Review:
    """The review, or a draft of it."""
    return await service.review_draft(session, caller, incident_id)


@router.put("/incidents/{incident_id}/review")
async def save_review(session: Uow, caller: Writer, incident_id: UUID, wanted: ReviewIn) -> Review:
    """Keep a review."""
    return await service.save_review(
        session, caller, incident_id, wanted.text, seen_version=wanted.seen_version
    )


@router.post("/incidents/{incident_id}/acknowledge")
async def acknowledge(session: Uow, caller: Writer, incident_id: UUID, seen: Seen) -> IncidentRow:
    """Take it on."""
    return await service.acknowledge(session, caller, incident_id, seen_version=seen.seen_version)


@router.post("/incidents/{incident_id}/mitigate")
async def mitigate(
    session: Uow, caller: Writer, incident_id: UUID, wanted: Mitigation
) -> IncidentRow:
    """The harm has stopped."""
    return await service.mitigate(session, caller, incident_id, **wanted.model_dump())


@router.post("/incidents/{incident_id}/resolve")
async def resolve(
    session: Uow, caller: Writer, incident_id: UUID, wanted: Resolution
) -> IncidentRow:
    """It is over."""
    return await service.resolve(session, caller, incident_id, **wanted.model_dump())


@router.post("/incidents/{incident_id}/close")
async def close(session: Uow, caller: Writer, incident_id: UUID, wanted: Noted) -> IncidentRow:
    """Nothing is left to do."""
    return await service.close(session, caller, incident_id, **wanted.model_dump())


@router.post("/incidents/{incident_id}/reopen")
async def reopen(session: Uow, caller: Writer, incident_id: UUID, wanted: Reopening) -> IncidentRow:
    """It is not over."""
    return await service.reopen(session, caller, incident_id, **wanted.model_dump())


@router.post("/incidents/{incident_id}/severity")
async def set_severity(
    session: Uow, caller: Writer, incident_id: UUID, wanted: SeverityIn
) -> IncidentRow:
    """How severe it is."""
    return await service.set_severity(
        session, caller, incident_id, wanted.severity,
        seen_version=wanted.seen_version, note=wanted.note,
    )  # fmt: skip


@router.post("/incidents/{incident_id}/kind")
async def set_kind(session: Uow, caller: Writer, incident_id: UUID, wanted: KindIn) -> IncidentRow:
    """Whether it is real."""
    return await service.set_kind(
        session, caller, incident_id, wanted.kind,
        seen_version=wanted.seen_version, note=wanted.note,
    )  # fmt: skip


@router.post("/incidents/{incident_id}/roles")
async def set_role(session: Uow, caller: Writer, incident_id: UUID, wanted: RoleIn) -> IncidentRow:
    """Somebody's part in it."""
    return await service.set_role(
        session, caller, incident_id, wanted.role, wanted.person_id, wanted.name,
        seen_version=wanted.seen_version, remove=wanted.remove,
    )  # fmt: skip


@router.post("/incidents/{incident_id}/notes", status_code=201, response_model=TimelineOut)
async def add_note(
    session: Uow, caller: Writer, once: Once, incident_id: UUID, wanted: NoteIn
) -> Response:
    """Write into the timeline."""
    return await once.answer(
        session, caller.id, lambda: service.add_note(session, caller, incident_id, wanted.text)
    )


@router.post("/incidents/{incident_id}/snooze")
async def snooze(session: Uow, caller: Writer, incident_id: UUID, wanted: SnoozeIn) -> IncidentRow:
    """Call nobody until then."""
    return await service.snooze(
        session, caller, incident_id, wanted.until, seen_version=wanted.seen_version
    )


@router.post("/incidents/{incident_id}/merge")
async def merge_incidents(
    session: Uow, caller: Writer, incident_id: UUID, wanted: MergeIn
) -> IncidentRow:
    """End others in this one."""
    return await service.merge_incidents(
        session, caller, incident_id, wanted.merged, seen_version=wanted.seen_version
    )


@router.post("/incidents/{incident_id}/split")
async def split_alerts(
    session: Uow, caller: Writer, incident_id: UUID, wanted: SplitIn
) -> IncidentRow:
    """Make an incident of some of its alerts; the new one."""
    return await service.split_alerts(
        session, caller, incident_id, wanted.alerts,
        seen_version=wanted.seen_version, title=wanted.title,
    )  # fmt: skip


@router.post("/incidents/{incident_id}/actions")
async def act_on_incident(
    session: Uow, caller: Writer, incident_id: UUID, wanted: ActionIn
) -> ActionResult:
    """Do something about it."""
    return await service.act_on_incident(session, caller, incident_id, wanted)
