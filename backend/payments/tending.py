"""What payments does by the clock: frees expired holds, tells what is late."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import booking, cod_repository, repository
from backend.payments import ledger_repository as ledger
from backend.payments.actions import ACTOR
from backend.payments.asking import tell
from backend.payments.cod_cash import tell_cod
from backend.payments.ledger_rules import expire
from backend.payments.progress import failed
from backend.payments.rules import State
from backend.platform import clock
from backend.platform.db import Database
from backend.settings import get_settings

_AT_ONCE = 200


async def expire_holds(database: Database) -> int:
    """Free the holds whose time has come, each once, and fail the payments they were for."""
    async with database.unit_of_work() as session:
        due = await ledger.due_holds(session, _AT_ONCE)
    freed = 0
    for transfer_id in due:
        async with database.unit_of_work() as session:
            payment = await repository.payment_of_hold(session, transfer_id)
            [booked] = await booking.try_book(session, [expire(transfer_id)])
            freed += booked.outcome == "done"
            if payment is not None and payment.state == State.AUTHORISED:
                reason = "The money was put aside for too long."
                await failed(session, payment, "hold_expired", reason, ACTOR)
    return freed


async def tell_late(database: Database) -> int:
    """Tell of each delivered order that is not paid, and of cash not handed in, once."""
    async with database.unit_of_work() as session:
        return await _late_payments(session) + await _late_cash(session)


async def _late_payments(session: AsyncSession) -> int:
    now = clock.now()
    rows = await repository.late_payments(session, now, _AT_ONCE)
    for payment in rows:
        payment.late_at = now
        await tell(
            session,
            payment,
            "settlement.late",
            ACTOR,
            kind="payment",
            state=payment.state,
            code=payment.failure_code,
            due_at=payment.due_at,
        )
    return len(rows)


async def _late_cash(session: AsyncSession) -> int:
    now = clock.now()
    limit = now - timedelta(seconds=get_settings().cod_late_after_s)
    rows = await cod_repository.late(session, limit, _AT_ONCE)
    for row in rows:
        row.late_at = now
        await tell_cod(session, row, "settlement.late", ACTOR, kind="cash")
    return len(rows)
