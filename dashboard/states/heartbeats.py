"""Heartbeats: the integrations whose silence is an alert itself."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import HeartbeatIn, HeartbeatOut
from dashboard import gateway
from dashboard.drawing import spoken_seconds
from dashboard.gateway import DomainError, requires
from dashboard.states.incident_words import names_of, place_words
from dashboard.states.paging import ListState, first_fault, form_text, iso, loads
from dashboard.states.shell import ShellState, tell


class HeartbeatRow(TypedDict):
    """One integration that should be heard."""

    integration: str
    every: str
    place: str
    told_as: str
    heard: str
    state: str
    tone: str


class HeartbeatsState(ListState, rx.State):
    """The tab of heartbeats."""

    rows: list[HeartbeatRow] = []
    may_configure: bool = False
    working: bool = False
    form_fault: str = ""
    serial: int = 0

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show what is expected to be heard, the silent first."""
        async with self:
            shell = await self.get_state(ShellState)
            names = names_of(shell.region_choices)
        async with gateway.open(self) as (session, principal):
            found = await incidents.list_heartbeats(session, principal)
            may_configure = identity.may(principal, "incidents:configure")
        async with self:
            self.rows = [
                _row(each, names)
                for each in sorted(found, key=lambda each: (not each.silent, each.integration))
            ]
            self.may_configure = may_configure
            self.fault, self.ready = "", True

    @rx.event(background=True)
    @requires("incidents:configure")
    async def save(self, form: dict[str, Any]) -> Any:
        """Expect an integration to be heard."""
        async with self:
            if self.working:
                return None
            self.working, self.form_fault = True, ""
        minutes = form_text(form, "minutes")
        fault = ""
        try:
            wanted = HeartbeatIn.model_validate(
                {
                    "integration": form_text(form, "integration"),
                    "every_s": int(minutes) * 60 if minutes.isdecimal() else minutes,
                    "region": form_text(form, "region"),
                    "service": form_text(form, "service") or "monitoring",
                    "severity": form_text(form, "severity"),
                }
            )
            async with gateway.open(self) as (session, principal):
                await incidents.save_heartbeat(session, principal, wanted)
        except ValidationError as error:
            fault = first_fault(error)
        except DomainError as error:
            fault = error.detail
        async with self:
            self.working, self.form_fault = False, fault
            if not fault:
                self.serial += 1
                await tell(self, "good", f"{wanted.integration} is expected to be heard.")
        return None if fault else HeartbeatsState.load

    @rx.event(background=True)
    @requires("incidents:configure")
    async def remove(self, integration: str) -> Any:
        """Expect an integration no longer."""
        try:
            async with gateway.open(self) as (session, principal):
                await incidents.remove_heartbeat(session, principal, str(integration))
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", "Its silence is no alert any more.")
        return HeartbeatsState.load


def _row(each: HeartbeatOut, names: dict[str, str]) -> HeartbeatRow:
    return {
        "integration": each.integration,
        "every": f"within {spoken_seconds(each.every_s)}",
        "place": place_words([each.region], names),
        "told_as": f"{each.severity}, {each.service}",
        "heard": iso(each.heard_at),
        "state": "silent" if each.silent else "heard",
        "tone": "critical" if each.silent else "good",
    }
