"""The operators of compiled JsonLogic: programs that work their operands out and combine them.

What an operator means is left to `json_logic`, the library that flagd's own evaluator walks with;
here only the forms that flags mostly have are made short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from json_logic import builtins

from backend.flags.text_operators import ends_with, sem_ver, sem_ver_against, starts_with

Run = Callable[[Any], Any]

# Operators that answer a boolean or nothing, so that their answer needs no reading.
YES_OR_NO = frozenset({"==", "!=", "===", "!==", "<", ">", "<=", ">=", "!", "!!", "in"}) | {
    "starts_with",
    "ends_with",
    "sem_ver",
}
OPERATORS: dict[str, Callable[..., Any]] = {
    **builtins.BUILTINS,
    # A definition shall not write to the output of a server.
    "log": lambda _data, value=None, *_: value,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "sem_ver": sem_ver,
}


def nothing(_: Any) -> Any:
    """The program that answers nothing."""
    return None


def is_plain(node: Any) -> bool:
    """Whether a node stands for itself, without anything to work out."""
    if isinstance(node, list):
        return all(map(is_plain, node))
    return not isinstance(node, dict) or len(node) != 1


def listed(programs: list[Run]) -> Run:
    return lambda data: [program(data) for program in programs]


def called(name: str, programs: list[Run]) -> Run:
    """The operator `name` of the answers of `programs`; one nobody knows fails when it is met."""
    function = OPERATORS.get(name)
    if function is not None:
        if len(programs) == 2:
            first, second = programs
            return lambda data: function(data, first(data), second(data))
        return lambda data: function(data, *[program(data) for program in programs])

    def run(data: Any) -> Any:
        for program in programs:
            program(data)
        if name.split(".", 1)[0] in OPERATORS:
            raise TypeError(name)
        raise ReferenceError(name)

    return run


def every(tests: list[Run]) -> Run:
    if len(tests) == 3:
        one, two, three = tests
        return lambda data: one(data) and two(data) and three(data)
    if len(tests) == 2:
        one, two = tests
        return lambda data: one(data) and two(data)
    return lambda data: all(test(data) for test in tests)


def over(name: str, items: Run, each: Run | None) -> Run:
    to_bool = builtins.to_bool
    empty: Any = {"filter": [], "map": [], "all": False, "some": False, "none": True}[name]

    def run(data: Any) -> Any:
        if each is None and name != "map":
            return empty
        found = items(data)
        if not isinstance(found, list) or (name == "all" and not found):
            return list(empty) if isinstance(empty, list) else empty
        each_ = each or nothing
        if name == "map":
            return [each_(item) for item in found]
        if name == "filter":
            return [item for item in found if to_bool(each_(item))]
        if name == "all":
            return all(to_bool(each_(item)) for item in found)
        return any(to_bool(each_(item)) for item in found) is (name == "some")

    return run


def _short_equals(args: list[Any], programs: list[Run]) -> Run | None:
    if len(args) != 2 or type(args[1]) is not str:
        return None
    program, wanted = programs[0], args[1]
    equals = builtins.op_equals

    def run(data: Any) -> Any:
        found = program(data)
        return found == wanted if type(found) is str else equals(data, found, wanted)

    return run


def _short_in(args: list[Any], programs: list[Run]) -> Run | None:
    if len(args) != 2 or not isinstance(args[1], list) or not all(map(is_plain, args[1])):
        return None
    program, listed = programs[0], args[1]
    texts = frozenset(item for item in listed if type(item) is str)

    def run(data: Any) -> Any:
        found = program(data)
        return found in texts if type(found) is str else found in listed

    return run


def _short_sem_ver(args: list[Any], programs: list[Run]) -> Run | None:
    if len(args) != 3 or not all(type(arg) is str for arg in args[1:]):
        return None
    program, compare = programs[0], sem_ver_against(args[1], args[2])
    return lambda data: compare(program(data))


def _short_cat(args: list[Any], programs: list[Run]) -> Run | None:
    if len(args) != 2:
        return None
    first, second = programs
    to_string = builtins.to_string

    def run(data: Any) -> Any:
        one, two = first(data), second(data)
        if type(one) is str and type(two) is str:
            return one + two
        return str(to_string(one)) + str(to_string(two))

    return run


SHORT: dict[str, Callable[[list[Any], list[Run]], Run | None]] = {
    "==": _short_equals,
    "in": _short_in,
    "sem_ver": _short_sem_ver,
    "cat": _short_cat,
}
