"""The SQL condition that a text mentions what somebody typed, fit for a trigram index."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, false, or_

_TRIGRAM = 3


def mentions(column: Any, q: str) -> ColumnElement[bool]:
    """Rows whose text has `q` in it, in any case.

    The index knows three letters or digits in a row, and how words begin. One or two of them alone
    are therefore looked for where a word begins, and what has none is in no text.
    """
    words = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in q).split()
    if not words:
        return false()
    anywhere: ColumnElement[bool] = column.icontains(q, autoescape=True)
    if len(words) > 1 or len(words[0]) >= _TRIGRAM:
        return anywhere
    return or_(column.istartswith(q, autoescape=True), column.icontains(f" {q}", autoescape=True))
