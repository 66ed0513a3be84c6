"""Changes of flags and segments that wait: another person lets them be published, or refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import Confirmed, DecisionIn
from backend.identity.schemas import Principal
from dashboard import gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.flag import FlagState
from dashboard.states.flag_words import SEGMENTS, came_of
from dashboard.states.flags import fault_words
from dashboard.states.paging import form_text, uuid_or_none
from dashboard.states.segments import SegmentsState
from dashboard.states.shell import tell

_Deed = Callable[[Session, Principal, UUID], Awaitable[str]]


class FlagChangesState(rx.State):
    """What is being decided about a change that waits."""

    asking: str = ""
    busy: bool = False

    @rx.event
    @requires("flags:read")
    async def ask(self, what: str) -> None:
        """Open the form of a decision, or close it."""
        self.asking = "" if what == self.asking else str(what)[:80]

    @rx.event(background=True)
    @requires("flags:approve")
    async def approve(self, form: dict[str, Any]) -> Any:
        """Let another person's change be published."""
        wanted = Confirmed(confirm=form_text(form, "confirm"))

        async def deed(session: Session, caller: Principal, change: UUID) -> str:
            return came_of(await flags.approve_change(session, caller, change, wanted))

        return await self._decide(form_text(form, "change"), deed)

    @rx.event(background=True)
    @requires("flags:approve")
    async def reject(self, form: dict[str, Any]) -> Any:
        """Refuse another person's change."""

        async def deed(session: Session, caller: Principal, change: UUID) -> str:
            wanted = DecisionIn(reason=form_text(form, "reason"))
            await flags.reject_change(session, caller, change, wanted)
            return "Refused; the change's record says why."

        return await self._decide(form_text(form, "change"), deed)

    @rx.event(background=True)
    @requires("flags:write")
    async def take_back(self, change_id: str) -> Any:
        """Take back a change of one's own, or one that is only scheduled."""

        async def deed(session: Session, caller: Principal, change: UUID) -> str:
            await flags.cancel_change(session, caller, change)
            return "Taken back; nothing of it was published."

        return await self._decide(str(change_id), deed)

    async def _decide(self, change_id: str, deed: _Deed) -> Any:
        """Carry out one decision once, tell what came of it, and show the page anew."""
        change = uuid_or_none(change_id)
        async with self:
            if self.busy or change is None:
                return None
            self.busy = True
            on_segments = self.router.url.path.rstrip("/") == SEGMENTS
        tone = "good"
        try:
            async with gateway.open(self) as (session, principal):
                words = await deed(session, principal, change)
        except (DomainError, ValidationError) as error:
            tone, words = "critical", fault_words(error)
        finally:
            async with self:
                self.busy = False
        async with self:
            if tone == "good":
                self.asking = ""
            await tell(self, tone, words)
        return SegmentsState.load if on_segments else FlagState.refresh
