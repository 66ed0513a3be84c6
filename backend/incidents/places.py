"""SQL conditions on regions: what a caller sees, and what concerns a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from backend.incidents.models import IncidentTable, PlaceRow
from backend.platform.scopes import EVERYWHERE, covers, parent


def related(one: str, other: str) -> bool:
    """Whether one region is the other, or one lies in the other."""
    return covers(one, other) or covers(other, one)


def _around(scopes: Iterable[str]) -> set[str]:
    """The scopes and every region above them: what hits a country hits its cities."""
    found: set[str] = set()
    for scope in scopes:
        code: str | None = scope
        while code is not None:
            found.add(code)
            code = parent(code)
    return found


def concerns(column: Any, scopes: Sequence[str]) -> ColumnElement[bool]:
    """Rows whose one region is in, or around, any of the scopes."""
    if EVERYWHERE in scopes:
        return true()
    below = [column.startswith(scope + end, autoescape=True) for scope in scopes for end in "-."]
    return or_(column.in_(sorted(_around(scopes))), *below)


def within(column: Any, scopes: Sequence[str]) -> ColumnElement[bool]:
    """Rows whose one region is one of the scopes or lies in it."""
    if EVERYWHERE in scopes:
        return true()
    below = [column.startswith(scope + end, autoescape=True) for scope in scopes for end in "-."]
    return or_(column.in_(list(scopes)), *below)


def incident_concerns(scopes: Sequence[str]) -> ColumnElement[bool]:
    """Incidents one of whose regions is in, or around, any of the scopes."""
    if EVERYWHERE in scopes:
        return true()
    places = select(col(PlaceRow.incident_id)).where(concerns(col(PlaceRow.region), scopes))
    return col(IncidentTable.id).in_(places)


def any_concerns(column: Any, scopes: Sequence[str]) -> ColumnElement[bool]:
    """The same for rows with an array of regions."""
    if EVERYWHERE in scopes:
        return true()
    around = cast(sorted(_around(scopes)), ARRAY(String))
    each = func.unnest(column).table_valued("code").render_derived("each")
    code = each.c.code
    below = [code.startswith(scope + end, autoescape=True) for scope in scopes for end in "-."]
    return or_(column.op("&&")(around), select(1).select_from(each).where(or_(*below)).exists())
