"""What the address of the list of orders asks for, as a filter and as chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, TypedDict, cast
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.dispatch.order_schemas import OrderCounts, OrderFilter
from backend.dispatch.schemas import Lateness, OrderState
from dashboard.states.order_words import GROUPS, OPEN_GROUPS, TONES, state_word
from dashboard.states.paging import address, day_start

PATH = "/orders"
_CSV = "/api/v1/orders.csv"
FIELDS = (
    *("q", "state", "late", "service", "terms", "driver", "merchant", "tag", "flagged"),
    *("from", "to", "sort"),
)
LATENESS = (("late", "Late", "critical"), ("at_risk", "At risk", "warning"))
SERVICE_CHOICES = (("", "Any"), ("express", "Express"), ("standard", "Standard"))
TERMS_CHOICES = (
    *(("", "Any"), ("prepaid", "Prepaid")),
    *(("wallet", "Wallet"), ("cod", "Cash on delivery")),
)
SORT_CHOICES = (
    ("", "Newest first"),
    ("created", "Oldest first"),
    ("promised", "Promised soonest"),
    ("-promised", "Promised latest"),
)
_SORTS = {
    "": ("created", True),
    "created": ("created", False),
    "promised": ("promised", False),
    "-promised": ("promised", True),
}
_STATES_OF = {name: states for name, _, states in GROUPS} | {
    "open": tuple(state for name, _, states in GROUPS if name in OPEN_GROUPS for state in states)
}


class Chip(TypedDict):
    """A filter that is one click away, with how many orders it would leave."""

    word: str
    tone: str
    count: str
    link: str
    on: bool


def filter_of(
    asked: Mapping[str, str], region: str | None, driver_id: UUID | None, zone: str
) -> OrderFilter:
    """The filter that the address asks for; what it spells wrongly asks nothing."""
    sort, descending = _SORTS.get(asked["sort"], _SORTS[""])
    late = asked["late"] if asked["late"] in ("late", "at_risk", "on_time") else None
    return OrderFilter(
        region=region,
        states=states_of(asked["state"]),
        lateness=cast(Lateness | None, late),
        service=asked["service"] or None,
        driver_id=driver_id,
        merchant=asked["merchant"] or None,
        tag=asked["tag"] or None,
        terms=asked["terms"] or None,
        flagged=True if asked["flagged"] else None,
        created_from=_day(asked["from"], zone),
        created_until=_day(asked["to"], zone, days=1),
        q=asked["q"] or None,
        sort=cast(Literal["created", "promised"], sort),
        descending=descending,
    )


def all_of(wanted: OrderFilter) -> OrderFilter:
    """The same without what the chips choose, for the counts that stand on them."""
    return replace(wanted, states=(), lateness=None, flagged=None)


def open_of(wanted: OrderFilter) -> OrderFilter:
    """The open ones of all of them: only these can still be brought in time."""
    return replace(all_of(wanted), states=states_of("open"))


def states_of(text: str) -> tuple[OrderState, ...]:
    """The states that a group's name or a state's own name stands for; all where it is neither."""
    if text in TONES:
        return (OrderState(text),)
    return tuple(OrderState(name) for name in _STATES_OF.get(text, ()))


def _day(text: str, zone: str, *, days: int = 0) -> datetime | None:
    """Midnight of an ISO date where the orders are."""
    day = day_start(text, days=days)
    return day and day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def csv_link(wanted: OrderFilter) -> str:
    """The address of the file with the same orders."""
    asked = {
        "region": wanted.region,
        "lateness": wanted.lateness,
        "service": wanted.service,
        "driver_id": wanted.driver_id,
        "merchant": wanted.merchant,
        "tag": wanted.tag,
        "terms": wanted.terms,
        "flagged": "true" if wanted.flagged else None,
        "created_from": wanted.created_from and wanted.created_from.isoformat(),
        "created_until": wanted.created_until and wanted.created_until.isoformat(),
        "q": wanted.q,
        "sort": f"{'-' if wanted.descending else ''}{wanted.sort}",
    }
    kept = [(name, str(value)) for name, value in asked.items() if value is not None]
    return f"{_CSV}?{urlencode([*(('state', state) for state in wanted.states), *kept])}"


def state_chips(counts: OrderCounts, asked: Mapping[str, str]) -> list[Chip]:
    """The groups of states with their counts; the chosen one leads back to all."""
    chips = [_state_chip("open", "Open", _STATES_OF["open"], counts, asked)]
    chips += [_state_chip(name, word, states, counts, asked) for name, word, states in GROUPS]
    if asked["state"] in TONES and asked["state"] not in _STATES_OF:
        one = asked["state"]
        chips.append(_state_chip(one, state_word(one).capitalize(), (one,), counts, asked))
    return chips


def _state_chip(
    name: str, word: str, states: tuple[str, ...], counts: OrderCounts, asked: Mapping[str, str]
) -> Chip:
    each = [counts.by_state.get(OrderState(state), 0) for state in states]
    more = "+" if any(count >= counts.most for count in each) else ""
    on = asked["state"] == name
    return {
        "word": word,
        "tone": "" if name == "open" else TONES[states[0]],
        "count": f"{sum(each):,}{more}",
        "link": address(PATH, {**asked, "state": "" if on else name}),
        "on": on,
    }


def lateness_chips(counts: OrderCounts, asked: Mapping[str, str]) -> list[Chip]:
    """Late and at-risk orders of the open ones, which are counted, and flagged ones."""
    chips: list[Chip] = []
    for name, word, tone in LATENESS:
        on = asked["late"] == name
        count = counts.by_lateness.get(cast(Lateness, name), 0)
        link = address(
            PATH, {**asked, "late": "" if on else name, "state": asked["state"] or "open"}
        )
        chips.append({"word": word, "tone": tone, "count": f"{count:,}", "link": link, "on": on})
    on = bool(asked["flagged"])
    link = address(PATH, {**asked, "flagged": "" if on else "1"})
    chips.append({"word": "Flagged", "tone": "warning", "count": "", "link": link, "on": on})
    return chips


def merchant_chip(asked: Mapping[str, str]) -> list[Chip]:
    """The marketplace that an order's page led to; a click shows those of all again."""
    if not asked["merchant"]:
        return []
    word = asked["merchant"].partition(":")[2][:12] or asked["merchant"]
    link = address(PATH, {**asked, "merchant": ""})
    return [{"word": f"Marketplace {word}", "tone": "", "count": "", "link": link, "on": True}]
