"""The bell of the frame: the incidents that are open where the person may look, and the shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from backend.incidents import service as incidents
from backend.incidents.schemas import OpenCount
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.components.bell import BellRow
from dashboard.gateway import DomainError, requires
from dashboard.states.incident_words import (
    PATH,
    SEVERITIES,
    SEVERITY_TONES,
)
from dashboard.states.incident_worst import worst_open
from dashboard.states.shell import place_names, tell

_SHOWN = 8


class BellState(rx.State):
    """What the bell tells on every page."""

    rows: list[BellRow] = []
    known: bool = False
    tone: str = "off"
    words: str = ""

    @rx.event(background=True)
    @requires("incidents:read", activity=False)
    async def refresh(self) -> None:
        """Look what is open; a timer, not an activity."""
        async with self:
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            count = await incidents.count_open(session, principal)
            worst = await worst_open(session, principal, count, most=_SHOWN)
        async with self:
            self.rows = [
                {
                    "id": str(each.id),
                    "number": each.number,
                    "title": each.title,
                    "severity": each.severity,
                    "tone": SEVERITY_TONES[each.severity],
                    "state": each.state,
                    "place": place_words(each.regions, names),
                    "link": f"{PATH}/{each.number}",
                    "waits": each.state == "triggered",
                }
                for each in worst
            ]
            self.tone, self.words = bell_words(count)
            self.known = True

    @rx.event(background=True)
    @requires("incidents:read")
    async def shift(self, start: bool) -> Any:
        """Begin or end the person's shift."""
        verb = incidents.start_shift if start is True else incidents.end_shift
        try:
            async with gateway.open(self) as (session, principal):
                await verb(session, principal)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            words = "Your shift runs: this browser rings." if start is True else "Your shift ended."
            await tell(self, "good", words)
        return BellState.refresh


def bell_words(count: OpenCount) -> tuple[str, str]:
    """Tone and words of the bell: how many of the worst severity that is open."""
    by_severity: Mapping[str, int] = {str(key): value for key, value in count.by_severity.items()}
    for severity in SEVERITIES:
        if by_severity.get(severity):
            return SEVERITY_TONES[severity], f"{by_severity[severity]:,} {severity}"
    return "off", ""
