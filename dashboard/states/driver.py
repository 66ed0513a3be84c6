"""The page of one driver: now, today's tour, shifts, what they carry, documents, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx

from backend.dispatch import service as dispatch
from backend.dispatch.matching_schemas import RouteOut
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.roster_schemas import DocumentOut, Performance, PlannedShift, RosterRow
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.regions import service as regions
from backend.tracking import service as tracking
from dashboard import base_maps, gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.driver_words import (
    DOCUMENT_TONES,
    Day,
    DriverLine,
    ShiftCell,
    calendar,
    line_of,
)
from dashboard.states.order_words import (
    TONES,
    clock_words,
    distance_words,
    lateness_words,
    span_words,
    state_word,
    street,
)
from dashboard.states.paging import ListState, iso, loads, uuid_or_none
from dashboard.states.performance import Figure, figures, performance_chart
from dashboard.states.shell import tell

PATH = "/drivers"
PHONE_ID = "secret-driver-phone"
_WEEKS = 3
_LATEST = 12


class DriverCard(DriverLine):
    """The driver with what only their page tells."""

    phone: str
    plate: str
    day_start: str
    capacity_note: str
    most_orders: str
    most_weight_kg: str
    most_volume_l: str


class StopLine(TypedDict):
    """One stop of the tour in force."""

    mark: str
    kind: str
    number: str
    link: str
    address: str
    arrive: str
    tone: str
    late: str
    pinned: bool


class LatestOrder(TypedDict):
    """One of the driver's newest orders."""

    number: str
    link: str
    tone: str
    state: str
    drop: str
    at: str
    zone: str
    late_tone: str
    late: str


class DocumentLine(TypedDict):
    """A document and its end."""

    kind: str
    number: str
    tone: str
    state: str
    expires: str
    checked: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All that the page tells of a driver."""

    row: RosterRow
    place: str
    zone: str
    route: RouteOut | None
    shifts: Sequence[PlannedShift]
    performance: Performance
    orders: Sequence[OrderOut]
    permitted: frozenset[str]


class DriverState(ListState, rx.State):
    """The driver that the address names."""

    driver: DriverCard | None = None
    tour: list[StopLine] = []
    tour_note: str = ""
    stops: list[dict[str, Any]] = []
    planned: list[list[list[float]]] = []
    days: list[Day] = []
    open_shifts: list[ShiftCell] = []
    documents: list[DocumentLine] = []
    figures: list[Figure] = []
    chart: dict[str, Any] = {}
    charted: bool = False
    orders: list[LatestOrder] = []
    map_styles: list[str] = ["", ""]
    map_styles_known: bool = False
    may_reveal: bool = False
    may_plan: bool = False
    may_write: bool = False

    def _id(self) -> UUID | None:
        return uuid_or_none(self.router.url.path.rstrip("/").rsplit("/", 1)[-1])

    @rx.event(background=True)
    @requires("drivers:read")
    @loads
    async def load(self) -> None:
        """Show the driver of the address."""
        async with self:
            self.fault = ""
            if self.driver is not None and self.driver["id"] != str(self._id()):
                self.driver, self.ready = None, False
        await self._look()
        styles = await base_maps.reachable()
        async with self:
            self.map_styles, self.map_styles_known = styles, True

    @rx.event(background=True)
    @requires("drivers:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again."""
        async with self:
            ready = self.ready and self.driver is not None
        if ready:
            await self._look()

    async def _look(self) -> None:
        async with self:
            driver_id = self._id()
        if driver_id is None:
            raise NotFound("There is no such driver.")
        async with gateway.open(self) as (session, principal):
            whole = await _whole(session, principal, driver_id)
        now = clock.now()
        async with self:
            if self._id() != driver_id:
                return
            self.driver = card(whole, now)
            self.tour, self.stops, self.planned = tour(whole, now)
            self.tour_note = tour_words(whole.route)
            self.days = calendar(whole.shifts, weeks(whole.zone, now), whole.zone, now)
            self.open_shifts = [
                shift for each in self.days for shift in each["shifts"] if shift["may_cancel"]
            ]
            self.documents = [document_line(each) for each in whole.row.documents]
            self.figures = figures(whole.performance)
            self.chart = performance_chart(whole.performance)
            self.charted = any(day.delivered or day.failed for day in whole.performance.by_day)
            self.orders = [latest(each, whole.zone, now) for each in whole.orders]
            self.may_reveal = "drivers:reveal" in whole.permitted
            self.may_plan = "shifts:write" in whole.permitted
            self.may_write = "drivers:write" in whole.permitted
            self.ready = True

    @rx.event(background=True)
    @requires("drivers:reveal")
    async def reveal_phone(self) -> Any:
        """Show the phone number for a short while; the look is recorded."""
        async with self:
            driver_id = self._id()
        if driver_id is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                phone = await tracking.reveal_phone(session, principal, driver_id)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        yield rx.set_value(PHONE_ID, phone or "none")


async def _whole(session: Any, principal: Principal, driver_id: UUID) -> Whole:
    row = await dispatch.roster_driver(session, principal, driver_id)
    directory = await regions.directory(session, principal)
    city = directory.get(row.driver.region)
    hub = directory.get(row.driver.hub) if row.driver.hub else None
    place = " / ".join(region.name for region in (city, hub) if region) or row.driver.region
    here = row.driver.hub or row.driver.region
    verbs = ("drivers:reveal", "drivers:write", "shifts:write", "dispatch:read", "orders:read")
    permitted = frozenset(verb for verb in verbs if identity.may(principal, verb, here))
    orders: Sequence[OrderOut] = []
    if "orders:read" in permitted:
        wanted = OrderFilter(driver_id=driver_id)
        orders = (await dispatch.list_orders(session, principal, wanted, None, _LATEST)).items
    route = None
    if "dispatch:read" in permitted:
        route = await dispatch.route_of_driver(session, principal, driver_id)
    return Whole(
        row, place, (city and city.time_zone) or "UTC", route,
        await dispatch.list_shifts(session, principal, driver_id),
        await dispatch.driver_performance(session, principal, driver_id),
        orders, permitted,
    )  # fmt: skip


def card(whole: Whole, now: datetime) -> DriverCard:
    """The driver in words."""
    driver, capacity = whole.row.driver, whole.row.capacity
    midnight = now.astimezone(ZoneInfo(whole.zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return {
        **line_of(whole.row, whole.place, whole.zone, now),
        "phone": driver.phone or "",
        "plate": driver.plate or "",
        "day_start": iso(midnight),
        "capacity_note": f"as any {driver.vehicle}" if capacity.usual else "set for this driver",
        "most_orders": str(capacity.most_orders),
        "most_weight_kg": f"{capacity.most_weight_g / 1000:g}",
        "most_volume_l": f"{capacity.most_volume_cm3 / 1000:g}",
    }


def weeks(zone: str, now: datetime) -> list[datetime]:
    """The midnights of this week and the two after it, from Monday on."""
    local = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = local - timedelta(days=local.weekday())
    return [monday + timedelta(days=n) for n in range(7 * _WEEKS)]


def tour(
    whole: Whole, now: datetime
) -> tuple[list[StopLine], list[dict[str, Any]], list[list[list[float]]]]:
    """The tour in force: its lines, its stops for the map, and the way between them."""
    if whole.route is None:
        return [], [], []
    lines: list[StopLine] = []
    stops: list[dict[str, Any]] = []
    for stop in whole.route.stops:
        mark, late = str(stop.seq), stop.late_s > 0
        lines.append(
            {
                "mark": mark,
                "kind": stop.kind,
                "number": stop.number,
                "link": f"/orders/{stop.number}",
                "address": street({"address": stop.address}),
                "arrive": clock_words(stop.arrive_at, whole.zone, now),
                "tone": "warning" if late else "good",
                "late": f"{span_words(stop.late_s)} late" if late else "in time",
                "pinned": stop.pinned,
            }
        )
        stops.append(
            {"kind": stop.kind, "lat": stop.lat, "lon": stop.lon, "mark": mark,
             "label": f"{stop.kind} of {stop.number}: {stop.address}"}
        )  # fmt: skip
    way = [[[lon, lat] for lon, lat in stop.line] for stop in whole.route.stops]
    return lines, stops, way


def tour_words(route: RouteOut | None) -> str:
    """How long the tour is, in a few words."""
    if route is None:
        return ""
    late = f", {span_words(route.late_s)} late in all" if route.late_s else ""
    return f"{distance_words(route.distance_m)}, {span_words(route.duration_s)}{late}"


def document_line(document: DocumentOut) -> DocumentLine:
    """A document in words."""
    return {
        "kind": document.kind,
        "number": document.number,
        "tone": DOCUMENT_TONES[document.state],
        "state": document.state,
        "expires": document.expires_on.isoformat() if document.expires_on else "",
        "checked": f"looked at by {document.checked_by}",
    }


def latest(order: OrderOut, zone: str, now: datetime) -> LatestOrder:
    """One of the driver's orders in words."""
    late_tone, late = lateness_words(order, now)
    return {
        "number": order.number,
        "link": f"/orders/{order.number}",
        "tone": TONES[order.state],
        "state": state_word(order.state),
        "drop": street(order.drop),
        "at": iso(order.updated_at),
        "zone": zone,
        "late_tone": late_tone,
        "late": late,
    }
