"""The support side of an order's page: what its customer sees, who said what, what can be done."""

from __future__ import annotations

import reflex as rx

from backend.identity import service as identity
from backend.identity.schemas import Principal, RevealCount
from backend.notifications import service as notifications
from backend.platform import clock
from backend.regions import service as regions
from backend.support import service as support
from backend.support.case_schemas import Case
from dashboard import gateway
from dashboard.gateway import Session, requires
from dashboard.states.case_customer import CustomerView, customer_view
from dashboard.states.case_words import (
    ActRow,
    FlagRow,
    IncidentLine,
    MessageRow,
    TicketRow,
    act_rows,
    flag_rows,
    incident_lines,
    message_rows,
    other_moments,
    ticket_rows,
)
from dashboard.states.message_words import preference_words
from dashboard.states.order import OrderState
from dashboard.states.paging import ListState, loads


class CaseState(ListState, rx.State):
    """The case of the order that the address names."""

    customer: CustomerView | None = None
    renewable: bool = False
    actions: list[ActRow] = []
    may_act: bool = False
    messages: list[MessageRow] = []
    prefers: str = ""
    flags: list[FlagRow] = []
    tickets: list[TicketRow] = []
    incidents: list[IncidentLine] = []
    looks: str = ""
    looks_spent: bool = False
    _case: Case | None = None
    _zone: str = "UTC"

    def _number(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2]

    @rx.event(background=True)
    @requires("orders:read")
    @loads
    async def load(self) -> None:
        """Show the case of the address."""
        async with self:
            self.fault = ""
            if self._case is not None and self._case.order.number != self._number():
                self.ready, self._case, self.customer = False, None, None
                self.renewable = False
                self.actions, self.messages, self.tickets = [], [], []
                self.flags, self.incidents = [], []
        await self._look()

    @rx.event(background=True)
    @requires("orders:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        async with self:
            if not self.ready or self._case is None:
                return
        await self._look()

    async def _look(self) -> None:
        async with self:
            number, tab = self._number(), self._asked("show")
        async with gateway.open(self) as (session, principal):
            case = await support.case_of(session, principal, number)
            place = (await regions.directory(session, principal)).get(case.order.region)
            prefers = await _prefers(session, principal, case)
            may_open_flags = identity.may(principal, "flags:read")
        now = clock.now()
        zone = (place and place.time_zone) or "UTC"
        async with self:
            if self._number() != number:
                return
            self._case, self._zone = case, zone
            self.customer = customer_view(case.tracking, now) if case.tracking else None
            # A new link of an order that ended long ago would lead nowhere as well.
            self.renewable = case.tracking is not None or case.order.ended_at is None
            self.actions = act_rows(case.actions)
            self.may_act = any(each.allowed for each in case.actions)
            self.messages, self.prefers = message_rows(case.messages), prefers
            self.flags = flag_rows(case, may_open=may_open_flags)
            self.tickets = ticket_rows(case.escalations)
            self.incidents = incident_lines(case.incidents)
            self.looks, self.looks_spent = looks_words(case.reveals)
            self.fault, self.ready = "", True
            order = await self.get_state(OrderState)
            order._others = other_moments(case, zone, now)
            order._arrange(tab)

    @rx.event(background=True)
    @requires("orders:reveal")
    async def count_looks(self) -> None:
        """Count anew how many personal details were looked at."""
        counted = await identity.count_reveals(await gateway.principal_of(self))
        async with self:
            self.looks, self.looks_spent = looks_words(counted)


async def _prefers(session: Session, principal: Principal, case: Case) -> str:
    """How the customer is written to; nothing for who may not read messages there."""
    if not identity.may(principal, "messages:read", case.order.hub or case.order.region):
        return ""
    prefers = await notifications.preferences_of_order(session, principal, case.order.id)
    spoken = notifications.languages().get(prefers.language, prefers.language)
    return preference_words(prefers, spoken)


def looks_words(counted: RevealCount) -> tuple[str, bool]:
    """How many personal details the person has looked at this hour, and whether that is all."""
    if counted.used >= counted.limit:
        spent = (
            f"You have looked at {counted.limit} personal details within an hour, as many as one "
            "person may. Wait until the oldest look is an hour old, or ask a colleague."
        )
        return spent, True
    if counted.used == 0:
        return "", False
    return f"{counted.used} of {counted.limit} looks at personal details used this hour.", False
