"""Lists of payments as CSV."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def export_payments(
    session: AsyncSession, principal: Principal, wanted: PaymentFilter
) -> str:
    raise NotImplementedError


async def export_refunds(session: AsyncSession, principal: Principal, wanted: RefundFilter) -> str:
    raise NotImplementedError


async def export_entries(session: AsyncSession, principal: Principal, account_id: UUID) -> str:
    raise NotImplementedError


async def export_cod(session: AsyncSession, principal: Principal, wanted: CodFilter) -> str:
    raise NotImplementedError


async def export_differences(
    session: AsyncSession, principal: Principal, reconciliation_id: UUID
) -> str:
    raise NotImplementedError
