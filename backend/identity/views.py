"""Saved views of lists: a person's own names for what they look at again and again."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import view_repository as repository
from backend.identity.models import ViewTable
from backend.identity.policy import authorize
from backend.identity.schemas import Principal, SavedView
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.platform.ids import uuid7

MOST_VIEWS = 20
_LONGEST_NAME = 40
_LONGEST_QUERY = 1_000
_PAGE = re.compile(r"/|(/[a-z0-9_\-]{1,40}){1,8}")


async def list_views(session: AsyncSession, principal: Principal, page: str) -> list[SavedView]:
    """The caller's own views of a page, oldest first."""
    authorize(principal, "console:use")
    person = _person(principal)
    return await repository.views(session, person, page) if _PAGE.fullmatch(page) else []


async def save_view(
    session: AsyncSession, principal: Principal, page: str, name: str, query: str
) -> SavedView:
    """Keep what the page's address asks for under a name; the same name again replaces it.

    Raises Invalid for a page, name or query that cannot be kept, Conflict when there are
    `MOST_VIEWS` already.
    """
    authorize(principal, "console:use")
    person = _person(principal)
    name = " ".join(name.split())
    _check(page, name, query)
    row = ViewTable(
        id=uuid7(),
        person_id=person,
        page=page,
        name=name,
        query=urlencode(parse_qsl(query)),
        created_at=clock.now(),
    )
    saved = await repository.upsert(session, row)
    if len(await repository.views(session, person, page)) > MOST_VIEWS:
        raise Conflict(f"A page keeps {MOST_VIEWS} views; remove one first.")
    return saved


async def remove_view(session: AsyncSession, principal: Principal, view_id: UUID) -> None:
    """Forget one of the caller's own views."""
    authorize(principal, "console:use")
    if not await repository.delete(session, _person(principal), view_id):
        raise NotFound("There is no such view.")


def _person(principal: Principal) -> UUID:
    if principal.kind != "user":
        raise Forbidden("Views belong to persons.")
    return UUID(principal.id.removeprefix("user:"))


def _check(page: str, name: str, query: str) -> None:
    faults = []
    if not _PAGE.fullmatch(page):
        faults.append(FieldError("/page", "bad_page", "This is not a page of the console."))
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        detail = f"A view's name has 1 to {_LONGEST_NAME} characters."
        faults.append(FieldError("/name", "bad_name", detail))
    # What a browser asks for is percent-encoded, and so of these characters alone.
    if len(query) > _LONGEST_QUERY or not (query.isascii() and query.isprintable()):
        faults.append(FieldError("/query", "bad_query", "This cannot be kept as a view."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
