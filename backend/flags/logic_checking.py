"""Finds what is wrong with values and JsonLogic as such, whatever flag they are of."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any

from backend.flags.logic import KNOWN_OPERATORS, VERSION_OPERATORS
from backend.flags.rules import MOST_LOGIC, MOST_WEIGHT
from backend.platform.errors import FieldError

_REFUSED_OPERATORS = frozenset({"log"})


def value_faults(value: Any, at: str) -> list[FieldError]:
    """Every text and number in a value that JSON, or the database, has no room for."""
    faults: list[FieldError] = []
    left: list[tuple[Any, str]] = [(value, at)]
    while left:
        part, pointer = left.pop()
        if isinstance(part, dict):
            for name, one in part.items():
                left += [(name, pointer), (one, f"{pointer}/{escaped(name)}")]
        elif isinstance(part, list):
            left += [(one, f"{pointer}/{i}") for i, one in enumerate(part)]
        elif detail := _unkept(part):
            faults.append(FieldError(pointer, "unkept", detail))
    return faults


def _unkept(value: Any) -> str | None:
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        return "A text holds no NUL, and no half of a character."
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "A whole number has 64 bits at most."
    if isinstance(value, float) and not isfinite(value):
        return "A number is finite."
    return None


def logic_faults(logic: Any, evaluators: AbstractSet[str], at: str) -> list[FieldError]:
    """Everything wrong with JsonLogic as such: operators, references, weights, depth, size."""
    faults: list[FieldError] = []
    left: list[tuple[Any, str]] = [(logic, at)]
    looked_at = 0
    while left:
        part, pointer = left.pop()
        looked_at += 1
        if looked_at > MOST_LOGIC:
            detail = f"Logic has {MOST_LOGIC} parts at most."
            return [*faults, FieldError(pointer, "too_large", detail)]
        if isinstance(part, list):
            left += [(one, f"{pointer}/{i}") for i, one in enumerate(part)]
        elif isinstance(part, dict) and len(part) == 1:
            [(name, args)] = part.items()
            faults += _operator_faults(name, args, evaluators, f"{pointer}/{escaped(name)}")
            if name != "$ref":
                left.append((args, f"{pointer}/{escaped(name)}"))
        elif isinstance(part, dict) and part:
            detail = "Logic is an object of one operator; this has several."
            faults.append(FieldError(pointer, "not_logic", detail))
    return faults


def _operator_faults(
    name: str, args: Any, evaluators: AbstractSet[str], at: str
) -> Iterable[FieldError]:
    if name == "$ref":
        if not isinstance(args, str) or args not in evaluators:
            yield FieldError(at, "unknown_segment", f"There is no evaluator {args}.")
    elif name not in KNOWN_OPERATORS or name in _REFUSED_OPERATORS:
        yield FieldError(at, "unknown_operator", f"There is no operator {name}.")
    elif name == "fractional":
        yield from _fractional_faults(args, at)
    elif name == "sem_ver" and not _compares_versions(args):
        detail = f"sem_ver compares two versions by one of {' '.join(sorted(VERSION_OPERATORS))}."
        yield FieldError(at, "unfit", detail)


def _compares_versions(args: Any) -> bool:
    if not isinstance(args, list) or len(args) != 3:
        return False
    return not isinstance(args[1], str) or args[1] in VERSION_OPERATORS


def _fractional_faults(args: Any, at: str) -> Iterable[FieldError]:
    parts = args if isinstance(args, list) else [args]
    pairs = parts if parts and isinstance(parts[0], list) else parts[1:]
    total = 0
    for index, pair in enumerate(pairs, start=len(parts) - len(pairs)):
        if not isinstance(pair, list) or not 1 <= len(pair) <= 2:
            yield FieldError(f"{at}/{index}", "unfit", "A share is a variant and a weight.")
            continue
        weight = pair[1] if len(pair) == 2 else 1
        if isinstance(weight, dict):
            continue
        if type(weight) is not int:
            yield FieldError(f"{at}/{index}/1", "unfit", "A weight is a whole number.")
            continue
        total += max(0, weight)
    if not pairs:
        yield FieldError(at, "unfit", "Nothing is shared out here.")
    if total > MOST_WEIGHT:
        detail = f"The weights come to {total}; together they may come to {MOST_WEIGHT}."
        yield FieldError(at, "over_limit", detail)


def answers_of(logic: Any) -> set[str]:
    """The constants that logic can answer, where it answers constants."""
    if isinstance(logic, bool):
        return {"true" if logic else "false"}
    if isinstance(logic, str):
        return {logic}
    if not isinstance(logic, dict) or len(logic) != 1:
        return set()
    [(name, args)] = logic.items()
    found: set[str] = set()
    if name in ("if", "?:") and isinstance(args, list):
        answers = [*args[1::2], *([args[-1]] if len(args) % 2 else [])]
        found = found.union(*[answers_of(answer) for answer in answers])
    elif name == "fractional" and isinstance(args, list):
        pairs = [pair for pair in args if isinstance(pair, list) and pair]
        found = found.union(*[answers_of(pair[0]) for pair in pairs])
    return found


def escaped(name: str) -> str:
    """A part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
