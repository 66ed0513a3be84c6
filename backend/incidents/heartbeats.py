"""Integrations that should be heard of regularly: silence is an alert itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import on_call_repository, repository
from backend.incidents.on_call_models import HeartbeatTable
from backend.incidents.on_call_schemas import HeartbeatIn, HeartbeatOut
from backend.incidents.places import related
from backend.incidents.quiet import check_region
from backend.incidents.rules import AlertStatus, Severity
from backend.incidents.schemas import AlertIn
from backend.incidents.taking import raise_alert
from backend.platform import clock
from backend.platform.errors import NotFound

INTEGRATION = "waypost"
CONFIGURE = "incidents:configure"


async def list_heartbeats(session: AsyncSession, principal: Principal) -> list[HeartbeatOut]:
    """The integrations that should be heard regularly; needs `incidents:read`."""
    identity.authorize(principal, "incidents:read")
    held = identity.scopes(principal, "incidents:read")
    return [
        _out(row)
        for row in await on_call_repository.heartbeats(session)
        if any(related(scope, row.region) for scope in held)
    ]


async def save_heartbeat(
    session: AsyncSession, principal: Principal, wanted: HeartbeatIn
) -> HeartbeatOut:
    """Expect an integration to be heard, from now on; needs `incidents:configure`."""
    identity.authorize(principal, CONFIGURE, wanted.region)
    await check_region(session, wanted.region)
    known = {row.integration: row for row in await on_call_repository.heartbeats(session)}
    former = known.get(wanted.integration)
    if former is not None:
        identity.authorize(principal, CONFIGURE, former.region)
    now = clock.now()
    values = {**wanted.model_dump(), "heard_at": now, "silent": False}
    await on_call_repository.put_heartbeat(session, values)
    await identity.record(
        session, principal, "heartbeat.saved", f"heartbeat:{wanted.integration}",
        region=wanted.region, after=wanted.model_dump(mode="json"),
    )  # fmt: skip
    heard_at = former.heard_at if former is not None else now
    silent = former.silent if former is not None else False
    return HeartbeatOut(**wanted.model_dump(), heard_at=heard_at, silent=silent)


async def remove_heartbeat(session: AsyncSession, principal: Principal, integration: str) -> None:
    """Expect an integration no longer; its alert ends."""
    identity.authorize(principal, CONFIGURE)
    await repository.await_turn(session)
    row = await on_call_repository.remove_heartbeat(session, integration)
    if row is None:
        raise NotFound("No such heartbeat is expected.")
    identity.authorize(principal, CONFIGURE, row.region)
    if row.silent:
        await raise_alert(session, _alert(row, clock.now(), AlertStatus.RESOLVED))
    await identity.record(
        session, principal, "heartbeat.removed", f"heartbeat:{integration}", region=row.region
    )


async def watch(session: AsyncSession, now: datetime) -> int:
    """Raise an alert for whoever has fallen silent, end it for whoever is back; how many did."""
    # Before any row is locked: who works deliveries in has the turn and wants these rows.
    await repository.await_turn(session)
    turned = 0
    for row in await on_call_repository.heartbeats_to_watch(session):
        silent = row.heard_at + timedelta(seconds=row.every_s) <= now
        if silent != row.silent:
            row.silent = silent
            turned += 1
            status = AlertStatus.FIRING if silent else AlertStatus.RESOLVED
            await raise_alert(session, _alert(row, now, status))
    return turned


def _alert(row: HeartbeatTable, now: datetime, status: AlertStatus) -> AlertIn:
    firing = status is AlertStatus.FIRING
    return AlertIn(
        integration=INTEGRATION,
        key=f"heartbeat:integration={row.integration}",
        title=f"{row.integration} is silent",
        severity=Severity(row.severity),
        status=status,
        service=row.service,
        region=row.region,
        started_at=row.heard_at if firing else now,
        ended_at=None if firing else row.heard_at,
        labels={"integration": row.integration, "every_s": str(row.every_s)},
    )


def _out(row: HeartbeatTable) -> HeartbeatOut:
    return HeartbeatOut(**row.model_dump())
