"""The verbs on reconciliation with gateways."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def import_report(
    session: AsyncSession, principal: Principal, wanted: ReportIn
) -> ReconciliationDetail:
    raise NotImplementedError


async def list_reconciliations(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ReconciliationPage:
    raise NotImplementedError


async def get_reconciliation(
    session: AsyncSession, principal: Principal, reconciliation_id: UUID
) -> ReconciliationDetail:
    raise NotImplementedError


async def settle_difference(
    session: AsyncSession, principal: Principal, difference_id: UUID, wanted: SettleDifferenceIn
) -> DifferenceOut:
    raise NotImplementedError
