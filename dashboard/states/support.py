"""The queue of the support desk: what presses most, filters, many at once, and a new ticket."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.support import service as support
from backend.support.schemas import EscalationCounts, EscalationFilter, EscalationIn
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import Refusal
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    file_link,
    form_text,
    in_place,
    loads,
)
from dashboard.states.shell import EVERYWHERE, place_names, tell
from dashboard.states.support_words import PATH, TicketRow, ticket_row, wanted_of

FIELDS = ("q", "state", "kind", "priority", "sla", "whose", "look", "order", "incident", "sort")
_CSV = "/api/v1/escalations.csv"
_SINGULAR = {"states": "state", "kinds": "kind", "priorities": "priority"}
"""What the HTTP doorway calls the filters that may be given several times."""


class Press(TypedDict):
    """One way of looking at the queue, how many it holds, and the way there."""

    name: str
    value: str
    note: str
    tone: str
    some: bool
    on: bool
    link: str


class SupportState(ListState, rx.State):
    """The page of the queue."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[TicketRow] = []
    presses: list[Press] = []
    newer: int = 0
    incident: str = ""
    may_write: bool = False
    available: bool = False
    opening: bool = False
    working: bool = False
    form_fault: str = ""
    _versions: dict[str, int] = {}
    _regions: dict[str, str] = {}
    _shown: tuple[dict[str, str], str | None, str] = ({}, "", "")

    @rx.event(background=True)
    @requires("escalations:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        await self._look()
        async with self:
            if self._asked("open") == "yes" and self.may_write:
                self.opening, self.form_fault, self.working = True, "", False

    @rx.event(background=True)
    @requires("escalations:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Tell what has changed since, no row moved under the cursor; a timer, not an activity."""
        async with self:
            if not self.ready or self.router.url.path.rstrip("/") != PATH:
                return
        await self._look(again=True)

    async def _look(self, *, again: bool = False) -> None:
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            after = self._asked("after")
            place = await self._place()
            names = await place_names(self)
        wanted = wanted_of(filters, place)
        async with gateway.open(self) as (session, principal):
            counts = await support.count_escalations(
                session, principal, EscalationFilter(region=place)
            )
            page = await support.list_escalations(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            may_write = identity.may(principal, "escalations:write")
            on = None if again else may_write and await _is_on(session, principal)
        async with self:
            rows = [ticket_row(each, names) for each in page.items]
            if again and (filters, place, after) == self._shown:
                self.rows, self.newer = in_place(self.rows, rows, after)
            else:
                self.rows, self.newer = rows, 0
                self._versions, self._regions = {}, {}
            self._shown = (filters, place, after)
            self.filters, self.filters_key = filters, address("", filters)
            self.csv_link = csv_link(wanted)
            self._versions |= {str(each.id): each.version for each in page.items}
            self._regions |= {str(each.id): each.region for each in page.items}
            self.presses = presses(counts, filters, self._asked("region"))
            self.incident = filters["incident"]
            self.may_write = may_write
            self.available = self.available if on is None else on
            self._link_pages({**filters, "region": self._asked("region")}, page.next_cursor or "")
            self.fault, self.ready = "", True

    @rx.event
    @requires("escalations:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {
            name: form_text(form, name) if name in form else self._asked(name)
            for name in (*FIELDS, "region")
        }
        return rx.redirect(address(PATH, kept), replace=True)

    @rx.event(background=True)
    @requires("escalations:write")
    async def turn(self, available: bool) -> None:
        """Take what comes in from now on, or no longer."""
        async with gateway.open(self) as (session, principal):
            mine = await support.set_available(session, principal, bool(available))
        async with self:
            self.available = mine.available
            words = "New tickets come to you." if mine.available else "No new ticket comes to you."
            await tell(self, "good", words)

    @rx.event
    @requires("escalations:write")
    async def begin(self) -> None:
        """Open the form of a new ticket."""
        self.opening, self.form_fault, self.working = True, "", False

    @rx.event
    @requires("escalations:write")
    async def leave(self) -> EventSpec | None:
        """Close the form, and take the wish for it out of the address."""
        self.opening = False
        if self._asked("open") == "":
            return None
        kept = {name: self._asked(name) for name in (*FIELDS, "region", "after")}
        return rx.redirect(address(PATH, kept), replace=True)

    @rx.event(background=True)
    @requires("escalations:write")
    async def open_ticket(self, form: dict[str, Any]) -> Any:
        """Open a ticket, and go to its page."""
        async with self:
            if self.working:
                return None
            self.working, self.form_fault = True, ""
        number = ""
        with Refusal() as refused:
            wanted = EscalationIn.model_validate(
                {
                    "order_number": form_text(form, "order_number") or None,
                    "kind": form_text(form, "kind"),
                    "priority": form_text(form, "priority"),
                    "subject": form_text(form, "subject"),
                    "text": form_text(form, "text"),
                    "region": form_text(form, "region") or None,
                    "on_behalf": form_text(form, "on_behalf") or "customer",
                }
            )
            async with gateway.open(self) as (session, principal):
                number = (await support.open_escalation(session, principal, wanted)).number
        async with self:
            self.working, self.form_fault = False, refused.words
            self.opening = bool(refused.words)
        return rx.redirect(f"{PATH}/{number}") if number else None


def presses(counts: EscalationCounts, filters: dict[str, str], region: str) -> list[Press]:
    """The ways of looking at the queue that matter, the most pressing first."""
    by_sla = {str(key): value for key, value in counts.by_sla.items()}

    def press(name: str, count: int, note: str, tone: str, field: str, value: str) -> Press:
        on = filters[field] == value
        return {
            "name": name, "value": f"{count:,}", "note": note, "tone": tone, "some": count > 0,
            "on": on, "link": address(PATH, {field: "" if on else value, "region": region}),
        }  # fmt: skip

    return [
        press("Over time", by_sla.get("breached", 0), "the promise is broken", "critical",
              "sla", "breached"),
        press("Due soon", by_sla.get("soon", 0), "answer or solve these next", "warning",
              "sla", "soon"),
        press("Customer waits", counts.customer_waits, "they had the last word", "info",
              "look", "waits"),
        press("Nobody's", counts.unassigned, "no agent has them", "off", "whose", "nobody"),
        press("Mine", counts.mine, "you have them", "off", "whose", "mine"),
        press("Ready to answer", counts.ready_to_answer, "their incident is over", "good",
              "look", "ready"),
    ]  # fmt: skip


def csv_link(wanted: EscalationFilter) -> str:
    """The same question to the HTTP doorway, for all rows as a file."""
    return file_link(_CSV, wanted, _SINGULAR)


async def _is_on(session: gateway.Session, principal: Principal) -> bool:
    """Whether the person takes what comes in, in any of their regions."""
    region = next(iter(identity.scopes(principal, "escalations:write")), EVERYWHERE)
    on = await support.agents_on(session, principal, region)
    return any(each.person_id == principal.id and each.available for each in on)
