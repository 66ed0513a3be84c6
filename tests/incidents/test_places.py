"""An incident is found from each region that is, lies in, or lies around one of its own."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.incidents import service
from backend.incidents.places import related
from backend.incidents.schemas import IncidentFilter
from backend.platform.resources import Resources
from tests.incidents.world import ADMIN, person, raised

_CODES = ("*", "IN", "IN-KA", "IN-KA.hub", "IN-KA.hubs", "IN-KARNAL", "INX", "TH", "TH-10")
_MOVE = text("UPDATE incidents_incident SET regions = :regions WHERE id = :id")


async def _found(session: AsyncSession, scope: str) -> tuple[bool, bool]:
    """Whether somebody of a region, and everybody who asks for it, finds the only incident."""
    of_it = await service.list_incidents(session, person("vi", "viewer", scope), IncidentFilter())
    asked = await service.list_incidents(session, ADMIN, IncidentFilter(region=scope))
    return bool(of_it.items), bool(asked.items)


@pytest.mark.parametrize("scope", _CODES)
async def test_an_incident_is_found_from_what_its_regions_are_related_to(
    resources: Resources, scope: str
) -> None:
    incident = await raised(resources)
    async with resources.database.unit_of_work() as session:
        for regions in combinations_with_replacement(_CODES, 2):
            await session.execute(_MOVE, {"regions": list(regions), "id": incident.id})
            expected = any(related(region, scope) for region in regions)
            assert await _found(session, scope) == (expected, expected), regions
