"""The list of orders: filtered by its address, kept up to date without moving under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from backend.dispatch import service as dispatch
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.schemas import OrderOut, OrderPage
from backend.payments.formats import with_code
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking import service as tracking
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.order_acts import OrderActsState
from dashboard.states.order_query import (
    FIELDS,
    PATH,
    Chip,
    all_of,
    csv_link,
    filter_of,
    lateness_chips,
    merchant_chip,
    open_of,
    state_chips,
)
from dashboard.states.order_words import (
    SERVICES,
    TERMS,
    TONES,
    lateness_words,
    state_word,
    street,
)
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    form_text,
    in_place,
    iso,
    loads,
)
from dashboard.states.shell import ShellState

_LOOK_ANYWAY_S = 20.0


class OrderRow(TypedDict):
    """One line of the list; `gone` says that it no longer matches."""

    id: str
    number: str
    link: str
    tone: str
    state: str
    reference: str
    pickup: str
    drop: str
    promised: str
    zone: str
    late_tone: str
    late: str
    driver: str
    driver_link: str
    service: str
    terms: str
    amount: str
    tags: str
    created: str
    flagged: str
    gone: bool


class OrdersState(ListState, rx.State):
    """The page of orders."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[OrderRow] = []
    chips: list[Chip] = []
    late_chips: list[Chip] = []
    elsewhere: list[Chip] = []
    newer: int = 0
    csv_link: str = ""
    _wanted: OrderFilter = OrderFilter()
    _after: str = ""
    _change: int = -1
    _looked_at: float = 0.0

    @rx.event(background=True)
    @requires("orders:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            shell = await self.get_state(ShellState)
            place, zone = await self._place(), shell.region_zone
            filters = {name: self._asked(name) for name in FIELDS}
            after = self._asked("after")
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            change = await dispatch.changes_of(principal, place)
            driver_id = await _driver_id(session, principal, filters["driver"])
            wanted = filter_of(filters, place, driver_id, zone)
            page = await dispatch.list_orders(session, principal, wanted, after or None, PAGE_ROWS)
            counts = await dispatch.count_orders(session, principal, all_of(wanted))
            still = await dispatch.count_orders(session, principal, open_of(wanted))
            rows = await _rows(session, principal, page.items)
        async with self:
            self.filters = filters
            self.filters_key = address("", filters)
            self.csv_link = csv_link(wanted)
            self.rows = rows
            self.newer = 0
            self.chips = state_chips(counts, filters)
            self.late_chips = lateness_chips(still, filters)
            self.elsewhere = merchant_chip(filters)
            self._link_pages(filters, page.next_cursor or "")
            self._wanted, self._after = wanted, after
            self._change, self._looked_at = change, monotonic()
            await _remember_versions(self, page)
            self.ready = True

    @rx.event(background=True)
    @requires("orders:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Tell what has changed since: counts and rows in place, new ones only as a number."""
        async with self:
            if not self.ready or self.router.url.path.rstrip("/") != PATH:
                return
            wanted, after, seen = self._wanted, self._after, self._change
            stale = monotonic() - self._looked_at > _LOOK_ANYWAY_S
        principal = await gateway.principal_of(self)
        change = await dispatch.changes_of(principal, wanted.region)
        if change == seen and not stale:
            return
        async with gateway.open(self) as (session, principal):
            page = await dispatch.list_orders(session, principal, wanted, after or None, PAGE_ROWS)
            counts = await dispatch.count_orders(session, principal, all_of(wanted))
            still = await dispatch.count_orders(session, principal, open_of(wanted))
            rows = await _rows(session, principal, page.items)
        async with self:
            if wanted != self._wanted or after != self._after:
                return
            self.rows, self.newer = in_place(self.rows, rows, after)
            self.chips = state_chips(counts, self.filters)
            self.late_chips = lateness_chips(still, self.filters)
            self._change, self._looked_at = change, monotonic()
            await _remember_versions(self, page)

    @rx.event
    @requires("orders:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the bar's filters into the address; the chips' stay."""
        chosen = {name: form_text(form, name) for name in FIELDS if name in form}
        return rx.redirect(address(PATH, {**self.filters, **chosen}), replace=True)


async def _remember_versions(state: OrdersState, page: OrderPage) -> None:
    acts = await state.get_state(OrderActsState)
    acts._remember(page.items)


async def _driver_id(session: Any, principal: Any, code: str) -> UUID | None:
    """The driver whose code the address names; raises NotFound where there is none."""
    if not code:
        return None
    return (await tracking.find_driver(session, principal, code.upper())).id


async def _rows(session: Any, principal: Any, orders: Sequence[OrderOut]) -> list[OrderRow]:
    """The lines of these orders, with their drivers' codes and their cities' time zones."""
    directory = await regions.directory(session, principal)
    ids = {order.driver_id for order in orders if order.driver_id}
    drivers = await tracking.name_drivers(session, principal, ids)
    now = clock.now()
    lines = []
    for order in orders:
        city = directory.get(order.region)
        named = drivers.get(order.driver_id) if order.driver_id else None
        zone = (city and city.time_zone) or "UTC"
        lines.append(row_of(order, named.code if named else "", zone, now))
    return lines


def row_of(order: OrderOut, driver: str, zone: str, now: datetime) -> OrderRow:
    """An order as a line of the list."""
    late_tone, late = lateness_words(order, now)
    amount = order.payment.amount
    return {
        "id": str(order.id),
        "number": order.number,
        "link": f"{PATH}/{order.number}",
        "tone": TONES[order.state],
        "state": state_word(order.state),
        "reference": order.reference,
        "pickup": street(order.pickup),
        "drop": street(order.drop),
        "promised": iso(order.promised_at),
        "zone": zone,
        "late_tone": late_tone,
        "late": late,
        "driver": driver,
        "driver_link": f"/drivers/{order.driver_id}" if order.driver_id else "",
        "service": SERVICES[order.service],
        "terms": TERMS[order.payment.terms],
        "amount": with_code(amount.minor, amount.currency),
        "tags": ", ".join(order.tags),
        "created": iso(order.created_at),
        "flagged": order.flagged or "",
        "gone": False,
    }
