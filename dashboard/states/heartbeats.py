"""Heartbeats: the integrations whose silence is an alert itself."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import HeartbeatIn, HeartbeatOut
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.drawing import spoken_seconds
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves, tells
from dashboard.states.paging import ListState, form_text, iso, loads
from dashboard.states.shell import place_names


class HeartbeatRow(TypedDict):
    """One integration that should be heard."""

    integration: str
    every: str
    place: str
    told_as: str
    heard: str
    state: str
    tone: str


class HeartbeatsState(ListState, FormState, rx.State):
    """The tab of heartbeats."""

    rows: list[HeartbeatRow] = []
    may_configure: bool = False

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show what is expected to be heard, the silent first."""
        async with self:
            names = await place_names(self)
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
    @saves
    async def save(self, form: dict[str, Any]) -> str:
        """Expect an integration to be heard."""
        minutes = form_text(form, "minutes")
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
        return f"{wanted.integration} is expected to be heard."

    @rx.event(background=True)
    @requires("incidents:configure")
    @tells
    async def remove(self, integration: str) -> str:
        """Expect an integration no longer."""
        async with gateway.open(self) as (session, principal):
            await incidents.remove_heartbeat(session, principal, str(integration))
        return "Its silence is no alert any more."


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
