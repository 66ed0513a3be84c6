"""The rule model as flagd's JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from backend.flags.evaluation import OFF_VARIANT, PREREQUISITES
from backend.flags.rule_schemas import Condition, FlagSpec, Rule, Segment, Share
from backend.flags.rules import (
    NUMBER_COMPARISONS,
    VERSION_COMPARISONS,
    WHOLE,
    region_attribute,
)

REGION, SEGMENT, TARGETING_KEY = "region", "segment", "targetingKey"
BESIDE = frozenset(
    {"kind", "owner", "description", "sensitive", "expires_at", OFF_VARIANT, PREREQUISITES}
)
"""What a definition's metadata says that flagd has no field for."""

_FLAG_KEY = {"var": "$flagd.flagKey"}


def definition_of(spec: FlagSpec) -> dict[str, Any]:
    """flagd's definition to exchange: what flagd cannot say stands in its metadata."""
    definition: dict[str, Any] = {
        "state": "ENABLED" if spec.on else "DISABLED",
        "variants": spec.variants,
        "defaultVariant": spec.default_variant,
    }
    targeting = targeting_of(spec)
    if targeting:
        definition["targeting"] = targeting
    beside: dict[str, Any] = {
        "kind": spec.kind,
        "owner": spec.owner,
        "description": spec.description,
        "sensitive": spec.sensitive,
        OFF_VARIANT: spec.off_variant,
        PREREQUISITES: _prerequisites(spec),
        "expires_at": spec.expires_at.isoformat() if spec.expires_at else None,
    }
    known = {name: value for name, value in beside.items() if value not in (None, "", False)}
    definition["metadata"] = {**spec.metadata, **known}
    return definition


def published_of(spec: FlagSpec) -> dict[str, Any]:
    """The definition to serve; of a flag that is off, its off variant as an explicit answer."""
    definition: dict[str, Any] = {"state": "ENABLED", "variants": spec.variants}
    if not spec.on:
        return {**definition, "defaultVariant": spec.off_variant, "metadata": spec.metadata}
    definition["defaultVariant"] = spec.default_variant
    if targeting := targeting_of(spec):
        definition["targeting"] = targeting
    metadata: dict[str, Any] = dict(spec.metadata)
    if needed := _prerequisites(spec):
        metadata |= {PREREQUISITES: needed, OFF_VARIANT: spec.off_variant}
    return {**definition, "metadata": metadata}


def targeting_of(spec: FlagSpec) -> dict[str, Any]:
    """The rules as JsonLogic, first match wins; without an else, which is the default variant."""
    if spec.targeting is not None:
        return spec.targeting
    parts: list[Any] = []
    for rule in spec.rules:
        served = serve_logic(rule, spec.default_variant)
        conditions = rule_conditions(rule, spec.default_variant)
        if not conditions:
            parts.append(served)
            break
        parts += [conditions[0] if len(conditions) == 1 else {"and": conditions}, served]
    if not parts:
        return {}
    if len(parts) == 1 and isinstance(parts[0], dict):
        return dict(parts[0])
    # One part alone is served to everyone; `if` of one argument is that argument.
    return {"if": parts}


def rule_conditions(rule: Rule, default: str | None) -> list[Any]:
    """What must hold for a rule, and that the attribute to share out by is there."""
    conditions = [condition_logic(condition) for condition in rule.conditions]
    if rule.by != TARGETING_KEY and isinstance(serve_logic(rule, default), dict):
        conditions.append({"!!": [{"var": rule.by}]})
    return conditions


def serve_logic(rule: Rule, default: str | None) -> Any:
    """The variant, or the shares: the growing one first and what falls back to default last.

    Buckets run from the first share on, so that raising it never takes anyone out.
    """
    if _is_whole(rule.serve):
        return rule.serve[0].variant
    shares = [share for share in rule.serve if share.variant != default]
    if not shares:
        return default
    rest = WHOLE - sum(share.share for share in shares)
    pairs: list[list[Any]] = [[share.variant, share.share] for share in shares]
    if rest:
        pairs.append([default, rest])
    if rule.by == TARGETING_KEY:
        return {"fractional": pairs}
    return {"fractional": [{"cat": [_FLAG_KEY, {"var": rule.by}]}, *pairs]}


def _is_whole(serve: Sequence[Share]) -> bool:
    return len(serve) == 1 and serve[0].share == WHOLE


def condition_logic(condition: Condition) -> Any:
    """One condition as JsonLogic."""
    name, operator, values = condition.attribute, condition.operator, condition.values
    if name in (REGION, SEGMENT):
        return _negated(operator == "none_of", _named(name, values))
    variable = {"var": name}
    if operator in ("any_of", "none_of"):
        return _negated(operator == "none_of", {"in": [variable, list(values)]})
    if operator in ("starts_with", "ends_with"):
        return _any([{operator: [variable, value]} for value in values])
    if operator in NUMBER_COMPARISONS:
        sign = NUMBER_COMPARISONS[operator]
        # JsonLogic takes what is missing for 0.
        return {"and": [{"!==": [variable, None]}, {sign: [variable, values[0]]}]}
    sign = VERSION_COMPARISONS[operator]
    if operator == "version_is_not":
        return {"and": [{"sem_ver": [variable, sign, value]} for value in values]}
    return _any([{"sem_ver": [variable, sign, value]} for value in values])


def _named(name: str, values: Sequence[Any]) -> Any:
    if name == SEGMENT:
        return _any([{"$ref": value} for value in values])
    by_attribute: dict[str, list[Any]] = {}
    for code in values:
        by_attribute.setdefault(region_attribute(str(code)), []).append(code)
    return _any(
        [
            {"in": [{"var": attribute}, by_attribute[attribute]]}
            for attribute in ("country", "city", "hub")
            if attribute in by_attribute
        ]
    )


def _any(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else {"or": parts}


def _negated(negated: bool, logic: Any) -> Any:
    return {"!": [logic]} if negated else logic


def evaluators_of(segments: Sequence[Segment]) -> dict[str, Any]:
    """The segments as flagd's `$evaluators`."""
    return {segment.name: segment_logic(segment) for segment in segments}


def segment_logic(segment: Segment) -> dict[str, Any]:
    """Whether a context belongs to the segment."""
    if segment.logic is not None:
        return segment.logic
    if not segment.conditions:
        return {"some": [{"var": SEGMENT}, {"===": [{"var": ""}, segment.name]}]}
    conditions = [condition_logic(condition) for condition in segment.conditions]
    return conditions[0] if len(conditions) == 1 else {"and": conditions}


def _prerequisites(spec: FlagSpec) -> str:
    if not spec.prerequisites:
        return ""
    return orjson.dumps({needed.key: needed.variant for needed in spec.prerequisites}).decode()


def document_of(
    definitions: Mapping[str, Mapping[str, Any]], evaluators: Mapping[str, Any]
) -> dict[str, Any]:
    """A whole flagd document."""
    return {
        "$schema": "https://flagd.dev/schema/v0/flags.json",
        "flags": dict(definitions),
        "$evaluators": dict(evaluators),
    }
