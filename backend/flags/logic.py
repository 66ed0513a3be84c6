"""Compiles flagd's JsonLogic into closures that answer as `openfeature-flagd-core` does, faster.

Every operator that is not written out here is the library's own function, so that there is one
meaning of each; what is written out is compared with the library by the tests.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from time import time
from typing import Any

import cbor2
import mmh3
from json_logic.builtins import not_, op_equals, op_var, to_bool
from openfeature.contrib.tools.flagd.core.targeting.custom_ops import (
    MAX_WEIGHT_SUM,
    normalize_numbers,
    normalize_version,
)
from openfeature.contrib.tools.flagd.core.targeting.targeting import OPERATORS

# The library logs a traceback for each malformed version that a client sends.
logging.getLogger("openfeature.contrib").setLevel(logging.CRITICAL + 1)

Run = Callable[[Any], Any]

FLAGD = "$flagd"
TARGETING_KEY = "targetingKey"
_LOOKS_AROUND = frozenset({"var", "missing", "missing_some", "fractional"})
_OVER_ITEMS = frozenset({"filter", "reduce", "map", "all", "some", "none"})
KNOWN_OPERATORS = frozenset(OPERATORS) | _OVER_ITEMS | {"if", "?:", "and", "or"}

_Precedence = tuple[Any, ...]

_COMPARE: dict[str, Callable[[_Precedence, _Precedence], bool]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "^": lambda a, b: bool(a[0] == b[0]),
    "~": lambda a, b: bool(a[:2] == b[:2]),
}
VERSION_OPERATORS = frozenset(_COMPARE)


class NoTargetingKey(Exception):
    """A share was to be decided for a context without a targeting key."""


class UnknownOperator(ReferenceError):
    """The logic uses an operator that there is not."""


def compile_logic(flag_key: str, logic: Any) -> Run:
    """`logic` as a function of the context; raises UnknownOperator, RecursionError.

    What it raises when called is what the library raises, and NoTargetingKey.
    """
    compiler = _Compiler(flag_key)
    run = compiler.compile(logic)
    if not compiler.whole:
        return run

    def enriched(data: Any) -> Any:
        known = {"flagKey": flag_key, "timestamp": int(time())}
        return run({**data, FLAGD: known, TARGETING_KEY: data.get(TARGETING_KEY)})

    return enriched


class _Compiler:
    """Compiles one flag's logic; inside an operator over items `var` speaks of the item."""

    def __init__(self, flag_key: str, *, inside: bool = False) -> None:
        self._flag_key = flag_key
        self._inside = inside
        self.whole = False
        """Whether something asks for the context in ways that only show when it is evaluated."""

    def compile(self, logic: Any) -> Run:
        if isinstance(logic, list):
            items = [self.compile(item) for item in logic]
            return lambda data: [item(data) for item in items]
        if not isinstance(logic, dict) or len(logic) != 1:
            return lambda data: logic
        [(name, raw)] = logic.items()
        args = raw if isinstance(raw, list) else [raw]
        if name in ("if", "?:"):
            return self._choice(args)
        if name in ("and", "or"):
            return self._connected(name, args)
        if name in _OVER_ITEMS:
            return self._over_items(name, args)
        if name not in OPERATORS:
            raise UnknownOperator(f"Unrecognized operation: {name!r}")
        special = _SPECIAL.get(name)
        found = special(self, args) if special else None
        if found is None and name in _LOOKS_AROUND:
            self.whole = True
        return found or self._called(OPERATORS[name], args)

    def _called(self, operator: Callable[..., Any], args: Sequence[Any]) -> Run:
        compiled = [self.compile(arg) for arg in args]
        return lambda data: operator(data, *[arg(data) for arg in compiled])

    def _choice(self, args: Sequence[Any]) -> Run:
        parts = [self.compile(arg) for arg in args]
        pairs = [(parts[i], parts[i + 1]) for i in range(0, len(parts) - 1, 2)]
        last = parts[-1] if len(parts) % 2 else None

        def run(data: Any) -> Any:
            for condition, result in pairs:
                holds = condition(data)
                if holds is True or (holds is not False and to_bool(holds)):
                    return result(data)
            return last(data) if last else None

        return run

    def _connected(self, name: str, args: Sequence[Any]) -> Run:
        parts = [self.compile(arg) for arg in args]
        ends = not_ if name == "and" else to_bool

        def run(data: Any) -> Any:
            current = None
            for part in parts:
                current = part(data)
                if ends(current):
                    return current
            return current

        return run

    def _over_items(self, name: str, args: Sequence[Any]) -> Run:
        if len(args) < 2 or name == "reduce":
            # Rare and short: the library's own walk.
            from json_logic import jsonLogic

            self.whole = True
            logic = {name: list(args)}
            return lambda data: jsonLogic(logic, data, OPERATORS)
        items = self.compile(args[0])
        each = _Compiler(self._flag_key, inside=True).compile(args[1])
        return _ITEMS[name](items, each)

    def var(self, args: Sequence[Any]) -> Run | None:
        """A variable under a constant name, without taking the name apart each time."""
        key = args[0] if args else None
        if not isinstance(key, str) or not key or len(args) > 2:
            return None
        default = self.compile(args[1]) if len(args) == 2 else None
        if not self._inside and key.split(".")[0] == FLAGD:
            return self._enriched(key, default)
        if self._inside or "." in key:
            if default is None:
                return lambda data: op_var(data, key)
            return lambda data: op_var(data, key, default(data))

        def run(data: Any) -> Any:
            value = data.get(key)
            return default(data) if value is None and default else value

        return run

    def _enriched(self, key: str, default: Run | None) -> Run:
        flag_key = self._flag_key

        def run(data: Any) -> Any:
            known = {FLAGD: {"flagKey": flag_key, "timestamp": int(time())}}
            return op_var(known, key, default(data) if default else None)

        return run

    def within(self, args: Sequence[Any]) -> Run | None:
        """`in` a constant list."""
        if len(args) != 2 or not isinstance(args[1], list) or not _is_plain(args[1]):
            return None
        needle, haystack = self.compile(args[0]), args[1]
        if not all(isinstance(item, str) for item in haystack):
            return lambda data: needle(data) in haystack
        known = frozenset(haystack)

        def run(data: Any) -> bool:
            value = needle(data)
            return value in known if isinstance(value, str) else False

        return run

    def equals(self, args: Sequence[Any]) -> Run | None:
        """`==` with a constant text."""
        if len(args) != 2 or not isinstance(args[1], str):
            return None
        left, right = self.compile(args[0]), args[1]

        def run(data: Any) -> Any:
            value = left(data)
            return value == right if isinstance(value, str) else op_equals(data, value, right)

        return run

    def sem_ver(self, args: Sequence[Any]) -> Run | None:
        """A comparison with a constant version; versions of apps are few and come again."""
        if len(args) != 3 or not isinstance(args[2], str | int | float):
            return None
        compare = _COMPARE.get(args[1]) if isinstance(args[1], str) else None
        wanted = _version(str(args[2]))
        if compare is None or wanted is None:
            return None
        operand = self.compile(args[0])

        def run(data: Any) -> bool | None:
            version = _version(str(operand(data)))
            return None if version is None else compare(version, wanted)

        return run

    def fractional(self, args: Sequence[Any]) -> Run | None:
        """Shares with constant variants and weights, whose steps are worked out here."""
        if self._inside or not args:
            return None
        by_key = isinstance(args[0], list)
        steps = _steps(args if by_key else args[1:])
        if steps is None:
            return self._loose_fractional(args) if by_key else None
        ends, total = steps
        if not by_key:
            # A context may hold a list where a key is expected, which has a meaning of its own.
            self.whole = self.whole or not (isinstance(args[0], dict) and "cat" in args[0])
            return _shared(self.compile(args[0]), ends, total)
        # CBOR of a list of two: the flag's part is always the same.
        head = b"\x82" + _cbor(self._flag_key)

        def run(data: Any) -> Any:
            key = data.get(TARGETING_KEY)
            if not isinstance(key, str) or not key:
                raise NoTargetingKey
            bucket = (mmh3.hash(head + _cbor(key), signed=False) * total) >> 32
            for variant, end in ends:
                if bucket < end:
                    return variant
            return None

        return run

    def _loose_fractional(self, args: Sequence[Any]) -> Run:
        """Shares by targeting key whose variants or weights depend on the context."""
        compiled = [self.compile(arg) for arg in args]
        operator = OPERATORS["fractional"]
        self.whole = True

        def run(data: Any) -> Any:
            key = data.get(TARGETING_KEY)
            if not isinstance(key, str) or not key:
                raise NoTargetingKey
            return operator(data, *[arg(data) for arg in compiled])

        return run


_SPECIAL: dict[str, Callable[[_Compiler, Sequence[Any]], Run | None]] = {
    "var": _Compiler.var,
    "==": _Compiler.equals,
    "in": _Compiler.within,
    "sem_ver": _Compiler.sem_ver,
    "fractional": _Compiler.fractional,
}


def _is_plain(items: Sequence[Any]) -> bool:
    return not any(isinstance(item, dict | list) for item in items)


@lru_cache(maxsize=4096)
def _version(text: str) -> _Precedence | None:
    """A version as a tuple that sorts by precedence (semver.org, 11), None for what is none."""
    try:
        version = normalize_version(text)
    except ValueError:
        return None
    parts = version.prerelease.split(".") if version.prerelease else []
    names = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
    return (version.major, version.minor, version.patch, not names, names)


def _cbor(text: str) -> bytes:
    """A text string in CBOR (RFC 8949, 3.1)."""
    encoded = text.encode()
    size = len(encoded)
    if size < 24:
        return bytes((0x60 | size,)) + encoded
    if size < 256:
        return bytes((0x78, size)) + encoded
    return cbor2.dumps(text)


def _steps(fractions: Sequence[Any]) -> tuple[list[tuple[Any, int]], int] | None:
    """Where each variant's part ends, and the sum; None where not everything is constant."""
    ends: list[tuple[Any, int]] = []
    end = 0
    for fraction in fractions:
        if not isinstance(fraction, list) or not 1 <= len(fraction) <= 2:
            return None
        variant, weight = fraction[0], fraction[1] if len(fraction) == 2 else 1
        if isinstance(variant, dict | list) or type(weight) is not int:
            return None
        end += max(0, weight)
        ends.append((variant, end))
    return (ends, end) if 0 < end <= MAX_WEIGHT_SUM else None


def _shared(by: Run, ends: Sequence[tuple[Any, int]], total: int) -> Run:
    def run(data: Any) -> Any:
        key = by(data)
        if isinstance(key, list):
            return OPERATORS["fractional"](data, key, *[list(pair) for pair in _weights(ends)])
        if key is None:
            return None
        try:
            encoded = cbor2.dumps(normalize_numbers(key), canonical=True)
        except (cbor2.CBOREncodeError, TypeError, ValueError, OverflowError):
            return None
        bucket = (mmh3.hash(encoded, signed=False) * total) >> 32
        return next((variant for variant, end in ends if bucket < end), None)

    return run


def _weights(ends: Sequence[tuple[Any, int]]) -> list[tuple[Any, int]]:
    starts = [0, *(end for _, end in ends)]
    return [(variant, end - start) for (variant, end), start in zip(ends, starts, strict=False)]


def _filter(items: Run, each: Run) -> Run:
    return lambda data: [item for item in _listed(items(data)) if to_bool(each(item))]


def _map(items: Run, each: Run) -> Run:
    return lambda data: [each(item) for item in _listed(items(data))]


def _all(items: Run, each: Run) -> Run:
    def run(data: Any) -> bool:
        found = _listed(items(data))
        return bool(found) and all(to_bool(each(item)) for item in found)

    return run


def _some(items: Run, each: Run) -> Run:
    return lambda data: any(to_bool(each(item)) for item in _listed(items(data)))


def _none(items: Run, each: Run) -> Run:
    return lambda data: not any(to_bool(each(item)) for item in _listed(items(data)))


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


_ITEMS: Mapping[str, Callable[[Run, Run], Run]] = {
    "filter": _filter,
    "map": _map,
    "all": _all,
    "some": _some,
    "none": _none,
}
