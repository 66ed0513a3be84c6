"""Maintenance windows: spans in which alerts open nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import MaintenanceIn, MaintenanceOut
from backend.platform import clock
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.incident_words import names_of, place_words
from dashboard.states.paging import ListState, first_fault, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import ShellState, tell

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


class MaintenanceState(ListState, rx.State):
    """The tab of maintenance windows."""

    rows: list[WindowRow] = []
    may_write: bool = False
    working: bool = False
    form_fault: str = ""
    serial: int = 0

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show the windows, those that are past last."""
        async with self:
            shell = await self.get_state(ShellState)
            names = names_of(shell.region_choices)
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
    async def add(self, form: dict[str, Any]) -> Any:
        """Add a window."""
        async with self:
            if self.working:
                return None
            self.working, self.form_fault = True, ""
        start, lasts = form_text(form, "start"), form_text(form, "lasts")
        since = clock.now() + timedelta(minutes=int(start) if start in dict(STARTS) else 0)
        fault = ""
        try:
            wanted = MaintenanceIn.model_validate(
                {
                    "region": form_text(form, "region"),
                    "services": [
                        word
                        for each in form_text(form, "services").split(",")
                        if (word := each.strip())
                    ],
                    "since": since,
                    "until": since
                    + timedelta(minutes=int(lasts) if lasts in dict(LENGTHS) else 60),
                    "reason": form_text(form, "reason"),
                }
            )
            async with gateway.open(self) as (session, principal):
                await incidents.add_maintenance(session, principal, wanted)
        except ValidationError as error:
            fault = first_fault(error)
        except DomainError as error:
            fault = error.detail
        async with self:
            self.working, self.form_fault = False, fault
            if not fault:
                self.serial += 1
                await tell(self, "good", "Alerts in it open nothing.")
        return None if fault else MaintenanceState.load

    @rx.event(background=True)
    @requires("incidents:write")
    async def end(self, window_id: str) -> Any:
        """End a window now."""
        wanted = uuid_or_none(str(window_id))
        if wanted is None:
            return None
        try:
            async with gateway.open(self) as (session, principal):
                await incidents.end_maintenance(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", "It is over: what still fires opens incidents.")
        return MaintenanceState.load


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
