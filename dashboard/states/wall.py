"""The wall: what a room looks at, without anybody's personal data."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx

from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentRow
from backend.insights import service as insights
from backend.regions.service import place_words
from dashboard import base_maps, gateway
from dashboard.gateway import requires
from dashboard.states.incident_words import (
    SEVERITY_TONES,
    alerts_words,
)
from dashboard.states.incident_worst import worst_open
from dashboard.states.paging import ListState, iso, loads
from dashboard.states.shell import Freshness, freshness, place_names
from dashboard.states.slo_words import BurningLine, burning_line

_WALL_SEVERITIES = ("SEV1", "SEV2")
_SHOWN = 12


class WallIncident(TypedDict):
    """One open incident of the worst two severities."""

    id: str
    number: str
    title: str
    detail: str
    severity: str
    tone: str
    since: str


class WallFigure(TypedDict):
    """One count on the map."""

    value: str
    word: str
    tone: str


def _alarms(each: IncidentRow) -> list[str]:
    """What its alerts do, for one that has any."""
    return [alerts_words(each.firing, each.alerts_count)] if each.alerts_count else []


class WallState(ListState, rx.State):
    """The wall."""

    incidents: list[WallIncident] = []
    minor: str = ""
    burning: list[BurningLine] = []
    figures: list[WallFigure] = []
    fresh: Freshness = {"tone": "off", "text": "", "title": ""}
    map_styles: list[str] = []
    map_styles_known: bool = False

    @rx.event(background=True)
    @requires("overview:read")
    @loads
    async def load(self) -> None:
        """Show the region of the address."""
        await self._look()

    @rx.event(background=True)
    @requires("overview:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            place = await self._place()
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            found = await insights.overview(gateway.resources(), principal, place)
            count = await incidents.count_open(session, principal, place)
            shown = await worst_open(
                session, principal, count,
                region=place, severities=_WALL_SEVERITIES, most=_SHOWN,
            )  # fmt: skip
            burning = await insights.burning_slos(session, principal, place)
        styles = await base_maps.reachable()
        drivers = found.drivers
        async with self:
            self.incidents = [
                {
                    "id": str(each.id),
                    "number": each.number,
                    "title": each.title,
                    # The room sees that somebody has it; who it is stays on the page.
                    "detail": ", ".join(
                        (
                            each.number,
                            each.state,
                            place_words(each.regions, names),
                            *_alarms(each),
                        )
                    ),
                    "severity": each.severity,
                    "tone": SEVERITY_TONES[each.severity],
                    "since": iso(each.impact_started_at),
                }
                for each in shown
            ]
            others = count.total - len(shown)
            self.minor = f"and {others:,} more" if others else ""
            self.burning = [burning_line(each) for each in burning]
            self.figures = [
                {"value": f"{drivers.live:,}", "word": "live", "tone": "good"},
                {"value": f"{drivers.stale:,}", "word": "stale", "tone": "warning"},
                {"value": f"{drivers.offline:,}", "word": "offline", "tone": "critical"},
            ]
            self.fresh = freshness(found.newest_age_s)
            self.map_styles, self.map_styles_known = styles, True
            self.fault, self.ready = "", True
