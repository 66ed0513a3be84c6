"""What the frame around every page knows: the person, their regions, and messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.insights import service as insights
from backend.regions import service as regions
from dashboard import gateway
from dashboard.drawing import spoken_seconds
from dashboard.gateway import requires

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One page of the rail, and the permission it takes."""

    href: str
    label: str
    short: str
    icon: str
    permission: str
    keys: str


NAVIGATION = (
    NavEntry("/", "Overview", "Today", "house", "overview:read", "g h"),
    NavEntry("/map", "Live map", "Map", "map", "positions:read", "g m"),
    NavEntry("/dispatch", "Dispatch", "Dispatch", "route", "dispatch:read", "g d"),
    NavEntry("/orders", "Orders", "Orders", "package", "orders:read", "g o"),
    NavEntry("/drivers", "Drivers", "Drivers", "id-card", "drivers:read", "g r"),
    NavEntry("/incidents", "Incidents", "Incidents", "triangle-alert", "incidents:read", "g i"),
    NavEntry("/support", "Support", "Support", "headset", "escalations:read", "g s"),
    NavEntry("/messages", "Messages", "Messages", "message-square", "messages:read", "g t"),
    NavEntry("/payments", "Payments", "Payments", "credit-card", "payments:read", "g y"),
    NavEntry("/payments/ledger", "Ledger", "Ledger", "book-open", "ledger:read", "g b"),
    NavEntry("/flags", "Flags", "Flags", "flag", "flags:read", "g f"),
    NavEntry("/scorecard", "Scorecard", "Score", "chart-column", "scorecard:read", "g c"),
    NavEntry("/admin/on-call", "On call", "On call", "siren", "incidents:write", "g n"),
    NavEntry("/admin/integrations", "Integrations", "Hooks", "webhook", "integrations:read", "g w"),
    NavEntry("/admin/access", "Access", "Access", "users", "access:read", "g a"),
    NavEntry("/admin/policies", "Policies", "Policies", "shield-check", "policies:read", "g p"),
    NavEntry("/admin/tokens", "API tokens", "Tokens", "key-round", "tokens:read", "g k"),
    NavEntry("/admin/sessions", "Sessions", "Sessions", "monitor", "sessions:read", "g e"),
    NavEntry("/admin/audit", "Audit trail", "Audit", "scroll-text", "audit:read", "g l"),
)
MORE_PAGES = (
    NavEntry("/incidents?tab=alerts", "Alerts", "", "", "incidents:read", ""),
    NavEntry("/incidents?declare=yes", "Declare an incident", "", "", "incidents:write", ""),
    NavEntry("/admin/on-call?tab=maintenance", "Maintenance", "", "", "incidents:write", ""),
    NavEntry("/admin/on-call?tab=costs", "Costs", "", "", "costs:write", ""),
    NavEntry("/support?whose=mine", "My tickets", "", "", "escalations:write", ""),
    NavEntry("/support/settings", "Support settings", "", "", "escalations:read", ""),
    NavEntry("/wall", "Wall", "", "", "overview:read", ""),
)
"""What the command palette finds besides the pages of the rail."""
REGIONAL: set[str] = set()
"""Routes of the pages that show one region; `console_page` adds them."""
# What points into a place means nothing in another.
_OF_A_PLACE = {"region", "at", "driver", "hub", "follow", "time", "order", "after"}


class RegionChoice(TypedDict):
    """One line of the region switcher; `depth` 0 is everywhere or a country, 1 a city, 2 a hub."""

    code: str
    name: str
    path: str
    depth: str
    zone: str


class Notice(TypedDict):
    """What came of the last action; a new serial shows it again."""

    tone: str
    text: str
    serial: int


class Freshness(TypedDict):
    """How old the newest position is."""

    tone: str
    text: str
    title: str


class ShellState(rx.State):
    """The person behind this console and what the frame shows."""

    person: str = ""
    initials: str = ""
    roles: str = ""
    environment: str = ""
    permissions: list[str] = []
    region: str = EVERYWHERE
    region_path: str = "All regions"
    region_zone: str = "UTC"
    region_choices: list[RegionChoice] = []
    _names: dict[str, str] = {}
    notice: Notice = {"tone": "good", "text": "", "serial": 0}
    freshness: Freshness = {"tone": "off", "text": "", "title": ""}

    @rx.var
    def pages(self) -> list[dict[str, str]]:
        """The pages this person may open, for the command palette and the keyboard."""
        return [
            {"href": entry.href, "label": entry.label, "keys": entry.keys}
            for entry in (*NAVIGATION, *MORE_PAGES)
            if entry.permission in self.permissions
        ]

    @rx.var
    def region_menu(self) -> list[RegionChoice]:
        """The lines of the region switcher: of the hubs, only those of the city looked at."""
        city = self.region.partition(".")[0]
        return [
            choice
            for choice in self.region_choices
            if "." not in choice["code"] or choice["code"].partition(".")[0] == city
        ]

    def _tell(self, tone: str, text: str) -> None:
        self.notice = {"tone": tone, "text": text, "serial": self.notice["serial"] + 1}

    @rx.event
    @requires("console:use")
    async def enter(self) -> EventSpec | None:
        """Learn who this is and which region the address asks for; runs on every page."""
        async with gateway.open(self) as (session, principal):
            if identity.may(principal, "regions:read"):
                seen = await regions.directory(session, principal)
                self.region_choices = region_choices(seen, principal)
                self._names = dict(seen.names)
            else:
                self._names = await regions.region_names(session)
        self._introduce(principal)
        wanted = self.router.url.query_parameters.get("region") or self.region
        self._look_at(wanted)
        path = self.router.url.path
        if path == "/" and "overview:read" not in self.permissions:
            first = next((e.href for e in NAVIGATION if e.permission in self.permissions), None)
            return rx.redirect(first or "/account", replace=True)
        return None

    def _introduce(self, principal: Principal) -> None:
        settings = gateway.resources().settings
        self.person = principal.name
        self.initials = "".join(word[0] for word in principal.name.split()[:2]).upper() or "?"
        held = dict.fromkeys(
            " ".join(filter(None, (grant.role.replace("_", " "), self._where(grant.region))))
            for grant in principal.grants
        )
        self.roles = ", ".join(held)
        self.environment = settings.env
        policy = identity.current_policy()
        self.permissions = sorted(
            name for name in policy.permissions if identity.may(principal, name)
        )

    def _where(self, code: str) -> str:
        return "" if code == EVERYWHERE else regions.in_place(code, self._names)

    def _look_at(self, code: str) -> None:
        known = {choice["code"]: choice for choice in self.region_choices}
        chosen = known.get(code) or next(iter(self.region_choices), None)
        if chosen is None:
            return
        self.region = chosen["code"]
        self.region_path = chosen["path"]
        self.region_zone = chosen["zone"]

    @rx.event
    @requires("console:use")
    async def choose_region(self, code: str) -> EventSpec | None:
        """Show another region, and say so in the address."""
        if not isinstance(code, str) or code not in {c["code"] for c in self.region_choices}:
            return None
        self._look_at(code)
        path = self.router.url.path
        if path not in REGIONAL:
            path = "/"
        query = {
            name: value
            for name, value in self.router.url.query_parameters.items()
            if name not in _OF_A_PLACE
        }
        return rx.redirect(f"{path}?{urlencode({**query, 'region': code})}")

    @rx.event
    @requires("console:use")
    async def show_fault(self, text: str) -> None:
        """Put a refusal or fault into the message line."""
        self._tell("critical", str(text)[:500])

    @rx.event(background=True)
    @requires("console:use", activity=False)
    async def look_at_freshness(self) -> None:
        """Tell how old the newest position is, where it is not part of the page."""
        principal = await gateway.principal_of(self)
        if not identity.may(principal, "overview:read"):
            return
        found = await insights.overview(gateway.resources(), principal)
        async with self:
            self.freshness = freshness(found.newest_age_s)


async def tell(state: rx.State, tone: str, text: str) -> None:
    """Show a message in the frame; call it while holding the state (`async with self`)."""
    shell = await state.get_state(ShellState)
    shell._tell(tone, text)


async def place_names(state: rx.State) -> dict[str, str]:
    """What regions are called, by code; call it while holding the state (`async with self`)."""
    shell = await state.get_state(ShellState)
    return dict(shell._names)


def region_choices(seen: regions.Directory, principal: Principal) -> list[RegionChoice]:
    """The lines of the region switcher: what the person may look at, from the top down."""
    choices: list[RegionChoice] = []
    if EVERYWHERE in identity.scopes(principal, "regions:read"):
        choices.append(_choice(EVERYWHERE, "All regions", "All regions", 0, "UTC"))

    def add(code: str, depth: int, above: str) -> None:
        region = seen.get(code)
        if region is None:
            return
        path = f"{above} / {region.name}" if above else region.name
        choices.append(_choice(code, region.name, path, depth, region.time_zone or "UTC"))
        for child in sorted(seen.children(code), key=lambda each: each.name):
            add(child.code, depth + 1, path)

    for top in sorted(seen.tops(), key=lambda each: each.name):
        add(top.code, 0, "")
    return choices


def _choice(code: str, name: str, path: str, depth: int, zone: str) -> RegionChoice:
    return {"code": code, "name": name, "path": path, "depth": str(depth), "zone": zone}


def freshness(age_s: float | None) -> Freshness:
    """How old the newest position is, for the dot in the top bar."""
    if age_s is None:
        return {"tone": "off", "text": "no positions", "title": "No position has come in yet"}
    tone = "good" if age_s < 10 else "warning" if age_s < 60 else "critical"
    word = "live" if age_s < 10 else "behind"
    spoken = spoken_seconds(age_s)
    return {"tone": tone, "text": f"{word}, {spoken}", "title": f"Newest position {spoken} old"}
