"""Whom an incident hurts: orders, drivers, customers and money of its regions and time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository
from backend.incidents.errors import NoSuchIncident
from backend.incidents.models import IncidentTable
from backend.incidents.schemas import BlastRadius
from backend.payments import service as payments
from backend.platform import clock
from backend.platform.resources import current
from backend.platform.scopes import narrowed
from backend.tracking import service as tracking

READ = "incidents:read"


async def blast_radius(
    session: AsyncSession, principal: Principal, incident_id: UUID
) -> BlastRadius:
    """Whom it hurts, counted now in the part of its regions that the caller may see."""
    identity.authorize(principal, READ)
    row = await repository.incident(session, incident_id, identity.scopes(principal, READ))
    if row is None:
        raise NoSuchIncident
    return await radius_of(session, principal, row)


async def radius_of(session: AsyncSession, principal: Principal, row: IncidentTable) -> BlastRadius:
    """The same for an incident at hand; money is for those alone who may see payments."""
    now = clock.now()
    until = row.resolved_at or row.closed_at
    scopes = _seen(row.regions, identity.scopes(principal, READ))
    hurt = await dispatch.orders_between(session, scopes, row.impact_started_at, until or now)
    paid = await payments.payments_between(session, scopes, row.impact_started_at, until or now)
    sees_money = identity.may(principal, "payments:read")
    return BlastRadius(
        at=now,
        since=row.impact_started_at,
        until=until,
        regions=scopes,
        orders=hurt.orders,
        orders_waiting=hurt.waiting,
        orders_late=hurt.late,
        drivers=hurt.drivers,
        drivers_silent=await _silent(scopes),
        customers=hurt.customers,
        payments_failed=paid.failed,
        payments_unknown=paid.unknown,
        money=paid.held if sees_money else [],
    )


async def _silent(scopes: Sequence[str]) -> int | None:
    """Drivers on shift who are not heard of; None while the store of positions is what is down."""
    if not scopes:
        return 0
    try:
        fleets = await tracking.fleet_by_city(current(), scopes)
    except (RedisError, OSError):
        return None
    return sum(fleet.stale + fleet.offline for fleet in fleets)


def _seen(regions: Sequence[str], scopes: Sequence[str]) -> list[str]:
    """The parts of an incident's regions that lie in the caller's scopes."""
    return sorted({part for region in regions for part in narrowed(scopes, region)})
