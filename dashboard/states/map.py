"""What the live map shows of the chosen driver; positions themselves never pass through here."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

import reflex as rx

from backend.identity import service as identity
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverOut
from dashboard import base_maps, gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import iso, uuid_or_none
from dashboard.states.shell import tell

STATUS_WORDS = {"live": "live", "stale": "stale", "offline": "offline", "off_shift": "off shift"}


class ChosenDriver(TypedDict):
    """The driver whose panel is open; the phone number is masked."""

    id: str
    code: str
    name: str
    phone: str
    plate: str
    vehicle: str
    region: str
    hub: str
    shift: str
    last_seen: str
    fallback: str
    zone: str
    day_start: str
    track: str


NOBODY: ChosenDriver = {
    "id": "",
    "code": "",
    "name": "",
    "phone": "",
    "plate": "",
    "vehicle": "",
    "region": "",
    "hub": "",
    "shift": "",
    "last_seen": "",
    "fallback": "",
    "zone": "UTC",
    "day_start": "",
    "track": "",
}


class MapState(rx.State):
    """The live map's base map and the panel of the chosen driver."""

    styles: list[str] = ["", ""]
    styles_known: bool = False
    driver: ChosenDriver = NOBODY
    fault: str = ""
    may_reveal: bool = False
    revealed: str = ""

    @rx.event(background=True)
    @requires("positions:read")
    async def prepare(self) -> None:
        """Tell the browser which base map answers, so that it waits for none that does not."""
        styles = await base_maps.reachable()
        async with self:
            self.styles = styles
            self.styles_known = True

    @rx.event(background=True)
    @requires("drivers:read")
    async def choose(self, driver_id: str) -> None:
        """Show a driver in the panel; an empty id lets go."""
        wanted = uuid_or_none(str(driver_id))
        async with self:
            self.revealed = ""
            self.fault = "" if wanted or not driver_id else "There is no such driver."
            if wanted is None or self.driver["id"] != str(wanted):
                self.driver = NOBODY
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                found = await tracking.get_driver(session, principal, wanted)
                directory = await regions.directory(session, principal)
                may_reveal = identity.may(principal, "drivers:reveal", found.hub or found.region)
        except DomainError as error:
            async with self:
                self.fault = error.detail
            return
        shown = chosen(found, directory, clock.now())
        async with self:
            self.driver = shown
            self.may_reveal = may_reveal and bool(found.phone)

    @rx.event(background=True)
    @requires("drivers:reveal")
    async def reveal_phone(self) -> None:
        """Show the chosen driver's whole phone number; each look is recorded."""
        async with self:
            wanted = uuid_or_none(self.driver["id"])
        if wanted is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                phone = await tracking.reveal_phone(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            if self.driver["id"] == str(wanted):
                self.revealed = phone or "none"


def chosen(found: DriverOut, directory: regions.Directory, now: datetime) -> ChosenDriver:
    """A driver as the panel shows it, in the time zone of the driver's city."""
    city = directory.get(found.region)
    hub = directory.get(found.hub) if found.hub else None
    zone = (city and city.time_zone) or "UTC"
    midnight = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    seen = found.position.recorded_at if found.position else None
    since = iso(midnight).replace("+00:00", "Z")
    return {
        "id": str(found.id),
        "code": found.code,
        "name": found.name,
        "phone": found.phone or "",
        "plate": found.plate or "",
        "vehicle": found.vehicle,
        "region": city.name if city else found.region,
        "hub": hub.name if hub else "",
        "shift": "off shift" if found.status == "off_shift" else "on shift",
        "last_seen": iso(seen),
        "fallback": STATUS_WORDS[found.status],
        "zone": zone,
        "day_start": iso(midnight),
        "track": f"/api/v1/drivers/{found.id}/track?limit=5000&from={since}",
    }
