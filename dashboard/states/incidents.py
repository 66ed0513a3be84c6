"""The list of incidents: what is open by severity, filters, many at once, and declaring one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.schemas import (
    BulkIn,
    BulkItem,
    IncidentFilter,
    IncidentIn,
    IncidentRow,
    OpenCount,
)
from backend.platform import clock
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow, outcome_rows
from dashboard.gateway import DomainError, requires
from dashboard.states.forms import Refusal
from dashboard.states.incident_words import (
    OPEN_STATES,
    PATH,
    SEVERITIES,
    SEVERITY_TONES,
    SEVERITY_WORDS,
    Row,
    incident_row,
)
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    file_link,
    form_text,
    loads,
    uuids,
)
from dashboard.states.shell import place_names, tell

FIELDS = ("q", "state", "severity", "service", "mine", "from", "to")
STATE_CHOICES = (
    ("", "Open"),
    ("triggered", "Triggered"),
    ("acknowledged", "Acknowledged"),
    ("mitigated", "Mitigated"),
    ("resolved", "Resolved"),
    ("closed", "Closed"),
    ("merged", "Merged into another"),
    ("all", "Any state"),
)
SEVERITY_CHOICES = (("", "Any severity"), *((each, each) for each in SEVERITIES))
MINE_CHOICES = (("", "Anyone's"), ("yes", "Mine"))
DECLARED = tuple((each, f"{each}, {SEVERITY_WORDS[each]}") for each in SEVERITIES)
SNOOZED_FOR = timedelta(hours=1)
BULK = {
    "acknowledge": ("Acknowledge", "acknowledged"),
    "snooze": ("Snooze 1 h", "snoozed"),
    "resolve": ("Resolve", "resolved"),
    "close": ("Close", "closed"),
}
"""What a button says, and what is said of the incidents after."""
_ALL = (*OPEN_STATES, "resolved", "closed", "merged")
_CSV = "/api/v1/incidents.csv"


class Count(TypedDict):
    """How many of one severity are open."""

    name: str
    value: str
    note: str
    tone: str
    some: bool
    on: bool
    link: str


class IncidentsState(ListState, rx.State):
    """The page of incidents."""

    tab: str = ""
    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[Row] = []
    counts: list[Count] = []
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    may_write: bool = False
    declaring: bool = False
    working: bool = False
    form_fault: str = ""
    _versions: dict[str, int] = {}

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        await self._look()
        async with self:
            if self._asked("declare") == "yes" and self.may_write:
                self.declaring, self.form_fault, self.working = True, "", False

    @rx.event(background=True)
    @requires("incidents:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            tab = "alerts" if self._asked("tab") == "alerts" else ""
            after = self._asked("after")
            place = await self._place()
            names = await place_names(self)
        wanted = wanted_of(filters, place)
        async with gateway.open(self) as (session, principal):
            count = await incidents.count_open(session, principal, place)
            page = await incidents.list_incidents(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            may_write = identity.may(principal, "incidents:write")
        async with self:
            self.tab, self.filters = tab, filters
            self.filters_key = address("", filters)
            self.csv_link = file_link(_CSV, wanted)
            self.rows = [incident_row(each, names) for each in worst_first(page.items)]
            self._versions = {str(each.id): each.version for each in page.items}
            self.counts = counts(count, filters["severity"], self._asked("region"))
            self.may_write = may_write
            self._link_pages({**filters, "region": self._asked("region")}, page.next_cursor or "")
            self.fault, self.ready = "", True

    @rx.event
    @requires("incidents:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        return rx.redirect(address(PATH, {**kept, "region": self._asked("region")}), replace=True)

    @rx.event(background=True)
    @requires("incidents:write")
    async def act(self, action: str, incident_ids: list[str]) -> Any:
        """Do one thing with each of the chosen incidents, as this page shows them."""
        async with self:
            versions = dict(self._versions)
            names = {row["id"]: row["number"] for row in self.rows}
        chosen = [each for each in uuids(incident_ids) if str(each) in versions]
        if action not in BULK or not chosen:
            return None
        try:
            wanted = BulkIn.model_validate(
                {
                    "verb": action,
                    "items": [
                        BulkItem(id=each, seen_version=versions[str(each)]) for each in chosen
                    ],
                    "until": clock.now() + SNOOZED_FOR if action == "snooze" else None,
                }
            )
            async with gateway.open(self) as (session, principal):
                results = await incidents.act_on_incidents(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            self.outcome = outcome_rows(results.results, names, BULK[action][1])
            self.outcome_words = f"{results.done} of {len(chosen)} are {BULK[action][1]}"
        return IncidentsState.load

    @rx.event
    @requires("incidents:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""

    @rx.event
    @requires("incidents:write")
    async def begin(self) -> None:
        """Open the form that declares an incident."""
        self.declaring, self.form_fault, self.working = True, "", False

    @rx.event
    @requires("incidents:write")
    async def leave(self) -> None:
        """Close the form."""
        self.declaring = False

    @rx.event(background=True)
    @requires("incidents:write")
    async def declare(self, form: dict[str, Any]) -> Any:
        """Declare an incident, and go to its page."""
        async with self:
            if self.working:
                return None
            self.working, self.form_fault = True, ""
        minutes = form_text(form, "ago")
        with Refusal() as refused:
            wanted = IncidentIn.model_validate(
                {
                    "title": form_text(form, "title"),
                    "severity": form_text(form, "severity"),
                    "region": form_text(form, "region"),
                    "service": form_text(form, "service"),
                    "impact_started_at": clock.now() - timedelta(minutes=int(minutes))
                    if minutes.isdigit() and len(minutes) < 6
                    else None,
                    "kind": "test" if form.get("test") else "real",
                    "note": form_text(form, "note") or None,
                }
            )
            async with gateway.open(self) as (session, principal):
                opened = await incidents.open_incident(session, principal, wanted)
        async with self:
            self.working, self.form_fault = False, refused.words
            if refused.words:
                return None
            self.declaring = False
        return rx.redirect(f"{PATH}/{opened.number}")


def worst_first(found: Sequence[IncidentRow]) -> list[IncidentRow]:
    """Open ones before ended ones, by severity, each in the order it came."""
    return sorted(found, key=lambda each: (each.state not in OPEN_STATES, each.severity))


def counts(count: OpenCount, chosen: str, region: str) -> list[Count]:
    """The open incidents of each severity, each leading to its list."""
    by_severity = {str(key): value for key, value in count.by_severity.items()}
    return [
        {
            "name": severity,
            "value": f"{by_severity.get(severity, 0):,}",
            "note": SEVERITY_WORDS[severity],
            "tone": SEVERITY_TONES[severity],
            "some": by_severity.get(severity, 0) > 0,
            "on": chosen == severity,
            "link": address(
                PATH, {"severity": "" if chosen == severity else severity, "region": region}
            ),
        }
        for severity in SEVERITIES
    ]


def wanted_of(filters: dict[str, str], place: str | None) -> IncidentFilter:
    """What the service is asked; what is not known does not narrow."""
    state = filters["state"]
    return IncidentFilter.model_validate(
        {
            "states": list(_ALL) if state == "all" else [state] if state in _ALL else [],
            "severity": filters["severity"] if filters["severity"] in SEVERITIES else None,
            "region": place[:64] if place else None,
            "service": filters["service"][:80] or None,
            "q": filters["q"][:100] or None,
            "mine": filters["mine"] == "yes",
            "since": day_start(filters["from"]),
            "until": day_start(filters["to"], days=1),
        }
    )
