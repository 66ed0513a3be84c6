"""How the pages on flags say things: states, shares, who was served what, where."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast, get_args

from backend.flags.schemas import Change, Environment, Exposure, SaveResult
from backend.platform.shares import percent
from dashboard.states.paging import iso
from dashboard.states.shell import EVERYWHERE

FLAGS = "/flags"
SEGMENTS = "/flags/segments"
TONES = {"on": "good", "partly": "info", "off": "off", "killed": "critical"}
ROLLOUT_TONES = {
    "waiting": "warning", "running": "info", "paused": "warning", "halted": "critical",
    "done": "good", "stopped": "off",
}  # fmt: skip
_COUNTRY_LETTERS = 2
_NO_PLACE = "no place told"
_MANY = re.compile(r"^\d+ flags, \d+ segments$")


class ShareRow(TypedDict):
    """How much of what a country asked was served on; `share` is below 0 where nobody asked."""

    code: str
    name: str
    share: float
    asked: str
    on: str
    words: str


class ChangeRow(TypedDict):
    """A change that waits for a person or a moment."""

    id: str
    title: str
    keys: str
    link: str
    tone: str
    state: str
    words: list[str]
    diff: str
    reason: str
    by: str
    asked_at: str
    publish_at: str
    mine: bool
    typed: str


def environment_of(text: str) -> Environment:
    """The environment an address names; production for anything else."""
    return cast(Environment, text) if text in get_args(Environment) else "production"


def flag_link(key: str, environment: str) -> str:
    """Where the page of a flag is."""
    return f"{FLAGS}/{key}" + ("" if environment == "production" else f"?env={environment}")


def part_words(part: float, whole: float) -> str:
    """A share in words: `25 %`, `0.3 %`; `none` where there is no whole."""
    if not whole:
        return "none"
    return percent(part / whole)


def counts_as_on(definition: Mapping[str, Any], off: str, variant: str) -> bool:
    """Whether being served `variant` is having the feature."""
    value = definition.get("variants", {}).get(variant)
    return value if isinstance(value, bool) else variant != off


def reach(
    exposures: Sequence[Exposure],
    definition: Mapping[str, Any],
    off: str,
    names: Mapping[str, str],
) -> list[ShareRow]:
    """Countries by how much they asked, each with the share of answers that were on."""
    asked: dict[str, int] = defaultdict(int)
    on: dict[str, int] = defaultdict(int)
    for each in exposures:
        country = each.region[:_COUNTRY_LETTERS]
        asked[country] += each.asked
        if counts_as_on(definition, off, each.variant):
            on[country] += each.asked
    named = {EVERYWHERE: _NO_PLACE, **names}
    return [
        {
            "code": code,
            "name": named.get(code, code),
            "share": on[code] / total if total else -1.0,
            "asked": f"{total:,}",
            "on": part_words(on[code], total),
            "words": f"{named.get(code, code)}: {part_words(on[code], total)} of {total:,} on",
        }
        for code, total in sorted(asked.items(), key=lambda pair: -pair[1])
    ]


def in_sum(shares: Sequence[ShareRow]) -> str:
    """The countries' shares as a sentence, for those who cannot see the map."""
    if not shares:
        return "nobody asked in the last hour"
    return "; ".join(each["words"] for each in shares)


def by_variant(exposures: Sequence[Exposure]) -> str:
    """How often each variant was served: `on 1,204, off 31`."""
    found: dict[str, int] = defaultdict(int)
    for each in exposures:
        found[each.variant] += each.asked
    ordered = sorted(found.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{variant} {asked:,}" for variant, asked in ordered)


def change_row(change: Change, caller: str) -> ChangeRow:
    """A kept change as the pages show it."""
    return {
        "id": str(change.id),
        "title": change.title,
        "keys": ", ".join(change.keys),
        "link": _page_of(change),
        "tone": "warning" if change.state == "waiting" else "info",
        "state": "awaits approval" if change.state == "waiting" else "scheduled",
        "words": change.words,
        "diff": "\n".join(change.diff),
        "reason": change.reason,
        "by": change.asked_by_name,
        "asked_at": iso(change.asked_at),
        "publish_at": iso(change.publish_at),
        "mine": change.asked_by == caller,
        # What is typed is the one thing it is about, or where it counts.
        "typed": change.environment if _MANY.search(change.title) else change.title,
    }


def _page_of(change: Change) -> str:
    if change.keys:
        return flag_link(change.keys[0], change.environment)
    return SEGMENTS + ("" if change.environment == "production" else f"?env={change.environment}")


def came_of(done: SaveResult) -> str:
    """What became of a change, in a sentence."""
    return {
        "published": f"Published as version {done.version}.",
        "waiting": "Kept: somebody else has to approve it.",
        "scheduled": "Scheduled; it is published by itself.",
        "unchanged": "Nothing is different, so nothing was published.",
    }[done.status]
