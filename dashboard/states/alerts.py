"""The alerts tab of the incidents page."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.schemas import AlertBulkIn, AlertFilter
from backend.platform import clock
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow, outcome_rows
from dashboard.gateway import DomainError, requires
from dashboard.states.incident_words import (
    PATH,
    SEVERITIES,
    AlertRow,
    alert_row,
)
from dashboard.states.incidents import SNOOZED_FOR
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    file_link,
    form_text,
    loads,
    uuids,
)
from dashboard.states.shell import place_names, tell

FIELDS = ("q", "status", "severity", "service", "integration")
STATUS_CHOICES = (("firing", "Firing"), ("resolved", "Resolved"), ("all", "Any status"))
BULK = {
    "acknowledge": ("Acknowledge", "acknowledged"),
    "snooze": ("Snooze 1 h", "snoozed"),
    "resolve": ("End", "ended"),
}
"""What a button says, and what is said of the alerts after."""
_CSV = "/api/v1/alerts.csv"


class AlertsState(ListState, rx.State):
    """Alerts as they came in, newest first."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[AlertRow] = []
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    may_write: bool = False

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        await self._look()

    @rx.event(background=True)
    @requires("incidents:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            if self._asked("tab") != "alerts":
                return
            filters = {name: self._asked(name) for name in FIELDS}
            filters["status"] = filters["status"] or "firing"
            after = self._asked("after")
            place = await self._place()
            names = await place_names(self)
        wanted = _wanted(filters, place)
        async with gateway.open(self) as (session, principal):
            page = await incidents.list_alerts(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            may_write = identity.may(principal, "incidents:write")
        async with self:
            self.filters, self.may_write = filters, may_write
            self.filters_key = address("", filters)
            self.csv_link = file_link(_CSV, wanted)
            self.rows = [alert_row(each, names) for each in page.items]
            query = {**filters, "region": self._asked("region"), "tab": "alerts"}
            self._link_pages(query, page.next_cursor or "")
            self.fault, self.ready = "", True

    @rx.event
    @requires("incidents:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        asked = {**kept, "tab": "alerts", "region": self._asked("region")}
        return rx.redirect(address(PATH, asked), replace=True)

    @rx.event(background=True)
    @requires("incidents:write")
    async def act(self, action: str, alert_ids: list[str]) -> Any:
        """Do one thing with each of the chosen alerts."""
        chosen = uuids(alert_ids)
        if action not in BULK or not chosen:
            return None
        async with self:
            names = {row["id"]: row["title"] for row in self.rows}
        until = clock.now() + SNOOZED_FOR if action == "snooze" else None
        wanted = AlertBulkIn.model_validate({"verb": action, "ids": chosen, "until": until})
        try:
            async with gateway.open(self) as (session, principal):
                results = await incidents.act_on_alerts(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            self.outcome = outcome_rows(results.results, names, BULK[action][1])
            self.outcome_words = f"{results.done} of {len(chosen)} are {BULK[action][1]}"
        return AlertsState.load

    @rx.event
    @requires("incidents:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""


def _wanted(filters: dict[str, str], place: str | None) -> AlertFilter:
    status = filters["status"]
    return AlertFilter.model_validate(
        {
            "status": status if status in ("firing", "resolved") else None,
            "severity": filters["severity"] if filters["severity"] in SEVERITIES else None,
            "region": place[:64] if place else None,
            "service": filters["service"][:80] or None,
            "integration": filters["integration"][:80] or None,
            "q": filters["q"][:100] or None,
        }
    )
