"""Maintenance windows: spans in which alerts of a region's services open nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.incidents import alert_repository, on_call_repository
from backend.incidents.on_call_models import MaintenanceTable
from backend.incidents.on_call_schemas import MaintenanceIn, MaintenanceOut
from backend.incidents.places import related
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.scopes import EVERYWHERE, covers
from backend.regions import service as regions

LONGEST = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Windows:
    """The maintenance windows that run at a moment."""

    rows: Sequence[MaintenanceTable]

    @property
    def ids(self) -> list[UUID]:
        """The windows' ids."""
        return [row.id for row in self.rows]

    def covering(self, region: str, service: str) -> UUID | None:
        """The window that keeps an alert of a place and service quiet."""
        for row in self.rows:
            if covers(row.region, region) and (not row.services or service in row.services):
                return row.id
        return None


async def running_windows(session: AsyncSession, now: datetime) -> Windows:
    """What runs at a moment."""
    return Windows(await on_call_repository.windows(session, running_at=now, ending_after=now))


async def list_maintenance(
    session: AsyncSession, principal: Principal, *, ended: bool = False
) -> list[MaintenanceOut]:
    """Maintenance windows that run or come, with `ended` the past ones too, newest first."""
    identity.authorize(principal, "incidents:read")
    held = identity.scopes(principal, "incidents:read")
    now = clock.now()
    rows = [
        row
        for row in await on_call_repository.windows(session, ending_after=None if ended else now)
        if any(related(scope, row.region) for scope in held)
    ]
    silenced = await alert_repository.silenced(session, [row.id for row in rows])
    return [_out(row, silenced.get(row.id, 0), now) for row in rows]


async def add_maintenance(
    session: AsyncSession, principal: Principal, wanted: MaintenanceIn
) -> MaintenanceOut:
    """Add a window; needs `incidents:write` in its region. Raises Invalid naming the field.

    Alerts that fire already go on: a window keeps new ones quiet.
    """
    identity.authorize(principal, "incidents:write", wanted.region)
    now = clock.now()
    await check_region(session, wanted.region)
    if wanted.until <= max(wanted.since, now):
        detail = "A window ends after it begins, and in the future."
        raise Invalid(detail, errors=[FieldError("/until", "out_of_order", detail)])
    if wanted.until - wanted.since > LONGEST:
        detail = f"A window lasts {LONGEST.days} days at most."
        raise Invalid(detail, errors=[FieldError("/until", "too_long", detail)])
    row = MaintenanceTable(
        id=uuid7(),
        **wanted.model_dump(),
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    await identity.record(
        session, principal, "maintenance.added", f"maintenance:{row.id}", region=row.region,
        after=wanted.model_dump(mode="json"), reason=row.reason,
    )  # fmt: skip
    return _out(row, 0, now)


async def end_maintenance(
    session: AsyncSession, principal: Principal, window_id: UUID
) -> MaintenanceOut:
    """End a window now; what still fires in it opens incidents."""
    identity.authorize(principal, "incidents:read")
    row = await on_call_repository.window(session, window_id)
    held = identity.scopes(principal, "incidents:read")
    if row is None or not any(related(scope, row.region) for scope in held):
        raise NotFound("There is no such maintenance window.")
    identity.authorize(principal, "incidents:write", row.region)
    now = clock.now()
    if row.until > now:
        before = row.until
        row.until = max(now, row.since)
        if row.since > now:
            row.since = row.until = now
        await session.flush()
        await identity.record(
            session, principal, "maintenance.ended", f"maintenance:{row.id}", region=row.region,
            before={"until": before}, after={"until": row.until},
        )  # fmt: skip
    return _out(row, 0, now)


async def check_region(session: AsyncSession, region: str) -> None:
    """Raise Invalid for a region that is not in the tree."""
    if region != EVERYWHERE and (await regions.directory(session, SYSTEM)).get(region) is None:
        detail = f"{region} is not a region's code."
        raise Invalid(detail, errors=[FieldError("/region", "unknown_region", detail)])


def _out(row: MaintenanceTable, silenced: int, now: datetime) -> MaintenanceOut:
    return MaintenanceOut(
        id=row.id,
        region=row.region,
        services=row.services,
        since=row.since,
        until=row.until,
        reason=row.reason,
        active=row.since <= now < row.until,
        silenced=silenced,
        created_by_name=row.created_by_name,
        created_at=row.created_at,
    )
