"""The search for orders by whatever somebody can say of one."""

from __future__ import annotations

from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import search_repository
from backend.dispatch.order_views import contact
from backend.dispatch.orders import viewer_of
from backend.dispatch.rules import OrderState
from backend.dispatch.search_repository import Found
from backend.dispatch.search_rules import read_query
from backend.dispatch.search_schemas import OrderFound, OrderMatch
from backend.identity import service as identity
from backend.identity.schemas import Principal


async def search_orders(
    session: AsyncSession, principal: Principal, q: str, limit: int = 20
) -> list[OrderFound]:
    """The caller's orders that `q` may mean, the surest first, of the equally sure the newest.

    What stands there to the letter hides what is only like it. Names are found by their words in
    any order, misspelled ones only where nothing else is found.
    """
    identity.authorize(principal, "orders:read")
    viewer, sought = viewer_of(principal), read_query(q)
    found = await search_repository.exact(session, viewer, sought, limit)
    if not found:
        found = await search_repository.near(session, viewer, sought, limit)
    if not found and sought.words:
        found = await search_repository.sounding(session, viewer, sought.words, limit)
    return [_out(each, whole=principal.id == each.row.merchant) for each in found]


def _out(found: Found, *, whole: bool) -> OrderFound:
    row = found.row
    name, phone = contact(row, "drop", whole=whole)
    return OrderFound(
        id=row.id,
        number=row.number,
        reference=row.reference,
        merchant=row.merchant,
        region=row.region,
        hub=row.hub,
        state=OrderState(row.state),
        drop_name=name,
        drop_phone=phone,
        created_at=row.created_at,
        promised_at=row.promised_at,
        matched_by=cast(OrderMatch, found.matched_by),
        score=round(found.score, 3),
    )
