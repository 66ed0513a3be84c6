"""Finds what is wrong with flags and segments before anything is published, each by its pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import orjson
from openfeature.contrib.tools.flagd.core.targeting.custom_ops import normalize_version

from backend.flags.compiling import BESIDE, REGION, SEGMENT, targeting_of
from backend.flags.logic_checking import answers_of, escaped, logic_faults, value_faults
from backend.flags.rule_schemas import Condition, FlagSpec, Rule, Segment
from backend.flags.rules import (
    DEEPEST_LOGIC,
    LONGEST_DEFINITION,
    NUMBER_COMPARISONS,
    VERSION_COMPARISONS,
    WHOLE,
    cycle,
    share_words,
    too_deep,
    value_type,
)
from backend.platform.errors import FieldError

_DOCUMENT_NAMES = {
    "rules": "targeting",
    "default_variant": "defaultVariant",
    "off_variant": "metadata/off_variant",
    "prerequisites": "metadata/prerequisites",
}


@dataclass(frozen=True, slots=True)
class Node:
    """What other flags need to know of a flag: its variants, and what it needs itself."""

    variants: frozenset[str]
    needs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a flag may speak of: the regions there are, the segments and flags after the change."""

    regions: AbstractSet[str]
    segments: AbstractSet[str]
    flags: Mapping[str, Node]
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, regions: AbstractSet[str], segments: AbstractSet[str], flags: Mapping[str, Node]
    ) -> Surroundings:
        """The surroundings with the graph of prerequisites worked out."""
        return cls(regions, segments, flags, {key: list(node.needs) for key, node in flags.items()})


def node_of(spec: FlagSpec) -> Node:
    """The part of a specification that other flags need to know."""
    return Node(frozenset(spec.variants), {one.key: one.variant for one in spec.prerequisites})


def flag_faults(spec: FlagSpec, around: Surroundings, at: str) -> list[FieldError]:
    """Everything wrong with a flag; `at` is the pointer to it."""
    if too_deep(spec.variants) or too_deep(spec.targeting):
        detail = f"Values and logic are {DEEPEST_LOGIC} deep at most."
        return [_fault(at, "too_large", detail)]
    if unkept := value_faults(spec.model_dump(exclude={"expires_at"}), at):
        return unkept
    faults = [*_variant_faults(spec, at), *_named_variant_faults(spec, at)]
    faults += _prerequisite_faults(spec, around, at)
    if spec.targeting is not None:
        if spec.rules:
            faults.append(FieldError(f"{at}/rules", "both", "A flag has rules or logic, not both."))
        faults += logic_faults(spec.targeting, around.segments, f"{at}/targeting")
        faults += _answer_faults(spec, f"{at}/targeting")
    seen: set[str] = set()
    faults += [
        _fault(f"{at}/metadata/{name}", "reserved", f"{name} has a field of its own.")
        for name in spec.metadata
        if name in BESIDE
    ]
    for index, rule in enumerate(spec.rules):
        if rule.id in seen:
            faults.append(_fault(f"{at}/rules/{index}/id", "twice", f"{rule.id} is there twice."))
        seen.add(rule.id)
        faults += _rule_faults(spec, rule, around, f"{at}/rules/{index}")
    if len(orjson.dumps(spec.model_dump(mode="json"))) > LONGEST_DEFINITION:
        faults.append(_fault(at, "too_large", f"A flag holds {LONGEST_DEFINITION} bytes at most."))
    return faults


def faults_in_document(spec: FlagSpec, around: Surroundings, at: str) -> list[FieldError]:
    """The same with pointers into flagd's definition."""
    found = flag_faults(spec, around, at)
    if not found:
        return found
    precise = []
    if spec.targeting is None and not too_deep(spec.variants):
        logic = targeting_of(spec)
        precise = logic_faults(logic, around.segments, f"{at}/targeting")
    for fault in found:
        name = fault.pointer.removeprefix(f"{at}/").split("/")[0]
        if name == "rules" and precise:
            continue
        where = _DOCUMENT_NAMES.get(name)
        pointer = f"{at}/{where}" if where else fault.pointer
        precise.append(FieldError(pointer, fault.code, fault.detail))
    return precise


def segment_faults(segment: Segment, around: Surroundings, at: str) -> list[FieldError]:
    """Everything wrong with a segment."""
    faults: list[FieldError] = []
    if too_deep(segment.logic):
        return [_fault(at, "too_large", f"Logic is {DEEPEST_LOGIC} deep at most.")]
    if unkept := value_faults(segment.model_dump(), at):
        return unkept
    if segment.logic is not None:
        if segment.conditions:
            faults.append(_fault(f"{at}/conditions", "both", "Conditions or logic, not both."))
        faults += logic_faults(segment.logic, around.segments - {segment.name}, f"{at}/logic")
    for index, condition in enumerate(segment.conditions):
        where = f"{at}/conditions/{index}"
        if condition.attribute == SEGMENT:
            faults.append(_fault(where, "nested", "A segment cannot be made of segments."))
        else:
            faults += _condition_faults(condition, around, where)
    return faults


def warnings(spec: FlagSpec) -> list[str]:
    """What is allowed and probably not meant."""
    said = []
    for index, rule in enumerate(spec.rules[:-1]):
        if not rule.conditions:
            left = len(spec.rules) - index - 1
            said.append(f"Rule {index + 1} is for everyone: the {left} after it never apply.")
            break
    if not spec.owner:
        said.append("Nobody owns this flag.")
    if spec.kind in ("release", "experiment") and spec.expires_at is None:
        said.append("This flag has no date by which it should be gone.")
    return said


def _fault(pointer: str, code: str, detail: str) -> FieldError:
    return FieldError(pointer, code, detail)


def _variant_faults(spec: FlagSpec, at: str) -> Iterable[FieldError]:
    first = next(iter(spec.variants))
    expected = value_type(spec.variants[first])
    for name, value in spec.variants.items():
        pointer = f"{at}/variants/{escaped(name)}"
        found = value_type(value)
        if found is None:
            yield _fault(pointer, "no_value", f"{name} has no value.")
        elif found != expected and expected is not None:
            detail = f"{name} is of type {found}, {first} of type {expected}: all must be the same."
            yield _fault(pointer, "mixed_types", detail)


def _named_variant_faults(spec: FlagSpec, at: str) -> Iterable[FieldError]:
    for field_name in ("default_variant", "off_variant"):
        name = getattr(spec, field_name)
        if name is not None and name not in spec.variants:
            yield _fault(f"{at}/{field_name}", "unknown_variant", f"There is no variant {name}.")


def _prerequisite_faults(spec: FlagSpec, around: Surroundings, at: str) -> Iterable[FieldError]:
    for index, needed in enumerate(spec.prerequisites):
        pointer = f"{at}/prerequisites/{index}"
        node = around.flags.get(needed.key)
        if node is None:
            yield _fault(f"{pointer}/key", "unknown_flag", f"There is no flag {needed.key}.")
        elif needed.variant not in node.variants:
            detail = f"{needed.key} has no variant {needed.variant}."
            yield _fault(f"{pointer}/variant", "unknown_variant", detail)
    if circle := cycle(around.needs, spec.key):
        detail = f"Prerequisites go in a circle: {' → '.join(circle)}."
        yield _fault(f"{at}/prerequisites", "cycle", detail)


def _rule_faults(spec: FlagSpec, rule: Rule, around: Surroundings, at: str) -> Iterable[FieldError]:
    for index, condition in enumerate(rule.conditions):
        yield from _condition_faults(condition, around, f"{at}/conditions/{index}")
    names = [share.variant for share in rule.serve]
    for index, name in enumerate(names):
        pointer = f"{at}/serve/{index}/variant"
        if name not in spec.variants:
            yield _fault(pointer, "unknown_variant", f"There is no variant {name}.")
        if name in names[:index]:
            yield _fault(pointer, "twice", f"{name} is shared out twice.")
    total = sum(share.share for share in rule.serve)
    if total > WHOLE:
        detail = f"The shares come to {share_words(total)}; 100 % is all there is."
        yield _fault(f"{at}/serve", "over_limit", detail)


def _condition_faults(condition: Condition, around: Surroundings, at: str) -> Iterable[FieldError]:
    operator, values = condition.operator, condition.values
    if condition.attribute in (REGION, SEGMENT):
        if operator not in ("any_of", "none_of"):
            detail = f"Of a {condition.attribute} one can only say that it is one of some, or none."
            yield _fault(f"{at}/operator", "unfit", detail)
        known = around.regions if condition.attribute == REGION else around.segments
        for index, value in enumerate(values):
            if value not in known:
                detail = f"There is no {condition.attribute} {value}."
                yield _fault(f"{at}/values/{index}", f"unknown_{condition.attribute}", detail)
        return
    several = ("any_of", "none_of", "starts_with", "ends_with", "version_is", "version_is_not")
    if operator not in several and len(values) != 1:
        yield _fault(f"{at}/values", "too_many", "This comparison takes one value.")
    fits, wanted = _NEEDS.get(operator, (None, ""))
    for index, value in enumerate(values):
        if fits is not None and not fits(value):
            yield _fault(f"{at}/values/{index}", "unfit", f"This comparison needs {wanted}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_version(value: Any) -> bool:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return False
    try:
        normalize_version(value)
    except ValueError:
        return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


_NEEDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(NUMBER_COMPARISONS, (_is_number, "one number")),
    **dict.fromkeys(VERSION_COMPARISONS, (_is_version, "a version such as 5.2.0")),
    **dict.fromkeys(("starts_with", "ends_with"), (_is_text, "a text")),
}


def _answer_faults(spec: FlagSpec, at: str) -> Iterable[FieldError]:
    """Constant answers that name no variant."""
    for name in sorted(answers_of(spec.targeting)):
        if name not in spec.variants:
            yield _fault(at, "unknown_variant", f"The logic answers {name}, which is no variant.")
