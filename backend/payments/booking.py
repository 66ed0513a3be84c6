"""Books batches on the ledger for the verbs of payments, and sums up its busy accounts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import ledger_repository as repository
from backend.payments.ledger_rules import Booked, Item
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.errors import Conflict, DomainError, FieldError, Invalid

_SENTENCES = {
    "insufficient": "There is not enough money in the account.",
    "overflow": "The account cannot hold that much.",
    "currency": "The account is in another currency.",
    "amount": "The amount is out of bounds.",
    "same_account": "Money cannot move from an account to itself.",
    "unknown_account": "There is no such account.",
    "unknown_transfer": "There is no such transfer.",
    "not_posted": "Only what was posted can be corrected.",
    "over_corrected": "More would be taken back than was posted.",
    "already_posted": "The held amount was settled already.",
    "already_voided": "The held amount was released already.",
    "already_expired": "The held amount has expired.",
    "not_due": "The held amount has not expired yet.",
}


class Insufficient(Conflict):
    """An account that cannot go below zero holds too little."""

    code = "insufficient_funds"
    title = "There is not enough money in the account"


def refusal(booked: Booked) -> DomainError:
    """The error that tells why an item was not booked."""
    if booked.outcome == "differs":
        detail = f"A transfer with this id and another {booked.why} exists."
        return Conflict(detail, errors=[FieldError(f"/{booked.why}", "differs", detail)])
    detail = _SENTENCES[booked.why or ""]
    if booked.why == "insufficient":
        return Insufficient(errors=[FieldError("/amount", "insufficient", detail)])
    if booked.why in ("amount", "currency", "overflow", "over_corrected"):
        pointer = "/amount/currency" if booked.why == "currency" else "/amount"
        return Invalid(detail, errors=[FieldError(pointer, booked.why, detail)])
    return Conflict(detail)


async def book(session: AsyncSession, items: Sequence[Item]) -> list[Booked]:
    """Book all of a batch or raise what hinders the first item that cannot be.

    The caller's unit of work ends with the error, and with it whatever was booked before.
    """
    if not items:
        return []
    results = await repository.book(session, items)
    for result in results:
        if not result.stands:
            raise refusal(result)
    return results


async def try_book(session: AsyncSession, items: Sequence[Item]) -> list[Booked]:
    """Book what can be; answers what became of each item."""
    return await repository.book(session, items) if items else []


async def sum_up_hot_accounts(database: Database) -> int:
    """Write down what each hot account holds, so that reading it stays quick; answers how many."""
    async with database.unit_of_work() as session:
        newest = await repository.horizon(session)
        taken_at = clock.now()
    for account_id, seq in newest.items():
        async with database.unit_of_work() as session:
            await repository.sum_up(session, account_id, seq, taken_at)
    return len(newest)
