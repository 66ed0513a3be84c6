"""The roster: who drives, with what, how loaded, until when."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx
from reflex.event import EventSpec

from backend.dispatch import service as dispatch
from backend.dispatch.roster_schemas import RosterFilter
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking.schemas import Freshness, Vehicle
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.driver_words import DriverLine, line_of
from dashboard.states.order_query import Chip
from dashboard.states.order_words import DRIVER_TONES, STATUS_WORDS
from dashboard.states.paging import PAGE_ROWS, ListState, address, form_text, loads

PATH = "/drivers"
FIELDS = ("q", "status", "vehicle")
VEHICLES = (("bike", "Bike"), ("van", "Van"), ("truck", "Truck"))
_CSV = "/api/v1/roster.csv"


class DriversState(ListState, rx.State):
    """The page of drivers."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    chips: list[Chip] = []
    rows: list[DriverLine] = []
    csv_link: str = ""

    @rx.event(background=True)
    @requires("drivers:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        await self._look()

    @rx.event(background=True)
    @requires("drivers:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """The same drivers as they are now."""
        async with self:
            here = self.router.url.path.rstrip("/") == PATH
        if here:
            await self._look()

    async def _look(self) -> None:
        async with self:
            place = await self._place()
            filters = {name: self._asked(name) for name in FIELDS}
            after = self._asked("after")
        status = filters["status"] if filters["status"] in STATUS_WORDS else None
        vehicle = filters["vehicle"] if filters["vehicle"] in dict(VEHICLES) else None
        wanted = RosterFilter(
            region=place,
            vehicle=cast(Vehicle | None, vehicle),
            status=cast(Freshness | None, status),
            q=filters["q"] or None,
        )
        async with gateway.open(self) as (session, principal):
            page = await dispatch.roster(session, principal, wanted, after or None, PAGE_ROWS)
            directory = await regions.directory(session, principal)
        now = clock.now()
        rows = []
        for row in page.items:
            city = directory.get(row.driver.region)
            hub = directory.get(row.driver.hub) if row.driver.hub else None
            spot = hub.name if hub else city.name if city else row.driver.region
            rows.append(line_of(row, spot, (city and city.time_zone) or "UTC", now))
        async with self:
            self.fault = ""
            self.filters, self.filters_key = filters, address("", filters)
            self.chips = chips(filters)
            self.rows = rows
            self.csv_link = address(_CSV, {**filters, "region": place or ""})
            self._link_pages(filters, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("drivers:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the search into the address; the chips' filters stay."""
        return rx.redirect(address(PATH, {**self.filters, "q": form_text(form, "q")}), replace=True)


def chips(filters: dict[str, str]) -> list[Chip]:
    """The statuses and vehicles, each a click away."""
    found = []
    for name, choices in (("status", STATUS_WORDS.items()), ("vehicle", VEHICLES)):
        for value, word in choices:
            on = filters[name] == value
            found.append(
                Chip(
                    word=word.capitalize(),
                    tone=DRIVER_TONES.get(value, ""),
                    count="",
                    link=address(PATH, {**filters, name: "" if on else value}),
                    on=on,
                )
            )
    return found
