"""The verbs on payments: list, look, pay, capture, give up, try again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.payments.schemas import *


async def list_payments(
    session: AsyncSession,
    principal: Principal,
    wanted: PaymentFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> PaymentPage:
    raise NotImplementedError


async def get_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID
) -> PaymentDetail:
    raise NotImplementedError


async def order_payments(session: AsyncSession, principal: Principal, number: str) -> OrderPayments:
    raise NotImplementedError


async def failure_groups(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[FailureGroup]:
    raise NotImplementedError


async def payment_totals(
    session: AsyncSession, principal: Principal, since: datetime, region: str | None = None
) -> PaymentTotals:
    raise NotImplementedError


async def create_payment(
    session: AsyncSession, principal: Principal, wanted: PaymentIn
) -> PaymentOut:
    raise NotImplementedError


async def capture_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: CaptureIn
) -> PaymentOut:
    raise NotImplementedError


async def cancel_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: CancelIn
) -> PaymentOut:
    raise NotImplementedError


async def retry_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: RetryIn
) -> PaymentOut:
    raise NotImplementedError


async def retry_payments(
    session: AsyncSession, principal: Principal, payment_ids: Sequence[UUID]
) -> BulkResults:
    raise NotImplementedError
