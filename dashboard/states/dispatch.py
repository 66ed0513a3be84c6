"""The dispatcher's board: orders, drivers, tours and switches, and what is done to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from pydantic import ValidationError

from backend.dispatch import service as dispatch
from backend.dispatch.matching_schemas import RouteEdit
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import Unauthenticated
from dashboard import base_maps, gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states import dispatch_deeds as deeds
from dashboard.states.dispatch_deeds import NO_OUTCOME, Outcome
from dashboard.states.dispatch_load import Loaded, Look, chosen_of, load_board, read_look, view_of
from dashboard.states.dispatch_rows import tour_of
from dashboard.states.dispatch_shapes import (
    NO_MATCHING,
    NO_PLANS,
    NO_TOUR,
    NOTHING_CHOSEN,
    Chosen,
    DriverLine,
    Gone,
    Matching,
    OrderLine,
    Plans,
    Tour,
)
from dashboard.states.dispatch_words import DONE
from dashboard.states.paging import uuid_or_none
from dashboard.states.shell import EVERYWHERE, ShellState, tell


class May(TypedDict):
    """What the person may do here; the services judge each deed again."""

    assign: bool
    hold: bool
    cancel: bool


class DispatchBeat(rx.State):
    """Asks each second whether orders changed; small, so that the asking costs nothing."""

    changes: int = 0

    @rx.event(background=True)
    @requires("dispatch:read", activity=False)
    async def tick(self, region: str) -> None:
        """Count the changes of the region's orders."""
        principal = await gateway.principal_of(self)
        place = str(region)[:64]
        found = await dispatch.changes_of(principal, None if place == EVERYWHERE else place)
        if found != self.changes:
            async with self:
                self.changes = found


class DispatchState(rx.State):
    """The board of one region."""

    ready: bool = False
    fault: str = ""
    styles: list[str] = ["", ""]
    styles_known: bool = False
    view: str = ""
    loaded: int = 0
    orders: list[OrderLine] = []
    gone: list[Gone] = []
    counts: dict[str, int] = {}
    drivers: list[DriverLine] = []
    plans: Plans = NO_PLANS
    tour: Tour = NO_TOUR
    matching: Matching = NO_MATCHING
    chosen: Chosen = NOTHING_CHOSEN
    outcome: Outcome = NO_OUTCOME
    csv: str = ""
    may: May = {"assign": False, "hold": False, "cancel": False}
    _look: Look = read_look({})
    _region: str = ""
    _zone: str = "UTC"

    @rx.event(background=True)
    @requires("dispatch:read")
    async def open(self) -> None:
        """Show what the address asks for."""
        async with self:
            shell = await self.get_state(ShellState)
            query = self.router.url.query_parameters
            self._region, self._zone = shell.region, shell.region_zone
            self._look = read_look(query)
            self.ready = self.view == view_of(self._look, self._region)
            wanted = str(query.get("order", ""))
            self.chosen = NOTHING_CHOSEN
        await self._load(named=wanted)

    @rx.event(background=True)
    @requires("dispatch:read")
    async def find_styles(self) -> None:
        """Learn which base maps answer; the orders do not wait for one that does not."""
        styles = await base_maps.reachable()
        async with self:
            self.styles, self.styles_known = styles, True

    @rx.event(background=True)
    @requires("dispatch:read")
    async def look(self, look: dict[str, Any]) -> None:
        """Show another tab, order or selection of the list."""
        async with self:
            self._look = read_look(look)
        await self._load()

    @rx.event(background=True)
    @requires("dispatch:read", activity=False)
    async def refresh(self, look: dict[str, Any]) -> None:
        """Load again what the browser shows, since something changed.

        It says what that is: a board whose first request was lost comes right with the next.
        """
        async with self:
            shell = await self.get_state(ShellState)
            self._region, self._zone = shell.region, shell.region_zone
            self._look = read_look(look)
        await self._load()

    @rx.event(background=True)
    @requires("dispatch:read")
    async def choose(self, order_id: str) -> None:
        """Show an order with the drivers for it; an empty id lets go."""
        wanted = uuid_or_none(str(order_id))
        if wanted is None:
            async with self:
                self.chosen = NOTHING_CHOSEN
            return
        await self._show(wanted)

    @rx.event(background=True)
    @requires("dispatch:read")
    async def show_tour(self, driver_id: str) -> None:
        """Show the way a driver is to go."""
        wanted = uuid_or_none(str(driver_id))
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                route = await dispatch.route_of_driver(session, principal, wanted)
        except DomainError as error:
            await self._refused(error)
            return
        async with self:
            self.tour = tour_of(wanted, route)

    @rx.event(background=True)
    @requires("dispatch:write")
    async def assign(self, deed: dict[str, Any]) -> None:
        """Give orders to a driver."""
        await self._act("assign", deed)

    @rx.event(background=True)
    @requires("dispatch:write")
    async def reassign(self, deed: dict[str, Any]) -> None:
        """Give orders that a driver has to another."""
        await self._act("reassign", deed)

    @rx.event(background=True)
    @requires("dispatch:write")
    async def unassign(self, deed: dict[str, Any]) -> None:
        """Take orders from their drivers."""
        await self._act("unassign", deed)

    @rx.event(background=True)
    @requires("orders:write")
    async def hold(self, deed: dict[str, Any]) -> None:
        """Stop orders where they are."""
        await self._act("hold", deed)

    @rx.event(background=True)
    @requires("orders:write")
    async def release(self, deed: dict[str, Any]) -> None:
        """Let held orders go on."""
        await self._act("release", deed)

    @rx.event(background=True)
    @requires("orders:cancel")
    async def cancel(self, deed: dict[str, Any]) -> None:
        """Call orders off."""
        await self._act("cancel", deed)

    @rx.event(background=True)
    @requires("dispatch:write")
    async def redispatch(self, deed: dict[str, Any]) -> None:
        """Take orders back from drivers who have not picked them up, and match them at once."""
        wanted = deeds.read_deed(deed)
        offers = 0
        try:
            async with gateway.open(self) as (session, principal):
                results, cities = await deeds.take_back_carried(session, principal, wanted)
            for city in sorted(cities):
                async with gateway.open(self) as (session, principal):
                    offers += (await dispatch.run_matching(session, principal, city)).offers
        except DomainError as error:
            _unless_signed_out(error)
            results = deeds.refused_all(wanted, error.detail)
        made = f", {offers} {'offer' if offers == 1 else 'offers'} made"
        await self._tell_outcome("redispatch", wanted, results, DONE["redispatch"] + made)

    @rx.event(background=True)
    @requires("dispatch:write")
    async def switch(self, wish: dict[str, Any]) -> None:
        """Pause or resume a city's automatic matching."""
        wish = wish if isinstance(wish, Mapping) else {}
        city, reason = str(wish.get("city", "")), str(wish.get("reason", "")).strip()[:300]
        automatic = wish.get("automatic") is True
        try:
            async with gateway.open(self) as (session, principal):
                switched = await dispatch.set_city_switch(
                    session, principal, city, automatic=automatic, reason=reason
                )
        except DomainError as error:
            await self._refused(error)
            return
        word = "on" if switched.automatic else "paused"
        async with self:
            await tell(self, "good", f"Automatic matching in {switched.name} is {word}.")
        await self._load()

    @rx.event(background=True)
    @requires("dispatch:write")
    async def edit_route(self, wish: dict[str, Any]) -> None:
        """Put a driver's stops into another order, or pin them."""
        wish = wish if isinstance(wish, Mapping) else {}
        driver = uuid_or_none(str(wish.get("driver", "")))
        try:
            edit = RouteEdit.model_validate(
                {"seen_version": wish.get("version"), "stops": wish.get("stops")}
            )
        except ValidationError:
            return
        if driver is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                await dispatch.edit_route(session, principal, driver, edit)
        except DomainError as error:
            await self._refused(error)
        await self._load()

    async def _act(self, verb: str, sent: Any) -> None:
        wanted = deeds.read_deed(sent)
        if not wanted["orders"]:
            return
        try:
            async with gateway.open(self) as (session, principal):
                results = await deeds.carry_out(session, principal, verb, wanted)
        except DomainError as error:
            _unless_signed_out(error)
            results = deeds.refused_all(wanted, error.detail)
        named = {driver["id"]: driver["code"] for driver in self.chosen["drivers"] + self.drivers}
        done = deeds.done_words(verb, named.get(wanted["driver"], ""))
        await self._tell_outcome(verb, wanted, results, done)

    async def _tell_outcome(
        self, verb: str, wanted: deeds.Deed, results: list[deeds.Result], done: str
    ) -> None:
        numbers = {line["id"]: line["number"] for line in self.orders}
        # The rows first: whoever tries again does so by what they then see.
        await self._load()
        async with self:
            self.outcome = {
                "serial": self.outcome["serial"] + 1,
                "verb": verb,
                "done": done,
                "driver": wanted["driver"],
                "reason": wanted["reason"],
                "items": deeds.numbered(results, numbers),
            }

    async def _load(self, named: str = "") -> None:
        """Load the page; `named` is an order to show by its number."""
        same = self.view == view_of(self._look, self._region)
        before = {line["id"] for line in self.orders} if same else set()
        try:
            async with gateway.open(self) as (session, principal):
                found = await load_board(
                    session, principal, self._region, self._zone, self._look, before
                )
                may: May = {
                    "assign": identity.may(principal, "dispatch:write"),
                    "hold": identity.may(principal, "orders:write"),
                    "cancel": identity.may(principal, "orders:cancel"),
                }
                wanted = await _order_named(session, principal, named) if named else None
        except DomainError as error:
            _unless_signed_out(error)
            async with self:
                self.fault, self.ready = error.detail, True
                self.loaded += 1
            return
        async with self:
            self._take(found)
            if self.may != may:
                self.may = may
        shown = wanted or uuid_or_none(self.chosen["id"])
        if shown is not None:
            await self._show(shown)

    def _take(self, found: Loaded) -> None:
        if found.view != view_of(self._look, self._region):
            # Overtaken: somebody looks at something else by now.
            return
        self.fault, self.ready = "", True
        self.loaded += 1
        for name in Loaded.__slots__:
            # What stayed the same is not sent again.
            if getattr(self, name) != getattr(found, name):
                setattr(self, name, getattr(found, name))

    async def _show(self, order_id: UUID) -> None:
        try:
            async with gateway.open(self) as (session, principal):
                found = await chosen_of(session, principal, order_id, self._zone, self.drivers)
        except DomainError as error:
            await self._refused(error)
            return
        async with self:
            if self.chosen != found:
                self.chosen = found

    async def _refused(self, error: DomainError) -> None:
        _unless_signed_out(error)
        async with self:
            await tell(self, "critical", error.detail)


async def _order_named(session: Session, principal: Principal, named: str) -> UUID | None:
    try:
        return (await dispatch.get_order(session, principal, named)).id
    except DomainError:
        return None


def _unless_signed_out(error: DomainError) -> None:
    """An ended session is the guard's to tell of."""
    if isinstance(error, Unauthenticated):
        raise error
