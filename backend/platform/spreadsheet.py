"""Files that people open in a spreadsheet: CSV in which no cell acts as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import orjson
from fastapi import Response

MOST_ROWS = 10_000
"""How many of the newest matching rows one file holds."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def cell(value: object) -> str:
    """A value as text; text that a spreadsheet would calculate gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def uncovered(text: str) -> str:
    """A cell as somebody sends it back: without the apostrophe that `cell` put there."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of a file (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def csv_answer(name: str, heads: Sequence[str], rows: Iterable[Iterable[object]]) -> Response:
    """The rows under their heads as a download called `name`.csv."""
    return file_answer(f"{name}.csv", lines([heads, *rows]), "text/csv; charset=utf-8")


def file_answer(name: str, content: str | bytes, media_type: str) -> Response:
    """A file to save under its name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
