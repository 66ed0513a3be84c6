"""The search for payments by what their gateways call them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import repository, views
from backend.payments.reach import reach
from backend.payments.schemas import PaymentOut

READ = "payments:read"
_SHORTEST = 6
_LONGEST = 200


async def search_payments(
    session: AsyncSession, principal: Principal, q: str, limit: int = 20
) -> list[PaymentOut]:
    """The caller's payments with this id or gateway's reference, to the letter; newest first."""
    identity.authorize(principal, READ)
    ref = q.strip()
    if not _SHORTEST <= len(ref) <= _LONGEST or "\x00" in ref:
        return []
    found = await repository.payments_called(
        session, reach(principal, READ), ref, _id_of(ref), limit
    )
    return [views.payment_out(row) for row in found]


def _id_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
