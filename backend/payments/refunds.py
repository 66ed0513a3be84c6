"""The verbs on refunds: ask, approve, turn down."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def list_refunds(
    session: AsyncSession,
    principal: Principal,
    wanted: RefundFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> RefundPage:
    raise NotImplementedError


async def get_refund(session: AsyncSession, principal: Principal, refund_id: UUID) -> RefundOut:
    raise NotImplementedError


async def request_refund(
    session: AsyncSession, principal: Principal, wanted: RefundIn
) -> RefundOut:
    raise NotImplementedError


async def approve_refund(
    session: AsyncSession, principal: Principal, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    raise NotImplementedError


async def reject_refund(
    session: AsyncSession, principal: Principal, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    raise NotImplementedError


def refund_limit(principal: Principal, region: str, currency: str) -> RefundLimit:
    raise NotImplementedError
