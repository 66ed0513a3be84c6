"""Compiles flagd's JsonLogic into closures that answer as `openfeature-flagd-core` does, faster.

The one difference: a share of users asked for without a user is told as NoTargetingKey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any

from json_logic import builtins

from backend.flags import operators
from backend.flags.buckets import Shares, encode, encode_pair, encode_text, shares_of
from backend.flags.operators import OPERATORS, Run
from backend.flags.text_operators import VERSION_OPERATORS

__all__ = [
    "KNOWN_OPERATORS",
    "TARGETING_KEY",
    "VERSION_OPERATORS",
    "NoTargetingKey",
    "Run",
    "compile_logic",
]

FLAGD = "$flagd"
TARGETING_KEY = "targetingKey"
_FLAG_KEY = f"{FLAGD}.flagKey"


class NoTargetingKey(Exception):
    """A share of users was asked for, and the context names no user."""


def compile_logic(flag_key: str, logic: Any, *, lenient: bool = False) -> Run:
    """`logic` as a function of the context.

    What it raises when called is what the library raises, an unknown operator as ReferenceError,
    and NoTargetingKey unless `lenient`: the share then answers nothing, as with flagd.
    """
    compiler = _Compiler(flag_key, lenient=lenient)
    run = compiler.compile(logic)
    if not compiler.reads_flagd:
        return run

    def enriched(context: Mapping[str, Any]) -> Any:
        about = {"flagKey": flag_key, "timestamp": int(time())}
        return run({TARGETING_KEY: None, **context, FLAGD: about})

    return enriched


class _Compiler:
    """Compiles one flag's logic.

    `reads_flagd` tells afterwards whether it may read what flagd adds to a context: nearly none
    does, and so no context is copied for it.
    """

    def __init__(self, flag_key: str, *, lenient: bool) -> None:
        self.reads_flagd = False
        self._lenient = lenient
        self._flag_key = flag_key

    def compile(self, node: Any, *, top: bool = True) -> Run:
        """The program of a node; `top` is false inside of `map` and its like, for their items."""
        if isinstance(node, list):
            return operators.listed([self.compile(item, top=top) for item in node])
        if not isinstance(node, dict) or len(node) != 1:
            return lambda _: node
        name, raw = next(iter(node.items()))
        args = raw if isinstance(raw, list) else [raw]
        if name in ("missing", "missing_some"):
            self.reads_flagd = True
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, args, top)
        programs = [self.compile(arg, top=top) for arg in args]
        short = operators.SHORT.get(name)
        found = short(args, programs) if short else None
        return found or operators.called(name, programs)

    def test(self, node: Any, *, top: bool) -> Run:
        """A program whose answer's own truth is what JsonLogic takes for true."""
        if isinstance(node, dict) and len(node) == 1:
            name, raw = next(iter(node.items()))
            args = raw if isinstance(raw, list) else [raw]
            if name == "and" and args:
                return operators.every([self.test(arg, top=top) for arg in args])
            if name in operators.YES_OR_NO:
                return self.compile(node, top=top)
        program = self.compile(node, top=top)
        to_bool = builtins.to_bool
        return lambda data: to_bool(program(data))

    def if_(self, args: list[Any], top: bool) -> Run:
        """`if`: pairs of test and answer, and what is left for the answer when none holds."""
        last = self.compile(args[-1], top=top) if len(args) % 2 else operators.nothing
        pairs = [
            (self.test(args[at], top=top), self.compile(args[at + 1], top=top))
            for at in range(0, len(args) - 1, 2)
        ]
        if len(pairs) == 1:
            (test, then) = pairs[0]
            return lambda data: then(data) if test(data) else last(data)

        def run(data: Any) -> Any:
            for test, then in pairs:
                if test(data):
                    return then(data)
            return last(data)

        return run

    def and_(self, args: list[Any], top: bool) -> Run:
        """`and`: the first answer that is not true, the last one where all are."""
        return self._until(args, top, builtins.not_)

    def or_(self, args: list[Any], top: bool) -> Run:
        """`or`: the first answer that is true, the last one where none is."""
        return self._until(args, top, builtins.to_bool)

    def _until(self, args: list[Any], top: bool, ends: Callable[[Any], bool]) -> Run:
        programs = [self.compile(arg, top=top) for arg in args]

        def run(data: Any) -> Any:
            current = None
            for program in programs:
                current = program(data)
                if ends(current):
                    return current
            return current

        return run

    def var(self, args: list[Any], top: bool) -> Run:
        """`var`: an attribute by name, at the top mostly without a path."""
        if top and args == [_FLAG_KEY]:
            flag_key = self._flag_key
            return lambda _: flag_key
        if top and len(args) == 1 and type(args[0]) is str and args[0] and "." not in args[0]:
            name = args[0]
            if name != FLAGD:
                return lambda data: data.get(name)
        named = bool(args) and type(args[0]) is str and args[0] and not args[0].startswith(FLAGD)
        self.reads_flagd |= top and not named
        programs = [self.compile(arg, top=top) for arg in args]
        return operators.called("var", programs)

    def reduce(self, args: list[Any], top: bool) -> Run:
        """`reduce`: a program run with the current item and what came of those before."""
        items = self.compile(args[0], top=top) if args else operators.nothing
        each = self.compile(args[1], top=False) if len(args) > 1 else operators.nothing
        # Not an expression: the library takes the start as it is written.
        start = args[2] if len(args) > 2 else None

        def run(data: Any) -> Any:
            found = items(data)
            if not isinstance(found, list):
                return start if args else None
            context = {"accumulator": start}
            for item in found:
                context["current"] = item
                context["accumulator"] = each(context)
            return context["accumulator"]

        return run

    def fractional(self, args: list[Any], top: bool) -> Run:
        """`fractional`: the variant in whose share the bucketing key falls."""
        if not args:
            return operators.nothing
        by_expression = not isinstance(args[0], list)
        pairs = args[1:] if by_expression else args
        by_user = not by_expression or _names_user(args[0])
        if not top or not all(map(operators.is_plain, pairs)):
            found = self._fractional_of_anything(args, top)
        elif not by_expression:
            found = _by_user(shares_of(pairs), self._flag_key)
        else:
            key = self.compile(args[0], top=top)
            found = _by_key(key, shares_of(pairs), pairs, self._flag_key)
        return _refusing_strangers(found) if by_user and not self._lenient else found

    def _fractional_of_anything(self, args: list[Any], top: bool) -> Run:
        programs = [self.compile(arg, top=top) for arg in args]
        flag_key = self._flag_key if top else ""

        def run(data: Any) -> Any:
            key, *pairs = [program(data) for program in programs]
            if isinstance(key, list):
                return _of_user(data, flag_key, shares_of([key, *pairs]))
            return _of_key(key, shares_of(pairs))

        return run


def _names_user(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_names_user, node))
    if not isinstance(node, dict):
        return False
    if node.get("var") in (TARGETING_KEY, [TARGETING_KEY]):
        return True
    return any(map(_names_user, node.values()))


def _refusing_strangers(program: Run) -> Run:
    def run(data: Any) -> Any:
        if isinstance(data, dict):
            user = data.get(TARGETING_KEY)
            if not user or not isinstance(user, str):
                raise NoTargetingKey
        return program(data)

    return run


def _by_user(shares: Shares | None, flag_key: str) -> Run:
    prefix = encode_text(flag_key)

    def run(data: Any) -> Any:
        user = data.get(TARGETING_KEY)
        if shares is None or not user or not isinstance(user, str):
            return None
        return shares.pick(encode_pair(prefix, user))

    return run


def _by_key(key: Run, shares: Shares | None, pairs: Sequence[Any], flag_key: str) -> Run:
    def run(data: Any) -> Any:
        found = key(data)
        if type(found) is str and shares is not None:
            return shares.pick(encode_text(found))
        if isinstance(found, list):
            return _of_user(data, flag_key, shares_of([found, *pairs]))
        return _of_key(found, shares)

    return run


def _of_user(data: Any, flag_key: str, shares: Shares | None) -> Any:
    user = data.get(TARGETING_KEY)
    if not user or not isinstance(user, str) or shares is None:
        return None
    return shares.pick(encode_pair(encode_text(flag_key), user))


def _of_key(key: Any, shares: Shares | None) -> Any:
    if key is None or shares is None or (encoded := encode(key)) is None:
        return None
    return shares.pick(encoded)


def _over_items(name: str) -> Callable[[_Compiler, list[Any], bool], Run]:
    """`filter`, `map`, `all`, `some` or `none`: a program run with each item for its data."""

    def make(compiler: _Compiler, args: list[Any], top: bool) -> Run:
        items = compiler.compile(args[0], top=top) if args else operators.nothing
        each = compiler.compile(args[1], top=False) if len(args) > 1 else None
        return operators.over(name, items, each)

    return make


_SPECIAL: dict[str, Callable[[_Compiler, list[Any], bool], Run]] = {
    "if": _Compiler.if_,
    "?:": _Compiler.if_,
    "and": _Compiler.and_,
    "or": _Compiler.or_,
    "var": _Compiler.var,
    "fractional": _Compiler.fractional,
    "reduce": _Compiler.reduce,
    **{name: _over_items(name) for name in ("filter", "map", "all", "some", "none")},
}
KNOWN_OPERATORS = frozenset(OPERATORS) | frozenset(_SPECIAL)
