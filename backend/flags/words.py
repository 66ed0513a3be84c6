"""Flags, rules and their changes as people say them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from backend.flags.compiling import REGION, SEGMENT, TARGETING_KEY
from backend.flags.rule_schemas import Condition, FlagSpec, Rule, Segment, Share
from backend.flags.rules import region_attribute, share_words
from backend.platform.scopes import covers

Names = Mapping[str, str]
"""Region codes to names."""

_LONGEST_DIFF = 400
_MOST_NAMED = 4
_ATTRIBUTES = {
    "app": "app",
    "app_version": "app version",
    "platform": "platform",
    "role": "role",
    "targetingKey": "targeting key",
}
_OPERATORS = {
    "starts_with": "starting with",
    "ends_with": "ending with",
    "at_least": "at least",
    "above": "above",
    "at_most": "at most",
    "below": "below",
    "version_is": "exactly",
    "version_is_not": "other than",
    "version_at_least": "or newer",
    "version_above": "newer than",
    "version_at_most": "or older",
    "version_below": "older than",
    "version_same_major": "same major as",
    "version_same_minor": "same minor as",
}


def who(rule: Rule, names: Names) -> str:
    """Whom a rule is for, such as `Viet Nam, app version 5.2 or newer`."""
    if not rule.conditions:
        return "Everyone"
    said = ", ".join(condition_words(condition, names) for condition in rule.conditions)
    return said[:1].upper() + said[1:]


def condition_words(condition: Condition, names: Names) -> str:
    """One condition."""
    operator = condition.operator
    values = [str(value) for value in condition.values]
    if condition.attribute == REGION:
        listed = _listed([names.get(code, code) for code in values])
        return f"not {listed}" if operator == "none_of" else listed
    if condition.attribute == SEGMENT:
        return f"{'not ' if operator == 'none_of' else ''}segment {_listed(values)}"
    attribute = _ATTRIBUTES.get(condition.attribute, condition.attribute)
    if operator in ("any_of", "none_of"):
        return f"{attribute} {'not ' if operator == 'none_of' else ''}{_listed(values)}"
    if operator in ("version_at_least", "version_at_most"):
        return f"{attribute} {values[0]} {_OPERATORS[operator]}"
    return f"{attribute} {_OPERATORS[operator]} {_listed(values)}"


def _listed(values: Sequence[str]) -> str:
    if len(values) > _MOST_NAMED:
        return f"{', '.join(values[: _MOST_NAMED - 1])} and {len(values) - _MOST_NAMED + 1} more"
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def served(rule: Rule) -> str:
    """What a rule serves, such as `on 25 %`."""
    said = ", ".join(f"{share.variant} {share_words(share.share)}" for share in rule.serve)
    return said if rule.by == TARGETING_KEY else f"{said} by {rule.by}"


def segment_words(segment: Segment, names: Names) -> str:
    """Who belongs to a segment."""
    if segment.logic is not None:
        return "By logic of its own"
    if not segment.conditions:
        return "Those whose context names it"
    return who(Rule(id="segment", conditions=segment.conditions, serve=[Share(variant="-")]), names)


def state_of(spec: FlagSpec, *, killed: bool) -> str:
    """`killed`, `off`, `on` where everybody is served the same, `partly` where it depends."""
    if killed:
        return "killed"
    if not spec.on:
        return "off"
    first = spec.rules[0] if spec.rules else None
    if spec.targeting is not None or spec.prerequisites:
        return "partly"
    if first is None:
        return "off" if spec.default_variant == spec.off_variant else "on"
    whole = len(first.serve) == 1 and first.serve[0].share == 100_000
    if not first.conditions and whole:
        return "off" if first.serve[0].variant == spec.off_variant else "on"
    return "partly"


def state_words(spec: FlagSpec, state: str, countries: Sequence[str], names: Names) -> str:
    """The state in a few words, such as `on in 3 of 9 countries`."""
    if state != "partly":
        words = {"killed": "killed", "off": "off for everyone", "on": "on for everyone"}
        return words[state]
    if spec.targeting is not None:
        return "depends on logic of its own"
    growing = [rule for rule in spec.rules if rule.serve[0].share and _grows(spec, rule)]
    if not growing:
        return "off for everyone" if spec.default_variant == spec.off_variant else "on for most"
    codes = {code for rule in growing for code in _regions(rule)}
    if "*" in codes:
        return _whom_words(growing)
    if all(region_attribute(code) == "country" for code in codes) or len(codes) > _MOST_NAMED:
        within = {country for country in countries if any(covers(country, code) for code in codes)}
        return f"on in {len(within)} of {len(countries)} countries"
    return f"on in {_listed(sorted(names.get(code, code) for code in codes))}"


def _whom_words(growing: Sequence[Rule]) -> str:
    """A rule that asks for no region leads: its share, or that it asks for something else."""
    rule = next(rule for rule in growing if "*" in _regions(rule))
    variant, share = rule.serve[0].variant, rule.serve[0].share
    if rule.conditions:
        return f"{variant} by rules"
    return f"{variant} for {share_words(share)} of everyone"


def _grows(spec: FlagSpec, rule: Rule) -> bool:
    return rule.serve[0].variant != spec.off_variant


def _regions(rule: Rule) -> list[str]:
    codes = [
        str(code)
        for condition in rule.conditions
        if condition.attribute == REGION and condition.operator == "any_of"
        for code in condition.values
    ]
    return codes or ["*"]


def change_words(before: FlagSpec | None, after: FlagSpec, names: Names) -> list[str]:
    """What changes from one specification to the next, a sentence each."""
    if before is None:
        return [f"New flag {after.key}", *[f"{who(r, names)}: {served(r)}" for r in after.rules]]
    said = []
    if before.on != after.on:
        said.append("Switched on" if after.on else "Switched off for everyone")
    for name, title in (
        ("default_variant", "Everyone else"),
        ("off_variant", "When off"),
        ("owner", "Owner"),
        ("kind", "Kind"),
        ("description", "Description"),
        ("expires_at", "Expires"),
    ):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            said.append(f"{title}: {_shown(old)} to {_shown(new)}")
    if before.sensitive != after.sensitive:
        said.append(
            "From now on a second person approves changes"
            if after.sensitive
            else "No second person approves changes any more"
        )
    said += _variant_words(before.variants, after.variants)
    said += _prerequisite_words(before, after)
    said += _rule_words(before, after, names)
    if before.targeting != after.targeting:
        said.append("The logic changes")
    if before.metadata != after.metadata:
        said.append("Metadata changes")
    return said


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else str(value)


def _variant_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    said = [f"New variant {name}" for name in after if name not in before]
    said += [f"Variant {name} is gone" for name in before if name not in after]
    said += [
        f"Variant {name} has another value"
        for name, value in after.items()
        if name in before and (value != before[name] or type(value) is not type(before[name]))
    ]
    return said


def _prerequisite_words(before: FlagSpec, after: FlagSpec) -> list[str]:
    old = {(one.key, one.variant) for one in before.prerequisites}
    new = {(one.key, one.variant) for one in after.prerequisites}
    return [f"Needs {key} to be {variant}" for key, variant in sorted(new - old)] + [
        f"No longer needs {key} to be {variant}" for key, variant in sorted(old - new)
    ]


def _rule_words(before: FlagSpec, after: FlagSpec, names: Names) -> list[str]:
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    said = []
    for rule in after.rules:
        former = old.get(rule.id)
        if former is None:
            said.append(f"New rule: {who(rule, names)}: {served(rule)}")
            continue
        if former.conditions != rule.conditions:
            said.append(f"{who(former, names)} becomes {who(rule, names)}")
        if (former.serve, former.by) != (rule.serve, rule.by):
            said.append(f"{who(rule, names)}: {_served_words(former, rule)}")
    said += [f"No more rule: {who(rule, names)}" for rule in before.rules if rule.id not in new]
    kept = [rule.id for rule in before.rules if rule.id in new]
    if kept != [rule.id for rule in after.rules if rule.id in old]:
        said.append("The rules stand in another order")
    return said


def _served_words(before: Rule, after: Rule) -> str:
    old, new = before.serve, after.serve
    if len(old) == len(new) == 1 and old[0].variant == new[0].variant and before.by == after.by:
        return f"{new[0].variant} {share_words(old[0].share)} to {share_words(new[0].share)}"
    return f"{served(before)} to {served(after)}"


def json_diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    """A unified diff of two definitions, a bounded number of lines of it."""
    if before is None:
        lines = ["--- before", "+++ after", *(f"+{line}" for line in _pretty(after))]
        return _bounded(lines)
    lines = list(
        difflib.unified_diff(_pretty(before), _pretty(after), "before", "after", n=2, lineterm="")
    )
    return _bounded(lines)


def _bounded(lines: list[str]) -> list[str]:
    return lines[:_LONGEST_DIFF] + (["…"] if len(lines) > _LONGEST_DIFF else [])


def _pretty(value: Mapping[str, Any] | None) -> list[str]:
    if value is None:
        return []
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return orjson.dumps(value, option=options).decode().splitlines()
