"""Saved views: a person's own, kept by name, out of anybody else's reach."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import GrantScope, Principal
from backend.identity.views import MOST_VIEWS, list_views, remove_view, save_view
from backend.platform.errors import Conflict, Forbidden, Invalid, NotFound

from .conftest import enrolled

VIEWER = (GrantScope("viewer", "TH"),)


async def person(session: AsyncSession, name: str) -> Principal:
    person_id = await enrolled(session, name, *VIEWER)
    return Principal("user", f"user:{person_id}", name, VIEWER)


async def test_a_view_is_found_again_on_its_page_alone(uow: AsyncSession) -> None:
    nan = await person(uow, "Nan")
    saved = await save_view(uow, nan, "/orders", "  late   ones ", "state=late&region=TH-10")
    assert await list_views(uow, nan, "/orders") == [saved]
    assert (saved.name, saved.query) == ("late ones", "state=late&region=TH-10")
    assert await list_views(uow, nan, "/drivers") == []
    assert await list_views(uow, nan, "/orders\x00") == []


async def test_the_same_name_again_replaces_what_it_stood_for(uow: AsyncSession) -> None:
    nan = await person(uow, "Nan")
    first = await save_view(uow, nan, "/orders", "mine", "q=old")
    again = await save_view(uow, nan, "/orders", "mine", "q=new")
    assert again.id == first.id
    assert [view.query for view in await list_views(uow, nan, "/orders")] == ["q=new"]


async def test_views_of_others_are_neither_seen_nor_removed(uow: AsyncSession) -> None:
    nan, tui = await person(uow, "Nan"), await person(uow, "Tui")
    saved = await save_view(uow, nan, "/orders", "mine", "q=1")
    assert await list_views(uow, tui, "/orders") == []
    with pytest.raises(NotFound):
        await remove_view(uow, tui, saved.id)
    await remove_view(uow, nan, saved.id)
    assert await list_views(uow, nan, "/orders") == []


@pytest.mark.parametrize(
    ("page", "name", "query", "pointer"),
    [
        ("//evil.example", "x", "", None),
        ("https://evil.example", "x", "", "/page"),
        ("/orders?x", "x", "", "/page"),
        ("/orders", "   ", "", "/name"),
        ("/orders", "x" * 41, "", "/name"),
        ("/orders", "a\u202eb", "", "/name"),
        ("/orders", "x", "q=" + "x" * 1_000, "/query"),
        ("/orders", "x", "q=\ud800", "/query"),
        ("/orders", "x", "q=\x00", "/query"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_field(
    uow: AsyncSession, page: str, name: str, query: str, pointer: str | None
) -> None:
    nan = await person(uow, "Nan")
    with pytest.raises(Invalid) as refusal:
        await save_view(uow, nan, page, name, query)
    assert [error.pointer for error in refusal.value.errors] == [pointer or "/page"]


async def test_a_page_keeps_only_so_many(uow: AsyncSession) -> None:
    nan = await person(uow, "Nan")
    for number in range(MOST_VIEWS):
        await save_view(uow, nan, "/orders", f"view {number}", "q=1")
    with pytest.raises(Conflict):
        await save_view(uow, nan, "/orders", "one more", "q=1")


async def test_only_persons_have_views(uow: AsyncSession) -> None:
    program = Principal("service", "service:market", "market", VIEWER)
    with pytest.raises(Forbidden):
        await list_views(uow, program, "/orders")
    nobody = Principal("user", "user:00000000-0000-7000-8000-000000000000", "No role")
    with pytest.raises(Forbidden):
        await list_views(uow, nobody, "/orders")
