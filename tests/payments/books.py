"""Accounts and transfers for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from backend.identity.schemas import SYSTEM
from backend.payments import ledger
from backend.payments import ledger_repository as repository
from backend.payments.ledger_rules import Account, AccountKind, Booked, Item, post
from backend.platform.db import Database
from backend.platform.ids import uuid7

CLEARING = Account(AccountKind.CLEARING, "sandbox", "TH", "THB")
SHOP = Account(AccountKind.MERCHANT, "service:shop", "TH", "THB")


def purse(owner: str = "ann", currency: str = "THB") -> Account:
    """A customer's wallet account."""
    return Account(AccountKind.WALLET, owner, "TH-10", currency)


async def book(database: Database, *items: Item) -> list[Booked]:
    """What becomes of a batch booked in a unit of work of its own."""
    async with database.unit_of_work() as session:
        return await repository.book(session, items)


async def fund(database: Database, account: Account, amount: int) -> UUID:
    """Bring money into an account from outside."""
    transfer_id = uuid7()
    outside = Account(AccountKind.CLEARING, "sandbox", "TH", account.currency)
    [booked] = await book(database, post(transfer_id, outside, account, amount, "top_up"))
    assert booked.outcome == "done"
    return transfer_id


async def holdings(database: Database, *accounts: Account) -> list[tuple[int, int]]:
    """Balance and held amount of each account."""
    async with database.unit_of_work() as session:
        balances = await repository.balances(session, [account.id for account in accounts])
        rows = await repository.accounts_by_id(session, [account.id for account in accounts])
    return [(balances[account.id][0], rows[account.id].held) for account in accounts]


async def faults(database: Database) -> Sequence[tuple[str, str, str]]:
    """Broken promises of the whole ledger."""
    async with database.unit_of_work() as session:
        return await repository.faults(session)


async def check(database: Database) -> None:
    """Fail where the ledger breaks any promise."""
    async with database.unit_of_work() as session:
        found = await ledger.check_ledger(session, SYSTEM)
    assert found.faults == []
