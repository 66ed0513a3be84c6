"""The seven figures that the company steers by, with the rows behind each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.identity.service import authorize, scopes
from backend.insights.definitions import figures_meant
from backend.insights.figure_parts import Asked, Outcome, figure
from backend.insights.incident_figures import critical_incidents, mttr
from backend.insights.people_figures import cost_per_thousand, monthly_active, satisfaction
from backend.insights.scorecard_schemas import FigureKey, Scorecard
from backend.insights.system_figures import api_p95, availability
from backend.platform import clock
from backend.platform.scopes import narrowed
from backend.regions import service as regions

_READ = "scorecard:read"
_MADE_BY: Mapping[FigureKey, Callable[[Asked], Awaitable[Outcome]]] = {
    "api_p95": api_p95,
    "monthly_active": monthly_active,
    "availability": availability,
    "critical_incidents": critical_incidents,
    "mttr": mttr,
    "cost_per_thousand": cost_per_thousand,
    "satisfaction": satisfaction,
}


async def scorecard(
    session: AsyncSession,
    principal: Principal,
    region: str | None = None,
    until: datetime | None = None,
) -> Scorecard:
    """The figures of `region`, or of all that the caller sees, as they stood at `until`.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    authorize(principal, _READ, region)
    held = scopes(principal, _READ)
    within = held if region is None else narrowed(held, region)
    names = await regions.region_names(session)
    asked = Asked(session, principal, region, within, until or clock.now(), names)
    return Scorecard(
        region=region,
        until=asked.until,
        figures=[figure(key, await _MADE_BY[key](asked)) for key in figures_meant()],
    )
