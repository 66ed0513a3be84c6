"""Files that people open in a spreadsheet: CSV in which no cell acts as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import orjson
from fastapi import Response

MOST_ROWS = 10_000
"""How many of the newest matching rows one file holds."""

Row_co = TypeVar("Row_co", covariant=True)


class Page(Protocol[Row_co]):
    """A part of a list, and where the next one begins; None after the last."""

    @property
    def items(self) -> Sequence[Row_co]:
        """The rows of this part."""

    @property
    def next_cursor(self) -> str | None:
        """What to ask the next part with."""


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


async def all_rows(fetch: Callable[[str | None], Awaitable[Page[Row_co]]]) -> list[Row_co]:
    """Every row of a list that is fetched page by page, up to the most that a file holds."""
    found: list[Row_co] = []
    after: str | None = None
    while len(found) < MOST_ROWS:
        page = await fetch(after)
        found += page.items
        after = page.next_cursor
        if after is None:
            break
    return found[:MOST_ROWS]


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
