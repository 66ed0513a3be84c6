"""The drawer in which something is done about an order: what it asks, and doing it once."""

from __future__ import annotations

from typing import Any

import reflex as rx

from backend.notifications import service as notifications
from backend.platform.ids import uuid7
from backend.support import service as support
from backend.support.case_schemas import Case, CaseAction, CaseActionIn
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.case import CaseState
from dashboard.states.case_asking import (
    HINTS,
    OWN_WORDS,
    Choice,
    Filled,
    asks_of,
    choices_of,
    filled_from,
    nothing_to_choose,
    sent_of,
)
from dashboard.states.forms import Refusal
from dashboard.states.order_acts import Candidate, drivers_to_choose
from dashboard.states.paging import form_text, uuid_or_none
from dashboard.states.shell import tell


class CaseActsState(rx.State):
    """The drawer of the case."""

    open: bool = False
    kind: str = ""
    key: str = ""
    title: str = ""
    hint: str = ""
    asks: dict[str, bool] = asks_of(None)
    choices: dict[str, list[Choice]] = nothing_to_choose()
    filled: Filled = filled_from(None, "UTC")
    candidates: list[Candidate] = []
    looking: bool = False
    chosen: str = ""
    template: str = OWN_WORDS
    preview: str = ""
    working: bool = False
    fault: str = ""
    serial: int = 0
    _case: Case | None = None

    @rx.event
    @requires("orders:read")
    async def begin(self, kind: str) -> Any:
        """Open the drawer for an action, with the key under which it is done once."""
        shown = await self.get_state(CaseState)
        case, action = shown._case, _named(shown._case, kind)
        if case is None or action is None or not action.allowed:
            return None
        self._case, self.kind, self.key = case, action.kind, str(uuid7())
        self.title, self.hint = action.label, HINTS.get(action.kind, "")
        self.asks, self.filled = asks_of(action), filled_from(case, shown._zone, kind)
        self.choices = choices_of(case, action)
        self.candidates, self.chosen, self.template, self.preview = [], "", OWN_WORDS, ""
        self.open, self.working, self.fault = True, False, ""
        return CaseActsState.look_for_drivers if self.asks["driver_id"] else None

    @rx.event
    @requires("orders:read")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event
    @requires("orders:read")
    async def choose(self, driver_id: str) -> None:
        """Mark the driver to give it to."""
        self.chosen = str(driver_id) if uuid_or_none(str(driver_id)) else ""

    @rx.event(background=True)
    @requires("orders:read")
    async def choose_template(self, key: str) -> None:
        """Show what the customer would read, in their language."""
        async with self:
            self.template, self.preview = str(key)[:80], ""
            case = self._case
        if key == OWN_WORDS or case is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                prefers = await notifications.preferences_of_order(
                    session, principal, case.order.id
                )
            told = notifications.preview_template(str(key), prefers.language, {})
        except DomainError as error:
            told = error.detail
        async with self:
            if self.template == key:
                self.preview = told

    @rx.event(background=True)
    @requires("orders:write")
    async def look_for_drivers(self, text: str = "") -> None:
        """The best drivers for the order, or those whose code or name is typed."""
        async with self:
            if self._case is None:
                return
            order, self.looking = self._case.order, True
        typed = str(text).strip()[:80]
        try:
            async with gateway.open(self) as (session, principal):
                found = await drivers_to_choose(session, principal, [order.id], order.region, typed)
        except DomainError as error:
            async with self:
                self.looking, self.fault = False, error.detail
            return
        async with self:
            self.looking, self.candidates = False, found

    @rx.event(background=True)
    @requires("orders:read")
    async def act(self, form: dict[str, Any]) -> None:
        """Do it, once however often it is clicked."""
        async with self:
            if self.working or not self.open or self._case is None:
                return
            case, kind, key, asks = self._case, self.kind, self.key, dict(self.asks)
            self.fault = missing(asks, form, self.chosen)
            if self.fault:
                return
            self.working, zone = True, self.filled["zone"]
            given = {**form, "driver": self.chosen}
        with Refusal() as refused:
            sent = sent_of(kind, asks, given, case, zone)
            wanted = CaseActionIn.model_validate({**sent, "key": key})
            async with gateway.open(self) as (session, principal):
                done = await support.act_on_case(session, principal, case.order.number, wanted)
        async with self:
            self.working, self.fault = False, refused.words
            if refused.words:
                return
            self.open = False
            self.serial += 1
            await tell(self, "good", done.summary)


def missing(asks: dict[str, bool], form: dict[str, Any], driver: str) -> str:
    """What the person still has to say; empty when it can be tried."""
    if asks["driver_id"] and not driver:
        return "Choose a driver first."
    if len(form_text(form, "reason")) < 3:
        return "Say why, in at least three characters: it is kept in the history."
    return ""


def _named(case: Case | None, kind: str) -> CaseAction | None:
    return next((each for each in case.actions if each.kind == kind), None) if case else None
