"""Sign-ins that are alive: one's own, and with the permission everybody's."""

from __future__ import annotations

import re
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import Principal, SessionInfo
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    form_text,
    iso,
    loads,
    uuid_or_none,
)
from dashboard.states.shell import tell

PATH = "/admin/sessions"
OWN_PATH = "/account"
_CSV = "/api/v1/sessions.csv"
_SESSION_ID = re.compile(r"[0-9a-f]{64}")

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


class SessionRow(TypedDict):
    """One sign-in."""

    id: str
    person: str
    name: str
    email: str
    device: str
    address: str
    began_at: str
    seen_at: str
    ends_at: str
    here: bool


class SessionsState(ListState, rx.State):
    """The sessions page, and one's own under the person menu."""

    text: str = ""
    rows: list[SessionRow] = []
    may_write: bool = False

    @rx.event(background=True)
    @requires("sessions:read")
    @loads
    async def load(self) -> None:
        """Show everybody's sessions that the address asks for."""
        async with self:
            self.text = text = self._asked("q")
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            found = await identity.list_sessions(session, principal, text=text)
            may_write = identity.may(principal, "sessions:write")
        async with self:
            self.rows = [_row(info, principal.session_id) for info in found]
            self.csv_link = address(_CSV, {"text": text})
            self.may_write = may_write
            self.ready = True

    @rx.event(background=True)
    @requires("console:use")
    @loads
    async def load_own(self) -> None:
        """Show one's own sessions."""
        async with self:
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            me = UUID(principal.id.removeprefix("user:"))
            found = await identity.list_sessions(session, principal, person_id=me)
        async with self:
            self.rows = [_row(info, principal.session_id) for info in found]
            self.may_write = True
            self.ready = True

    @rx.event
    @requires("sessions:read")
    async def search(self, form: dict[str, Any]) -> EventSpec:
        """Put the search into the address."""
        return rx.redirect(address(PATH, {"q": form_text(form, "q")}), replace=True)

    @rx.event(background=True)
    @requires("console:use")
    async def end(self, session_id: str) -> Any:
        """End one session: one's own, or with the permission another's."""
        if not _SESSION_ID.fullmatch(str(session_id)):
            return None
        return await self._end(lambda s, p: identity.revoke_session(s, p, session_id), "1 session")

    @rx.event(background=True)
    @requires("sessions:write")
    async def end_all(self, person_id: str) -> Any:
        """End all sessions of a person."""
        person = uuid_or_none(str(person_id))
        if person is None:
            return None
        return await self._end(
            lambda s, p: identity.revoke_sessions_of(s, p, person), "All of the person's sessions"
        )

    @rx.event(background=True)
    @requires("sessions:write")
    async def end_chosen(self, action: str, session_ids: list[str]) -> Any:
        """End the chosen sessions, all or none."""
        if action != "end" or not isinstance(session_ids, list):
            return None
        wanted = [each for each in dict.fromkeys(session_ids) if _SESSION_ID.fullmatch(str(each))]

        async def act(session: Any, principal: Principal) -> None:
            for each in wanted[:PAGE_ROWS]:
                await identity.revoke_session(session, principal, each)

        return await self._end(act, "The chosen sessions")

    async def _end(self, act: Any, what: str) -> Any:
        try:
            async with gateway.open(self) as (session, principal):
                await act(session, principal)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", f"{what} ended, and the consoles with it.")
            own = self.router.url.path == OWN_PATH
        return SessionsState.load_own if own else SessionsState.load


def device_of(agent: str) -> str:
    """What kind of browser and system a User-Agent names, for recognising one's own."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "unknown system")
    return f"{browser} on {system}"


def _row(info: SessionInfo, here: str | None) -> SessionRow:
    return {
        "id": info.id,
        "person": str(info.person_id),
        "name": info.name,
        "email": info.email or "",
        "device": device_of(info.agent),
        "address": info.address,
        "began_at": iso(info.created_at),
        "seen_at": iso(info.seen_at),
        "ends_at": iso(info.ends_at),
        "here": info.id == here,
    }
