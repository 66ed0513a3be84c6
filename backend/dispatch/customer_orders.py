"""What whoever answers customers has to know of an order: whose it is, where, and how late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import customer_repository, order_repository
from backend.dispatch.customer_links import row_of_link
from backend.dispatch.customer_rules import first_name
from backend.dispatch.lifecycle import place_of
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import OrderState


@dataclass(frozen=True, slots=True)
class CustomersOrder:
    """An order as its customer's affairs need it; `region` is its most precise code."""

    id: UUID
    number: str
    state: OrderState
    region: str
    first_name: str
    promised_at: datetime
    eta_at: datetime | None


async def order_of_link(session: AsyncSession, token: str) -> CustomersOrder:
    """The order behind a customer's link; the caller needs no other right. Raises NoSuchLink."""
    return _told(await row_of_link(session, token))


async def customers_order(session: AsyncSession, order_id: UUID) -> CustomersOrder | None:
    """An order by its id, for a caller that has authorised."""
    row = await order_repository.by_id(session, order_id)
    return None if row is None else _told(row)


async def overdue_orders(
    session: AsyncSession,
    promised_before: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[CustomersOrder]:
    """Orders under way whose promise lies before a moment, by promise and id, after a place."""
    rows = await customer_repository.overdue(session, promised_before, after, limit)
    return [_told(row) for row in rows]


def _told(row: OrderRow) -> CustomersOrder:
    return CustomersOrder(
        id=row.id,
        number=row.number,
        state=OrderState(row.state),
        region=place_of(row),
        first_name=first_name(row.drop_name),
        promised_at=row.promised_at,
        eta_at=row.eta_at,
    )
