"""Every query of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, or_, select, text, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.ledger_models import AccountRow, EntryRow, TransferRow
from backend.payments.ledger_rules import Account, Booked, Item
from backend.payments.reach import Reach
from backend.platform.scopes import EVERYWHERE

_BOOK = text(
    "SELECT place, outcome, why FROM payments_book(CAST(:accounts AS jsonb), CAST(:items AS jsonb))"
)
_DUE = text(
    "SELECT id FROM payments_transfer WHERE state = 'pending' AND expires_at <= now()"
    " ORDER BY expires_at LIMIT :limit"
)
_HORIZON = text(
    "SELECT DISTINCT ON (e.account_id) e.account_id, e.seq FROM payments_account a"
    " CROSS JOIN LATERAL (SELECT account_id, seq FROM payments_entry"
    "   WHERE account_id = a.id ORDER BY seq DESC LIMIT 1) e WHERE a.hot"
)
_SUM_UP = text(
    "INSERT INTO payments_snapshot (account_id, through_seq, balance, entries, taken_at)"
    " SELECT :account, :seq, coalesce(max(s.balance), 0) + sum(e.amount),"
    "   coalesce(max(s.entries), 0) + count(*), :taken_at"
    " FROM payments_entry e LEFT JOIN LATERAL ("
    "   SELECT balance, entries, through_seq FROM payments_snapshot"
    "   WHERE account_id = :account ORDER BY through_seq DESC LIMIT 1) s ON true"
    " WHERE e.account_id = :account AND e.seq <= :seq AND e.seq > coalesce(s.through_seq, 0)"
    " HAVING count(*) > 0 ON CONFLICT DO NOTHING"
)


def batch_json(items: Sequence[Item]) -> dict[str, str]:
    """The two arguments of `payments_book`: the accounts named in the batch, and its items.

    `default` is for asyncpg's own kind of UUID.
    """
    accounts: dict[UUID, Account] = {}
    for item in items:
        for account in (item.debit, item.credit):
            if account is not None:
                accounts[account.id] = account
    return {
        "accounts": orjson.dumps(
            [
                {
                    "id": account_id, "kind": account.kind, "owner": account.owner,
                    "region": account.region, "currency": account.currency,
                    "floored": account.floored, "hot": account.hot,
                }
                for account_id, account in accounts.items()
            ],
            default=str,
        ).decode(),
        "items": orjson.dumps(
            [
                {
                    "op": item.op, "id": item.id, "amount": item.amount,
                    "debit": item.debit.id if item.debit else None,
                    "credit": item.credit.id if item.credit else None,
                    "currency": item.debit.currency if item.debit else None,
                    "kind": item.kind, "order_number": item.order_number,
                    "reference": item.reference, "corrects": item.corrects,
                    "expires_at": item.expires_at,
                }
                for item in items
            ],
            default=str,
        ).decode(),
    }  # fmt: skip


async def book(session: AsyncSession, items: Sequence[Item]) -> list[Booked]:
    """Book a batch in one round trip; answers what became of each item, in order."""
    rows = (await session.execute(_BOOK, batch_json(items))).all()
    return [Booked(row.outcome, row.why) for row in sorted(rows, key=lambda row: row.place)]


async def due_holds(session: AsyncSession, limit: int) -> list[UUID]:
    """Held transfers whose time has come."""
    return list(await session.scalars(_DUE, {"limit": limit}))


async def horizon(session: AsyncSession) -> dict[UUID, int]:
    """The newest entry of each hot account, at a moment at which no older one can still appear.

    Entries get their numbers before they are committed: for an instant nobody may be posting.
    """
    await session.execute(text("SET LOCAL lock_timeout = '250ms'"))
    await session.execute(text("LOCK TABLE payments_entry IN SHARE MODE"))
    return {row.account_id: row.seq for row in await session.execute(_HORIZON)}


async def sum_up(session: AsyncSession, account: UUID, seq: int, taken_at: datetime) -> None:
    """Keep what a hot account held after entry `seq`."""
    await session.execute(_SUM_UP, {"account": account, "seq": seq, "taken_at": taken_at})


def within(column: Any, scopes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a region column lies in any of the scopes."""
    if EVERYWHERE in scopes:
        return true()
    return or_(
        *(
            or_(column == scope, *(column.startswith(scope + end, autoescape=True) for end in "-."))
            for scope in scopes
        )
    )


def reached(region: Any, merchant: Any, reach: Reach) -> ColumnElement[bool]:
    """Whether a row with these columns is one that a reach covers."""
    inside = within(region, reach.scopes)
    return inside if reach.merchant is None else and_(inside, merchant == reach.merchant)


async def accounts(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    kind: str | None,
    region: str | None,
    q: str | None,
    after: tuple[str, str, UUID] | None,
    limit: int,
) -> list[AccountRow]:
    """Accounts by kind and owner, in the scopes and matching what is set."""
    wanted = select(AccountRow).where(within(col(AccountRow.region), scopes))
    if kind:
        wanted = wanted.where(col(AccountRow.kind) == kind)
    if region:
        wanted = wanted.where(within(col(AccountRow.region), [region]))
    if q:
        wanted = wanted.where(col(AccountRow.owner).icontains(q, autoescape=True))
    order = (col(AccountRow.kind), col(AccountRow.owner), col(AccountRow.id))
    if after:
        wanted = wanted.where(tuple_(*order) > after)
    return list(await session.scalars(wanted.order_by(*order).limit(limit)))


async def account(session: AsyncSession, account_id: UUID) -> AccountRow | None:
    """The account with this id, as the database has it now."""
    return await session.get(AccountRow, account_id, populate_existing=True)


async def accounts_by_id(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AccountRow]:
    """The accounts with these ids."""
    found = await session.scalars(select(AccountRow).where(col(AccountRow.id).in_(ids)))
    return {row.id: row for row in found}


async def balances(
    session: AsyncSession, ids: Sequence[UUID], until: datetime | None = None
) -> dict[UUID, tuple[int, int]]:
    """Balance and number of entries of each account, now or at a past time."""
    rows = await session.execute(
        text("SELECT * FROM payments_balances(CAST(:ids AS uuid[]), CAST(:until AS timestamptz))"),
        {"ids": list(ids), "until": until},
    )
    return {row.account_id: (int(row.balance), int(row.entries)) for row in rows}


async def entries(
    session: AsyncSession, account_id: UUID, *, before: int | None, limit: int
) -> list[tuple[EntryRow, TransferRow]]:
    """Entries of an account with their transfers, newest first, below number `before`."""
    wanted = (
        select(EntryRow, TransferRow)
        .join(TransferRow, col(TransferRow.id) == col(EntryRow.transfer_id))
        .where(col(EntryRow.account_id) == account_id)
    )
    if before is not None:
        wanted = wanted.where(col(EntryRow.seq) < before)
    found = await session.execute(wanted.order_by(col(EntryRow.seq).desc()).limit(limit))
    return [(row[0], row[1]) for row in found]


async def entries_between(
    session: AsyncSession, account_id: UUID, since: datetime, until: datetime
) -> list[tuple[EntryRow, TransferRow]]:
    """Entries with their transfers from `since` up to but not at `until`, oldest first."""
    found = await session.execute(
        select(EntryRow, TransferRow)
        .join(TransferRow, col(TransferRow.id) == col(EntryRow.transfer_id))
        .where(
            col(EntryRow.account_id) == account_id,
            col(EntryRow.at) >= since,
            col(EntryRow.at) < until,
        )
        .order_by(col(EntryRow.seq))
    )
    return [(row[0], row[1]) for row in found]


async def after_entry(session: AsyncSession, account_id: UUID, seq: int) -> tuple[int, int]:
    """Sum and number of an account's entries above `seq`."""
    row = (
        await session.execute(
            text(
                "SELECT coalesce(sum(amount), 0) AS amount, count(*) AS entries"
                " FROM payments_entry WHERE account_id = :account AND seq > :seq"
            ),
            {"account": account_id, "seq": seq},
        )
    ).one()
    return int(row.amount), int(row.entries)


async def transfer(session: AsyncSession, transfer_id: UUID) -> TransferRow | None:
    """The transfer with this id, as the database has it now."""
    return await session.get(TransferRow, transfer_id, populate_existing=True)


async def transfers(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    order: str | None = None,
    references: Sequence[str] = (),
    account_id: UUID | None = None,
    kind: str | None = None,
    state: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[TransferRow]:
    """Transfers newest first that touch an account in the scopes and match what is set."""
    wanted = select(TransferRow)
    if EVERYWHERE not in scopes:
        seen = select(col(AccountRow.id)).where(within(col(AccountRow.region), scopes))
        wanted = wanted.where(
            or_(col(TransferRow.debit).in_(seen), col(TransferRow.credit).in_(seen))
        )
    if order:
        wanted = wanted.where(col(TransferRow.order_number) == order)
    if references:
        wanted = wanted.where(col(TransferRow.reference).in_(references))
    if account_id:
        wanted = wanted.where(
            or_(col(TransferRow.debit) == account_id, col(TransferRow.credit) == account_id)
        )
    if kind:
        wanted = wanted.where(col(TransferRow.kind) == kind)
    if state:
        wanted = wanted.where(col(TransferRow.state) == state)
    sort = (col(TransferRow.created_at), col(TransferRow.id))
    if after:
        wanted = wanted.where(tuple_(*sort) < after)
    found = await session.scalars(wanted.order_by(*(c.desc() for c in sort)).limit(limit))
    return list(found)


_FAULTS = {
    "zero_sum": "SELECT a.currency AS subject, 'entries add up to ' || sum(e.amount) AS detail"
    " FROM payments_entry e JOIN payments_account a ON a.id = e.account_id"
    " GROUP BY a.currency HAVING sum(e.amount) <> 0",
    "chain": "SELECT account_id::text AS subject, 'entry ' || version || ' leaves ' || balance"
    " || ' where ' || running || ' is right' AS detail FROM ("
    "   SELECT account_id, version, balance, sum(amount) OVER (PARTITION BY account_id"
    "     ORDER BY version) AS running FROM payments_entry WHERE version IS NOT NULL) e"
    " WHERE balance <> running"
    " UNION ALL SELECT a.id::text, 'holds ' || a.balance || ' where its entries say '"
    "   || coalesce(sum(e.amount), 0) FROM payments_account a"
    "   LEFT JOIN payments_entry e ON e.account_id = a.id WHERE NOT a.hot"
    "   GROUP BY a.id, a.balance HAVING a.balance <> coalesce(sum(e.amount), 0)"
    " UNION ALL SELECT s.account_id::text, 'was summed up to ' || s.balance || ' through entry '"
    "   || s.through_seq || ' where ' || t.total || ' is right' FROM payments_snapshot s"
    "   CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM payments_entry e"
    "     WHERE e.account_id = s.account_id AND e.seq <= s.through_seq) t"
    "   WHERE s.balance <> t.total",
    "versions": "SELECT a.id::text AS subject, 'has ' || count(e.version) || ' entries up to '"
    " || coalesce(max(e.version), 0) || ' and counts ' || a.version AS detail"
    " FROM payments_account a LEFT JOIN payments_entry e ON e.account_id = a.id"
    " WHERE NOT a.hot GROUP BY a.id, a.version"
    " HAVING a.version <> count(e.version) OR a.version <> coalesce(max(e.version), 0)",
    "two_entries": "SELECT t.id::text AS subject, t.state || ' with ' || count(e.amount)"
    " || ' entries' AS detail FROM payments_transfer t"
    " LEFT JOIN payments_entry e ON e.transfer_id = t.id GROUP BY t.id"
    " HAVING count(e.amount) <> CASE t.state WHEN 'posted' THEN 2 ELSE 0 END"
    "   OR coalesce(sum(e.amount), 0) <> 0 OR coalesce(max(e.amount), 0) <> t.posted",
    "floor": "SELECT id::text AS subject, 'holds ' || balance || ' with ' || held || ' held'"
    " AS detail FROM payments_account WHERE floored AND balance < held",
    "held": "SELECT a.id::text AS subject, a.held || ' is held where '"
    " || coalesce(sum(t.amount), 0) || ' is pending' AS detail FROM payments_account a"
    " LEFT JOIN payments_transfer t ON t.debit = a.id AND t.state = 'pending'"
    " WHERE NOT a.hot GROUP BY a.id, a.held HAVING a.held <> coalesce(sum(t.amount), 0)",
}


async def faults(session: AsyncSession, most: int = 100) -> list[tuple[str, str, str]]:
    """Broken promises of the ledger as rule, subject and detail."""
    found: list[tuple[str, str, str]] = []
    for rule, query in _FAULTS.items():
        rows = await session.execute(text(f"{query} LIMIT {most}"))
        found += [(rule, row.subject, row.detail) for row in rows]
    return found


async def sizes(session: AsyncSession) -> tuple[int, int, int]:
    """How many accounts, transfers and entries there are."""
    row = (
        await session.execute(
            text(
                "SELECT (SELECT count(*) FROM payments_account) AS accounts,"
                " (SELECT count(*) FROM payments_transfer) AS transfers,"
                " (SELECT count(*) FROM payments_entry) AS entries"
            )
        )
    ).one()
    return row.accounts, row.transfers, row.entries
