"""The overview: how the caller's regions stand now, looked at again every few seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict

import reflex as rx

from backend.dispatch import service as dispatch
from backend.dispatch.order_schemas import OrderCounts, OrderFilter
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.insights import service as insights
from backend.insights.schemas import CityRow, Need, Overview
from backend.payments import service as payments
from backend.payments.schemas import PaymentTotals
from backend.platform import clock
from backend.support.schemas import EscalationCounts
from dashboard import base_maps, gateway
from dashboard.drawing import sparkline, spoken_seconds
from dashboard.gateway import requires
from dashboard.states.incident_tiles import (
    Trouble,
    trouble_needs,
    trouble_of,
    trouble_sample,
    trouble_tiles,
)
from dashboard.states.money_tiles import money_needs, money_sample, money_tiles
from dashboard.states.order_query import states_of
from dashboard.states.order_tiles import order_needs, order_sample, order_tiles
from dashboard.states.paging import ListState, address, loads
from dashboard.states.shell import EVERYWHERE, ShellState, freshness
from dashboard.states.support_tiles import (
    support_needs,
    support_of,
    support_sample,
    support_tiles,
)
from dashboard.states.tiles import NeedRow, Tile, tile

_SAMPLES = 60
_WORDS = {
    "behind": "behind",
    "silent_city": "silent",
    "refusals": "refused",
    "offline": "offline",
    "low_battery": "battery",
    "stale": "stale",
}


class Share(TypedDict):
    """One part of the bar of drivers: a status, its count and its part of all."""

    word: str
    tone: str
    count: str
    grow: str
    link: str


class City(TypedDict):
    """One city of the table."""

    name: str
    region: str
    country: str
    live: str
    stale: str
    offline: str
    off_shift: str
    low_battery: str
    fixes: str
    refused: str
    newest: str
    tone: str
    link: str


class OverviewState(ListState, rx.State):
    """The overview page."""

    tiles: list[Tile] = []
    shares: list[Share] = []
    needs: list[NeedRow] = []
    cities: list[City] = []
    _seen: list[dict[str, float]] = []
    _seen_region: str = ""
    map_styles: list[str] = []
    map_styles_known: bool = False

    @rx.event(background=True)
    @requires("overview:read")
    @loads
    async def load(self) -> None:
        """Show the region of the address."""
        await self._look()

    @rx.event(background=True)
    @requires("overview:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            shell = await self.get_state(ShellState)
            region = self._asked("region") or shell.region
        principal = await gateway.principal_of(self)
        resources = gateway.resources()
        wanted = None if region == EVERYWHERE else region
        async with gateway.in_words():
            found = await insights.overview(resources, principal, wanted)
        orders = await self._orders(principal, wanted)
        money = await self._money(principal, wanted)
        trouble, tickets = await self._trouble(wanted)
        styles = await base_maps.reachable()
        async with self:
            self.fault = ""
            if region != self._seen_region:
                self._seen, self._seen_region = [], region
            now = {
                **sample(found), **order_sample(orders), **money_sample(money),
                **trouble_sample(trouble), **support_sample(tickets),
            }  # fmt: skip
            self._seen = [*self._seen[1 - _SAMPLES :], now]
            drivers_first, *others = tiles(found, region, self._seen)
            self.tiles = [
                drivers_first,
                *order_tiles(orders, region, self._seen),
                *money_tiles(money, region, self._seen),
                *trouble_tiles(trouble, region, self._seen),
                *support_tiles(tickets, region, self._seen),
                *others,
            ]
            self.shares = shares(found, region)
            self.needs = [
                *trouble_needs(trouble),
                *support_needs(tickets, region),
                *order_needs(orders, region),
                *money_needs(money, region),
                *(_need(need, region) for need in found.needs),
            ]
            self.cities = [_city(row) for row in found.cities]
            self.map_styles = styles
            self.map_styles_known = True
            self.ready = True
            shell = await self.get_state(ShellState)
            shell.freshness = freshness(found.newest_age_s)

    async def _orders(self, principal: Principal, region: str | None) -> OrderCounts | None:
        """The open orders, None for who may not see them."""
        if not identity.may(principal, "orders:read"):
            return None
        async with gateway.open(self) as (session, caller):
            wanted = OrderFilter(region=region, states=states_of("open"))
            return await dispatch.count_orders(session, caller, wanted)

    async def _money(self, principal: Principal, region: str | None) -> PaymentTotals | None:
        """The payments of the last day, None for who may not see them."""
        if not identity.may(principal, "payments:read"):
            return None
        async with gateway.open(self) as (session, caller):
            since = clock.now() - timedelta(days=1)
            return await payments.payment_totals(session, caller, since, region)

    async def _trouble(self, region: str | None) -> tuple[Trouble, EscalationCounts | None]:
        """The open incidents, burning objectives and unsolved tickets that the person may see."""
        async with gateway.open(self) as (session, caller):
            trouble = await trouble_of(session, caller, region)
            return trouble, await support_of(session, caller, region)


def sample(found: Overview) -> dict[str, float]:
    """What the small lines of the tiles show of this moment."""
    drivers = found.drivers
    return {
        "live": drivers.live,
        "silent": drivers.stale + drivers.offline,
        "refused": found.refused_last_hour,
    }


def tiles(found: Overview, region: str, seen: Sequence[dict[str, float]]) -> list[Tile]:
    """The first row of figures; each leads to where its items are.

    The lines show the last hour's minutes of fixes, and of the rest what was `seen` on this page.
    """
    drivers = found.drivers
    fixes = found.fixes_per_minute[-1] if found.fixes_per_minute else 0
    silent = drivers.stale + drivers.offline
    on_shift = drivers.live + silent
    refused_for = ", ".join(
        f"{each.code.replace('_', ' ')} {each.count:,}" for each in found.refusals[:2]
    )

    def line(name: str) -> tuple[str, str]:
        return sparkline([each[name] for each in seen])

    return [
        tile(
            "Drivers live", f"{drivers.live:,}", f"of {on_shift:,} on shift",
            "good" if drivers.live else "off", _map(region, "live"), line("live"),
        ),
        tile(
            "Silent on shift", f"{silent:,}",
            f"{drivers.stale:,} stale, {drivers.offline:,} offline",
            "warning" if drivers.offline else "off", _map(region, "stale,offline"), line("silent"),
        ),
        tile(
            "Fixes a minute", f"{fixes:,}", "over the last hour", "info",
            _map(region), sparkline(found.fixes_per_minute),
        ),
        tile(
            "Refused or flagged", f"{found.refused_last_hour:,}",
            refused_for or "none in the last hour",
            "warning" if found.refused_last_hour else "off", _map(region), line("refused"),
        ),
    ]  # fmt: skip


def shares(found: Overview, region: str) -> list[Share]:
    """The bar of all drivers by status."""
    drivers = found.drivers
    counts = (
        ("live", "good", drivers.live),
        ("stale", "warning", drivers.stale),
        ("offline", "critical", drivers.offline),
        ("off_shift", "off", drivers.off_shift),
    )
    return [
        {
            "word": word.replace("_", " "),
            "tone": tone,
            "count": f"{count:,}",
            "grow": str(count),
            "link": _map(region, word),
        }
        for word, tone, count in counts
    ]


def _map(region: str, status: str = "") -> str:
    return address("/map", {"region": region, "status": status})


def _need(need: Need, region: str) -> NeedRow:
    return {
        "tone": need.severity,
        "word": _WORDS.get(need.kind, need.kind),
        "title": need.title,
        "detail": need.detail,
        "age": spoken_seconds(need.for_s) if need.for_s is not None else "",
        "link": _map(need.region or region, need.status or ""),
    }


def _city(row: CityRow) -> City:
    drivers = row.drivers
    return {
        "name": row.name,
        "region": row.region,
        "country": row.country,
        "live": f"{drivers.live:,}",
        "stale": f"{drivers.stale:,}",
        "offline": f"{drivers.offline:,}",
        "off_shift": f"{drivers.off_shift:,}",
        "low_battery": f"{drivers.low_battery:,}",
        "fixes": f"{row.fixes_last_minute:,}",
        "refused": f"{row.refused_last_hour:,}",
        "newest": spoken_seconds(row.newest_age_s),
        "tone": freshness(row.newest_age_s)["tone"],
        "link": address("/", {"region": row.region}),
    }
