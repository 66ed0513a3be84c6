"""Takes alerts in: each finds its episode and its incident, a whole batch in one go."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.incidents import alert_repository, repository
from backend.incidents.changes import announce, open_anew, reopen_by_alert, take_alert
from backend.incidents.grouping_rules import Episode, Meaning, clears_at, in_time, meaning, reopens
from backend.incidents.models import AlertTable, IncidentTable
from backend.incidents.places import related
from backend.incidents.quiet import Windows, running_windows
from backend.incidents.rules import OPEN, AlertStatus, IncidentState
from backend.incidents.schemas import AlertIn
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.telemetry import current_trace_id, meter

BY_SENDER = "sender"
_taken = meter.create_counter("waypost.alerts.taken", "1", "Alert messages, by what they meant")


@dataclass(frozen=True, slots=True)
class Told:
    """One alert with how it came: its delivery, and when.

    `ordered` is for senders whose messages come in order or who know no episodes.
    """

    alert: AlertIn
    received_at: datetime
    event_id: UUID | None = None
    trace_id: str | None = None
    ordered: bool = False


async def raise_alert(session: AsyncSession, alert: AlertIn) -> UUID | None:
    """Take one alert in, firing or resolved; its id, the same while it is open.

    For Waypost's own detectors: the caller answers for it, nothing is authorised. None for a
    resolved one that does not fire.
    """
    told = Told(alert, clock.now(), trace_id=current_trace_id(), ordered=True)
    return (await take(session, [told]))[0]


async def take(session: AsyncSession, batch: Sequence[Told]) -> list[UUID | None]:
    """Take alerts in, in the order given; the id of each one's episode, None without any."""
    await repository.await_turn(session)
    desk = await _Desk.open(session, batch)
    ids = []
    for told in batch:
        row = await desk.take(told)
        ids.append(row.id if row is not None else None)
    await desk.close()
    return ids


async def place(session: AsyncSession, rows: Sequence[AlertTable]) -> None:
    """Find incidents for firing alerts that a window or a snooze kept quiet until now."""
    desk = await _Desk.open(session, [])
    await desk.know_incidents(rows)
    for row in rows:
        await desk.place(row)
    await desk.close()


@dataclass(slots=True)
class _Desk:
    """What is known while one batch is worked in."""

    session: AsyncSession
    now: datetime
    windows: Windows
    episodes: dict[alert_repository.Named, AlertTable] = field(default_factory=dict)
    open_incidents: dict[str, list[IncidentTable]] = field(default_factory=dict)
    former: dict[UUID, IncidentTable] = field(default_factory=dict)
    joined: defaultdict[UUID, list[AlertTable]] = field(default_factory=lambda: defaultdict(list))
    flapped: Counter[UUID] = field(default_factory=Counter)

    @classmethod
    async def open(cls, session: AsyncSession, batch: Sequence[Told]) -> _Desk:
        desk = cls(session, clock.now(), await running_windows(session, clock.now()))
        names = sorted({(told.alert.integration, told.alert.key) for told in batch})
        desk.episodes = await alert_repository.newest(session, names)
        await desk.know_incidents(
            list(desk.episodes.values()), {told.alert.service for told in batch}
        )
        return desk

    async def know_incidents(
        self, rows: Sequence[AlertTable], services: set[str] | None = None
    ) -> None:
        services = (services or set()) | {row.service for row in rows}
        for incident in await repository.open_of_services(self.session, sorted(services)):
            self.open_incidents.setdefault(incident.service, []).append(incident)
        former = sorted({row.incident_id for row in rows if row.incident_id is not None})
        self.former |= await repository.followed(self.session, former)

    async def take(self, told: Told) -> AlertTable | None:
        alert = told.alert
        known = self.episodes.get((alert.integration, alert.key))
        started = min(alert.started_at, told.received_at)
        ended = min(alert.ended_at or told.received_at, told.received_at)
        means = meaning(
            _episode(known),
            firing=alert.status is AlertStatus.FIRING,
            started_at=started,
            at=ended,
            ordered=told.ordered,
        )
        _taken.add(1, {"means": means, "integration": alert.integration})
        if means is Meaning.NEW:
            row = self._new(told, started, known)
            self.episodes[alert.integration, alert.key] = row
            await self.place(row)
            return row
        if known is None or means is Meaning.UNKNOWN:
            return None
        known.deliveries += 1
        known.seen_at = max(known.seen_at, told.received_at)
        if means is Meaning.LATE:
            return known
        if told.event_id is not None:
            known.event_id = told.event_id
        if means is Meaning.CLEARING:
            known.ended_at, known.clears_at = ended, clears_at(ended, self.now)
            return known
        self._again(known, told, started, means)
        return known

    def _new(self, told: Told, started: datetime, before: AlertTable | None) -> AlertTable:
        row = AlertTable(
            id=uuid7(),
            **told.alert.model_dump(exclude={"started_at", "ended_at", "status"}),
            status=AlertStatus.FIRING,
            started_at=started,
            first_started_at=started,
            received_at=told.received_at,
            seen_at=told.received_at,
            deliveries=1,
            flaps=0,
            event_id=told.event_id,
            trace_id=told.alert.labels.get("trace_id") or told.trace_id,
        )
        # Until it is placed it names the incident of the episode before.
        row.incident_id = before.incident_id if before is not None else None
        self.session.add(row)
        return row

    def _again(self, row: AlertTable, told: Told, started: datetime, means: Meaning) -> None:
        """The same episode told again, perhaps after it seemed to clear."""
        alert = told.alert
        row.title, row.value, row.url = alert.title, alert.value, alert.url
        row.labels = alert.labels
        row.started_at = max(row.started_at, started)
        incident = self.former.get(row.incident_id) if row.incident_id is not None else None
        worse = alert.severity < row.severity
        row.severity = alert.severity
        if means is Meaning.FLAPPED:
            row.ended_at = row.clears_at = None
            row.flaps += 1
            if incident is not None:
                self.flapped[incident.id] += 1
                self.joined[incident.id] += []
        if incident is not None and incident.state in OPEN:
            incident.alerted_at = self.now
            if worse or means is Meaning.FLAPPED:
                take_alert(self.session, incident, row, self.now)

    async def place(self, row: AlertTable) -> None:
        """Let an alert open, reopen or join an incident, unless something keeps it quiet."""
        former = self.former.get(row.incident_id) if row.incident_id is not None else None
        row.incident_id = None
        row.silenced_by = self.windows.covering(row.region, row.service)
        if row.silenced_by is not None:
            return
        if row.snoozed_until is not None and row.snoozed_until > self.now:
            return
        incident = await self._incident_for(row, former)
        row.incident_id = incident.id
        self.former[incident.id] = incident
        self.joined[incident.id].append(row)
        take_alert(self.session, incident, row, self.now)

    async def _incident_for(self, row: AlertTable, former: IncidentTable | None) -> IncidentTable:
        if former is not None and reopens(
            IncidentState(former.state), former.resolved_at, row.started_at
        ):
            if former.state not in OPEN:
                await reopen_by_alert(self.session, former, row)
                self.open_incidents.setdefault(former.service, []).insert(0, former)
            return former
        for incident in self.open_incidents.get(row.service, []):
            if related(incident.region, row.region) and in_time(
                incident.alerted_at or incident.detected_at, self.now
            ):
                return incident
        made = await open_anew(self.session, row, follows=former)
        self.open_incidents.setdefault(row.service, []).insert(0, made)
        return made

    async def close(self) -> None:
        """Write down, once an incident, what joined it."""
        await self.session.flush()
        for incident_id, rows in self.joined.items():
            await announce(self.session, self.former[incident_id], rows, self.flapped[incident_id])
        await self.session.flush()


def _episode(row: AlertTable | None) -> Episode | None:
    if row is None:
        return None
    firing = row.status == AlertStatus.FIRING
    clearing = firing and row.clears_at is not None
    return Episode(
        firing=firing,
        started_at=row.started_at,
        ended_at=row.ended_at,
        clearing=clearing,
        ended_by_sender=clearing or row.ended_by == BY_SENDER,
    )
