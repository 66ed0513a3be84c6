"""flagd's JSON back as the rule model, or as plain logic where that cannot say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError

from backend.flags.compiling import (
    BESIDE,
    REGION,
    SEGMENT,
    TARGETING_KEY,
    segment_logic,
    targeting_of,
)
from backend.flags.evaluation import OFF_VARIANT, PREREQUISITES
from backend.flags.rule_schemas import Condition, FlagSpec, Prerequisite, Rule, Segment, Share
from backend.flags.rules import (
    DEEPEST_LOGIC,
    NUMBER_COMPARISONS,
    VERSION_COMPARISONS,
    WHOLE,
    region_attribute,
    too_deep,
)

_SIGNS = {sign: name for name, sign in NUMBER_COMPARISONS.items()}
_VERSIONS = {sign: name for name, sign in VERSION_COMPARISONS.items()}


class Unreadable(ValueError):
    """This is no definition of flagd's."""


class _Unsaid(Exception):
    """The rule model has no words for this logic."""


def spec_of(key: str, definition: Mapping[str, Any]) -> FlagSpec:
    """The specification that a flagd definition stands for; raises ValidationError, Unreadable."""
    metadata = definition.get("metadata") or {}
    variants = definition.get("variants")
    if not isinstance(metadata, Mapping) or not isinstance(variants, Mapping) or not variants:
        raise Unreadable("A flag needs an object of variants; its metadata is an object, too.")
    state = definition.get("state")
    if state not in ("ENABLED", "DISABLED"):
        raise Unreadable("The state is ENABLED or DISABLED.")
    default = _default(definition.get("defaultVariant"))
    targeting = definition.get("targeting") or {}
    if not isinstance(targeting, dict):
        raise Unreadable("The targeting is an object.")
    if too_deep(targeting) or too_deep(variants):
        raise Unreadable(f"Values and logic are {DEEPEST_LOGIC} deep at most.")
    wanted: dict[str, Any] = {
        "key": key,
        "on": state == "ENABLED",
        "variants": dict(variants),
        "default_variant": default,
        "off_variant": metadata.get(OFF_VARIANT) or off_variant_of(variants, default),
        "prerequisites": _prerequisites(metadata.get(PREREQUISITES)),
        "metadata": {name: value for name, value in metadata.items() if name not in BESIDE},
    }
    for name in ("kind", "owner", "description", "sensitive"):
        if name in metadata:
            wanted[name] = metadata[name]
    if expires := metadata.get("expires_at"):
        try:
            wanted["expires_at"] = datetime.fromisoformat(str(expires))
        except ValueError as error:
            raise Unreadable("expires_at is no time in ISO 8601.") from error
    spec = FlagSpec.model_validate(wanted | {"targeting": targeting or None})
    if not targeting:
        return spec
    with suppress(_Unsaid, ValidationError):
        said = FlagSpec.model_validate(wanted | {"rules": rules_of(targeting, default)})
        if targeting_of(said) == targeting:
            return said
    return spec


def off_variant_of(variants: Mapping[str, Any], default: str | None) -> str:
    """What to serve of a flag that is off where nobody said: false, else the default variant."""
    off = next((name for name, value in variants.items() if value is False), None)
    return off or default or next(iter(variants))


def segment_of(name: str, logic: Any) -> Segment:
    """The segment that an evaluator stands for; raises ValidationError, Unreadable."""
    if not isinstance(logic, dict) or too_deep(logic):
        raise Unreadable(f"An evaluator is an object, {DEEPEST_LOGIC} deep at most.")
    plain = Segment(name=name)
    if segment_logic(plain) == logic:
        return plain
    with suppress(_Unsaid, ValidationError):
        said = Segment(name=name, conditions=_conditions(logic)[0])
        if segment_logic(said) == logic:
            return said
    return Segment(name=name, logic=logic)


def rules_of(targeting: Mapping[str, Any], default: str | None) -> list[Rule]:
    """The rules that this logic spells; raises _Unsaid."""
    parts = targeting["if"] if list(targeting) == ["if"] else [dict(targeting)]
    if not isinstance(parts, list):
        raise _Unsaid
    rules: list[Rule] = []
    for index in range(0, len(parts), 2):
        last = index + 1 == len(parts)
        conditions, by = ([], None) if last else _conditions(parts[index])
        serve, shared_by = _serve(parts[index if last else index + 1], default)
        if by not in (None, shared_by):
            raise _Unsaid
        rules.append(
            Rule(id=f"r{len(rules) + 1}", conditions=conditions, serve=serve, by=shared_by)
        )
    return rules


def _default(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or None


def _prerequisites(text: Any) -> list[Prerequisite]:
    if text is None:
        return []
    found = None
    if isinstance(text, str):
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(text)
    if not isinstance(found, dict):
        raise Unreadable("Prerequisites are the text of a JSON object, key to variant.")
    return [Prerequisite(key=key, variant=variant) for key, variant in found.items()]


def _serve(logic: Any, default: str | None) -> tuple[list[Share], str]:
    if isinstance(logic, str):
        return [Share(variant=logic)], TARGETING_KEY
    operator, args = _one(logic)
    if operator != "fractional":
        raise _Unsaid
    by = TARGETING_KEY
    if args and isinstance(args[0], dict):
        name, parts = _one(args[0])
        if name != "cat" or len(parts) != 2:
            raise _Unsaid
        by, args = _variable(parts[1]), args[1:]
    shares = []
    for pair in args:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[1]) is not int:
            raise _Unsaid
        if pair[0] != default:
            shares.append(Share(variant=pair[0], share=pair[1]))
    if sum(pair[1] for pair in args) != WHOLE:
        raise _Unsaid
    return shares or [Share(variant=str(default))], by


def _conditions(logic: Any) -> tuple[list[Condition], str | None]:
    """The conditions that hold together, and the attribute whose presence is asked for."""
    with suppress(_Unsaid):
        return [_condition(logic)], None
    operator, args = _one(logic)
    parts = args if operator == "and" else [logic]
    by = None
    if parts and isinstance(parts[-1], dict) and list(parts[-1]) == ["!!"]:
        _, present = _one(parts[-1])
        if len(present) != 1:
            raise _Unsaid
        by, parts = _variable(present[0]), parts[:-1]
    return [_condition(part) for part in parts], by


def _condition(logic: Any) -> Condition:
    operator, args = _one(logic)
    if operator == "!" and len(args) == 1:
        inner = _condition(args[0])
        if inner.operator != "any_of":
            raise _Unsaid
        return inner.model_copy(update={"operator": "none_of"})
    if operator == "or":
        return _joined([_condition(arg) for arg in args])
    if operator == "and":
        return _guarded(args)
    if operator == "$ref":
        return Condition(attribute=SEGMENT, operator="any_of", values=args)
    if operator == "in" and len(args) == 2 and isinstance(args[1], list):
        return _within(_variable(args[0]), args[1])
    if operator in ("starts_with", "ends_with") and len(args) == 2:
        return _said(_variable(args[0]), operator, args[1:])
    if operator == "sem_ver" and len(args) == 3:
        sign = args[1]
        if isinstance(sign, str) and sign in _VERSIONS:
            return _said(_variable(args[0]), _VERSIONS[sign], args[2:])
    raise _Unsaid


def _within(attribute: str, values: Sequence[Any]) -> Condition:
    is_region = all(
        isinstance(value, str) and region_attribute(value) == attribute for value in values
    )
    return _said(REGION if is_region else attribute, "any_of", values)


def _joined(parts: Sequence[Condition]) -> Condition:
    """Conditions of which one must hold, as one with several values."""
    first = parts[0] if parts else None
    if first is None or any(
        (part.attribute, part.operator) != (first.attribute, first.operator) for part in parts
    ):
        raise _Unsaid
    return _said(
        first.attribute, first.operator, [value for part in parts for value in part.values]
    )


def _guarded(args: Sequence[Any]) -> Condition:
    """A comparison of numbers, whose attribute must be there; or versions that it must not be."""
    parts = [_one(arg) for arg in args]
    if len(parts) == 2 and parts[0][0] == "!==" and parts[1][0] in _SIGNS:
        (_, present), (sign, compared) = parts
        if len(present) != 2 or present[1] is not None or len(compared) != 2:
            raise _Unsaid
        return _said(_variable(compared[0]), _SIGNS[sign], compared[1:])
    if any(operator != "sem_ver" for operator, _ in parts):
        raise _Unsaid
    joined = _joined([_condition(arg) for arg in args])
    if joined.operator != "version_is_not":
        raise _Unsaid
    return joined


def _said(attribute: str, operator: str, values: Sequence[Any]) -> Condition:
    return Condition.model_validate(
        {"attribute": attribute, "operator": operator, "values": list(values)}
    )


def _one(logic: Any) -> tuple[str, list[Any]]:
    if not isinstance(logic, dict) or len(logic) != 1:
        raise _Unsaid
    [(operator, args)] = logic.items()
    return operator, args if isinstance(args, list) else [args]


def _variable(logic: Any) -> str:
    operator, args = _one(logic)
    if operator != "var" or len(args) != 1 or not isinstance(args[0], str):
        raise _Unsaid
    return args[0]
