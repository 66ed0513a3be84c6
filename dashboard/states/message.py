"""The drawer of one message: how it went, its words on request, sending it again or stopping it."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageOut
from backend.platform import clock
from backend.regions import service as regions
from backend.regions.schemas import Region
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.message_words import MessageLine, TriedRow, message_line, timing, tried_rows
from dashboard.states.paging import form_text, uuid_or_none
from dashboard.states.shell import tell

BODY_ID = "message-body"
"""The element that shows the words of the message."""


class Timing(TypedDict):
    """When something happened to the message."""

    name: str
    at: str


class MessageState(rx.State):
    """The message that is looked at."""

    open: bool = False
    message: MessageLine | None = None
    title: str = ""
    times: list[Timing] = []
    tried: list[TriedRow] = []
    may_write: bool = False
    working: bool = False
    fault: str = ""
    serial: int = 0

    @rx.event(background=True)
    @requires("messages:read")
    async def look(self, message_id: str) -> None:
        """Open the drawer for a message."""
        wanted = uuid_or_none(str(message_id))
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                found = await notifications.get_message(session, principal, wanted)
                place = (await regions.directory(session, principal)).get(found.region)
                may_write = identity.may(principal, "messages:write", found.region)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            self._show(found, place)
            self.may_write, self.open, self.working, self.fault = may_write, True, False, ""

    def _show(self, found: MessageOut, place: Region | None) -> None:
        now, zone = clock.now(), (place and place.time_zone) or "UTC"
        self.message = message_line(found, place.name if place else "")
        self.title = f"{self.message['what']} to the {self.message['to']}"
        self.times = [{"name": name, "at": at} for name, at in timing(found, zone, now)]
        self.tried = tried_rows(found.tried, zone, now)

    @rx.event
    @requires("messages:read")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event(background=True)
    @requires("messages:read")
    async def reveal(self) -> Any:
        """Show the words for a while, past the state; the look is recorded."""
        async with self:
            wanted = uuid_or_none(self.message["id"]) if self.message else None
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                body = await notifications.message_body(session, principal, wanted)
        except DomainError as error:
            async with self:
                self.fault = error.detail
            return
        yield rx.set_value(BODY_ID, body.text)

    @rx.event(background=True)
    @requires("messages:write")
    async def act(self, form: dict[str, Any]) -> None:
        """Send it again, or stop it, as the button that was pressed says."""
        async with self:
            wanted = uuid_or_none(self.message["id"]) if self.message else None
            reason = form_text(form, "reason")
            if wanted is None or self.working:
                return
            if len(reason) < 3:
                self.fault = "Say why, in at least three characters."
                return
            self.working, self.fault = True, ""
            stops = bool(self.message and not self.message["may_retry"])
        verb = notifications.cancel_message if stops else notifications.retry_message
        try:
            async with gateway.open(self) as (session, principal):
                await verb(session, principal, wanted, reason)
        except DomainError as error:
            async with self:
                self.working, self.fault = False, error.detail
            return
        async with self:
            self.working, self.open = False, False
            self.serial += 1
            await tell(self, "good", "It is stopped." if stops else "It is tried again now.")
