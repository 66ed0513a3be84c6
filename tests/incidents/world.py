"""Who works on incidents in the tests, and how alerts come about there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.identity.schemas import GrantScope, Principal
from backend.incidents import intake, service, sweeps
from backend.incidents.rules import AlertStatus, Severity
from backend.incidents.schemas import (
    AlertFilter,
    AlertIn,
    AlertOut,
    IncidentDetail,
    IncidentFilter,
    IncidentRow,
)
from backend.platform import clock
from backend.platform.resources import Resources


def person(name: str, role: str, region: str = "*") -> Principal:
    """Somebody with a role in a region."""
    return Principal("user", f"user:{name}", name.title(), (GrantScope(role, region),))


ADMIN = person("ada", "admin")
MANAGER = person("nok", "fleet_manager", "TH-10")
OTHER = person("dao", "fleet_manager", "TH-10")
VIEWER = person("vi", "viewer", "TH")
FOREIGNER = person("ravi", "fleet_manager", "IN-KA")
MONITOR = Principal(
    "service", "service:prometheus", "prometheus",
    permissions=frozenset({"alerts:write"}), regions=("TH",),
)  # fmt: skip


def alert(key: str = "a", *, status: str = "firing", ago_s: float = 30, **more: Any) -> AlertIn:
    """An alert of the payments in Bangkok; `ago_s` is how long ago it began, or ended."""
    at = clock.now() - timedelta(seconds=ago_s)
    ended = {} if status == "firing" else {"ended_at": at}
    facts: dict[str, Any] = {
        "integration": "waypost",
        "key": key,
        "title": f"Payments fail ({key})",
        "severity": Severity.SEV2,
        "status": AlertStatus(status),
        "service": "payments",
        "region": "TH-10",
        "started_at": at,
        **ended,
        **more,
    }
    return AlertIn(**facts)


async def tell(resources: Resources, told: AlertIn) -> UUID | None:
    """Have Waypost's own detector tell of an alert."""
    async with resources.database.unit_of_work() as session:
        return await service.raise_alert(session, told)


async def raised(resources: Resources, key: str = "a", **more: Any) -> IncidentDetail:
    """The incident that an alert of this key is in once it has been told."""
    told = await tell(resources, alert(key, **more))
    async with resources.database.unit_of_work() as session:
        row = await service.list_alerts(session, ADMIN, _all(), limit=200)
        found = next(each for each in row.items if each.id == told)
        assert found.incident_id is not None
        return await service.get_incident(session, ADMIN, found.incident_id)


def _all() -> Any:
    from backend.incidents.schemas import AlertFilter

    return AlertFilter()


async def look(
    resources: Resources, incident: UUID, principal: Principal = ADMIN
) -> IncidentDetail:
    """An incident as it is now."""
    async with resources.database.unit_of_work() as session:
        return await service.get_incident(session, principal, incident)


async def incidents(resources: Resources, **wanted: Any) -> list[IncidentRow]:
    """Incidents, newest first; the open ones unless states are named."""
    async with resources.database.unit_of_work() as session:
        found = await service.list_incidents(session, ADMIN, IncidentFilter(**wanted), limit=200)
    return found.items


async def work(resources: Resources, *, later_s: float = 0) -> datetime:
    """Work in what waits, and do what is due so much later."""
    while await intake.work_in(resources.database):
        pass
    now = clock.now() + timedelta(seconds=later_s)
    while await sweeps.sweep(resources.database, now):
        pass
    return now


async def do(resources: Resources, verb: Any, principal: Principal, *args: Any, **more: Any) -> Any:
    """Call a verb in a unit of work of its own."""
    async with resources.database.unit_of_work() as session:
        return await verb(session, principal, *args, **more)


async def alerts(resources: Resources, **wanted: Any) -> list[AlertOut]:
    """The alerts, oldest first, once all has been worked in."""
    await work(resources)
    page = await do(resources, service.list_alerts, ADMIN, AlertFilter(**wanted), limit=200)
    return page.items[::-1]
