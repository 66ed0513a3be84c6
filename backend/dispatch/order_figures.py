"""How many orders were delivered in a span, and how many people they concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import order_list_repository
from backend.identity import service as identity
from backend.identity.schemas import Principal


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Orders delivered, and the different recipients and drivers of the orders that came in."""

    delivered: int
    recipients: int
    drivers: int


async def order_figures(
    session: AsyncSession,
    principal: Principal,
    within: Sequence[str],
    since: datetime,
    until: datetime,
) -> OrderFigures:
    """The figures of a span for those of the regions that the caller sees; needs `orders:read`."""
    identity.authorize(principal, "orders:read")
    seen = [region for region in within if identity.may(principal, "orders:read", region)]
    return OrderFigures(*await order_list_repository.figures(session, seen, since, until))
