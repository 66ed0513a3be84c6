"""The verbs on the ledger: accounts, entries, balances, transfers, corrections, the whole check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import ledger_repository as repository
from backend.payments.booking import book
from backend.payments.ledger_models import AccountRow, TransferRow
from backend.payments.ledger_rules import Account, AccountKind, Item, Op
from backend.payments.schemas import (
    AccountOut,
    AccountPage,
    AccountRef,
    BalanceOut,
    CorrectionIn,
    EntryOut,
    EntryPage,
    LedgerCheck,
    LedgerFault,
    Money,
    TransferOut,
    TransferPage,
)
from backend.platform import clock
from backend.platform.cursors import (
    as_id,
    decode,
    decode_moment_and_id,
    decode_number,
    encode,
)
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.scopes import EVERYWHERE

READ = "ledger:read"
WRITE = "ledger:write"


class NoSuchAccount(NotFound):
    """There is no such account, or not where the caller may look."""

    title = "There is no such account"


class NoSuchTransfer(NotFound):
    """There is no such transfer, or not where the caller may look."""

    title = "There is no such transfer"


async def list_accounts(
    session: AsyncSession,
    principal: Principal,
    *,
    kind: str | None = None,
    region: str | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> AccountPage:
    """Accounts of the caller's regions with what they hold, by kind and owner."""
    identity.authorize(principal, READ)
    place = None
    if after is not None:
        kind_before, owner, account_id = decode(after, 3)
        place = (kind_before, owner, as_id(account_id))
    rows = await repository.accounts(
        session,
        identity.scopes(principal, READ),
        kind=kind,
        region=region,
        q=q,
        after=place,
        limit=limit + 1,
    )
    held = await repository.balances(session, [row.id for row in rows[:limit]])
    items = [_account(row, *held[row.id]) for row in rows[:limit]]
    more = len(rows) > limit
    last = items[-1] if items else None
    cursor = encode(last.kind, last.owner, last.id) if more and last else None
    return AccountPage(items=items, next_cursor=cursor)


async def get_account(session: AsyncSession, principal: Principal, account_id: UUID) -> AccountOut:
    """One account with what it holds now."""
    row = await _seen(session, principal, account_id)
    balances = await repository.balances(session, [row.id])
    return _account(row, *balances[row.id])


async def _seen(session: AsyncSession, principal: Principal, account_id: UUID) -> AccountRow:
    identity.authorize(principal, READ)
    row = await repository.account(session, account_id)
    if row is None or not identity.may(principal, READ, row.region):
        raise NoSuchAccount
    return row


async def account_entries(
    session: AsyncSession,
    principal: Principal,
    account_id: UUID,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EntryPage:
    """Lines of an account, newest first, each with the balance after it."""
    row = await _seen(session, principal, account_id)
    return await entries_of(session, row, after=after, limit=limit)


async def entries_of(
    session: AsyncSession, account: AccountRow, *, after: str | None, limit: int
) -> EntryPage:
    """The same without asking who looks, for who has been let through already."""
    before = decode_number(after) if after is not None else None
    found = await repository.entries(session, account.id, before=before, limit=limit + 1)
    page = found[:limit]
    balance, version = await _reached(session, account, page)
    others = await repository.accounts_by_id(
        session, [_other(transfer, account.id) for _, transfer in page]
    )
    items = []
    for entry, transfer in page:
        items.append(
            EntryOut(
                seq=entry.seq,
                version=version,
                at=entry.at,
                amount=entry.amount,
                balance=balance,
                currency=account.currency,
                transfer_id=transfer.id,
                kind=transfer.kind,
                order=transfer.order_number,
                reference=transfer.reference,
                other=reference_to(others[_other(transfer, account.id)]),
            )
        )
        balance, version = balance - entry.amount, version - 1
    more = encode(items[-1].seq) if len(found) > limit else None
    return EntryPage(account=reference_to(account), items=items, next_cursor=more)


async def _reached(
    session: AsyncSession, account: AccountRow, page: Sequence[Any]
) -> tuple[int, int]:
    """Balance and number after the first entry of a page; hot accounts do not carry them."""
    if not page:
        return 0, 0
    newest = page[0][0]
    if not account.hot:
        return newest.balance, newest.version
    balance, count = (await repository.balances(session, [account.id]))[account.id]
    later, entries = await repository.after_entry(session, account.id, newest.seq)
    return balance - later, count - entries


def _other(transfer: TransferRow, account_id: UUID) -> UUID:
    return transfer.credit if transfer.debit == account_id else transfer.debit


async def balance_at(
    session: AsyncSession, principal: Principal, account_id: UUID, at: datetime
) -> BalanceOut:
    """What an account held at a time that is past, its own entries of that instant counted."""
    row = await _seen(session, principal, account_id)
    if at > clock.now():
        fault = FieldError("/query/at", "future", "Nobody knows yet what the account will hold.")
        raise Invalid(fault.detail, errors=[fault])
    balance, entries = (await repository.balances(session, [row.id], at))[row.id]
    return BalanceOut(account=reference_to(row), at=at, balance=balance, entries=entries)


async def list_transfers(
    session: AsyncSession,
    principal: Principal,
    *,
    order: str | None = None,
    reference: str | None = None,
    account_id: UUID | None = None,
    kind: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> TransferPage:
    """Transfers that touch an account of the caller's regions, newest first."""
    identity.authorize(principal, READ)
    rows = await repository.transfers(
        session,
        identity.scopes(principal, READ),
        order=order,
        references=[reference] if reference else [],
        account_id=account_id,
        kind=kind,
        state=state,
        after=decode_moment_and_id(after) if after is not None else None,
        limit=limit + 1,
    )
    items = await transfers_out(session, rows[:limit])
    more = encode(items[-1].created_at.isoformat(), items[-1].id) if len(rows) > limit else None
    return TransferPage(items=items, next_cursor=more)


async def get_transfer(
    session: AsyncSession, principal: Principal, transfer_id: UUID
) -> TransferOut:
    """One transfer."""
    identity.authorize(principal, READ)
    row = await repository.transfer(session, transfer_id)
    if row is None:
        raise NoSuchTransfer
    [found] = await transfers_out(session, [row])
    regions = (found.debit.region, found.credit.region)
    if not any(identity.may(principal, READ, region) for region in regions):
        raise NoSuchTransfer
    return found


async def correct_transfer(
    session: AsyncSession, principal: Principal, transfer_id: UUID, wanted: CorrectionIn
) -> TransferOut:
    """Take a posted transfer back, in whole or in part, by a new one; the old one stays as it is.

    Raises Insufficient where the money is no longer there, Invalid where more would be taken back
    than was posted.
    """
    identity.authorize(principal, WRITE)
    row = await repository.transfer(session, transfer_id)
    if row is None:
        raise NoSuchTransfer
    accounts = await repository.accounts_by_id(session, [row.debit, row.credit])
    giver, taker = accounts[row.credit], accounts[row.debit]
    for region in (giver.region, taker.region):
        if not identity.may(principal, READ, region):
            raise NoSuchTransfer
        identity.authorize(principal, WRITE, region)
    if wanted.amount is not None and wanted.amount.currency != row.currency:
        fault = FieldError("/amount/currency", "wrong_currency", f"It was {row.currency}.")
        raise Invalid(fault.detail, errors=[fault])
    item = Item(
        Op.POST,
        wanted.id,
        _named(giver),
        _named(taker),
        wanted.amount.minor if wanted.amount else row.posted,
        "correction",
        row.order_number,
        row.reference,
        corrects=row.id,
    )
    await book(session, [item])
    corrected = await repository.transfer(session, wanted.id)
    assert corrected is not None
    await identity.record(
        session,
        principal,
        "ledger.corrected",
        f"transfer:{row.id}",
        region=giver.region,
        after={"correction": str(wanted.id), "amount": corrected.amount, "currency": row.currency},
        reason=wanted.reason,
    )
    return (await transfers_out(session, [corrected]))[0]


def _named(row: AccountRow) -> Account:
    return Account(AccountKind(row.kind), row.owner, row.region, row.currency)


async def check_ledger(session: AsyncSession, principal: Principal) -> LedgerCheck:
    """Walk the whole ledger; whoever may read it everywhere hears each broken promise."""
    identity.authorize(principal, READ, EVERYWHERE)
    accounts, transfers, entries = await repository.sizes(session)
    faults = await repository.faults(session)
    return LedgerCheck(
        accounts=accounts,
        transfers=transfers,
        entries=entries,
        faults=[
            LedgerFault(rule=cast(Any, rule), subject=subject, detail=detail)
            for rule, subject, detail in faults
        ],
        checked_at=clock.now(),
    )


def reference_to(row: AccountRow) -> AccountRef:
    """The account by what it is."""
    return AccountRef(
        id=row.id, kind=row.kind, owner=row.owner, region=row.region, currency=row.currency
    )


def _account(row: AccountRow, balance: int, entries: int) -> AccountOut:
    return AccountOut(
        **reference_to(row).model_dump(),
        balance=balance,
        held=row.held,
        available=balance - row.held,
        entries=entries,
        floored=row.floored,
        hot=row.hot,
        opened_at=row.opened_at,
    )


async def transfers_out(session: AsyncSession, rows: Sequence[TransferRow]) -> list[TransferOut]:
    """Transfers with their accounts spelled out."""
    ids = {account for row in rows for account in (row.debit, row.credit)}
    accounts = await repository.accounts_by_id(session, list(ids))
    return [
        TransferOut(
            id=row.id,
            debit=reference_to(accounts[row.debit]),
            credit=reference_to(accounts[row.credit]),
            amount=Money(minor=row.amount, currency=row.currency),
            posted=Money(minor=row.posted, currency=row.currency),
            kind=row.kind,
            state=cast(Any, row.state),
            order=row.order_number,
            reference=row.reference,
            corrects=row.corrects,
            expires_at=row.expires_at,
            created_at=row.created_at,
            resolved_at=row.resolved_at,
        )
        for row in rows
    ]
