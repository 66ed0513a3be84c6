"""The page of one incident: its clocks, whom it hurts, its alerts, people and story."""

from __future__ import annotations

from typing import Any

import reflex as rx

from backend.incidents import service as incidents
from backend.incidents.schemas import AlertOut, IncidentDetail
from backend.insights import service as insights
from backend.platform import clock
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.incident_facts import (
    NOTHING,
    Clock,
    Deed,
    Facts,
    Hurt,
    LinkRow,
    Person,
    beats,
    clocks_of,
    deeds_of,
    facts_of,
    hurts_of,
    links_of,
    people_of,
)
from dashboard.states.incident_minutes import failures_chart
from dashboard.states.incident_story import Beat
from dashboard.states.incident_words import PATH, AlertRow, alert_row
from dashboard.states.paging import ListState, iso, loads
from dashboard.states.shell import ShellState, place_names

__all__ = ["PATH", "IncidentState"]


class IncidentState(ListState, rx.State):
    """The page of one incident."""

    facts: Facts = NOTHING
    clocks: list[Clock] = []
    hurts: list[Hurt] = []
    hurt_words: str = ""
    story: list[Beat] = []
    alerts: list[AlertRow] = []
    people: list[Person] = []
    links: list[LinkRow] = []
    deeds: list[Deed] = []
    failures: dict[str, Any] = {}
    failures_title: str = ""
    failures_note: str = ""
    runbook: str = ""
    runbook_title: str = ""
    may_note: bool = False
    may_review: bool = False
    review: str = ""
    review_note: str = ""
    review_mark: str = ""
    _id: str = ""
    _version: int = 0
    _alerts: dict[str, str] = {}
    _regions: list[str] = []
    _person: str = ""

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show the incident that the address names."""
        async with self:
            if self.router.url.path.rstrip("/").rpartition("/")[2] not in (
                self.facts["number"],
                self.facts["id"],
            ):
                self.facts, self.ready, self.fault = NOTHING, False, ""
        await self._look()

    @rx.event(background=True)
    @requires("incidents:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            wanted = self.router.url.path.rstrip("/").rpartition("/")[2][:64]
            names = await place_names(self)
            shell = await self.get_state(ShellState)
            zones = {choice["code"]: choice["zone"] for choice in shell.region_choices}
        async with gateway.open(self) as (session, principal):
            found = await incidents.get_incident(session, principal, wanted)
            called = await incidents.list_pages(session, principal, incident_id=found.id)
            minutes = await insights.failures_by_minute(
                session, principal, found.services, found.regions,
                found.impact_started_at, found.resolved_at,
            )  # fmt: skip
            may_review = found.state in ("resolved", "closed")
            review = (
                await incidents.review_draft(session, principal, found.id) if may_review else None
            )
        book = next(filter(None, map(incidents.runbook, found.services)), None)
        async with self:
            if wanted != self.router.url.path.rstrip("/").rpartition("/")[2][:64]:
                return
            self._id, self._version = str(found.id), found.version
            self._regions, self._person = found.regions, principal.id
            self._alerts = {str(each.id): each.title for each in found.alerts}
            self.facts = facts_of(found, names, zones)
            self.clocks = clocks_of(found)
            self.hurts, self.hurt_words = hurts_of(found.blast_radius)
            self.story = beats(found, called)
            self.alerts = _alert_rows(found, names)
            self.people = people_of(found, principal.id)
            self.links = links_of(found)
            self.deeds = deeds_of(found)
            self.failures_title = minutes.title if minutes else ""
            self.failures_note = minutes.by if minutes else ""
            self.failures = (
                failures_chart(minutes, found.impact_started_at, self.facts["zone"])
                if minutes
                else {}
            )
            self.may_note = "add_note" in found.allowed
            if book:
                self.runbook, self.runbook_title = book.text, book.title
            else:
                self.runbook, self.runbook_title = "", ""
            self.may_review = "save_review" in found.allowed and may_review
            self.review = review.text if review else ""
            self.review_mark = iso(review.saved_at) if review else ""
            self.review_note = (
                f"saved by {review.saved_by}" if review and review.saved_by else "drafted"
            )
            self.fault, self.ready = "", True


def _alert_rows(found: IncidentDetail, names: dict[str, str]) -> list[AlertRow]:
    """Its alerts, those that fire first, each with its bar on the span of the incident."""

    def quiet_last(each: AlertOut) -> tuple[bool, str]:
        return each.status != "firing", each.severity

    span = (found.impact_started_at, found.resolved_at or clock.now())
    return [alert_row(each, names, span) for each in sorted(found.alerts, key=quiet_last)]
