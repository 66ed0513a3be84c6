"""The ledger against a plain model of it, one batch after another and many at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from backend.payments.ledger_rules import Account, AccountKind, Item, Op, hold, post
from backend.platform.db import Database
from backend.platform.ids import uuid7
from backend.settings import Settings

from .books import book as book_batch
from .books import faults, holdings

PAST = datetime(2020, 1, 1, tzinfo=UTC)
CURRENCIES = ("THB", "VND")


def accounts_of(run: str) -> list[Account]:
    return [
        Account(kind, f"{owner}-{run}", "TH-10", currency)
        for currency in CURRENCIES
        for kind, owner in (
            (AccountKind.WALLET, "ann"),
            (AccountKind.WALLET, "bob"),
            (AccountKind.COD_DRIVER, "dan"),
            (AccountKind.CLEARING, "gateway"),
            (AccountKind.MERCHANT, "shop"),
        )
    ]


@dataclass
class Known:
    item: Item
    state: str
    posted: int


@dataclass
class Model:
    """What the ledger should say, in a few lines without a database."""

    balance: dict[UUID, int] = field(default_factory=dict)
    held: dict[UUID, int] = field(default_factory=dict)
    known: dict[UUID, Known] = field(default_factory=dict)

    def book(self, item: Item) -> tuple[str, str | None]:
        return self._make(item) if item.op in (Op.POST, Op.HOLD) else self._resolve(item)

    def _make(self, item: Item) -> tuple[str, str | None]:
        known = self.known.get(item.id)
        if known is not None:
            for name in ("debit", "credit", "amount", "currency", "kind", "op", "expires_at"):
                mine, asked = (
                    (i.debit.currency if name == "currency" else getattr(i, name))  # type: ignore[union-attr]
                    for i in (known.item, item)
                )
                if mine != asked:
                    return "differs", "two_phase" if name == "op" else name
            return "duplicate", None
        assert item.debit is not None
        assert item.credit is not None
        assert item.amount is not None
        giver, taker = item.debit, item.credit
        if giver == taker:
            return "refused", "same_account"
        if giver.currency != taker.currency:
            return "refused", "currency"
        free = self.balance.get(giver.id, 0) - self.held.get(giver.id, 0)
        if giver.floored and free < item.amount:
            return "refused", "insufficient"
        if item.op is Op.POST:
            self._move(item, item.amount)
            self.known[item.id] = Known(item, "posted", item.amount)
        else:
            self._hold(giver, item.amount)
            self.known[item.id] = Known(item, "pending", 0)
        return "done", None

    def _resolve(self, item: Item) -> tuple[str, str | None]:
        known = self.known.get(item.id)
        if known is None:
            return "refused", "unknown_transfer"
        assert known.item.amount is not None
        assert known.item.debit is not None
        goal = {Op.SETTLE: "posted", Op.VOID: "voided", Op.EXPIRE: "expired"}[item.op]
        moved = (item.amount or known.item.amount) if item.op is Op.SETTLE else 0
        same = known.state == goal and known.posted == moved
        if same and known.item.op is Op.HOLD:
            return "duplicate", None
        if known.state != "pending":
            return "refused", f"already_{known.state}"
        if moved > known.item.amount:
            return "refused", "amount"
        due = known.item.expires_at is not None
        if item.op is Op.EXPIRE and not due:
            return "refused", "not_due"
        self._hold(known.item.debit, -known.item.amount)
        if item.op is Op.SETTLE and due:
            known.state = "expired"
            return "refused", "already_expired"
        known.state, known.posted = goal, moved
        if moved:
            self._move(known.item, moved)
        return "done", None

    def _hold(self, account: Account, amount: int) -> None:
        if not account.hot:
            self.held[account.id] = self.held.get(account.id, 0) + amount

    def _move(self, item: Item, amount: int) -> None:
        for account, sign in ((item.debit, -1), (item.credit, 1)):
            assert account is not None
            self.balance[account.id] = self.balance.get(account.id, 0) + sign * amount


def items_for(accounts: list[Account], ids: list[UUID]) -> st.SearchStrategy[Item]:
    account, transfer = st.sampled_from(accounts), st.sampled_from(ids)
    amount = st.integers(1, 300)
    kind = st.sampled_from(["payment", "gift"])
    made = st.builds(post, transfer, account, account, amount, kind) | st.builds(
        hold, transfer, account, account, amount, kind,
        expires_at=st.sampled_from([None, None, PAST]),
    )  # fmt: skip
    resolved = st.builds(
        Item,
        st.sampled_from([Op.SETTLE, Op.VOID, Op.EXPIRE]),
        transfer,
        amount=st.none() | amount,
    )
    return made | made | resolved


class Ledger(RuleBasedStateMachine):
    """One batch after another; ids come again, so that repeats and clashes are common."""

    database: Database
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        run = str(uuid7())
        self.accounts = accounts_of(run)
        self.ids = [uuid7() for _ in range(10)]
        self.model = Model()
        for account in self.accounts:
            if account.kind is AccountKind.WALLET:
                outside = replace(account, kind=AccountKind.CLEARING, owner=f"gateway-{run}")
                self.batch([post(uuid7(), outside, account, 400, "top_up")])

    def batch(self, items: list[Item]) -> None:
        booked = self.runner.run(book_batch(self.database, *items))
        assert [(b.outcome, b.why) for b in booked] == [self.model.book(item) for item in items]

    @rule(data=st.data())
    def book(self, data: st.DataObject) -> None:
        batch = st.lists(items_for(self.accounts, self.ids), min_size=1, max_size=6)
        self.batch(data.draw(batch))

    @invariant()
    def agree(self) -> None:
        opened = [a for a in self.accounts if a.id in self.model.balance or a.id in self.model.held]
        if not opened:
            return
        found = self.runner.run(holdings(self.database, *opened))
        assert found == [
            (self.model.balance.get(a.id, 0), self.model.held.get(a.id, 0)) for a in opened
        ]

    def teardown(self) -> None:
        assert self.runner.run(faults(self.database)) == []


def test_ledger_agrees_with_a_plain_model(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        Ledger.runner, Ledger.database = runner, Database(settings.database_url)
        try:
            run_state_machine_as_test(Ledger, settings=_PATIENT)
        finally:
            runner.run(Ledger.database.dispose())


_PATIENT = limits(
    max_examples=25,
    stateful_step_count=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@limits(_PATIENT, max_examples=20)
@given(data=st.data())
def _many_at_once(runner: asyncio.Runner, database: Database, data: Any) -> None:
    accounts = accounts_of(str(uuid7()))
    ids = [uuid7() for _ in range(12)]
    batches = data.draw(
        st.lists(
            st.lists(items_for(accounts, ids), min_size=1, max_size=5), min_size=4, max_size=10
        )
    )
    funds = [
        post(uuid7(), accounts[3 if a.currency == "THB" else 8], a, 400, "top_up")
        for a in accounts
        if a.kind is AccountKind.WALLET
    ]

    async def race() -> list[Any]:
        await book_batch(database, *funds)
        return await asyncio.gather(*(book_batch(database, *batch) for batch in batches))

    outcomes = runner.run(race())
    made = [
        item.id
        for batch, booked in zip(batches, outcomes, strict=True)
        for item, result in zip(batch, booked, strict=True)
        if result.outcome == "done" and item.op in (Op.POST, Op.HOLD)
    ]
    assert len(made) == len(set(made)), "a transfer was made twice"
    resolved = [
        item.id
        for batch, booked in zip(batches, outcomes, strict=True)
        for item, result in zip(batch, booked, strict=True)
        if result.outcome == "done" and item.op not in (Op.POST, Op.HOLD)
    ]
    assert len(resolved) == len(set(resolved)), "a held transfer was resolved twice"
    assert runner.run(faults(database)) == []


def test_ledger_keeps_its_promises_under_concurrency(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        database = Database(settings.database_url)
        try:
            _many_at_once(runner, database)
        finally:
            runner.run(database.dispose())
