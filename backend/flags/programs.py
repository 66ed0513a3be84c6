"""JsonLogic as flagd speaks it, turned once into Python closures instead of walked each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from json_logic import builtins

from backend.flags import operators
from backend.flags.buckets import Shares, encode, encode_pair, encode_text, shares_of
from backend.flags.operators import Program

_FLAG_KEY = "$flagd.flagKey"
_USER_KEY = "targetingKey"


class KeyMissing(Exception):
    """A share of users was asked for, and the context names no user."""


class Compiler:
    """Compiles the targeting of one flag.

    `strict` programs raise KeyMissing where a user's share would be found without a user;
    `by_user` tells afterwards whether there is any such place.
    """

    def __init__(self, flag_key: str, *, strict: bool = False) -> None:
        self.by_user = False
        self._flag_key = flag_key
        self._strict = strict

    def compile(self, node: Any, *, top: bool = True) -> Program:
        """The program of a node; `top` is false inside of `map` and its like, for their items."""
        if isinstance(node, list):
            return operators.listed([self.compile(item, top=top) for item in node])
        if not isinstance(node, dict) or len(node) != 1:
            return lambda _: node
        name, raw = next(iter(node.items()))
        args = raw if isinstance(raw, list) else [raw]
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, args, top)
        programs = [self.compile(arg, top=top) for arg in args]
        short = operators.SHORT.get(name)
        found = short(args, programs) if short else None
        return found or operators.called(name, programs)

    def test(self, node: Any, *, top: bool) -> Program:
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

    def if_(self, args: list[Any], top: bool) -> Program:
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

    def and_(self, args: list[Any], top: bool) -> Program:
        """`and`: the first answer that is not true, the last one where all are."""
        return self._until(args, top, builtins.not_)

    def or_(self, args: list[Any], top: bool) -> Program:
        """`or`: the first answer that is true, the last one where none is."""
        return self._until(args, top, builtins.to_bool)

    def _until(self, args: list[Any], top: bool, ends: Callable[[Any], bool]) -> Program:
        programs = [self.compile(arg, top=top) for arg in args]

        def run(data: Any) -> Any:
            current = None
            for program in programs:
                current = program(data)
                if ends(current):
                    return current
            return current

        return run

    def var(self, args: list[Any], top: bool) -> Program:
        """`var`: an attribute by name, at the top mostly without a path."""
        if top and args == [_FLAG_KEY]:
            flag_key = self._flag_key
            return lambda _: flag_key
        if top and len(args) == 1 and type(args[0]) is str and args[0] and "." not in args[0]:
            name = args[0]
            return lambda data: data.get(name)
        programs = [self.compile(arg, top=top) for arg in args]
        return operators.called("var", programs)

    def reduce(self, args: list[Any], top: bool) -> Program:
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

    def fractional(self, args: list[Any], top: bool) -> Program:
        """`fractional`: the variant in whose share the bucketing key falls."""
        if not args:
            return operators.nothing
        by_expression = not isinstance(args[0], list)
        pairs = args[1:] if by_expression else args
        by_user = not by_expression or _names_user(args[0])
        self.by_user |= by_user
        if not top or not all(map(operators.is_plain, pairs)):
            found = self._fractional_of_anything(args, top)
        elif not by_expression:
            found = _by_user(shares_of(pairs), self._flag_key)
        else:
            key = self.compile(args[0], top=top)
            found = _by_key(key, shares_of(pairs), pairs, self._flag_key)
        return _refusing_strangers(found) if self._strict and by_user else found

    def _fractional_of_anything(self, args: list[Any], top: bool) -> Program:
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
    if node.get("var") in (_USER_KEY, [_USER_KEY]):
        return True
    return any(map(_names_user, node.values()))


def _refusing_strangers(program: Program) -> Program:
    def run(data: Any) -> Any:
        if isinstance(data, dict) and not data.get(_USER_KEY):
            raise KeyMissing
        return program(data)

    return run


def _by_user(shares: Shares | None, flag_key: str) -> Program:
    prefix = encode_text(flag_key)

    def run(data: Any) -> Any:
        user = data.get(_USER_KEY)
        if shares is None or not user or not isinstance(user, str):
            return None
        return shares.pick(encode_pair(prefix, user))

    return run


def _by_key(key: Program, shares: Shares | None, pairs: Sequence[Any], flag_key: str) -> Program:
    def run(data: Any) -> Any:
        found = key(data)
        if type(found) is str and shares is not None:
            return shares.pick(encode_text(found))
        if isinstance(found, list):
            return _of_user(data, flag_key, shares_of([found, *pairs]))
        return _of_key(found, shares)

    return run


def _of_user(data: Any, flag_key: str, shares: Shares | None) -> Any:
    user = data.get(_USER_KEY)
    if not user or not isinstance(user, str) or shares is None:
        return None
    return shares.pick(encode_pair(encode_text(flag_key), user))


def _of_key(key: Any, shares: Shares | None) -> Any:
    if key is None or shares is None or (encoded := encode(key)) is None:
        return None
    return shares.pick(encoded)


def _over_items(name: str) -> Callable[[Compiler, list[Any], bool], Program]:
    """`filter`, `map`, `all`, `some` or `none`: a program run with each item for its data."""

    def make(compiler: Compiler, args: list[Any], top: bool) -> Program:
        items = compiler.compile(args[0], top=top) if args else operators.nothing
        each = compiler.compile(args[1], top=False) if len(args) > 1 else None
        return operators.over(name, items, each)

    return make


_SPECIAL: dict[str, Callable[[Compiler, list[Any], bool], Program]] = {
    "if": Compiler.if_,
    "?:": Compiler.if_,
    "and": Compiler.and_,
    "or": Compiler.or_,
    "var": Compiler.var,
    "fractional": Compiler.fractional,
    "reduce": Compiler.reduce,
    **{name: _over_items(name) for name in ("filter", "map", "all", "some", "none")},
}
