"""Answers that people open in a spreadsheet: CSV files in which no cell acts as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import orjson
from fastapi import Response

MOST_ROWS = 10_000
"""How many of the newest matching rows one file holds."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The rows under their heads as a download called `name`.csv (RFC 4180, UTF-8)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([cell(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def cell(value: object) -> str:
    """A value as text; text that a spreadsheet would calculate is quoted, numbers are not."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
