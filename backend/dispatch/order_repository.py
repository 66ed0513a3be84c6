"""Every query on orders, parcels and history that more than one verb needs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.models import OrderEventRow, OrderRow, ParcelRow
from backend.platform.scopes import EVERYWHERE


def within(scopes: Sequence[str]) -> ColumnElement[bool]:
    """Whether an order's city or hub lies in any of the scopes.

    An order's region is a city's code and its hub's begins with it, so that one comparison by the
    kind of scope is enough, and an index serves it.
    """
    if EVERYWHERE in scopes:
        return true()
    hubs = [scope for scope in scopes if "." in scope]
    cities = [scope for scope in scopes if "-" in scope and "." not in scope]
    countries = [scope for scope in scopes if "-" not in scope and "." not in scope]
    region = col(OrderRow.region)
    conditions = [region.startswith(f"{country}-", autoescape=True) for country in countries]
    if cities:
        conditions.append(region.in_(cities))
    if hubs:
        conditions.append(col(OrderRow.hub).in_(hubs))
    return or_(false(), *conditions)


async def by_id(session: AsyncSession, order_id: UUID) -> OrderRow | None:
    """The order with this id."""
    return await session.get(OrderRow, order_id)


async def by_number(session: AsyncSession, number: str) -> OrderRow | None:
    """The order with this public number."""
    return await session.scalar(select(OrderRow).where(col(OrderRow.number) == number))


async def locked(session: AsyncSession, order_id: UUID) -> OrderRow | None:
    """The order as it is now, locked until the unit of work ends."""
    return await session.get(OrderRow, order_id, with_for_update=True, populate_existing=True)


async def parcels(session: AsyncSession, order_ids: Sequence[UUID]) -> list[ParcelRow]:
    """The parcels of these orders."""
    found = await session.scalars(
        select(ParcelRow)
        .where(col(ParcelRow.order_id).in_(order_ids))
        .order_by(col(ParcelRow.order_id), col(ParcelRow.barcode))
    )
    return list(found)


async def by_references(
    session: AsyncSession, merchant: str, references: Sequence[str]
) -> dict[str, OrderRow]:
    """The merchant's orders with these references, by reference."""
    found = await session.scalars(
        select(OrderRow).where(
            col(OrderRow.merchant) == merchant, col(OrderRow.reference).in_(references)
        )
    )
    return {row.reference: row for row in found}


async def add(session: AsyncSession, rows: Sequence[OrderRow]) -> set[UUID]:
    """Insert the orders whose number and reference are free; answers the ids of those."""
    if not rows:
        return set()
    statement = insert(OrderRow).on_conflict_do_nothing().returning(col(OrderRow.id))
    return set(await session.scalars(statement, [row.model_dump() for row in rows]))


async def history(session: AsyncSession, order_id: UUID) -> list[OrderEventRow]:
    """The order's steps, oldest first."""
    found = await session.scalars(
        select(OrderEventRow)
        .where(col(OrderEventRow.order_id) == order_id)
        .order_by(col(OrderEventRow.seq))
    )
    return list(found)
