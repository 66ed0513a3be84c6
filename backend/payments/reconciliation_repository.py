"""Every query of reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.ledger_repository import within
from backend.payments.models import DifferenceRow, PaymentRow, ReconciliationRow, RefundRow


async def payments_of_report(
    session: AsyncSession,
    gateway: str,
    region: str,
    refs: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[PaymentRow]:
    """A gateway's payments that a report names, and those captured in its time and region."""
    found = await session.scalars(
        select(PaymentRow).where(
            col(PaymentRow.gateway) == gateway,
            or_(
                col(PaymentRow.gateway_ref).in_(refs),
                (col(PaymentRow.captured_at) >= since)
                & (col(PaymentRow.captured_at) < until)
                & within(col(PaymentRow.region), [region]),
            ),
        )
    )
    return list(found)


async def refunds_of_report(
    session: AsyncSession,
    gateway: str,
    region: str,
    refs: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[RefundRow]:
    """A gateway's refunds that a report names, and those that succeeded in its time and region."""
    found = await session.scalars(
        select(RefundRow)
        .join(PaymentRow, col(PaymentRow.id) == col(RefundRow.payment_id))
        .where(
            col(PaymentRow.gateway) == gateway,
            or_(
                col(RefundRow.gateway_ref).in_(refs),
                (col(RefundRow.gateway_ref).is_not(None))
                & (col(RefundRow.finished_at) >= since)
                & (col(RefundRow.finished_at) < until)
                & within(col(RefundRow.region), [region]),
            ),
        )
    )
    return list(found)


async def by_digest(session: AsyncSession, gateway: str, digest: str) -> ReconciliationRow | None:
    """The report that had this very content."""
    return await session.scalar(
        select(ReconciliationRow).where(
            col(ReconciliationRow.gateway) == gateway, col(ReconciliationRow.digest) == digest
        )
    )


async def add(
    session: AsyncSession, row: ReconciliationRow, differences: Sequence[DifferenceRow]
) -> None:
    """Keep a report with its differences."""
    session.add(row)
    session.add_all(differences)
    await session.flush()


async def report(session: AsyncSession, report_id: UUID) -> ReconciliationRow | None:
    """The report with this id."""
    return await session.get(ReconciliationRow, report_id)


async def reports(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    region: str | None,
    before: UUID | None,
    limit: int,
) -> list[ReconciliationRow]:
    """Reports, newest first, in the scopes."""
    query = select(ReconciliationRow).where(within(col(ReconciliationRow.region), scopes))
    if region:
        query = query.where(within(col(ReconciliationRow.region), [region]))
    if before is not None:
        query = query.where(col(ReconciliationRow.id) < before)
    found = await session.scalars(query.order_by(col(ReconciliationRow.id).desc()).limit(limit))
    return list(found)


async def counts(session: AsyncSession, report_ids: Sequence[UUID]) -> Sequence[Any]:
    """How many differences each report has, and how many nobody has settled."""
    found: Any = await session.execute(
        select(
            col(DifferenceRow.reconciliation_id).label("id"),
            func.count().label("all"),
            func.count().filter(col(DifferenceRow.settled_at).is_(None)).label("open"),
        )
        .where(col(DifferenceRow.reconciliation_id).in_(report_ids))
        .group_by(col(DifferenceRow.reconciliation_id))
    )
    rows: Sequence[Any] = found.all()
    return rows


async def differences(session: AsyncSession, report_id: UUID) -> list[DifferenceRow]:
    """Every difference of a report, in the order of its lines."""
    found = await session.scalars(
        select(DifferenceRow)
        .where(col(DifferenceRow.reconciliation_id) == report_id)
        .order_by(col(DifferenceRow.id))
    )
    return list(found)


async def difference_for_update(session: AsyncSession, difference_id: UUID) -> DifferenceRow | None:
    """The difference with this id, locked."""
    return await session.get(DifferenceRow, difference_id, with_for_update=True)
