"""Cells of comma-separated files that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import orjson

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A value as text; one that a spreadsheet would run gets an apostrophe before it."""
    if value is None:
        return ""
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def uncovered(text: str) -> str:
    """A cell as somebody sends it back: without the apostrophe that `cell` put there."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of a file (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
