"""What is done on the page of one ticket: words, properties, drafts and being here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from uuid import UUID

import reflex as rx
from pydantic import ValidationError

from backend.identity.schemas import Principal
from backend.support import service as support
from backend.support.schemas import ReplyIn
from backend.support.verb_schemas import KindIn, NoteIn, PriorityIn, StateIn
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import uuid_or_none
from dashboard.states.shell import tell
from dashboard.states.ticket import TYPING_FOR_S, TicketState

_Verb = Callable[[gateway.Session, Principal, UUID, int, str], Awaitable[object]]


class TicketActsState(rx.State):
    """The deeds on the page of one ticket."""

    working: bool = False
    fault: str = ""
    sent: int = 0
    serial: int = 0

    @rx.event(background=True)
    @requires("escalations:write")
    async def send(self, mode: str, text: str, then: str, seen: int, key: str) -> None:
        """Answer the customer or write a note; an answer to older words than shown is refused.

        `then` is the state that the ticket gets, of a pending one with whom it waits on:
        `pending customer`.
        """
        async with self:
            page = await self.get_state(TicketState)
            ticket = uuid_or_none(page._id)
            if ticket is None or self.working:
                return
            self.working, self.fault = True, ""
        fault, (state, _, on) = "", str(then).partition(" ")
        try:
            async with gateway.open(self) as (session, principal):
                if mode == "note":
                    note = NoteIn.model_validate({"text": text, "key": key})
                    await support.add_note(session, principal, ticket, note.text, key=note.key)
                else:
                    wanted = ReplyIn.model_validate(
                        {
                            "text": text, "then": state or None, "waiting_on": on or None,
                            "seen_version": seen, "key": key,
                        }
                    )  # fmt: skip
                    await support.reply(session, principal, ticket, wanted)
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
        except DomainError as error:
            fault = error.detail
        finally:
            async with self:
                self.working = False
        async with self:
            self.fault = fault
            self.sent += not fault
            self.serial += 1

    @rx.event(background=True)
    @requires("escalations:write")
    async def change(self, what: str, value: str) -> None:
        """Change one property of the ticket as the page shows it."""
        verb = _VERBS.get(str(what))
        async with self:
            page = await self.get_state(TicketState)
            ticket, seen = uuid_or_none(page._id), page.version
            if ticket is None or verb is None or self.working:
                return
            self.working = True
        fault = ""
        try:
            async with gateway.open(self) as (session, principal):
                await verb(session, principal, ticket, seen, str(value))
        except ValidationError:
            fault = "Choose one of those offered."
        except DomainError as error:
            fault = error.detail
        finally:
            async with self:
                self.working = False
        async with self:
            if fault:
                await tell(self, "critical", fault)
            # Also after a refusal: the page then shows what was done meanwhile.
            self.serial += 1

    @rx.event(background=True)
    @requires("escalations:write")
    async def keep(self, ticket: str, text: str, seen: int) -> None:
        """Keep what is being written, so that it is there on every machine of the person.

        `seen` is the version that the words answer to.
        """
        to = uuid_or_none(str(ticket))
        if to is None or not isinstance(seen, int):
            return
        async with gateway.open(self) as (session, principal):
            await support.save_draft(session, principal, to, str(text)[:4000], seen_version=seen)

    @rx.event(background=True)
    @requires("escalations:write")
    async def write(self) -> None:
        """Let colleagues see that one is writing."""
        async with self:
            page = await self.get_state(TicketState)
            ticket = uuid_or_none(page._id)
            page._typing_until = monotonic() + TYPING_FOR_S
        if ticket is None:
            return
        async with gateway.open(self) as (session, principal):
            await support.look_at(session, principal, ticket, typing=True)

    @rx.event(background=True)
    @requires("escalations:read")
    async def depart(self) -> None:
        """Let colleagues see that one has gone."""
        async with self:
            page = await self.get_state(TicketState)
            ticket = uuid_or_none(page._id)
            page._id = ""
        if ticket is None:
            return
        async with gateway.open(self) as (session, principal):
            await support.leave(session, principal, ticket)


async def _agent(
    session: gateway.Session, principal: Principal, ticket: UUID, seen: int, value: str
) -> object:
    if not value:
        return await support.release(session, principal, ticket, seen_version=seen)
    if value in ("me", principal.id):
        return await support.take(session, principal, ticket, seen_version=seen)
    return await support.assign(session, principal, ticket, value, seen_version=seen)


async def _state(
    session: gateway.Session, principal: Principal, ticket: UUID, seen: int, value: str
) -> object:
    """`value` is a state, of a pending one with whom it waits on: `pending customer`."""
    state, _, on = value.partition(" ")
    wanted = StateIn.model_validate(
        {"state": state, "waiting_on": on or None, "seen_version": seen}
    )
    return await support.set_state(
        session, principal, ticket, wanted.state, seen_version=seen, waiting_on=wanted.waiting_on
    )


async def _priority(
    session: gateway.Session, principal: Principal, ticket: UUID, seen: int, value: str
) -> object:
    wanted = PriorityIn.model_validate({"priority": value, "seen_version": seen})
    return await support.set_priority(
        session, principal, ticket, wanted.priority, seen_version=seen
    )


async def _kind(
    session: gateway.Session, principal: Principal, ticket: UUID, seen: int, value: str
) -> object:
    wanted = KindIn.model_validate({"kind": value, "seen_version": seen})
    return await support.set_kind(session, principal, ticket, wanted.kind, seen_version=seen)


async def _incident(
    session: gateway.Session, principal: Principal, ticket: UUID, seen: int, value: str
) -> object:
    if not value:
        return await support.unlink_incident(session, principal, ticket, seen_version=seen)
    return await support.link_incident(session, principal, ticket, value[:64], seen_version=seen)


_VERBS: dict[str, _Verb] = {
    "agent": _agent,
    "state": _state,
    "priority": _priority,
    "kind": _kind,
    "incident": _incident,
}
