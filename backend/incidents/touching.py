"""Which incidents hurt a place in a span of time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository, views
from backend.incidents.listing import READ
from backend.incidents.schemas import IncidentRow

_MOST = 20


async def incidents_touching(
    session: AsyncSession,
    principal: Principal,
    region: str,
    since: datetime,
    until: datetime,
    linked: Collection[UUID] = (),
) -> list[IncidentRow]:
    """The caller's incidents that hurt the place from `since` to `until`, newest first, 20 at most.

    Drills and false alarms are left out, and so is what was merged; the `linked` come always, for
    whoever may see them. Needs `incidents:read`.
    """
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    rows = await repository.touching(session, scopes, region, since, until, _MOST)
    for incident_id in set(linked).difference(row.id for row in rows):
        if row := await repository.incident(session, incident_id, scopes):
            rows.append(row)
    return await views.rows_out(session, rows)
