"""The drawer that shows a delivery of a monitoring system as it was received."""

from __future__ import annotations

import json
from typing import Any, TypedDict

import reflex as rx

from backend.incidents import service as incidents
from backend.incidents.schemas import RawEventOut
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import iso, uuid_or_none
from dashboard.states.shell import tell

_SHOWN = 200_000


class Header(TypedDict):
    """One header of the delivery."""

    name: str
    value: str


class RawEventState(rx.State):
    """The delivery that is looked at."""

    open: bool = False
    title: str = ""
    received: str = ""
    state: str = ""
    tone: str = "off"
    why: str = ""
    kind: str = ""
    headers: list[Header] = []
    body: str = ""

    @rx.event(background=True)
    @requires("incidents:read")
    async def show(self, event_id: str) -> Any:
        """Open the delivery that an alert came by."""
        wanted = uuid_or_none(str(event_id))
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                found = await incidents.get_raw_event(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            self.title = f"{found.doorway} from {found.integration}"
            self.received, self.kind = iso(found.received_at), found.content_type
            self.state, self.why = found.state, found.why or ""
            self.tone = {"done": "good", "refused": "critical"}.get(found.state, "info")
            self.headers = [
                {"name": name, "value": value} for name, value in sorted(found.headers.items())
            ]
            self.body, self.open = readable(found), True

    @rx.event
    @requires("incidents:read")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open, self.body = False, ""


def readable(found: RawEventOut) -> str:
    """The body, indented where it is JSON; of a very long one the beginning."""
    text = found.body
    if len(text) <= _SHOWN:
        try:
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… {len(text):,} characters in all"
