"""Drivers' shifts: planned by people, begun and ended by the phone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import roster_repository
from backend.dispatch.errors import NoSuchShift, ShiftBegun, ShiftOverlaps
from backend.dispatch.models import ShiftRow
from backend.dispatch.roster_rules import UNPLANNED_SHIFT, shift_faults
from backend.dispatch.roster_schemas import PlannedShift, ShiftPlan
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.platform.ids import uuid7
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverOut

_LISTED_BACK = timedelta(days=30)
_EARLY = timedelta(hours=2)
"""How long before its beginning a shift may be begun."""


async def list_shifts(
    session: AsyncSession,
    principal: Principal,
    driver_id: UUID,
    since: datetime | None = None,
    limit: int = 100,
) -> list[PlannedShift]:
    """The driver's shifts that end after `since`, a month back where nothing is said; in order."""
    await tracking.get_driver(session, principal, driver_id)
    begin = since or clock.now() - _LISTED_BACK
    found = await roster_repository.shifts(session, driver_id, begin, limit)
    return [shift_out(row) for row in found]


async def plan_shift(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: ShiftPlan
) -> PlannedShift:
    """Plan a shift; raises Invalid with pointers and ShiftOverlaps naming the other one."""
    driver = await _driver(session, principal, driver_id)
    faults = [
        FieldError(f"/{fault.field}", fault.code, fault.detail)
        for fault in shift_faults(wanted.starts_at, wanted.ends_at, clock.now())
    ]
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    await roster_repository.lock_driver(session, driver_id)
    other = await roster_repository.overlapping_shift(
        session, driver_id, wanted.starts_at, wanted.ends_at
    )
    if other is not None:
        detail = (
            f"{driver.name} has a shift from {other.starts_at:%Y-%m-%d %H:%M} to"
            f" {other.ends_at:%Y-%m-%d %H:%M} UTC."
        )
        raise ShiftOverlaps(detail, errors=[FieldError("/starts_at", "overlaps", detail)])
    row = roster_repository.add(
        session,
        ShiftRow(
            id=uuid7(),
            driver_id=driver_id,
            region=driver.region,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        ),
    )
    await _record(session, principal, "driver.shift_planned", driver, row)
    return shift_out(row)


async def cancel_shift(
    session: AsyncSession, principal: Principal, driver_id: UUID, shift_id: UUID
) -> PlannedShift:
    """Call off a shift that has not begun; raises NoSuchShift, and ShiftBegun for one that has."""
    driver = await _driver(session, principal, driver_id)
    await roster_repository.lock_driver(session, driver_id)
    row = await roster_repository.shift(session, shift_id)
    if row is None or row.driver_id != driver_id:
        raise NoSuchShift
    if row.begun_at is not None:
        raise ShiftBegun(f"{driver.name} has begun this shift.")
    if row.cancelled_at is None:
        row.cancelled_at = clock.now()
        await _record(session, principal, "driver.shift_cancelled", driver, row)
    return shift_out(row)


async def begin_shift(session: AsyncSession, driver_id: UUID, region: str, at: datetime) -> None:
    """Note that the phone went on shift: the one planned for now, or else one out of plan."""
    await roster_repository.lock_driver(session, driver_id)
    if await roster_repository.running_shift(session, driver_id) is not None:
        return
    row = await roster_repository.shift_to_begin(session, driver_id, at, at + _EARLY)
    if row is None:
        row = roster_repository.add(
            session,
            ShiftRow(
                id=uuid7(),
                driver_id=driver_id,
                region=region,
                starts_at=at,
                ends_at=at + UNPLANNED_SHIFT,
            ),
        )
    row.begun_at = at


async def end_shift(session: AsyncSession, driver_id: UUID, at: datetime) -> None:
    """Note that the phone went off shift; without a shift that runs there is nothing to note."""
    await roster_repository.lock_driver(session, driver_id)
    row = await roster_repository.running_shift(session, driver_id)
    if row is not None:
        row.ended_at = at


async def _driver(session: AsyncSession, principal: Principal, driver_id: UUID) -> DriverOut:
    identity.authorize(principal, "shifts:write")
    driver = await tracking.get_driver(session, principal, driver_id)
    identity.authorize(principal, "shifts:write", driver.hub or driver.region)
    return driver


async def _record(
    session: AsyncSession, principal: Principal, action: str, driver: DriverOut, row: ShiftRow
) -> None:
    await identity.record(
        session,
        principal,
        action,
        f"driver:{driver.id}",
        region=driver.hub or driver.region,
        after={"starts_at": row.starts_at, "ends_at": row.ends_at},
    )


def shift_out(row: ShiftRow) -> PlannedShift:
    """A shift as callers see it."""
    return PlannedShift(**row.model_dump())
