"""Every query of wallets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.ledger_models import AccountRow
from backend.payments.ledger_repository import reached, within
from backend.payments.models import WalletRow
from backend.payments.reach import Reach


async def wallet(session: AsyncSession, wallet_id: UUID) -> WalletRow | None:
    """The wallet with this id."""
    return await session.get(WalletRow, wallet_id)


async def open_once(session: AsyncSession, row: WalletRow) -> WalletRow:
    """The holder's wallet in this currency: the given one, or the one that was there before."""
    values = insert(WalletRow).values(row.model_dump())
    await session.execute(
        values.on_conflict_do_nothing(index_elements=["merchant", "holder", "currency"])
    )
    found = await session.scalar(
        select(WalletRow).where(
            col(WalletRow.merchant) == row.merchant,
            col(WalletRow.holder) == row.holder,
            col(WalletRow.currency) == row.currency,
        )
    )
    assert found is not None
    return found


async def wallets(
    session: AsyncSession,
    reach: Reach,
    *,
    region: str | None,
    q: str | None,
    before: UUID | None,
    limit: int,
) -> list[WalletRow]:
    """Wallets, newest first, in reach and matching what is set."""
    mine = reached(col(WalletRow.region), col(WalletRow.merchant), reach)
    query = select(WalletRow).where(mine)
    if region:
        query = query.where(within(col(WalletRow.region), [region]))
    if q:
        columns = (col(WalletRow.holder), col(WalletRow.name))
        query = query.where(or_(*(column.icontains(q, autoescape=True) for column in columns)))
    if before is not None:
        query = query.where(col(WalletRow.id) < before)
    return list(await session.scalars(query.order_by(col(WalletRow.id).desc()).limit(limit)))


async def purses(session: AsyncSession, account_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Balance and held amount of each wallet's account; what was never used is not there."""
    found = await session.execute(
        select(col(AccountRow.id), col(AccountRow.balance), col(AccountRow.held)).where(
            col(AccountRow.id).in_(account_ids)
        )
    )
    return {row[0]: (row[1], row[2]) for row in found}
