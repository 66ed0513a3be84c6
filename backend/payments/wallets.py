"""The verbs on wallets: open, look, top up, history, a month's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.payments import ledger, ledger_repository, orders, views, wallet_repository
from backend.payments.accounts import PLATFORM, country, wallet_account
from backend.payments.gateways.registry import gateway_of
from backend.payments.models import PaymentRow, WalletRow
from backend.payments.reach import may, reach
from backend.payments.rules import State
from backend.payments.schemas import (
    AccountRef,
    EntryPage,
    Money,
    PaymentOut,
    Statement,
    StatementLine,
    TopUpIn,
    WalletIn,
    WalletOut,
    WalletPage,
)
from backend.platform import clock
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.regions import service as regions
from backend.settings import get_settings

READ = "wallets:read"
WRITE = "wallets:write"
_WORDS = {
    "top_up": "Top-up",
    "payment": "Payment",
    "refund": "Refund",
    "refund_due": "Refund of a top-up",
    "correction": "Correction",
    "goodwill": "Goodwill",
}


class NoSuchWallet(NotFound):
    """There is no such wallet, or not where the caller may look."""

    title = "There is no such wallet"


async def list_wallets(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> WalletPage:
    """Wallets of the caller's regions, newest first; `q` looks in holders and names."""
    identity.authorize(principal, READ)
    rows = await wallet_repository.wallets(
        session,
        reach(principal, READ),
        region=region,
        q=q,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    items = await _outs(session, principal, rows[:limit])
    return WalletPage(items=items, next_cursor=encode(items[-1].id) if len(rows) > limit else None)


async def _seen(
    session: AsyncSession, principal: Principal, wallet_id: UUID, permission: str = READ
) -> WalletRow:
    identity.authorize(principal, permission)
    row = await wallet_repository.wallet(session, wallet_id)
    if row is None or not (may(principal, READ, row) or may(principal, permission, row)):
        raise NoSuchWallet
    identity.authorize(principal, permission, row.region)
    return row


async def get_wallet(session: AsyncSession, principal: Principal, wallet_id: UUID) -> WalletOut:
    """One wallet with what it holds."""
    row = await _seen(session, principal, wallet_id)
    return (await _outs(session, principal, [row]))[0]


async def open_wallet(session: AsyncSession, principal: Principal, wanted: WalletIn) -> WalletOut:
    """The holder's wallet in the region's currency; a holder has one, however often it is asked."""
    identity.authorize(principal, WRITE, wanted.region)
    region = (await regions.directory(session, SYSTEM)).get(wanted.region)
    if region is None or region.currency is None:
        fault = FieldError("/region", "unknown", f"{wanted.region} is not a region's code.")
        raise Invalid(fault.detail, errors=[fault])
    wallet_id = uuid7()
    row = await wallet_repository.open_once(
        session,
        WalletRow(
            id=wallet_id,
            account_id=wallet_account(wallet_id, region.code, region.currency).id,
            merchant=identity.merchant_of(principal) or PLATFORM,
            holder=wanted.holder,
            name=wanted.name,
            region=region.code,
            currency=region.currency,
            created_at=clock.now(),
        ),
    )
    if row.id != wallet_id and not identity.may(principal, WRITE, row.region):
        raise NoSuchWallet
    return (await _outs(session, principal, [row]))[0]


async def top_up(
    session: AsyncSession, principal: Principal, wallet_id: UUID, wanted: TopUpIn
) -> PaymentOut:
    """Bring money into a wallet: a payment that is captured as soon as it is authorised."""
    row = await _seen(session, principal, wallet_id, WRITE)
    if wanted.amount.currency != row.currency:
        fault = FieldError("/amount/currency", "wrong_currency", f"It holds {row.currency}.")
        raise Invalid(fault.detail, errors=[fault])
    if wanted.amount.minor == 0:
        fault = FieldError("/amount/minor", "zero", "Nothing cannot be brought in.")
        raise Invalid(fault.detail, errors=[fault])
    now = clock.now()
    payment = PaymentRow(
        id=uuid7(),
        purpose="top_up",
        region=row.region,
        merchant=None if row.merchant == PLATFORM else row.merchant,
        wallet_id=row.id,
        terms="top_up",
        gateway=wanted.gateway or gateway_of(get_settings(), country(row.region)),
        method=wanted.method,
        amount=wanted.amount.minor,
        currency=row.currency,
        state=State.PROCESSING,
        wanted="capture",
        created_by=principal.id,
        created_at=now,
        updated_at=now,
    )
    session.add(payment)
    await session.flush()
    await orders.begin(session, payment, principal.id)
    await identity.record(
        session,
        principal,
        "wallet.top_up_asked",
        f"wallet:{row.id}",
        region=row.region,
        after={
            "payment": str(payment.id), "amount": payment.amount, "currency": payment.currency,
        },
    )  # fmt: skip
    return views.payment_out(payment)


async def wallet_entries(
    session: AsyncSession,
    principal: Principal,
    wallet_id: UUID,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EntryPage:
    """What went in and out of a wallet, newest first, with the balance after each."""
    row = await _seen(session, principal, wallet_id)
    account = await ledger_repository.account(session, row.account_id)
    if account is None:
        named = wallet_account(row.id, row.region, row.currency)
        empty = AccountRef(
            id=named.id, kind=named.kind, owner=named.owner, region=named.region,
            currency=named.currency,
        )  # fmt: skip
        return EntryPage(account=empty, items=[], next_cursor=None)
    return await ledger.entries_of(session, account, after=after, limit=limit)


async def wallet_statement(
    session: AsyncSession, principal: Principal, wallet_id: UUID, month: date
) -> Statement:
    """A wallet's month, from its first local midnight to the next month's."""
    row = await _seen(session, principal, wallet_id)
    directory = await regions.directory(session, SYSTEM)
    region = directory.get(row.region)
    zone = (region and region.time_zone) or "UTC"
    since = datetime(month.year, month.month, 1, tzinfo=ZoneInfo(zone))
    until = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=ZoneInfo(zone))
    found = await ledger_repository.entries_between(session, row.account_id, since, until)
    lines = [
        StatementLine(
            at=entry.at,
            description=_WORDS.get(transfer.kind, transfer.kind),
            order=transfer.order_number,
            amount=entry.amount,
            balance=entry.balance,
        )
        for entry, transfer in found
    ]
    opening = await _opening(session, row, lines, since)
    return Statement(
        wallet_id=row.id,
        holder=row.holder,
        name=row.name,
        region=row.region,
        place=region.name if region else row.region,
        time_zone=zone,
        currency=row.currency,
        month=since.date(),
        opening=opening,
        closing=lines[-1].balance if lines else opening,
        paid_in=sum(line.amount for line in lines if line.amount > 0),
        paid_out=-sum(line.amount for line in lines if line.amount < 0),
        lines=lines,
    )


async def _opening(
    session: AsyncSession, row: WalletRow, lines: Sequence[StatementLine], since: datetime
) -> int:
    if lines:
        return lines[0].balance - lines[0].amount
    balances = await ledger_repository.balances(session, [row.account_id], since)
    return balances.get(row.account_id, (0, 0))[0]


async def _outs(
    session: AsyncSession, principal: Principal, rows: Sequence[WalletRow]
) -> list[WalletOut]:
    purses = await wallet_repository.purses(session, [row.account_id for row in rows])
    return [
        _out(row, *purses.get(row.account_id, (0, 0)), whole=_knows_names(principal, row))
        for row in rows
    ]


def _knows_names(principal: Principal, row: WalletRow) -> bool:
    return principal.id == row.merchant or any(
        identity.may(principal, permission, row.region) for permission in (WRITE, "orders:reveal")
    )


def _out(row: WalletRow, balance: int, held: int, *, whole: bool) -> WalletOut:
    def money(minor: int) -> Money:
        return Money(minor=minor, currency=row.currency)

    return WalletOut(
        **row.model_dump(exclude={"name"}),
        name=row.name if whole else identity.mask({"account": row.name})["account"],
        balance=money(balance),
        held=money(held),
        available=money(balance - held),
    )
