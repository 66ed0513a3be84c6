"""The page of one order: how it stands, what happened, where it goes, and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, cast, get_args

import reflex as rx

from backend.dispatch import service as dispatch
from backend.dispatch.doorstep_schemas import EvidenceOut
from backend.dispatch.matching_schemas import Decision, OfferOut, RouteOut
from backend.dispatch.order_schemas import RevealedField
from backend.dispatch.schemas import OrderEventOut, OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking import service as tracking
from dashboard import base_maps, gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.order_acts import OrderActsState
from dashboard.states.order_facts import (
    ActionRow,
    DecisionRow,
    ParcelRow,
    Shown,
    action_rows,
    decision_rows,
    map_stops,
    parcel_rows,
    planned_lines,
    shown,
)
from dashboard.states.order_timeline import TABS, Moment, timeline
from dashboard.states.paging import ListState, address, loads, uuid_or_none
from dashboard.states.shell import tell

PATH = "/orders"
REVEALED_IDS = {field: f"secret-{field.replace('.', '-')}" for field in get_args(RevealedField)}
"""The element that shows each field's plain value."""
_PERMISSIONS = (
    *("orders:write", "orders:cancel", "orders:reveal", "orders:override"),
    "dispatch:write",
)
OF_THE_CASE = ("reassign", "hold", "release", "cancel")
"""What the case of the order offers: the page shows it once."""
_TAKEN = ("order.assigned", "order.reassigned")


class Tab(TypedDict):
    """A part of the timeline."""

    word: str
    link: str
    on: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is known of an order, and who asks."""

    order: OrderOut
    history: Sequence[OrderEventOut]
    offers: Sequence[OfferOut]
    decisions: Sequence[Decision]
    proof: Sequence[EvidenceOut]
    route: RouteOut | None
    codes: dict[str, str]
    directory: regions.Directory
    permitted: frozenset[str]


class OrderState(ListState, rx.State):
    """The order that the address names."""

    order: Shown | None = None
    actions: list[ActionRow] = []
    parcels: list[ParcelRow] = []
    moments: list[Moment] = []
    decisions: list[DecisionRow] = []
    tabs: list[Tab] = []
    stops: list[dict[str, Any]] = []
    planned: list[list[list[float]]] = []
    map_styles: list[str] = ["", ""]
    map_styles_known: bool = False
    may_reveal: bool = False
    may_override: bool = False
    may_change: bool = False
    _region: str = ""
    _change: int = -1
    _version: int = 0
    _own: list[Moment] = []
    _others: list[Moment] = []

    def _number(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1]

    @rx.event(background=True)
    @requires("orders:read")
    @loads
    async def load(self) -> None:
        """Show the order of the address."""
        async with self:
            self.fault = ""
            if self.order is not None and self.order["number"] != self._number():
                self.order, self.ready, self._others = None, False, []
        await self._look()
        styles = await base_maps.reachable()
        async with self:
            self.map_styles, self.map_styles_known = styles, True

    @rx.event(background=True)
    @requires("orders:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again when something in the order's city has changed."""
        async with self:
            if not self.ready or self.order is None:
                return
            region, seen = self._region, self._change
            number, version = self._number(), self._version
        principal = await gateway.principal_of(self)
        change = await dispatch.changes_of(principal, region)
        if change == seen:
            return
        async with gateway.open(self) as (session, caller):
            order = await dispatch.get_order(session, caller, number)
        # Offers come and go without a step of the order, while it waits for a driver.
        if order.version == version and order.driver_id is not None:
            async with self:
                self._change = change
            return
        await self._look()

    async def _look(self) -> None:
        async with self:
            number, tab = self._number(), self._asked("show")
        async with gateway.open(self) as (session, principal):
            whole = await _whole(session, principal, number)
            change = await dispatch.changes_of(principal, whole.order.region)
        now = clock.now()
        async with self:
            if self._number() != number:
                return
            self._show(whole, tab, now)
            self._region, self._change = whole.order.region, change
            self._version = whole.order.version
            acts = await self.get_state(OrderActsState)
            acts._remember([whole.order])
            self.ready = True

    def _show(self, whole: Whole, tab: str, now: datetime) -> None:
        order = whole.order
        city = whole.directory.get(order.region)
        hub = whole.directory.get(order.hub) if order.hub else None
        zone = (city and city.time_zone) or "UTC"
        self.order = shown(
            order,
            driver=whole.codes.get(str(order.driver_id), ""),
            merchant=whole.history[0].actor_name if whole.history else order.merchant,
            zone=zone,
            city=city.name if city else order.region,
            hub=hub.name if hub else "",
            now=now,
            track=way_of(whole),
            traces=gateway.resources().settings.order_traces_url,
        )
        possible = dispatch.actions_from(order.state, order.held_from)
        rows = action_rows(order.state, frozenset(possible), whole.permitted)
        self.actions = [row for row in rows if row["key"] not in OF_THE_CASE]
        self.parcels = parcel_rows(order)
        self._own = timeline(
            whole.history, whole.offers, whole.proof, codes=whole.codes, zone=zone, now=now,
            photo_of={
                str(each.id): f"/api/v1/orders/{order.number}/evidence/{each.id}/content"
                for each in whole.proof if each.content
            },
        )  # fmt: skip
        self._arrange(tab)
        self.decisions = decision_rows(whole.decisions, whole.codes, zone, now)
        self.stops = map_stops(order)
        self.planned = planned_lines(order, whole.route)
        self.may_change = "orders:write" in whole.permitted and order.ended_at is None
        self.may_reveal = "orders:reveal" in whole.permitted
        self.may_override = "orders:override" in whole.permitted and order.state == "arrived"

    def _arrange(self, tab: str) -> None:
        """Merge what the order went through with what other contexts tell of it."""
        merged = sorted([*self._own, *self._others], key=lambda each: each["at"], reverse=True)
        self.moments = [moment for moment in merged if in_tab(moment, tab)]
        self.tabs = [
            {"word": word, "link": address(f"{PATH}/{self._number()}", {"show": name}),
             "on": tab == name}
            for name, word in TABS
            if name in ("", tab) or any(in_tab(moment, name) for moment in merged)
        ]  # fmt: skip

    @rx.event(background=True)
    @requires("orders:reveal")
    async def reveal(self, field: str) -> Any:
        """Show one contact detail for a while, past the state; the look is recorded."""
        async with self:
            number = self._number()
        if field not in REVEALED_IDS:
            return
        try:
            async with gateway.open(self) as (session, principal):
                found = await dispatch.reveal_field(
                    session, principal, number, cast(RevealedField, field)
                )
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        yield rx.set_value(REVEALED_IDS[field], found.value)


def in_tab(moment: Moment, tab: str) -> bool:
    """Whether a moment belongs to a tab of the timeline."""
    return tab == "" or (moment["by_people"] if tab == "people" else moment["kind"] == tab)


def way_of(whole: Whole) -> tuple[datetime | None, datetime | None]:
    """Since when and until when the driver's track is the order's: from the last assignment on."""
    if whole.order.driver_id is None:
        return None, None
    taken = [step.at for step in whole.history if step.type in _TAKEN]
    return (taken[-1] if taken else None), whole.order.ended_at


async def _whole(session: Any, principal: Principal, number: str) -> Whole:
    order = await dispatch.get_order(session, principal, number)
    place = order.hub or order.region
    permitted = frozenset(name for name in _PERMISSIONS if identity.may(principal, name, place))
    history = await dispatch.order_history(session, principal, order.id)
    offers: Sequence[OfferOut] = []
    decisions: Sequence[Decision] = []
    route = None
    if identity.may(principal, "dispatch:read", place):
        offers = await dispatch.offers_of_order(session, principal, order.id)
        decisions = await dispatch.why(session, principal, order.id)
        if order.driver_id is not None:
            route = await dispatch.route_of_driver(session, principal, order.driver_id)
    proof = await dispatch.evidence_of(session, principal, order.id)
    named = {order.driver_id, *(offer.driver_id for offer in offers)}
    named |= {each.chosen for each in decisions}
    for step in history:
        for key in ("driver_id", "former_driver_id"):
            named.add(uuid_or_none(str(step.data.get(key, ""))))
    drivers = await tracking.name_drivers(session, principal, {one for one in named if one})
    return Whole(
        order, history, offers, decisions, proof, route,
        {str(driver_id): driver.code for driver_id, driver in drivers.items()},
        await regions.directory(session, principal), permitted,
    )  # fmt: skip
