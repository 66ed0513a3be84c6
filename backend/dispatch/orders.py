"""Finding and reading orders: lists, counts, one order, its history, one unmasked field."""

from __future__ import annotations

from collections import Counter
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import order_list_repository, order_repository
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.lifecycle import may, place_of
from backend.dispatch.models import OrderRow
from backend.dispatch.numbers import read_number
from backend.dispatch.order_list_repository import Viewer
from backend.dispatch.order_schemas import OrderCounts, OrderFilter, Revealed, RevealedField
from backend.dispatch.order_views import event_out, order_out, order_outs
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import Lateness, OrderEventOut, OrderOut, OrderPage
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.cursors import decode_moment_and_id, encode

COUNTED_UP_TO = 2_000


def viewer_of(principal: Principal) -> Viewer:
    """The caller as lists know them."""
    scopes = identity.scopes(principal, "orders:read")
    return Viewer(scopes, identity.merchant_of(principal), clock.now())


async def order_row(
    session: AsyncSession, principal: Principal, named: UUID | str, permission: str = "orders:read"
) -> OrderRow:
    """The order with this id or public number, if the caller holds the permission where it is.

    Raises NoSuchOrder for one that they may not see, Denied for one that they only may see.
    """
    identity.authorize(principal, permission)
    row = await _named(session, named)
    if row is None or not may(principal, "orders:read", row):
        raise NoSuchOrder
    identity.authorize(principal, permission, place_of(row))
    return row


async def _named(session: AsyncSession, named: UUID | str) -> OrderRow | None:
    if isinstance(named, UUID):
        return await order_repository.by_id(session, named)
    number = read_number(named)
    if number is not None:
        return await order_repository.by_number(session, number)
    try:
        return await order_repository.by_id(session, UUID(named))
    except ValueError:
        return None


async def order_id_of(session: AsyncSession, named: str) -> UUID:
    """The id of the order with this number or id, for verbs that ask by id; raises NoSuchOrder."""
    row = await _named(session, named)
    if row is None:
        raise NoSuchOrder
    return row.id


async def get_order(session: AsyncSession, principal: Principal, named: UUID | str) -> OrderOut:
    """One order by its id or its number in any spelling; raises NoSuchOrder."""
    return await order_out(session, principal, await order_row(session, principal, named))


async def list_orders(
    session: AsyncSession,
    principal: Principal,
    wanted: OrderFilter | None = None,
    after: str | None = None,
    limit: int = 50,
) -> OrderPage:
    """A page of the caller's orders; `after` is the `next_cursor` of the page before."""
    identity.authorize(principal, "orders:read")
    wanted = wanted or OrderFilter()
    rows = await order_list_repository.page(
        session,
        viewer_of(principal),
        wanted,
        after=None if after is None else decode_moment_and_id(after),
        limit=limit + 1,
    )
    items = await order_outs(session, principal, rows[:limit])
    more = len(rows) > limit
    return OrderPage(items=items, next_cursor=_cursor(items[-1], wanted) if more else None)


async def count_orders(
    session: AsyncSession, principal: Principal, wanted: OrderFilter | None = None
) -> OrderCounts:
    """How many of the caller's orders match, by state and by how they keep their promise."""
    identity.authorize(principal, "orders:read")
    found = await order_list_repository.counts(
        session,
        viewer_of(principal),
        wanted or OrderFilter(),
        most=COUNTED_UP_TO,
    )
    by_state: Counter[OrderState] = Counter()
    by_lateness: Counter[Lateness] = Counter()
    for state, late, count in found:
        by_state[OrderState(state)] += count
        if late is not None:
            by_lateness[cast(Lateness, late)] += count
    return OrderCounts(by_state=dict(by_state), by_lateness=dict(by_lateness), most=COUNTED_UP_TO)


async def order_history(
    session: AsyncSession, principal: Principal, named: UUID | str
) -> list[OrderEventOut]:
    """The steps of an order, oldest first."""
    row = await order_row(session, principal, named)
    return [event_out(step, principal) for step in await order_repository.history(session, row.id)]


async def reveal_field(
    session: AsyncSession, principal: Principal, named: UUID | str, field: RevealedField
) -> Revealed:
    """One contact detail, whole; each look is recorded, and an hour has only so many."""
    row = await order_row(session, principal, named, "orders:reveal")
    await identity.spend_reveal(principal, "orders:reveal", place_of(row))
    value = getattr(row, field.replace(".", "_"))
    await identity.record(
        session,
        principal,
        "order.field_revealed",
        f"order:{row.id}",
        region=place_of(row),
        after={"number": row.number, "field": field},
    )
    return Revealed(field=field, value=value)


def _cursor(last: OrderOut, wanted: OrderFilter) -> str:
    at = last.promised_at if wanted.sort == "promised" else last.created_at
    return encode(at, last.id)
