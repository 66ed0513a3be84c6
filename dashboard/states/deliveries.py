"""The delivery log: filtered by its address, one delivery's request and answer, sending again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from uuid import UUID

import orjson
import reflex as rx
from reflex.event import EventSpec

from backend.notifications import service as notifications
from backend.notifications.schemas import (
    DeliveryDetail,
    DeliveryFilter,
    DeliveryOut,
    DeliveryState,
    ReplayIn,
    ReplayResult,
)
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.integrations import EVENT_TYPES, PATH
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    form_text,
    iso,
    loads,
    uuid_or_none,
    uuids,
)
from dashboard.states.shell import tell

FIELDS = ("endpoint", "state", "type", "order")
STATES = (
    ("", "Any state"),
    ("pending", "On its way"),
    ("failed", "Tried again later"),
    ("delivered", "Delivered"),
    ("given_up", "Given up"),
)
TYPES = (("", "Any event"), *((kind, kind) for kind in (*EVENT_TYPES, "webhook.test")))
_CSV = "/api/v1/webhooks/deliveries.csv"
_TONES = {"pending": "info", "failed": "warning", "delivered": "good", "given_up": "critical"}
_WORDS = {
    "pending": "on its way", "failed": "again later", "delivered": "delivered",
    "given_up": "given up",
}  # fmt: skip


class DeliveryRow(TypedDict):
    """One delivery; `result` is what became of the last replay asked for here."""

    id: str
    link: str
    chosen: bool
    tone: str
    state: str
    type: str
    order: str
    merchant: str
    url: str
    at: str
    attempts: str
    answer: str
    next_at: str
    result: str
    result_tone: str


class HeaderRow(TypedDict):
    """One header."""

    name: str
    value: str


class Delivery(TypedDict):
    """The chosen delivery, whole."""

    id: str
    event_id: str
    tone: str
    state: str
    type: str
    order: str
    url: str
    merchant: str
    at: str
    attempts: str
    attempted_at: str
    next_at: str
    status: str
    why: str
    took: str
    payload: str
    sent: list[HeaderRow]
    answered: list[HeaderRow]
    excerpt: str


NOTHING: Delivery = {
    "id": "", "event_id": "", "tone": "off", "state": "", "type": "", "order": "", "url": "",
    "merchant": "", "at": "", "attempts": "", "attempted_at": "", "next_at": "", "status": "",
    "why": "", "took": "", "payload": "", "sent": [], "answered": [], "excerpt": "",
}  # fmt: skip


class DeliveriesState(ListState, rx.State):
    """The delivery log of the integrations page."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[DeliveryRow] = []
    newer: int = 0
    chosen: Delivery = NOTHING
    close_link: str = PATH
    replaying: bool = False
    _results: dict[str, ReplayResult] = {}

    @rx.event(background=True)
    @requires("integrations:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for: filters, a page, a chosen delivery."""
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            after, chosen = self._asked("after"), self._asked("delivery")
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            page = await notifications.list_deliveries(
                session, principal, _wanted(filters), after=uuid_or_none(after), limit=PAGE_ROWS
            )
            wanted = uuid_or_none(chosen)
            detail = (
                await notifications.get_delivery(session, principal, wanted) if wanted else None
            )
        query = {**filters, "after": after}
        async with self:
            self.filters = filters
            self.filters_key = address("", filters)
            self.csv_link = address(
                _CSV, {"endpoint_id": filters["endpoint"], **_without(filters, "endpoint")}
            )
            self.rows = [_row(each, query, chosen, self._results) for each in page.items]
            self.newer = 0
            self._link_pages(filters, page.next_cursor or "")
            self.chosen = _delivery(detail) if detail else NOTHING
            self.close_link = address(PATH, query)
            self.ready = True

    @rx.event(background=True)
    @requires("integrations:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Bring the rows shown up to date in place; new ones are only counted."""
        async with self:
            if not self.ready or self.router.url.path.rstrip("/") != PATH:
                return
            filters, after = dict(self.filters), self._asked("after")
            chosen = self.chosen["id"]
        async with gateway.open(self) as (session, principal):
            page = await notifications.list_deliveries(
                session, principal, _wanted(filters), after=uuid_or_none(after), limit=PAGE_ROWS
            )
            wanted = uuid_or_none(chosen)
            detail = (
                await notifications.get_delivery(session, principal, wanted) if wanted else None
            )
        async with self:
            if filters != self.filters or chosen != self.chosen["id"]:
                return
            query = {**filters, "after": after}
            fresh = {str(each.id): _row(each, query, chosen, self._results) for each in page.items}
            shown = {row["id"] for row in self.rows}
            self.rows = [fresh.get(row["id"], row) for row in self.rows]
            newest = max(shown, default="")
            self.newer = 0 if after else sum(each > newest for each in fresh if each not in shown)
            if detail is not None:
                self.chosen = _delivery(detail)

    @rx.event
    @requires("integrations:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        chosen = {name: form_text(form, name) for name in FIELDS if name in form}
        return rx.redirect(address(PATH, {**self.filters, **chosen}), replace=True)

    @rx.event(background=True)
    @requires("integrations:write")
    async def replay_chosen(self, action: str, delivery_ids: list[str]) -> Any:
        """Send these deliveries again, each by itself, and show what became of each."""
        ids = uuids(delivery_ids)
        if action != "replay" or not ids:
            return None
        return await self._replay(ReplayIn(ids=ids), None)

    @rx.event(background=True)
    @requires("integrations:write")
    async def replay_span(self, form: dict[str, Any]) -> Any:
        """Send again what the chosen endpoint did not get, or got, since a day."""
        since = day_start(form_text(form, "since"))
        state = form_text(form, "what")
        async with self:
            endpoint = uuid_or_none(self.filters["endpoint"])
            if since is None or endpoint is None:
                await tell(self, "critical", "Say since which day.")
                return None
        wanted = ReplayIn(since=since, state="delivered" if state == "delivered" else "given_up")
        return await self._replay(wanted, endpoint)

    async def _replay(self, wanted: ReplayIn, endpoint: UUID | None) -> Any:
        async with self:
            if self.replaying:
                return None
            self.replaying = True
        try:
            async with gateway.open(self) as (session, principal):
                answer = await notifications.replay(
                    session, principal, wanted, endpoint_id=endpoint
                )
        except DomainError as error:
            async with self:
                self.replaying = False
                await tell(self, "critical", error.detail)
            return None
        async with self:
            self.replaying = False
            self._results = {str(each.id): each for each in answer.results}
            await tell(self, *_summary(answer.results))
        return DeliveriesState.load


def _summary(results: Sequence[ReplayResult]) -> tuple[str, str]:
    refused = [each for each in results if each.status == "rejected"]
    sent = len(results) - len(refused)
    if not results:
        return "info", "There was nothing to send again."
    if not refused:
        return "good", f"{sent} on the way again."
    return "warning", f"{sent} on the way again, {len(refused)} not: the rows say why."


def _without(filters: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in filters.items() if key != name}


def _wanted(filters: Mapping[str, str]) -> DeliveryFilter:
    state = filters["state"]
    return DeliveryFilter(
        endpoint_id=uuid_or_none(filters["endpoint"]),
        state=DeliveryState(state) if state in _WORDS else None,
        event_type=filters["type"][:100] or None,
        order=filters["order"][:100].upper() or None,
    )


def _row(
    each: DeliveryOut, query: dict[str, str], chosen: str, results: Mapping[str, ReplayResult]
) -> DeliveryRow:
    result = results.get(str(each.id))
    return {
        "id": str(each.id),
        "link": address(PATH, {**query, "delivery": str(each.id)}),
        "chosen": str(each.id) == chosen,
        "tone": _TONES[each.state],
        "state": _WORDS[each.state],
        "type": each.event_type,
        "order": each.order or "",
        "merchant": each.merchant.removeprefix("service:"),
        "url": each.url,
        "at": iso(each.event_at),
        "attempts": str(each.attempts),
        "answer": _answer(each),
        "next_at": iso(each.next_at) if each.state == DeliveryState.FAILED else "",
        "result": "" if result is None else result.detail or "on its way again",
        "result_tone": "good" if result and result.status == "accepted" else "critical",
    }


def _answer(each: DeliveryOut) -> str:
    if each.status is not None:
        return f"{each.status}, {each.duration_ms} ms"
    return each.why or ""


def _delivery(each: DeliveryDetail) -> Delivery:
    return {
        "id": str(each.id),
        "event_id": str(each.event_id),
        "tone": _TONES[each.state],
        "state": _WORDS[each.state],
        "type": each.event_type,
        "order": each.order or "",
        "url": each.url,
        "merchant": each.merchant,
        "at": iso(each.event_at),
        "attempts": str(each.attempts),
        "attempted_at": iso(each.attempted_at),
        "next_at": iso(each.next_at),
        "status": "" if each.status is None else str(each.status),
        "why": each.why or "",
        "took": "" if each.duration_ms is None else f"{each.duration_ms} ms",
        "payload": orjson.dumps(each.payload, option=orjson.OPT_INDENT_2).decode(),
        "sent": _headers(each.sent_headers),
        "answered": _headers(each.answer_headers),
        "excerpt": each.answer_excerpt or "",
    }


def _headers(headers: Mapping[str, str] | None) -> list[HeaderRow]:
    return [{"name": name, "value": value} for name, value in sorted((headers or {}).items())]
