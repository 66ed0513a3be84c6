"""Goodwill: money from the platform into a customer's wallet, for an order that went wrong."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import ledger_repository, repository, wallet_repository
from backend.payments.accounts import country, revenue, wallet_account
from backend.payments.booking import book
from backend.payments.formats import money, with_code
from backend.payments.ledger_rules import post
from backend.payments.refunds import WRITE, refund_limit
from backend.payments.wallet_schemas import CreditIn, CreditOut
from backend.payments.wallets import NoSuchWallet
from backend.platform.errors import FieldError, Forbidden, Invalid

KIND = "goodwill"
_MOST_CREDITS = 200


class OverCredit(Forbidden):
    """More than the caller may give for one order."""

    code = "over_limit"
    title = "This is more than you may give for one order"


async def credit_wallet(
    session: AsyncSession, principal: Principal, wallet_id: UUID, wanted: CreditIn
) -> CreditOut:
    """Give an amount to the wallet's holder; the same id again moves nothing.

    Needs `refunds:write` in the order's region, and holds to the caller's limit for refunds, over
    all that was given for the order. The wallet lies in the order's country. Raises Forbidden for
    a marketplace.
    """
    identity.authorize(principal, WRITE, wanted.region)
    if identity.merchant_of(principal) is not None:
        raise Forbidden("It is Waypost's own money, which no marketplace gives away.")
    row = await wallet_repository.wallet(session, wallet_id)
    if row is None or country(row.region) != country(wanted.region):
        raise NoSuchWallet
    if wanted.amount.currency != row.currency:
        raise _invalid("/amount/currency", "wrong_currency", f"It holds {row.currency}.")
    if wanted.amount.minor == 0:
        raise _invalid("/amount/minor", "zero", "Nothing cannot be given.")
    await _within_limit(session, principal, wanted)
    taker = wallet_account(row.id, row.region, row.currency)
    giver = revenue(row.region, row.currency)
    item = post(
        wanted.id, giver, taker, wanted.amount.minor, KIND,
        order_number=wanted.order, reference=principal.id,
    )  # fmt: skip
    await book(session, [item])
    await identity.record(
        session,
        principal,
        "wallet.credited",
        f"wallet:{row.id}",
        region=wanted.region,
        after={
            "order": wanted.order,
            "amount": wanted.amount.minor,
            "currency": row.currency,
            "transfer": str(wanted.id),
        },
        reason=wanted.reason,
    )
    return CreditOut(transfer_id=wanted.id, wallet_id=row.id, amount=wanted.amount)


async def _within_limit(session: AsyncSession, principal: Principal, wanted: CreditIn) -> None:
    # One after the other for an order, for two at once could each be within the limit.
    await repository.await_turn_of(session, wanted.order)
    given = await ledger_repository.transfers(
        session, ("*",), order=wanted.order, kind=KIND, limit=_MOST_CREDITS
    )
    if len(given) == _MOST_CREDITS:
        raise OverCredit("So often has something been given for this order that nothing more is.")
    before = sum(each.amount for each in given if each.id != wanted.id)
    limit = refund_limit(principal, wanted.region, wanted.amount.currency).limit
    assert limit is not None
    if before + wanted.amount.minor > limit.minor:
        left = max(0, limit.minor - before)
        raise OverCredit(
            f"You may give {money(limit)} for one order; {with_code(left, limit.currency)} of it"
            " are left.",
            errors=[FieldError("/amount/minor", "over_limit", "It is over your limit.")],
        )


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])
