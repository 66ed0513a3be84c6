"""Customers' wallets: the list, and one wallet with its entries and monthly statements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from backend.payments import service as payments
from backend.payments.formats import amount, with_code
from backend.payments.schemas import EntryOut, WalletOut
from backend.platform import clock
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.money import WALLETS, money, order_link, spoken
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    form_text,
    iso,
    loads,
    uuid_or_none,
)
from dashboard.states.shell import place_names

_MONTHS_SHOWN = 6


class WalletRow(TypedDict):
    """One wallet."""

    id: str
    link: str
    name: str
    holder: str
    place: str
    balance: str
    held: str
    available: str
    opened_at: str


class EntryRow(TypedDict):
    """One line of an account."""

    version: str
    at: str
    amount: str
    balance: str
    tone: str
    kind: str
    order: str
    order_link: str
    reference: str
    other: str


class StatementLink(TypedDict):
    """A month, and where its statement is."""

    month: str
    csv: str
    pdf: str


_NO_WALLET: WalletRow = {
    "id": "", "link": "", "name": "", "holder": "", "place": "", "balance": "", "held": "",
    "available": "", "opened_at": "",
}  # fmt: skip


class WalletsState(ListState, rx.State):
    """The list of wallets."""

    text: str = ""
    rows: list[WalletRow] = []

    @rx.event(background=True)
    @requires("wallets:read")
    @loads
    async def load(self) -> None:
        """Show the wallets that the address asks for."""
        async with self:
            self.text = text = self._asked("q")
            after = self._asked("after")
            place, names = await self._place(), await place_names(self)
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            page = await payments.list_wallets(
                session,
                principal,
                region=place,
                q=text[:100] or None,
                after=after or None,
                limit=PAGE_ROWS,
            )
        async with self:
            self.rows = [wallet_row(each, names) for each in page.items]
            self._link_pages({"q": text, "region": self._asked("region")}, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("wallets:read")
    async def search(self, form: dict[str, Any]) -> EventSpec:
        """Put the words into the address."""
        return rx.redirect(
            address(WALLETS, {"q": form_text(form, "q"), "region": self._asked("region")}),
            replace=True,
        )


class WalletState(ListState, rx.State):
    """The page of one wallet."""

    wallet: WalletRow = _NO_WALLET
    rows: list[EntryRow] = []
    statements: list[StatementLink] = []

    @rx.event(background=True)
    @requires("wallets:read")
    @loads
    async def load(self) -> None:
        """Show the wallet that the address names, with a page of its entries."""
        async with self:
            wanted = uuid_or_none(self.router.url.path.rstrip("/").rpartition("/")[2])
            after, names = self._asked("after"), await place_names(self)
            self.fault, self.wallet, self.rows, self.ready = "", _NO_WALLET, [], False
        if wanted is None:
            async with self:
                self.fault, self.ready = "This address names no wallet.", True
            return
        async with gateway.open(self) as (session, principal):
            found = await payments.get_wallet(session, principal, wanted)
            page = await payments.wallet_entries(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
        async with self:
            self.wallet = wallet_row(found, names)
            self.rows = [entry_row(each) for each in page.items]
            self.statements = statement_links(wanted, clock.now().date())
            self._link_pages({}, page.next_cursor or "")
            self.ready = True


def wallet_row(wallet: WalletOut, names: Mapping[str, str]) -> WalletRow:
    """A wallet as its line of a list."""
    return {
        "id": str(wallet.id),
        "link": f"{WALLETS}/{wallet.id}",
        "name": wallet.name,
        "holder": wallet.holder,
        "place": place_words([wallet.region], names),
        "balance": money(wallet.balance),
        "held": money(wallet.held) if wallet.held.minor else "",
        "available": money(wallet.available),
        "opened_at": iso(wallet.created_at),
    }


def entry_row(entry: EntryOut) -> EntryRow:
    """A line of an account, with the balance after it."""
    sign = "+" if entry.amount > 0 else ""
    return {
        "version": str(entry.version),
        "at": iso(entry.at),
        "amount": f"{sign}{amount(entry.amount, entry.currency)}",
        "balance": with_code(entry.balance, entry.currency),
        "tone": "good" if entry.amount > 0 else "off",
        "kind": spoken(entry.kind),
        "order": entry.order or "",
        "order_link": order_link(entry.order),
        "reference": entry.reference or "",
        "other": f"{spoken(entry.other.kind)} {entry.other.owner}",
    }


def statement_links(wallet_id: UUID, today: date) -> list[StatementLink]:
    """The statements of the last months, newest first."""
    links: list[StatementLink] = []
    year, month = today.year, today.month
    for _ in range(_MONTHS_SHOWN):
        query = f"month={year}-{month:02d}"
        path = f"/api/v1/wallets/{wallet_id}/statement"
        links.append(
            {
                "month": date(year, month, 1).strftime("%B %Y"),
                "csv": f"{path}.csv?{query}",
                "pdf": f"{path}.pdf?{query}",
            }
        )
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return links
