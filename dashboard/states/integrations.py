"""Webhook endpoints: make one, see how it fares, give it a new secret, switch it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from pydantic import ValidationError

from backend.dispatch.schemas import ORDER_EVENTS
from backend.identity import service as identity
from backend.notifications import service as notifications
from backend.notifications.schemas import (
    EndpointChange,
    EndpointIn,
    EndpointOut,
    EndpointWithSecret,
    Hour,
)
from backend.platform.shares import percent
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.drawing import sparkline
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import ListState, address, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import EVERYWHERE, place_names, tell

PATH = "/admin/integrations"
SECRET_FIELD = "webhook-secret"  # noqa: S105 - the name of a field
EVENT_TYPES = ORDER_EVENTS
_SHOWN = 100


class EndpointRow(TypedDict):
    """One endpoint and its last 24 hours."""

    id: str
    link: str
    chosen: bool
    merchant: str
    url: str
    tone: str
    state: str
    because: str
    events: str
    place: str
    line: str
    area: str
    rate: str
    waiting: str


class Endpoint(TypedDict):
    """The chosen endpoint, whole."""

    id: str
    merchant: str
    url: str
    tone: str
    state: str
    because: str
    active: bool
    events: list[str]
    place: str
    made_by: str
    made_at: str
    failing_since: str
    both_until: str


NOBODY: Endpoint = {
    "id": "", "merchant": "", "url": "", "tone": "off", "state": "", "because": "",
    "active": False, "events": [], "place": "", "made_by": "", "made_at": "",
    "failing_since": "", "both_until": "",
}  # fmt: skip


class IntegrationsState(ListState, rx.State):
    """The endpoints of the integrations page."""

    rows: list[EndpointRow] = []
    chosen: Endpoint = NOBODY
    close_link: str = PATH
    merchants: list[str] = []
    may_write: bool = False
    making: bool = False
    form_serial: int = 0
    asking: str = ""
    shows_secret: bool = False
    made_name: str = ""

    @rx.event
    @requires("integrations:read")
    async def arrive(self) -> Any:
        """Open the page or another endpoint; a secret shown before stays until it is put away."""
        self.asking = ""
        return IntegrationsState.load

    @rx.event(background=True)
    @requires("integrations:read")
    @loads
    async def load(self) -> None:
        """Show the endpoints, and the one that the address names."""
        async with self:
            wanted = self._asked("endpoint")
            query = {name: self._asked(name) for name in ("state", "type", "order")}
            names = await place_names(self)
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            page = await notifications.list_endpoints(session, principal, limit=_SHOWN)
            ids = [each.id for each in page.items]
            hours = await notifications.success_by_hour(session, principal, ids)
            waiting = await notifications.waiting_for(session, principal, ids)
            may_write = identity.may(principal, "integrations:write")
            merchants = await _merchants(session, principal) if may_write else []
        found = next((each for each in page.items if str(each.id) == wanted), None)
        async with self:
            self.rows = [
                _row(each, hours[each.id], waiting.get(each.id, 0), query, each is found, names)
                for each in page.items
            ]
            self.chosen = _endpoint(found, names) if found else NOBODY
            self.close_link = address(PATH, query)
            self.may_write = may_write
            self.merchants = merchants
            self.ready = True

    @rx.event(background=True)
    @requires("integrations:write")
    async def make(self, form: dict[str, Any]) -> Any:
        """Add an endpoint and show its secret once; the secret never enters the state."""
        async with self:
            if self.making:
                return
            self.making = True
        try:
            async with gateway.open(self) as (session, principal):
                made = await notifications.create_endpoint(session, principal, _wanted(form))
        except (DomainError, ValidationError) as error:
            async with self:
                self.making = False
                await tell(self, "critical", _words(error))
            return
        async with self:
            self.making = False
            self.form_serial += 1
            self._reveal(made)
        yield rx.set_value(SECRET_FIELD, made.secret)
        yield rx.redirect(address(PATH, {"endpoint": str(made.id)}))

    @rx.event
    @requires("integrations:write")
    async def ask(self, what: str) -> None:
        """Ask once more before something that cannot be undone; nothing stops asking."""
        self.asking = str(what)

    @rx.event(background=True)
    @requires("integrations:write")
    async def rotate(self) -> Any:
        """A new secret for the chosen endpoint, shown once."""
        wanted = await self._chosen_id()
        try:
            async with gateway.open(self) as (session, principal):
                made = await notifications.rotate_secret(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            self._reveal(made)
        yield rx.set_value(SECRET_FIELD, made.secret)
        yield IntegrationsState.arrive

    @rx.event(background=True)
    @requires("integrations:write")
    async def switch(self) -> Any:
        """Switch the chosen endpoint off, or on again."""
        wanted = await self._chosen_id()
        async with self:
            on = not self.chosen["active"]
        return await self._do(
            lambda session, principal: notifications.change_endpoint(
                session, principal, wanted, EndpointChange(active=on)
            ),
            "It hears of events again." if on else "Nothing is sent to it any more.",
        )

    @rx.event(background=True)
    @requires("integrations:write")
    async def remove(self) -> Any:
        """Remove the chosen endpoint with its log."""
        wanted = await self._chosen_id()
        await self._do(
            lambda session, principal: notifications.remove_endpoint(session, principal, wanted),
            "The endpoint is removed.",
        )
        return rx.redirect(PATH)

    @rx.event(background=True)
    @requires("integrations:write")
    async def try_out(self) -> Any:
        """Send a test event to the chosen endpoint."""
        wanted = await self._chosen_id()
        return await self._do(
            lambda session, principal: notifications.try_endpoint(session, principal, wanted),
            "A test event is on its way; its log line tells what came of it.",
        )

    @rx.event
    @requires("integrations:write")
    async def forget_secret(self) -> Any:
        """Hide the secret for good."""
        self.shows_secret = False
        self.made_name = ""
        return rx.set_value(SECRET_FIELD, "")

    def _reveal(self, made: EndpointWithSecret) -> None:
        self.shows_secret = True
        self.made_name = made.url

    async def _chosen_id(self) -> UUID:
        async with self:
            return uuid_or_none(self.chosen["id"]) or UUID(int=0)

    async def _do(self, deed: Any, words: str) -> Any:
        try:
            async with gateway.open(self) as (session, principal):
                await deed(session, principal)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", words)
        return IntegrationsState.arrive


async def _merchants(session: Any, principal: Any) -> list[str]:
    """Programs with tokens, to choose from; empty for who may not see tokens."""
    if not identity.may(principal, "tokens:read"):
        return []
    tokens = await identity.list_tokens(session, principal, kind="service", limit=200)
    return sorted({f"service:{token.name}" for token in tokens if token.permissions})


def _wanted(form: Mapping[str, Any]) -> EndpointIn:
    merchant = form_text(form, "merchant")
    if merchant and not merchant.startswith("service:"):
        merchant = f"service:{merchant}"
    return EndpointIn(
        url=form_text(form, "url"),
        merchant=merchant or None,
        region=form_text(form, "region") or EVERYWHERE,
        event_types=[kind for kind in EVENT_TYPES if form.get(f"hears-{kind}")],
    )


def _words(error: DomainError | ValidationError) -> str:
    if isinstance(error, DomainError):
        return error.detail
    fault = error.errors()[0]
    return f"{fault['loc'][-1]}: {fault['msg']}"


def _row(
    each: EndpointOut,
    hours: Sequence[Hour],
    waiting: int,
    query: dict[str, str],
    chosen: bool,
    names: Mapping[str, str],
) -> EndpointRow:
    tone, state = _state(each)
    line, area = sparkline([hour.delivered for hour in hours])
    delivered = sum(hour.delivered for hour in hours)
    settled = delivered + sum(hour.given_up for hour in hours)
    return {
        "id": str(each.id),
        "link": address(PATH, {**query, "endpoint": str(each.id)}),
        "chosen": chosen,
        "merchant": each.merchant.removeprefix("service:"),
        "url": each.url,
        "tone": tone,
        "state": state,
        "because": each.disabled_because or "",
        "events": _events(each.event_types),
        "place": place_words([each.region], names),
        "line": line,
        "area": area,
        "rate": percent(delivered / settled) if settled else "none sent",
        "waiting": str(waiting),
    }


def _endpoint(each: EndpointOut, names: Mapping[str, str]) -> Endpoint:
    tone, state = _state(each)
    return {
        "id": str(each.id),
        "merchant": each.merchant,
        "url": each.url,
        "tone": tone,
        "state": state,
        "because": each.disabled_because or "",
        "active": each.active,
        "events": each.event_types,
        "place": place_words([each.region], names),
        "made_by": each.created_by_name,
        "made_at": iso(each.created_at),
        "failing_since": iso(each.failing_since),
        "both_until": iso(each.former_secret_until),
    }


def _state(each: EndpointOut) -> tuple[str, str]:
    if not each.active:
        return "off", "off"
    return ("warning", "failing") if each.failing_since else ("good", "on")


def _events(kinds: Sequence[str]) -> str:
    if not kinds:
        return "every event"
    words = [kind.removeprefix("order.").replace("_", " ") for kind in kinds]
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
