"""Pure facts and decisions of feature flags: operators, regions in logic, cycles, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from backend.platform.shares import percent

WHOLE = 100_000
"""All of everyone, in thousandths of a percent."""

MOST_FLAGS = 10_000
MOST_WEIGHT = 2_147_483_647
LONGEST_DEFINITION = 256 * 1024
MOST_LOGIC = 20_000
DEEPEST_LOGIC = 60

VERSION_COMPARISONS = {
    "version_is": "=",
    "version_is_not": "!=",
    "version_at_least": ">=",
    "version_above": ">",
    "version_at_most": "<=",
    "version_below": "<",
    "version_same_major": "^",
    "version_same_minor": "~",
}
NUMBER_COMPARISONS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}


def region_attribute(code: str) -> str:
    """The context's attribute that carries a code of this shape."""
    if "." in code:
        return "hub"
    return "city" if "-" in code else "country"


def complete(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context with city and country filled in where a hub or a city tells them."""
    filled = dict(context)
    hub = filled.get("hub")
    if isinstance(hub, str) and "." in hub:
        filled.setdefault("city", hub.partition(".")[0])
    city = filled.get("city")
    if isinstance(city, str) and "-" in city:
        filled.setdefault("country", city.partition("-")[0])
    return filled


def region_of(context: Mapping[str, Any]) -> str:
    """The city of a context, its country where it names no city, `*` where it names neither."""
    for name in ("city", "country"):
        value = context.get(name)
        if isinstance(value, str) and value:
            return value
    hub = context.get("hub")
    return hub.partition(".")[0] if isinstance(hub, str) and hub else "*"


def cycle(needs: Mapping[str, Sequence[str]], start: str) -> list[str] | None:
    """A way from `start` back to it along prerequisites, None where there is none."""
    trail = [start]
    seen = {start}
    left = [iter(needs.get(start, ()))]
    while left:
        following = next(left[-1], None)
        if following is None:
            left.pop()
            trail.pop()
        elif following == start:
            return [*trail, start]
        elif following not in seen:
            seen.add(following)
            trail.append(following)
            left.append(iter(needs.get(following, ())))
    return None


def dependents(needs: Mapping[str, Sequence[str]], keys: Sequence[str]) -> set[str]:
    """The flags that need one of `keys`, directly or through others."""
    needed_by: dict[str, list[str]] = {}
    for key, wanted in needs.items():
        for one in wanted:
            needed_by.setdefault(one, []).append(key)
    found: set[str] = set()
    left = list(keys)
    while left:
        for key in needed_by.get(left.pop(), ()):
            if key not in found:
                found.add(key)
                left.append(key)
    return found


def value_type(value: Any) -> str | None:
    """`boolean`, `string`, `number` or `object`; None for what no flag may hold."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "object" if isinstance(value, dict | list) else None


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; Python takes true for 1, an app does not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def too_deep(value: Any) -> bool:
    """Whether lists and objects lie deeper within each other than logic may."""
    level = [value]
    for _ in range(DEEPEST_LOGIC):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def share_words(share: int) -> str:
    """A share in thousandths of a percent as people write it: `12.5 %`."""
    return percent(share / WHOLE, digits=3)


def margin(changed: int, sampled: int) -> float:
    """Half the 95 % interval of the share `changed / sampled` (Wilson's, without its shift)."""
    if not sampled:
        return 0.0
    z = 1.96
    share = changed / sampled
    spread = sqrt(share * (1 - share) / sampled + z * z / (4 * sampled * sampled))
    return z * spread / (1 + z * z / sampled)
