"""The verbs on cash on delivery."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def cod_board(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> CodBoard:
    raise NotImplementedError


async def list_cod_orders(
    session: AsyncSession,
    principal: Principal,
    wanted: CodFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> CodOrderPage:
    raise NotImplementedError


async def list_remittances(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> RemittancePage:
    raise NotImplementedError


async def record_remittance(
    session: AsyncSession, principal: Principal, wanted: RemittanceIn
) -> RemittanceOut:
    raise NotImplementedError
