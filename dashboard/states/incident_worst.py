"""The worst open incidents, for the bell, the overview and the wall."""

from __future__ import annotations

from collections.abc import Sequence

from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentFilter, IncidentRow, OpenCount
from dashboard.gateway import Session
from dashboard.states.incident_words import SEVERITIES


async def worst_open(
    session: Session,
    principal: Principal,
    count: OpenCount,
    *,
    region: str | None = None,
    severities: Sequence[str] = SEVERITIES,
    most: int,
) -> list[IncidentRow]:
    """At most `most` open incidents, the worst first and of those the longest first.

    Asked for severity by severity, where `count` says that there are any: the list comes newest
    first, and an old SEV1 may lie pages behind.
    """
    found: list[IncidentRow] = []
    for severity in severities:
        there = {str(key): value for key, value in count.by_severity.items()}.get(severity, 0)
        if there and len(found) < most:
            wanted = IncidentFilter.model_validate({"severity": severity, "region": region})
            page = await incidents.list_incidents(session, principal, wanted, limit=most)
            found += sorted(page.items, key=lambda each: -each.running_s)
    return found[:most]
