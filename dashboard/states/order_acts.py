"""Acting on one or many orders: what is asked, which driver, and what became of each order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, cast
from uuid import UUID

import reflex as rx
from pydantic import ValidationError

from backend.dispatch import service as dispatch
from backend.dispatch.matching_schemas import RankedDriver
from backend.dispatch.order_schemas import BulkAction, BulkIn, BulkItem, BulkResult
from backend.dispatch.roster_schemas import RosterFilter, RosterRow
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import Principal
from backend.platform import clock
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.order_words import (
    DRIVER_TONES,
    STATUS_WORDS,
    distance_words,
    span_words,
    unfit_words,
)
from dashboard.states.paging import form_text, uuid_or_none, uuids
from dashboard.states.shell import tell

WORDS: dict[str, tuple[str, str]] = {
    "assign": ("Assign", "assigned"),
    "reassign": ("Reassign", "reassigned"),
    "unassign": ("Take from driver", "taken from the driver"),
    "hold": ("Hold", "on hold"),
    "release": ("Release", "released"),
    "cancel": ("Cancel", "cancelled"),
    "fail": ("Fail delivery", "failed"),
    "send_back": ("Send back", "on the way back"),
    "give_back": ("Give back", "given back"),
}
"""What a button says, and what is said of the orders after."""
_REASON_OPTIONAL = ("assign", "reassign", "release", "send_back", "give_back")
_WITH_DRIVER = ("assign", "reassign")
_SHOWN = 12


class Candidate(TypedDict):
    """A driver to choose from."""

    id: str
    code: str
    name: str
    tone: str
    status: str
    load: str
    note: str
    unfit: str


class Outcome(TypedDict):
    """What became of one order."""

    number: str
    tone: str
    word: str
    detail: str


class OrderActsState(rx.State):
    """The drawer in which orders are acted on."""

    open: bool = False
    action: str = ""
    title: str = ""
    count: int = 0
    needs_reason: bool = False
    needs_driver: bool = False
    candidates: list[Candidate] = []
    looking: bool = False
    chosen: str = ""
    working: bool = False
    fault: str = ""
    summary: str = ""
    outcomes: list[Outcome] = []
    serial: int = 0
    _versions: dict[str, int] = {}
    _cities: dict[str, str] = {}
    _ids: list[str] = []
    _refused: list[str] = []

    def _remember(self, orders: Iterable[OrderOut]) -> None:
        """Keep the versions that the person sees: what changed since is not acted on."""
        known = list(orders)
        self._versions = {str(order.id): order.version for order in known}
        self._cities = {str(order.id): order.region for order in known}

    @rx.event
    @requires("orders:write")
    async def ask(self, action: str, order_ids: list[str]) -> Any:
        """Open the drawer for an action on these orders."""
        wanted = uuids(order_ids)
        if action not in WORDS or not wanted:
            return None
        self._ids = [str(order_id) for order_id in wanted]
        return self._begin(action)

    @rx.event
    @requires("orders:write")
    async def ask_again(self) -> Any:
        """The same once more for the orders that were refused, as they are now."""
        self._ids, self._versions = self._refused, {}
        return self._begin(self.action)

    def _begin(self, action: str) -> Any:
        count = len(self._ids)
        self.action, self.count = action, count
        self.title = f"{WORDS[action][0]}: " + ("1 order" if count == 1 else f"{count} orders")
        self.needs_reason = action not in _REASON_OPTIONAL
        self.needs_driver = action in _WITH_DRIVER
        self.candidates, self.chosen, self.fault = [], "", ""
        self.outcomes, self.summary, self._refused = [], "", []
        self.open, self.working = True, False
        return OrderActsState.look_for_drivers if self.needs_driver else None

    @rx.event
    @requires("orders:write")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event
    @requires("orders:write")
    async def choose(self, driver_id: str) -> None:
        """Mark the driver to assign to."""
        self.chosen = str(driver_id) if uuid_or_none(str(driver_id)) else ""

    @rx.event(background=True)
    @requires("orders:write")
    async def look_for_drivers(self, text: str = "") -> None:
        """The best drivers for one order, or those whose code or name is typed."""
        async with self:
            self.looking = True
            ids = self._ids
            cities = {self._cities.get(each) for each in ids}
        typed = str(text).strip()[:80]
        try:
            async with gateway.open(self) as (session, principal):
                city = cities.pop() if len(cities) == 1 else None
                found = await drivers_to_choose(session, principal, uuids(ids), city, typed)
        except DomainError as error:
            async with self:
                self.looking, self.fault = False, error.detail
            return
        async with self:
            self.looking, self.candidates = False, found

    @rx.event(background=True)
    @requires("orders:write")
    async def act(self, form: dict[str, Any]) -> None:
        """Do it, each order by itself, and show what became of each."""
        async with self:
            if self.working or not self.open:
                return
            action, ids, versions = self.action, self._ids, dict(self._versions)
            driver_id = uuid_or_none(self.chosen) if self.needs_driver else None
            self.fault = self._missing(form_text(form, "reason"), driver_id is not None)
            if self.fault:
                return
            self.working = True
        try:
            wanted = BulkIn(
                action=cast(BulkAction, action),
                items=[
                    BulkItem(order_id=order_id, seen_version=versions.get(str(order_id)))
                    for order_id in uuids(ids)
                ],
                driver_id=driver_id,
                reason=form_text(form, "reason") or None,
                force=bool(form.get("force")),
            )
            async with gateway.open(self) as (session, principal):
                answer = await dispatch.act_on_orders(session, principal, wanted)
        except ValidationError as error:
            async with self:
                self.working, self.fault = False, error.errors()[0]["msg"]
            return
        except DomainError as error:
            async with self:
                self.working, self.fault = False, error.detail
            return
        refused = [each for each in answer.results if each.status != "done"]
        done = [each for each in answer.results if each.status == "done"]
        worst_first = [*refused, *done]
        async with self:
            self.working = False
            self.serial += 1
            self._refused = [str(each.order_id) for each in refused]
            self.outcomes = [_outcome(each, action) for each in worst_first]
            self.summary = summary_of(len(done), len(refused), action)
            if not refused:
                self.open = False
                await tell(self, "good", self.summary)

    def _missing(self, reason: str, has_driver: bool) -> str:
        if self.needs_driver and not has_driver:
            return "Choose a driver first."
        if self.needs_reason and len(reason) < 3:
            return "Say why, in at least three characters: it is kept in the history."
        return ""


async def drivers_to_choose(
    session: gateway.Session,
    principal: Principal,
    order_ids: Sequence[UUID],
    city: str | None,
    typed: str,
) -> list[Candidate]:
    """The best drivers for one order, or the live ones of the city whose code or name is typed."""
    if len(order_ids) == 1 and not typed:
        ranked = await dispatch.drivers_for_order(session, principal, order_ids[0], _SHOWN)
        return [_ranked(each) for each in ranked]
    wanted = RosterFilter(region=city, q=typed or None, status="live")
    page = await dispatch.roster(session, principal, wanted, None, _SHOWN)
    return [_of_roster(row) for row in page.items]


def summary_of(done: int, refused: int, action: str) -> str:
    """What became of all of them together, in a sentence."""
    word = WORDS[action][1]
    if not refused:
        return "The order is " + word + "." if done == 1 else f"{done} orders are {word}."
    if not done:
        return "The order was refused." if refused == 1 else f"All {refused} orders were refused."
    return f"{done} of {done + refused} orders are {word}, {refused} were refused."


def _outcome(result: BulkResult, action: str) -> Outcome:
    done = result.status == "done"
    return {
        "number": result.number or str(result.order_id),
        "tone": "good" if done else "critical",
        "word": WORDS[action][1] if done else "refused",
        "detail": "" if done else result.detail or "",
    }


def _of_roster(row: RosterRow) -> Candidate:
    driver = row.driver
    ends = row.shift and (row.shift.ends_at - clock.now()).total_seconds()
    return {
        "id": str(driver.id),
        "code": driver.code,
        "name": driver.name,
        "tone": DRIVER_TONES[driver.status],
        "status": STATUS_WORDS[driver.status],
        "load": f"{row.load.orders} of {row.capacity.most_orders}",
        "note": f"{driver.vehicle}, shift ends in {span_words(ends)}" if ends else driver.vehicle,
        "unfit": "full" if row.load.orders >= row.capacity.most_orders else "",
    }


def _ranked(each: RankedDriver) -> Candidate:
    return {
        "id": str(each.driver_id),
        "code": each.code,
        "name": each.name,
        "tone": DRIVER_TONES[each.status],
        "status": STATUS_WORDS[each.status],
        "load": f"{each.orders} of {each.most_orders}",
        "note": f"{each.vehicle}, {distance_words(each.distance_m)}, "
        f"{span_words(each.travel_s)} to pickup",
        "unfit": ", ".join(unfit_words(each.unfit)),
    }
