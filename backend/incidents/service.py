"""The verbs of incidents that other contexts, the console and the worker call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.incidents.on_call_schemas import (
    HeartbeatIn,
    HeartbeatOut,
    MaintenanceIn,
    MaintenanceOut,
    OnCall,
    PageOut,
    ScheduleIn,
    ScheduleOut,
    ShiftOut,
)
from backend.incidents.rules import Role, Severity
from backend.incidents.schemas import (
    ActionIn,
    ActionResult,
    AlertBulkIn,
    AlertFilter,
    AlertIn,
    AlertPage,
    BlastRadius,
    BulkIn,
    BulkResults,
    ClockFigures,
    IncidentDetail,
    IncidentFilter,
    IncidentIn,
    IncidentPage,
    IncidentRow,
    OpenCount,
    RawEventOut,
    Review,
    Runbook,
    TimelineOut,
)


async def raise_alert(session: AsyncSession, alert: AlertIn) -> UUID:
    """Take one alert in, firing or resolved; the alert's id, the same while it is open.

    For Waypost's own detectors: the caller answers for it, nothing is authorised. A resolved one
    that nobody knows answers the id of nothing new: raises NotFound.
    """
    raise NotImplementedError


async def list_alerts(
    session: AsyncSession,
    principal: Principal,
    wanted: AlertFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> AlertPage:
    """Alerts of the caller's regions, newest first; needs `incidents:read`."""
    raise NotImplementedError


async def act_on_alerts(
    session: AsyncSession, principal: Principal, wanted: AlertBulkIn
) -> BulkResults:
    """Acknowledge, snooze or end many open alerts at once, with a result for each."""
    raise NotImplementedError


async def get_raw_event(session: AsyncSession, principal: Principal, event_id: UUID) -> RawEventOut:
    """A delivery as it came in, where one of its alerts is the caller's to see."""
    raise NotImplementedError


async def list_incidents(
    session: AsyncSession,
    principal: Principal,
    wanted: IncidentFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> IncidentPage:
    """Incidents of the caller's regions, newest first; needs `incidents:read`."""
    raise NotImplementedError


async def count_open(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> OpenCount:
    """Open incidents of the caller's regions, or those at `region`."""
    raise NotImplementedError


async def get_incident(
    session: AsyncSession, principal: Principal, incident: UUID | str
) -> IncidentDetail:
    """One incident by id or number; raises NoSuchIncident."""
    raise NotImplementedError


async def open_incident(
    session: AsyncSession, principal: Principal, wanted: IncidentIn
) -> IncidentRow:
    """Declare an incident; needs `incidents:write` in its region."""
    raise NotImplementedError


async def acknowledge(
    session: AsyncSession, principal: Principal, incident_id: UUID, *, seen_version: int
) -> IncidentRow:
    """Take an incident on; raises Conflict saying who did what when where it has moved on.

    Whoever acknowledges first commands, until somebody else is named. Acknowledging again
    lengthens an acknowledgement that would lapse.
    """
    raise NotImplementedError


async def mitigate(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
    at: datetime | None = None,
) -> IncidentRow:
    """Say that the harm has stopped, now or `at` a moment that has passed."""
    raise NotImplementedError


async def resolve(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
    at: datetime | None = None,
    force: bool = False,
) -> IncidentRow:
    """End an incident once its indicator is well again.

    Raises Conflict while alerts fire or the indicator is bad, unless with `force` and a `note`:
    its alerts then end by hand, so that their next firing is a new episode.
    """
    raise NotImplementedError


async def close(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
) -> IncidentRow:
    """Close a resolved incident."""
    raise NotImplementedError


async def reopen(
    session: AsyncSession, principal: Principal, incident_id: UUID, *, seen_version: int, note: str
) -> IncidentRow:
    """Open a resolved incident again; its clock has run through."""
    raise NotImplementedError


async def set_severity(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    severity: Severity,
    *,
    seen_version: int,
    note: str | None = None,
) -> IncidentRow:
    """Raise or lower how much it hurts."""
    raise NotImplementedError


async def set_role(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    role: Role,
    person_id: str,
    name: str,
    *,
    seen_version: int,
    remove: bool = False,
) -> IncidentRow:
    """Give somebody a part in an incident, or take it; there is one commander."""
    raise NotImplementedError


async def add_note(
    session: AsyncSession, principal: Principal, incident_id: UUID, text: str
) -> TimelineOut:
    """Write into the timeline; needs no version, for nothing is overwritten."""
    raise NotImplementedError


async def merge_incidents(
    session: AsyncSession,
    principal: Principal,
    target_id: UUID,
    merged: Sequence[UUID],
    *,
    seen_version: int,
) -> IncidentRow:
    """End incidents in another, which takes their alerts and the earliest of their moments."""
    raise NotImplementedError


async def split_alerts(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    alerts: Sequence[UUID],
    *,
    seen_version: int,
    title: str | None = None,
) -> IncidentRow:
    """Part alerts from an incident into a new one with clocks of its own; the new one."""
    raise NotImplementedError


async def snooze(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    until: datetime,
    *,
    seen_version: int,
) -> IncidentRow:
    """Keep an incident from calling people until then; its clock runs on."""
    raise NotImplementedError


async def act_on_incident(
    session: AsyncSession, principal: Principal, incident_id: UUID, wanted: ActionIn
) -> ActionResult:
    """Do something about it; needs the action's own permission beside `incidents:write`."""
    raise NotImplementedError


async def act_on_incidents(
    session: AsyncSession, principal: Principal, wanted: BulkIn
) -> BulkResults:
    """One verb on many, with a result for each; what is refused leaves the others done."""
    raise NotImplementedError


async def blast_radius(
    session: AsyncSession, principal: Principal, incident_id: UUID
) -> BlastRadius:
    """Whom it hurts, counted now in the part of its regions that the caller may see."""
    raise NotImplementedError


async def review_draft(session: AsyncSession, principal: Principal, incident_id: UUID) -> Review:
    """The saved review, or a draft made of the timeline."""
    raise NotImplementedError


async def save_review(
    session: AsyncSession, principal: Principal, incident_id: UUID, text: str, *, seen_version: int
) -> Review:
    """Keep a review of a resolved or closed incident."""
    raise NotImplementedError


async def clock_figures(
    session: AsyncSession,
    principal: Principal,
    *,
    since: datetime,
    until: datetime,
    region: str | None = None,
) -> ClockFigures:
    """Times to detect, acknowledge, mitigate and resolve of incidents that began in the span."""
    raise NotImplementedError


def runbook(service: str) -> Runbook | None:
    """What to do when a service fails, None where nobody wrote it."""
    raise NotImplementedError


async def list_schedules(session: AsyncSession, principal: Principal) -> list[ScheduleOut]:
    """Schedules of the caller's regions by name; needs `incidents:read`."""
    raise NotImplementedError


async def save_schedule(
    session: AsyncSession, principal: Principal, wanted: ScheduleIn
) -> ScheduleOut:
    """Add a schedule, or change one; needs `incidents:configure` in its region."""
    raise NotImplementedError


async def who_is_on_call(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[OnCall]:
    """Who is on call now, for each schedule that counts at `region`."""
    raise NotImplementedError


async def start_shift(session: AsyncSession, principal: Principal) -> ShiftOut:
    """Begin the caller's shift: the console may sound from now on; the running one if any."""
    raise NotImplementedError


async def end_shift(session: AsyncSession, principal: Principal) -> ShiftOut | None:
    """End the caller's shift; None where none ran."""
    raise NotImplementedError


async def current_shift(session: AsyncSession, principal: Principal) -> ShiftOut | None:
    """The caller's running shift."""
    raise NotImplementedError


async def list_pages(
    session: AsyncSession, principal: Principal, *, incident_id: UUID | None = None, limit: int = 50
) -> list[PageOut]:
    """Calls to the caller, or all of one incident, newest first."""
    raise NotImplementedError


async def list_maintenance(
    session: AsyncSession, principal: Principal, *, ended: bool = False
) -> list[MaintenanceOut]:
    """Maintenance windows that run or come, with `ended` the past ones too, newest first."""
    raise NotImplementedError


async def add_maintenance(
    session: AsyncSession, principal: Principal, wanted: MaintenanceIn
) -> MaintenanceOut:
    """Add a window; needs `incidents:write` in its region."""
    raise NotImplementedError


async def end_maintenance(
    session: AsyncSession, principal: Principal, window_id: UUID
) -> MaintenanceOut:
    """End a window now; what still fires in it opens incidents."""
    raise NotImplementedError


async def list_heartbeats(session: AsyncSession, principal: Principal) -> list[HeartbeatOut]:
    """The integrations that should be heard regularly; needs `incidents:read`."""
    raise NotImplementedError


async def save_heartbeat(
    session: AsyncSession, principal: Principal, wanted: HeartbeatIn
) -> HeartbeatOut:
    """Expect an integration to be heard; needs `incidents:configure`."""
    raise NotImplementedError


async def remove_heartbeat(session: AsyncSession, principal: Principal, integration: str) -> None:
    """Expect an integration no longer."""
    raise NotImplementedError
