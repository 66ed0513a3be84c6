"""Offers of orders to drivers: made, answered, run out."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import OfferOut
from backend.identity.schemas import Principal


async def offers_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[OfferOut]:
    """Every offer of an order, newest first."""
    raise NotImplementedError


async def offers_of_driver(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> list[OfferOut]:
    """The driver's open offers, the one that runs out first before others."""
    raise NotImplementedError


async def accept_offer(session: AsyncSession, principal: Principal, offer_id: UUID) -> OfferOut:
    """Take the order for the driver; the first to accept wins. Raises OfferGone, DriverUnfit."""
    raise NotImplementedError


async def reject_offer(
    session: AsyncSession, principal: Principal, offer_id: UUID, reason: str
) -> OfferOut:
    """Turn the offer down; the driver is not asked again for a while."""
    raise NotImplementedError
