"""How objectives, their budgets and their burn rates are told."""

from __future__ import annotations

from typing import TypedDict

from backend.insights import service as insights
from backend.insights.slo_schemas import BurningSlo, SloRow
from backend.platform.shares import percent
from dashboard.states.paging import iso

_PAIRS = {"1h": 14.4, "5m": 14.4, "6h": 6.0, "30m": 6.0, "1d": 3.0, "2h": 3.0, "3d": 1.0}
"""From which rate on a window counts as burning, with the other window of its pair."""
_SHOWN = ("5m", "1h", "6h", "1d", "3d")
ALARM_TONES = {"page": "critical", "ticket": "warning"}
SCORECARD = "/scorecard"


class BurnCell(TypedDict):
    """How fast the budget goes in one window, and how bad that is."""

    rate: str
    tone: str


class SloLine(TypedDict):
    """One objective; the burn of each window as words and tone."""

    name: str
    title: str
    means: str
    target: str
    attained: str
    attained_tone: str
    counted: str
    budget: str
    budget_tone: str
    budget_width: str
    state: str
    tone: str
    reason: str
    burns: list[BurnCell]


class BurningLine(TypedDict):
    """One objective that burns in a region."""

    id: str
    title: str
    place: str
    tone: str
    word: str
    reason: str
    budget: str
    since: str


def slo_line(each: SloRow) -> SloLine:
    """An objective as the table shows it."""
    rates: dict[str, float | None] = {burn.window: burn.rate for burn in each.burns}
    tone = "off" if each.attained is None else "good"
    if each.attained is not None and each.attained < each.target:
        tone = "critical"
    return {
        "name": each.name,
        "title": each.title,
        "means": f"Valid: {each.valid_means} Good: {each.good_means}",
        "target": percent(each.target, 3),
        "attained": "nothing counted" if each.attained is None else percent(each.attained, 3),
        "attained_tone": tone,
        "counted": f"{each.good:,} of {each.valid:,} in {each.window_days} d",
        "budget": budget_words(each.budget_left),
        "budget_tone": budget_tone(each.budget_left),
        "budget_width": budget_width(each.budget_left),
        "state": {"page": "burning fast", "ticket": "burning"}.get(each.burning or "", "calm"),
        "tone": ALARM_TONES.get(each.burning or "", "good"),
        "reason": each.reason or "",
        "burns": [
            _burn(window, rates.get(window), marked=each.burning is not None) for window in _SHOWN
        ],
    }


def _burn(window: str, rate: float | None, *, marked: bool) -> BurnCell:
    """The rate of a window; marked only where the objective burns: a few bad ones are none."""
    if rate is None:
        return {"rate": "none", "tone": ""}
    return {"rate": f"{rate:,.1f}x", "tone": _burn_tone(window, rate) if marked else ""}


def _burn_tone(window: str, rate: float) -> str:
    if rate < _PAIRS[window]:
        return ""
    return "critical" if _PAIRS[window] >= _PAIRS["6h"] else "warning"


def burning_line(each: BurningSlo) -> BurningLine:
    """A burning objective as the wall and the overview show it."""
    return {
        "id": f"{each.name}-{each.region}",
        "title": each.title,
        "place": each.region_name,
        "tone": ALARM_TONES[each.alarm],
        "word": each.alarm,
        "reason": each.reason,
        "budget": f"budget {budget_words(each.budget_left)}",
        "since": iso(each.since),
    }


def budget_words(left: float | None) -> str:
    """What is left of an error budget; overspent is told as such."""
    if left is None:
        return "untouched"
    return f"{percent(abs(left), 0)} {'left' if left >= 0 else 'over'}"


def budget_width(left: float | None) -> str:
    """How much of the meter is filled: what is left, all of it where that is less than nothing."""
    if left is None or left < 0:
        return "100%"
    return f"{min(left, 1):.1%}"


def budget_tone(left: float | None) -> str:
    """How bad that is."""
    if left is None:
        return "off"
    return "critical" if left <= 0 else "warning" if left < 0.25 else "good"


def slo_choices() -> tuple[tuple[str, str], ...]:
    """The objectives that a rollout can be guarded by, as value and word."""
    return tuple((name, each.title) for name, each in insights.objectives().items())
