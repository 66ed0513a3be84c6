"""The scorecard: the figures that the company steers by, and its objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import reflex as rx

from backend.insights import service as insights
from backend.insights.scorecard_schemas import Figure
from backend.platform.shares import percent
from dashboard import gateway
from dashboard.drawing import sparkline
from dashboard.gateway import requires
from dashboard.states.paging import ListState, address, day_start, iso, loads
from dashboard.states.slo_words import SCORECARD, SloLine, slo_line


class FigureTile(TypedDict):
    """One figure with its target and its trend."""

    key: str
    name: str
    value: str
    unit: str
    target: str
    tone: str
    word: str
    definition: str
    trend: str
    line: str
    area: str
    on: bool
    link: str


class Behind(TypedDict):
    """One of the rows behind a figure, its cells and where it is shown."""

    cells: list[str]
    link: str


class ScorecardState(ListState, rx.State):
    """The scorecard."""

    figures: list[FigureTile] = []
    chosen: str = ""
    chosen_name: str = ""
    chosen_definition: str = ""
    columns: list[str] = []
    rows: list[Behind] = []
    slos: list[SloLine] = []
    burning: int = 0
    at: str = ""
    until: str = ""

    @rx.event(background=True)
    @requires("scorecard:read")
    @loads
    async def load(self) -> None:
        """Show the region and the day of the address."""
        await self._look()

    @rx.event(background=True)
    @requires("scorecard:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            place = await self._place()
            asked, day = self._asked("figure"), self._asked("until")
        until = day_start(day, days=1)
        async with gateway.open(self) as (session, principal):
            card = await insights.scorecard(session, principal, place, until)
            slos = await insights.slo_status(session, principal, place)
        chosen = next((each for each in card.figures if each.key == asked), None)
        query = {"region": self._asked("region"), "until": day}
        async with self:
            self.figures = [figure_tile(each, asked, query) for each in card.figures]
            self.chosen = chosen.key if chosen else ""
            self.chosen_name = chosen.title if chosen else ""
            self.chosen_definition = chosen.definition if chosen else ""
            self.columns = chosen.columns if chosen else []
            self.rows = (
                [{"cells": row.cells, "link": row.link or ""} for row in chosen.rows]
                if chosen
                else []
            )
            self.slos = [slo_line(each) for each in slos]
            self.burning = sum(each.burning is not None for each in slos)
            self.at = iso(card.until)
            self.until = day
            self.fault, self.ready = "", True

    @rx.event
    @requires("scorecard:read")
    async def choose_day(self, day: str) -> object:
        """Show the figures as they stood at the end of a day, or now."""
        wanted = str(day) if day_start(str(day)) else ""
        asked = {
            "region": self._asked("region"), "figure": self._asked("figure"), "until": wanted,
        }  # fmt: skip
        return rx.redirect(address(SCORECARD, asked), replace=True)


def figure_tile(each: Figure, chosen: str, query: dict[str, str]) -> FigureTile:
    """A figure as its tile shows it."""
    known = [point.value for point in each.trend if point.value is not None]
    line, area = sparkline(_lifted(known, each))
    word = "no figure yet" if each.met is None else "met" if each.met else "missed"
    on = each.key == chosen
    return {
        "key": each.key,
        "name": each.title,
        "value": "none yet" if each.value is None else told(each.value, each),
        "unit": unit_words(each) if each.value is not None else "",
        "target": f"{'at most' if each.better == 'lower' else 'at least'} {whole(each)}",
        "tone": "off" if each.met is None else "good" if each.met else "critical",
        "word": word,
        "definition": each.definition
        + (f" {each.why_unknown}" if each.value is None and each.why_unknown else ""),
        "trend": _trend_words(known, each),
        "line": line,
        "area": area,
        "on": on,
        "link": address(SCORECARD, {**query, "figure": "" if on else each.key}),
    }


def _lifted(values: Sequence[float], each: Figure) -> list[float]:
    """Shares near one over the least of them, so that the line tells the change."""
    if each.unit != "share" or not values:
        return list(values)
    floor = min(values) - 0.001
    return [(value - floor) * 1_000 for value in values]


def told(value: float, each: Figure) -> str:
    """A figure's number as people read it."""
    if each.unit == "share":
        return percent(value, 3)
    if each.unit == "money":
        return f"{value:,.2f}"
    if each.unit in ("minutes", "stars"):
        return f"{value:,.1f}"
    return f"{value:,.0f}"


def unit_words(each: Figure) -> str:
    """What stands behind the number."""
    return {
        "ms": "ms", "people": "", "share": "", "incidents": "", "minutes": "min",
        "money": each.currency or "", "stars": "of 5",
    }[each.unit]  # fmt: skip


def whole(each: Figure) -> str:
    """The target with its unit."""
    return f"{told(each.target, each)} {unit_words(each)}".strip()


def _trend_words(known: Sequence[float], each: Figure) -> str:
    if len(known) < 2:
        return f"one {each.step} so far" if known else "nothing known yet"
    before, now = known[-2], known[-1]
    change = told(abs(now - before), each)
    if now == before:
        return f"the same as the {each.step} before"
    return f"{'up' if now > before else 'down'} {change} on the {each.step} before"
