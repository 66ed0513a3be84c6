"""How people want to be written to: language, hours, channels, and what they do without."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.notifications.message_schemas import DeviceIn, Preferences, PreferencesIn


async def preferences_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> Preferences:
    """How the customer of an order is written to, about this and every other order of theirs.

    Needs `messages:read` where the order is.
    """
    raise NotImplementedError


async def set_preferences_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID, wanted: PreferencesIn
) -> Preferences:
    """Keep how the customer of an order wants to be written to; needs `messages:write`.

    Who asks for the customer behind a tracking link has judged the link and comes as the system.
    """
    raise NotImplementedError


async def set_device(session: AsyncSession, principal: Principal, wanted: DeviceIn) -> None:
    """Keep where pushes to the calling driver's phone go."""
    raise NotImplementedError
