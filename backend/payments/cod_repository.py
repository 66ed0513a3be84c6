"""Every query of cash on delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.cod_schemas import CodFilter
from backend.payments.ledger_repository import reached, within
from backend.payments.models import CodRow, RemittanceRow
from backend.payments.reach import Reach


async def cod(session: AsyncSession, order_id: UUID) -> CodRow | None:
    """The cash of an order, locked."""
    return await session.get(CodRow, order_id, with_for_update=True, populate_existing=True)


async def cod_of_number(session: AsyncSession, number: str) -> CodRow | None:
    """The cash of the order with this number."""
    return await session.scalar(select(CodRow).where(col(CodRow.order_number) == number))


async def orders(
    session: AsyncSession,
    reach: Reach,
    wanted: CodFilter,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[CodRow]:
    """Orders with cash, newest first, in reach and matching what is set."""
    query = select(CodRow).where(_reached(reach))
    if wanted.region:
        query = query.where(within(col(CodRow.region), [wanted.region]))
    if wanted.states:
        query = query.where(col(CodRow.state).in_(wanted.states))
    for name in ("driver_id", "hub", "shift", "merchant"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(col(getattr(CodRow, name)) == value)
    if wanted.different is not None:
        differs = col(CodRow.collected) != col(CodRow.expected)
        query = query.where(differs if wanted.different else ~differs)
    if before is not None:
        query = query.where(col(CodRow.payment_id) < before)
    return list(await session.scalars(query.order_by(col(CodRow.payment_id).desc()).limit(limit)))


def _reached(reach: Reach) -> ColumnElement[bool]:
    return reached(col(CodRow.region), col(CodRow.merchant), reach)


async def carried(
    session: AsyncSession, driver_id: UUID, shift: date, currency: str
) -> list[CodRow]:
    """The cash a driver collected in a shift and still carries, locked."""
    found = await session.scalars(
        select(CodRow)
        .where(
            col(CodRow.driver_id) == driver_id,
            col(CodRow.shift) == shift,
            col(CodRow.state) == "with_driver",
            col(CodRow.currency) == currency,
        )
        .order_by(col(CodRow.order_id))
        .with_for_update()
    )
    return list(found)


async def in_till(session: AsyncSession, hub: str, currency: str) -> list[CodRow]:
    """The orders whose cash lies in a hub's till, locked."""
    found = await session.scalars(
        select(CodRow)
        .where(
            col(CodRow.hub) == hub,
            col(CodRow.state) == "at_hub",
            col(CodRow.currency) == currency,
        )
        .order_by(col(CodRow.order_id))
        .with_for_update()
    )
    return list(found)


async def payable(session: AsyncSession, merchant: str, region: str, currency: str) -> list[CodRow]:
    """The orders of a merchant whose cash has reached the bank, locked."""
    found = await session.scalars(
        select(CodRow)
        .where(
            col(CodRow.merchant) == merchant,
            within(col(CodRow.region), [region]),
            col(CodRow.state) == "remitted",
            col(CodRow.currency) == currency,
        )
        .order_by(col(CodRow.order_id))
        .with_for_update()
    )
    return list(found)


async def late(session: AsyncSession, collected_before: datetime, limit: int) -> list[CodRow]:
    """Cash that drivers have carried for too long, locked, each told once."""
    found = await session.scalars(
        select(CodRow)
        .where(
            col(CodRow.state) == "with_driver",
            col(CodRow.collected_at) <= collected_before,
            col(CodRow.late_at).is_(None),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def by_driver(session: AsyncSession, reach: Reach, region: str | None) -> list[Row[Any]]:
    """Each driver's shifts that hold cash or were handed in within two days."""
    query = (
        select(
            col(CodRow.driver_id),
            col(CodRow.region),
            col(CodRow.shift),
            col(CodRow.currency),
            func.count().label("orders"),
            func.sum(col(CodRow.expected)).label("expected"),
            func.sum(col(CodRow.collected)).label("collected"),
            func.count().filter(col(CodRow.state) == "with_driver").label("open"),
            func.count(col(CodRow.late_at)).label("late"),
            func.min(col(CodRow.collected_at)).label("oldest"),
        )
        .where(
            _reached(reach),
            col(CodRow.driver_id).is_not(None),
            col(CodRow.shift).is_not(None),
        )
        .group_by(text("1, 2, 3, 4"))
        .having(
            text(
                "count(*) FILTER (WHERE payments_cod.state = 'with_driver') > 0"
                " OR max(received_at) > now() - interval '2 days'"
            )
        )
        .order_by(text("2, 3, 1"))
    )
    if region:
        query = query.where(within(col(CodRow.region), [region]))
    return list(await session.execute(query))


async def handed_in(session: AsyncSession, drivers: Sequence[UUID]) -> dict[Any, int]:
    """What each driver handed in for each shift, by (driver, shift, currency)."""
    found = await session.execute(
        select(
            col(RemittanceRow.driver_id),
            col(RemittanceRow.shift),
            col(RemittanceRow.currency),
            func.sum(col(RemittanceRow.received)),
        )
        .where(col(RemittanceRow.driver_id).in_(drivers), col(RemittanceRow.kind) == "hub")
        .group_by(text("1, 2, 3"))
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in found}


async def by_hub(session: AsyncSession, reach: Reach, region: str | None) -> list[Row[Any]]:
    """The orders whose cash lies in each hub's till."""
    query = (
        select(
            col(CodRow.hub),
            col(CodRow.currency),
            func.count().label("orders"),
            func.sum(col(CodRow.collected)).label("expected"),
            func.min(col(CodRow.received_at)).label("oldest"),
        )
        .where(_reached(reach), col(CodRow.state) == "at_hub")
        .group_by(text("1, 2"))
        .order_by(text("1, 2"))
    )
    if region:
        query = query.where(within(col(CodRow.region), [region]))
    return list(await session.execute(query))


async def by_merchant(session: AsyncSession, reach: Reach, region: str | None) -> list[Row[Any]]:
    """What the bank holds for each merchant, by country."""
    query = (
        select(
            col(CodRow.merchant),
            func.left(col(CodRow.region), 2).label("region"),
            col(CodRow.currency),
            func.count().label("orders"),
            func.sum(col(CodRow.collected)).label("due"),
        )
        .where(_reached(reach), col(CodRow.state) == "remitted")
        .group_by(text("1, 2, 3"))
        .order_by(text("1, 2, 3"))
    )
    if region:
        query = query.where(within(col(CodRow.region), [region]))
    return list(await session.execute(query))


async def by_stage(session: AsyncSession, reach: Reach, region: str | None) -> list[Row[Any]]:
    """How many orders and how much money there is in each stage that is not over."""
    query = (
        select(
            col(CodRow.state),
            col(CodRow.currency),
            func.count().label("orders"),
            func.sum(func.coalesce(col(CodRow.collected), col(CodRow.expected))).label("amount"),
        )
        .where(_reached(reach), col(CodRow.state).not_in(("paid", "released")))
        .group_by(text("1, 2"))
        .order_by(text("1, 2"))
    )
    if region:
        query = query.where(within(col(CodRow.region), [region]))
    return list(await session.execute(query))


async def remittances(
    session: AsyncSession,
    reach: Reach,
    *,
    region: str | None,
    kind: str | None,
    before: UUID | None,
    limit: int,
) -> list[RemittanceRow]:
    """Hand-overs, newest first, in reach and matching what is set."""
    mine = reached(col(RemittanceRow.region), col(RemittanceRow.merchant), reach)
    query = select(RemittanceRow).where(mine)
    if region:
        query = query.where(within(col(RemittanceRow.region), [region]))
    if kind:
        query = query.where(col(RemittanceRow.kind) == kind)
    if before is not None:
        query = query.where(col(RemittanceRow.id) < before)
    return list(await session.scalars(query.order_by(col(RemittanceRow.id).desc()).limit(limit)))


async def add_remittance(session: AsyncSession, row: RemittanceRow) -> None:
    """Keep a hand-over."""
    session.add(row)
    await session.flush()
