"""What regions are called where people read of them; programs are told their codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.platform.scopes import EVERYWHERE


def place_words(codes: Iterable[str], names: Mapping[str, str]) -> str:
    """Regions by name; `*`, and none at all, is everywhere."""
    named = ["everywhere" if code == EVERYWHERE else names.get(code, code) for code in codes]
    return ", ".join(dict.fromkeys(named)) or "everywhere"


def in_place(code: str, names: Mapping[str, str]) -> str:
    """Where something is, within a sentence: `in Bengaluru`, `everywhere`."""
    return "everywhere" if code == EVERYWHERE else f"in {names.get(code, code)}"
