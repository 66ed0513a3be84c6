"""The queries behind a driver's figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# A driver's orders are few against all; what was not touched since cannot have ended since.
_STEPS = """
  SELECT o.promised_at, e.order_id, e.seq, e.type, coalesce(e.device_at, e.at) AS at,
    e.data ->> 'driver_id' AS driver
  FROM dispatch_order o JOIN dispatch_order_event e ON e.order_id = o.id
  WHERE o.driver_id = :driver AND o.updated_at >= :since AND e.at >= :since
"""
_ENDINGS = f"""
SELECT replace(type, 'order.', '') AS kind, (at AT TIME ZONE :zone)::date AS day,
  count(*) AS orders,
  count(*) FILTER (WHERE type = 'order.delivered' AND at <= promised_at) AS on_time
FROM ({_STEPS}) steps
WHERE type IN ('order.delivered', 'order.failed', 'order.returned') AND driver = :named
GROUP BY 1, 2
"""  # noqa: S608 - the only text put in is the constant above
_STOPS = f"""
SELECT avg(extract(epoch FROM left_at - at)) / 60 FROM (
  SELECT type, at, lead(at) OVER moves AS left_at, lead(type) OVER moves AS next
  FROM ({_STEPS}) steps
  WHERE type IN ('order.at_pickup', 'order.picked_up', 'order.arrived', 'order.delivered',
    'order.failed') AND driver = :named
  WINDOW moves AS (PARTITION BY order_id ORDER BY seq)
) stops
WHERE left_at >= at AND (type, next) IN (('order.at_pickup', 'order.picked_up'),
  ('order.arrived', 'order.delivered'), ('order.arrived', 'order.failed'))
"""  # noqa: S608 - the same
_OFFERS = """
SELECT state, count(*) AS offers FROM dispatch_offer
WHERE driver_id = :driver AND offered_at >= :since GROUP BY state
"""


class Ending(NamedTuple):
    """How many orders ended in one way on one day, and how many of them on time."""

    kind: str
    day: date
    orders: int
    on_time: int


async def endings(
    session: AsyncSession, driver_id: UUID, since: datetime, zone: str
) -> list[Ending]:
    """Deliveries, failures and returns of the driver by day of the zone."""
    values = {"driver": driver_id, "named": str(driver_id), "since": since, "zone": zone}
    return [Ending(*row) for row in await session.execute(text(_ENDINGS), values)]


async def minutes_per_stop(session: AsyncSession, driver_id: UUID, since: datetime) -> float | None:
    """How long the driver's stops last on average; None without any."""
    values = {"driver": driver_id, "named": str(driver_id), "since": since}
    found = await session.scalar(text(_STOPS), values)
    return None if found is None else float(found)


async def offers(session: AsyncSession, driver_id: UUID, since: datetime) -> dict[str, int]:
    """How many offers to the driver are in which state."""
    found = await session.execute(text(_OFFERS), {"driver": driver_id, "since": since})
    return {row.state: row.offers for row in found}
