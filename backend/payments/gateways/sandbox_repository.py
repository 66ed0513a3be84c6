"""Every query of the sandbox gateway."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.gateways.sandbox_models import (
    SandboxNoticeRow,
    SandboxOperationRow,
    SandboxPaymentRow,
)


async def payment(session: AsyncSession, ref: str) -> SandboxPaymentRow | None:
    """The sandbox's payment, locked."""
    return await session.get(SandboxPaymentRow, ref, with_for_update=True)


async def operation(session: AsyncSession, key: UUID) -> SandboxOperationRow | None:
    """What was done under a key."""
    return await session.get(SandboxOperationRow, key)


async def operations_of(session: AsyncSession, action: str, ref: str) -> list[SandboxOperationRow]:
    """What was done to a payment by one kind of action."""
    found = await session.scalars(
        select(SandboxOperationRow).where(
            col(SandboxOperationRow.action) == action, col(SandboxOperationRow.ref) == ref
        )
    )
    return list(found)


async def payments_of_day(
    session: AsyncSession, since: datetime, until: datetime
) -> list[SandboxPaymentRow]:
    """The sandbox's payments of a time, oldest first."""
    found = await session.scalars(
        select(SandboxPaymentRow)
        .where(
            col(SandboxPaymentRow.created_at) >= since, col(SandboxPaymentRow.created_at) < until
        )
        .order_by(col(SandboxPaymentRow.created_at))
    )
    return list(found)


async def due_notices(session: AsyncSession, now: datetime, limit: int) -> list[SandboxNoticeRow]:
    """Messages whose time has come, locked, in the order in which they go out."""
    found = await session.scalars(
        select(SandboxNoticeRow)
        .where(col(SandboxNoticeRow.due_at) <= now)
        .order_by(col(SandboxNoticeRow.rank), col(SandboxNoticeRow.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)
