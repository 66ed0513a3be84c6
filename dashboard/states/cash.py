"""Cash on delivery: where it is, who still carries it, and recording that it was handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import service as payments
from backend.payments.formats import read_amount, with_code
from backend.payments.schemas import (
    CodBoard,
    CodDriverRow,
    CodHubRow,
    CodMerchantRow,
    RemittanceIn,
    RemittanceOut,
)
from backend.platform.errors import Invalid, NotFound
from backend.regions.service import place_words
from backend.tracking import service as tracking
from dashboard import gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.money import signed, sums
from dashboard.states.paging import ListState, address, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import RegionChoice, ShellState, place_names, tell

_STAGES = (
    ("to_collect", "To collect"),
    ("with_driver", "With drivers"),
    ("at_hub", "At hubs"),
    ("remitted", "In the bank"),
    ("paid", "Paid to merchants"),
)
_CSV = "/api/v1/cod/orders.csv"


class Stage(TypedDict):
    """One stage of the cash: orders and amounts."""

    name: str
    count: str
    amounts: str


class DriverCash(TypedDict):
    """One driver's shift."""

    key: str
    driver: str
    driver_id: str
    link: str
    region: str
    place: str
    shift: str
    currency: str
    orders: str
    expected: str
    collected: str
    received: str
    difference: str
    in_hand: str
    state: str
    tone: str
    open: bool


class HubCash(TypedDict):
    """One hub's till."""

    hub: str
    place: str
    currency: str
    orders: str
    in_till: str
    expected: str
    tone: str
    since: str


class MerchantCash(TypedDict):
    """What one merchant is owed."""

    merchant: str
    region: str
    place: str
    currency: str
    orders: str
    due: str


class HandOver(TypedDict):
    """A hand-over that was recorded."""

    id: str
    what: str
    received: str
    difference: str
    tone: str
    who: str
    at: str
    note: str


class CashState(ListState, rx.State):
    """The page of cash on delivery."""

    stages: list[Stage] = []
    drivers: list[DriverCash] = []
    hubs: list[HubCash] = []
    merchants: list[MerchantCash] = []
    handed: list[HandOver] = []
    asking: str = ""
    choices: list[RegionChoice] = []
    busy: bool = False
    may_write: bool = False

    @rx.event(background=True)
    @requires("cod:read")
    @loads
    async def load(self) -> None:
        """Show the cash of the region."""
        await self._look()

    @rx.event(background=True)
    @requires("cod:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            place, places = await self._place(), await place_names(self)
        async with gateway.open(self) as (session, principal):
            board = await payments.cod_board(session, principal, place)
            page = await payments.list_remittances(session, principal, region=place, limit=20)
            names = await _names(session, principal, board)
            may_write = identity.may(principal, "cod:write")
        async with self:
            self.stages = [
                {
                    "name": word,
                    "count": f"{board.counts.get(code, 0):,}",
                    "amounts": sums(board.stages.get(code, [])),
                }
                for code, word in _STAGES
            ]
            self.drivers = [_driver(row, names, places) for row in board.drivers]
            self.hubs = [_hub(row, places) for row in board.hubs]
            self.merchants = [_merchant(row, places) for row in board.merchants]
            self.handed = [_hand_over(row, places) for row in page.items]
            self.csv_link = address(_CSV, {"region": place or ""})
            self.may_write = may_write
            self.fault, self.ready = "", True

    @rx.event
    @requires("cod:write")
    async def ask(self, what: str) -> None:
        """Open the form of a hand-over, or close it."""
        self.asking = "" if self.asking == what else str(what)[:120]
        at = next((row["region"] for row in self.drivers if row["key"] == self.asking), "")
        shell = await self.get_state(ShellState)
        self.choices = hubs_near(at, shell.region_choices)

    @rx.event(background=True)
    @requires("cod:write")
    async def hand_over(self, form: dict[str, Any]) -> None:
        """Record a hand-over; what it is stands in the form's hidden fields."""
        async with self:
            if self.busy:
                return
            self.busy = True
        tone, words = "good", ""
        try:
            wanted = _remittance(form)
            async with gateway.open(self) as (session, principal):
                made = await payments.record_remittance(session, principal, wanted)
            words = f"{with_code(made.received.minor, made.received.currency)} recorded"
            if made.difference:
                tone = "warning"
                words += f", {signed(made.difference, made.received.currency)} to what was expected"
        except DomainError as error:
            tone, words = "critical", error.detail
        finally:
            async with self:
                self.busy = False
        async with self:
            if tone != "critical":
                self.asking = ""
            await tell(self, tone, words)
        await self._look()


def hubs_near(place: str, choices: Sequence[RegionChoice]) -> list[RegionChoice]:
    """The hubs of the city of a city or hub, by their own names, the hub itself first."""
    city = place.partition(".")[0]
    hubs = [each for each in choices if each["code"].startswith(f"{city}.")]
    hubs.sort(key=lambda each: each["code"] != place)
    return [{**each, "path": each["name"]} for each in hubs]


async def _names(session: Session, principal: Principal, board: CodBoard) -> dict[str, str]:
    """Codes and names of the board's drivers that the person may see."""
    names = {}
    for driver_id in {row.driver_id for row in board.drivers}:
        try:
            driver = await tracking.get_driver(session, principal, driver_id)
        except NotFound:
            continue
        names[str(driver_id)] = f"{driver.code} {driver.name}"
    return names


def _remittance(form: dict[str, Any]) -> RemittanceIn:
    """What the form says; raises Invalid naming what is wrong."""
    text = {name: form_text(form, name).replace("\0", "") for name in _FORM}
    received = None
    if text["kind"] != "merchant":
        received = read_amount(text["received"], text["currency"])
    try:
        return RemittanceIn(
            kind=text["kind"],
            driver_id=uuid_or_none(text["driver_id"]),
            shift=date.fromisoformat(text["shift"]) if text["shift"] else None,
            hub=text["hub"] or None,
            received=received,
            merchant=text["merchant"] or None,
            region=text["region"] or None,
            currency=text["currency"] if text["kind"] == "merchant" else None,
            reference=text["reference"] or None,
            note=text["note"][:500] or None,
        )
    except (ValidationError, ValueError) as error:
        raise Invalid("Something is missing: the amount, the hub or the reference.") from error


_FORM = (
    "kind", "driver_id", "shift", "hub", "received", "merchant", "region", "currency",
    "reference", "note",
)  # fmt: skip


def _driver(row: CodDriverRow, names: dict[str, str], places: Mapping[str, str]) -> DriverCash:
    def amount(minor: int) -> str:
        return with_code(minor, row.currency)

    if not row.handed_in:
        tone, state = ("critical", "late") if row.late else ("info", "carrying")
    elif row.difference:
        tone, state = "warning", "differs"
    else:
        tone, state = "good", "handed in"
    driver_id = str(row.driver_id)
    return {
        "key": f"{driver_id}:{row.shift}:{row.currency}",
        "driver": names.get(driver_id, driver_id[:8]),
        "driver_id": driver_id,
        "link": f"/drivers/{driver_id}",
        "region": row.region,
        "place": place_words([row.region], places),
        "shift": row.shift.isoformat(),
        "currency": row.currency,
        "orders": f"{row.orders:,}",
        "expected": amount(row.expected),
        "collected": amount(row.collected),
        "received": amount(row.received) if row.handed_in else "",
        "difference": signed(row.difference, row.currency) if row.difference else "",
        "in_hand": amount(row.in_hand),
        "state": state,
        "tone": tone,
        "open": not row.handed_in and row.in_hand > 0,
    }


def _hub(row: CodHubRow, places: Mapping[str, str]) -> HubCash:
    return {
        "hub": row.hub,
        "place": place_words([row.hub], places),
        "currency": row.currency,
        "orders": f"{row.orders:,}",
        "in_till": with_code(row.in_till, row.currency),
        "expected": with_code(row.expected, row.currency),
        "tone": "good" if row.in_till == row.expected else "warning",
        "since": iso(row.oldest),
    }


def _merchant(row: CodMerchantRow, places: Mapping[str, str]) -> MerchantCash:
    return {
        "merchant": row.merchant,
        "region": row.region,
        "place": place_words([row.region], places),
        "currency": row.currency,
        "orders": f"{row.orders:,}",
        "due": with_code(row.due, row.currency),
    }


def _hand_over(row: RemittanceOut, places: Mapping[str, str]) -> HandOver:
    hub = places.get(row.hub or "", row.hub)
    to = {
        "hub": f"shift {row.shift} to {hub}",
        "bank": f"{hub} to the bank",
        "merchant": f"to {row.merchant}",
    }[row.kind]
    currency = row.received.currency
    return {
        "id": str(row.id),
        "what": f"{row.orders:,} orders, {to}",
        "received": with_code(row.received.minor, currency),
        "difference": signed(row.difference, currency) if row.difference else "",
        "tone": "warning" if row.difference else "good",
        "who": row.created_by_name,
        "at": iso(row.created_at),
        "note": " · ".join(filter(None, (row.reference, row.note))),
    }
