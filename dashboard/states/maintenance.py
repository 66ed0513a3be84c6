"""Maintenance windows: spans in which alerts open nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import MaintenanceIn, MaintenanceOut
from backend.platform import clock
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves, tells
from dashboard.states.paging import ListState, form_text, form_words, iso, loads, uuid_or_none
from dashboard.states.shell import place_names

STARTS = (("0", "now"), ("15", "in 15 minutes"), ("60", "in 1 hour"), ("720", "in 12 hours"))
LENGTHS = (("30", "30 minutes"), ("60", "1 hour"), ("120", "2 hours"), ("480", "8 hours"))


class WindowRow(TypedDict):
    """One maintenance window."""

    id: str
    place: str
    services: str
    reason: str
    since: str
    until: str
    state: str
    tone: str
    silenced: str
    by: str
    running: bool


class MaintenanceState(ListState, FormState, rx.State):
    """The tab of maintenance windows."""

    rows: list[WindowRow] = []
    may_write: bool = False

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show the windows, those that are past last."""
        async with self:
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            found = await incidents.list_maintenance(session, principal, ended=True)
            may_write = identity.may(principal, "incidents:write")
        now = clock.now()
        async with self:
            self.rows = [
                _row(each, names) for each in sorted(found, key=lambda each: each.until < now)
            ]
            self.may_write = may_write
            self.fault, self.ready = "", True

    @rx.event(background=True)
    @requires("incidents:write")
    @saves
    async def add(self, form: dict[str, Any]) -> str:
        """Add a window."""
        start, lasts = form_text(form, "start"), form_text(form, "lasts")
        since = clock.now() + timedelta(minutes=int(start) if start in dict(STARTS) else 0)
        wanted = MaintenanceIn.model_validate(
            {
                "region": form_text(form, "region"),
                "services": form_words(form, "services"),
                "since": since,
                "until": since + timedelta(minutes=int(lasts) if lasts in dict(LENGTHS) else 60),
                "reason": form_text(form, "reason"),
            }
        )
        async with gateway.open(self) as (session, principal):
            await incidents.add_maintenance(session, principal, wanted)
        return "Alerts in it open nothing."

    @rx.event(background=True)
    @requires("incidents:write")
    @tells
    async def end(self, window_id: str) -> str:
        """End a window now."""
        wanted = uuid_or_none(str(window_id))
        if wanted is None:
            return ""
        async with gateway.open(self) as (session, principal):
            await incidents.end_maintenance(session, principal, wanted)
        return "It is over: what still fires opens incidents."


def _row(each: MaintenanceOut, names: dict[str, str]) -> WindowRow:
    now = clock.now()
    state, tone = ("runs", "info") if each.active else ("comes", "off")
    if each.until <= now:
        state, tone = "past", "off"
    return {
        "id": str(each.id),
        "place": place_words([each.region], names),
        "services": ", ".join(each.services) or "all services",
        "reason": each.reason,
        "since": iso(each.since),
        "until": iso(each.until),
        "state": state,
        "tone": tone,
        "silenced": f"{each.silenced:,} kept quiet" if each.silenced else "none kept quiet",
        "by": each.created_by_name,
        "running": each.until > now,
    }
