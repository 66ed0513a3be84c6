"""The saved views of the list on the page."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import uuid_or_none
from dashboard.states.shell import tell


class ViewRow(TypedDict):
    """A name, and what the address asks for under it."""

    id: str
    page: str
    name: str
    query: str


class ViewsState(rx.State):
    """The person's own views of the page that is open."""

    views: list[ViewRow] = []

    def _page(self) -> str:
        return self.router.url.path.rstrip("/") or "/"

    @rx.event(background=True)
    @requires("console:use")
    async def load(self) -> None:
        """Show the views of this page."""
        async with self:
            page = self._page()
        async with gateway.open(self) as (session, principal):
            found = await identity.list_views(session, principal, page)
        async with self:
            self.views = [
                {"id": str(view.id), "page": view.page, "name": view.name, "query": view.query}
                for view in found
            ]

    @rx.event(background=True)
    @requires("console:use")
    async def save(self, name: str, query: str) -> Any:
        """Keep what the address asks for under a name."""
        async with self:
            page = self._page()
        try:
            async with gateway.open(self) as (session, principal):
                await identity.save_view(session, principal, page, str(name), str(query))
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        return ViewsState.load

    @rx.event(background=True)
    @requires("console:use")
    async def remove(self, view_id: str) -> Any:
        """Forget one view."""
        wanted = uuid_or_none(str(view_id))
        if wanted is None:
            return None
        try:
            async with gateway.open(self) as (session, principal):
                await identity.remove_view(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        return ViewsState.load
