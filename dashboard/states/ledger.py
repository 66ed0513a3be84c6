"""The ledger: accounts, one account's lines and its balance at any time, and checking it whole."""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import service as payments
from backend.payments.formats import with_code
from backend.payments.schemas import AccountOut, CorrectionIn, LedgerCheck
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.money import LEDGER, spoken
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    form_text,
    iso,
    loads,
    uuid_or_none,
)
from dashboard.states.payment import reason_of
from dashboard.states.shell import place_names, tell
from dashboard.states.wallets import EntryRow, entry_row

FIELDS = ("q", "kind")


class AccountRow(TypedDict):
    """One account."""

    id: str
    link: str
    kind: str
    owner: str
    place: str
    balance: str
    held: str
    entries: str
    tone: str


class Chosen(TypedDict):
    """The account whose lines are shown."""

    id: str
    title: str
    place: str
    balance: str
    held: str
    available: str
    rules: str
    at: str
    then: str
    csv: str
    close: str


class Check(TypedDict):
    """What walking the whole ledger found."""

    tone: str
    text: str
    at: str


class FaultRow(TypedDict):
    """One broken promise of the ledger."""

    rule: str
    subject: str
    detail: str


_NONE: Chosen = {
    "id": "", "title": "", "place": "", "balance": "", "held": "", "available": "", "rules": "",
    "at": "", "then": "", "csv": "", "close": LEDGER,
}  # fmt: skip


class LedgerState(ListState, rx.State):
    """The ledger's page."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[AccountRow] = []
    chosen: Chosen = _NONE
    entries: list[EntryRow] = []
    entries_next: str = ""
    check: Check = {"tone": "off", "text": "not checked yet", "at": ""}
    faults: list[FaultRow] = []
    checking: bool = False
    may_correct: bool = False

    @rx.event(background=True)
    @requires("ledger:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for: accounts, a chosen one, a time."""
        async with self:
            filters = {name: self._asked(name)[:100] for name in FIELDS}
            after, account = self._asked("after"), uuid_or_none(self._asked("account"))
            at, entries_after = self._asked("at"), self._asked("lines")
            place, names = await self._place(), await place_names(self)
            query = {**filters, "region": self._asked("region"), "after": after}
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            page = await payments.list_accounts(
                session,
                principal,
                kind=filters["kind"] or None,
                region=place,
                q=filters["q"] or None,
                after=after or None,
                limit=PAGE_ROWS,
            )
            chosen, entries, more = _NONE, [], ""
            if account is not None:
                found = await payments.get_account(session, principal, account)
                lines = await payments.account_entries(
                    session, principal, account, after=entries_after or None, limit=PAGE_ROWS
                )
                then = await _then(session, principal, found, at)
                chosen = _chosen(found, at, then, query, names)
                entries = [entry_row(each) for each in lines.items]
                more = _more(query, account, at, lines.next_cursor)
            may_correct = identity.may(principal, "ledger:write")
        async with self:
            self.filters = filters
            self.filters_key = address("", filters)
            self.rows = [_account(each, query, names) for each in page.items]
            self.chosen, self.entries, self.entries_next = chosen, entries, more
            self.may_correct = may_correct
            self._link_pages({**filters, "region": query["region"]}, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("ledger:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        return rx.redirect(address(LEDGER, {**kept, "region": self._asked("region")}), replace=True)

    @rx.event
    @requires("ledger:read")
    async def look_at_time(self, form: dict[str, Any]) -> EventSpec:
        """Ask for the chosen account's balance at a time."""
        query = {**self.filters, "account": self.chosen["id"], "at": form_text(form, "at")}
        return rx.redirect(address(LEDGER, query), replace=True)

    @rx.event(background=True)
    @requires("ledger:read")
    async def check_all(self) -> None:
        """Walk the whole ledger and tell whether it keeps what it promises."""
        async with self:
            if self.checking:
                return
            self.checking = True
        try:
            async with gateway.open(self) as (session, principal):
                result = await payments.check_ledger(session, principal)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        finally:
            async with self:
                self.checking = False
        async with self:
            self.check = _check(result)
            self.faults = [
                {"rule": spoken(each.rule), "subject": each.subject, "detail": each.detail}
                for each in result.faults[:PAGE_ROWS]
            ]

    @rx.event(background=True)
    @requires("ledger:write")
    async def correct(self, form: dict[str, Any]) -> Any:
        """Take a posted transfer back by a new one that points at it."""
        wanted = uuid_or_none(form_text(form, "transfer"))
        if wanted is None:
            async with self:
                await tell(self, "critical", "That is not the id of a transfer.")
            return None
        try:
            correction = CorrectionIn(id=uuid7(), reason=reason_of(form))
            async with gateway.open(self) as (session, principal):
                made = await payments.correct_transfer(session, principal, wanted, correction)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            words = with_code(made.posted.minor, made.posted.currency)
            await tell(self, "good", f"{words} taken back.")
        return LedgerState.load


async def _then(session: Session, principal: Principal, account: AccountOut, at: str) -> str:
    """The balance at the end of a day, UTC; empty where no day is asked for."""
    end = day_start(at, days=1)
    if end is None:
        return ""
    found = await payments.balance_at(session, principal, account.id, min(end, clock.now()))
    return f"{with_code(found.balance, account.currency)} after {found.entries:,} entries"


def _more(query: dict[str, str], account: UUID, at: str, cursor: str | None) -> str:
    if not cursor:
        return ""
    return address(LEDGER, {**query, "account": str(account), "at": at, "lines": cursor})


def _account(account: AccountOut, query: dict[str, str], names: dict[str, str]) -> AccountRow:
    return {
        "id": str(account.id),
        "link": address(LEDGER, {**query, "account": str(account.id)}),
        "kind": spoken(account.kind),
        "owner": account.owner,
        "place": place_words([account.region], names),
        "balance": with_code(account.balance, account.currency),
        "held": with_code(account.held, account.currency) if account.held else "",
        "entries": f"{account.entries:,}",
        "tone": "critical" if account.floored and account.balance < 0 else "off",
    }


def _chosen(
    account: AccountOut, at: str, then: str, query: dict[str, str], names: dict[str, str]
) -> Chosen:
    floor = "never below zero" if account.floored else "may be below zero"
    return {
        "id": str(account.id),
        "title": f"{spoken(account.kind)} {account.owner}",
        "place": place_words([account.region], names),
        "balance": with_code(account.balance, account.currency),
        "held": with_code(account.held, account.currency),
        "available": with_code(account.available, account.currency),
        "rules": f"{floor}{', summed from snapshots' if account.hot else ''}",
        "at": at,
        "then": then,
        "csv": f"/api/v1/ledger/accounts/{account.id}/entries.csv",
        "close": address(LEDGER, query),
    }


def _check(result: LedgerCheck) -> Check:
    counted = f"{result.transfers:,} transfers, {result.entries:,} entries"
    if result.faults:
        text = f"{len(result.faults):,} broken promises in {counted}"
        return {"tone": "critical", "text": text, "at": iso(result.checked_at)}
    return {"tone": "good", "text": f"{counted}, all in balance", "at": iso(result.checked_at)}
