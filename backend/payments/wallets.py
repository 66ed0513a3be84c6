"""The verbs on wallets."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def list_wallets(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> WalletPage:
    raise NotImplementedError


async def get_wallet(session: AsyncSession, principal: Principal, wallet_id: UUID) -> WalletOut:
    raise NotImplementedError


async def open_wallet(session: AsyncSession, principal: Principal, wanted: WalletIn) -> WalletOut:
    raise NotImplementedError


async def top_up(
    session: AsyncSession, principal: Principal, wallet_id: UUID, wanted: TopUpIn
) -> PaymentOut:
    raise NotImplementedError


async def wallet_entries(
    session: AsyncSession,
    principal: Principal,
    wallet_id: UUID,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EntryPage:
    raise NotImplementedError


async def wallet_statement(
    session: AsyncSession, principal: Principal, wallet_id: UUID, month: date
) -> Statement:
    raise NotImplementedError
