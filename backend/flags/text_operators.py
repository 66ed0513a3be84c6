"""flagd's operators on text and versions: nothing, and no line in the log, for what is neither."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from semver import Version

_LONGEST_REMEMBERED = 64
_COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    "=": lambda one, two: one == two,
    "!=": lambda one, two: one != two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
    "^": lambda one, two: one.major == two.major,
    "~": lambda one, two: (one.major, one.minor) == (two.major, two.minor),
}
VERSION_OPERATORS = frozenset(_COMPARISONS)


def starts_with(_data: Any, *args: Any) -> bool | None:
    """Whether the first text begins with the second, None unless they are two texts."""
    if len(args) != 2 or not all(isinstance(arg, str) for arg in args):
        return None
    text, start = args
    return bool(text.startswith(start))


def ends_with(_data: Any, *args: Any) -> bool | None:
    """Whether the first text ends with the second, None unless they are two texts."""
    if len(args) != 2 or not all(isinstance(arg, str) for arg in args):
        return None
    text, end = args
    return bool(text.endswith(end))


def sem_ver(_data: Any, *args: Any) -> bool | None:
    """A comparison of two versions, None for a wrong version or an unknown comparison."""
    if len(args) != 3:
        return None
    one, comparison, two = args
    return _compare(_version(str(one)), comparison, _version(str(two)))


def sem_ver_against(comparison: str, wanted: str) -> Callable[[Any], bool | None]:
    """The same against one version; the answers for versions met before are remembered."""
    two = _version(wanted)

    @lru_cache(256)
    def remembered(text: str) -> bool | None:
        return _compare(_version(text), comparison, two)

    def run(found: Any) -> bool | None:
        text = found if type(found) is str else str(found)
        if len(text) > _LONGEST_REMEMBERED:
            return _compare(_version(text), comparison, two)
        return remembered(text)

    return run


def _compare(one: Version | None, comparison: Any, two: Version | None) -> bool | None:
    if one is None or two is None or not isinstance(comparison, str):
        return None
    compared = _COMPARISONS.get(comparison)
    return None if compared is None else bool(compared(one, two))


def _version(text: str) -> Version | None:
    """`1`, `v1.2` and `1.2.3-rc.1` as versions, with zeros for what is left out."""
    text = text[1:] if text.startswith(("v", "V")) else text
    numbers = text.split("-")[0].split("+")[0]
    missing = 2 - numbers.count(".")
    if missing > 0:
        text = numbers + ".0" * missing + text[len(numbers) :]
    try:
        return Version.parse(text)
    except ValueError:
        return None
