"""How a driver did over the last days, from the history of their orders and offers."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import performance_repository
from backend.dispatch.city_tree import city_tree
from backend.dispatch.roster_schemas import DayFigures, Performance
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.tracking import service as tracking

MOST_DAYS = 90


async def driver_performance(
    session: AsyncSession, principal: Principal, driver_id: UUID, days: int = 30
) -> Performance:
    """The driver's figures of the last `days` days, today counted, up to 90.

    On time is what was delivered by its promise. A stop lasts from the arrival at a pickup or a
    drop until the parcels are handed over or the attempt is given up.
    """
    if not 1 <= days <= MOST_DAYS:
        detail = f"Days are from 1 to {MOST_DAYS}."
        raise Invalid(detail, errors=[FieldError("/query/days", "out_of_range", detail)])
    driver = await tracking.get_driver(session, principal, driver_id)
    region = (await city_tree(session, [driver.region])).get(driver.region)
    zone = region.time_zone if region and region.time_zone else "UTC"
    now = clock.now()
    since = now - timedelta(days=days)
    total: Counter[str] = Counter()
    by_day: dict[date, Counter[str]] = {}
    for ended in await performance_repository.endings(session, driver_id, since, zone):
        found = {ended.kind: ended.orders, "on_time": ended.on_time}
        total.update(found)
        by_day.setdefault(ended.day, Counter()).update(found)
    offers = await performance_repository.offers(session, driver_id, since)
    delivered = total["delivered"]
    return Performance(
        driver_id=driver_id,
        days=days,
        delivered=delivered,
        failed=total["failed"],
        returned=total["returned"],
        on_time=total["on_time"],
        on_time_share=total["on_time"] / delivered if delivered else None,
        offers_taken=offers.get("accepted", 0),
        offers_refused=offers.get("rejected", 0),
        offers_missed=offers.get("expired", 0),
        minutes_per_stop=await performance_repository.minutes_per_stop(session, driver_id, since),
        by_day=[
            DayFigures(day=day, delivered=n["delivered"], failed=n["failed"], on_time=n["on_time"])
            for day, n in sorted(by_day.items())
        ],
    )
