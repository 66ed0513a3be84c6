"""The verbs on the ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def list_accounts(
    session: AsyncSession,
    principal: Principal,
    *,
    kind: str | None = None,
    region: str | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> AccountPage:
    raise NotImplementedError


async def get_account(session: AsyncSession, principal: Principal, account_id: UUID) -> AccountOut:
    raise NotImplementedError


async def account_entries(
    session: AsyncSession,
    principal: Principal,
    account_id: UUID,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EntryPage:
    raise NotImplementedError


async def balance_at(
    session: AsyncSession, principal: Principal, account_id: UUID, at: datetime
) -> BalanceOut:
    raise NotImplementedError


async def list_transfers(
    session: AsyncSession,
    principal: Principal,
    *,
    order: str | None = None,
    reference: str | None = None,
    account_id: UUID | None = None,
    kind: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> TransferPage:
    raise NotImplementedError


async def get_transfer(
    session: AsyncSession, principal: Principal, transfer_id: UUID
) -> TransferOut:
    raise NotImplementedError


async def correct_transfer(
    session: AsyncSession, principal: Principal, transfer_id: UUID, wanted: CorrectionIn
) -> TransferOut:
    raise NotImplementedError


async def check_ledger(session: AsyncSession, principal: Principal) -> LedgerCheck:
    raise NotImplementedError
