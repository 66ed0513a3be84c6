"""The roster: who works where, with what they carry and can carry, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import roster_repository
from backend.dispatch.city_tree import city_tree
from backend.dispatch.fitness import capacity_of
from backend.dispatch.models import CapacityRow, DocumentRow
from backend.dispatch.roster_rules import Room, document_state
from backend.dispatch.roster_schemas import (
    Capacity,
    CapacityIn,
    DocumentIn,
    DocumentKind,
    DocumentOut,
    Load,
    RosterFilter,
    RosterPage,
    RosterRow,
)
from backend.dispatch.shifts import shift_out
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverOut


def place_of(driver: DriverOut) -> str:
    """The most precise region code of a driver."""
    return driver.hub or driver.region


async def driver_to_change(
    session: AsyncSession, principal: Principal, permission: str, driver_id: UUID
) -> DriverOut:
    """The driver, if the caller holds the permission where they work.

    Raises NoSuchDriver for one whom the caller may not see, Denied for one whom they only may see.
    """
    identity.authorize(principal, permission)
    driver = await tracking.get_driver(session, principal, driver_id)
    identity.authorize(principal, permission, place_of(driver))
    return driver


async def roster(
    session: AsyncSession,
    principal: Principal,
    wanted: RosterFilter | None = None,
    after: str | None = None,
    limit: int = 50,
) -> RosterPage:
    """Drivers of the caller's regions by code, with load, capacity, shift and documents.

    `after` is the `next_cursor` of the page before.
    """
    wanted = wanted or RosterFilter()
    page = await tracking.list_drivers(
        session,
        principal,
        region=wanted.region,
        vehicle=wanted.vehicle,
        status=wanted.status,
        q=wanted.q,
        after=after,
        limit=limit,
    )
    return RosterPage(items=await _rows(session, page.items), next_cursor=page.next_cursor)


async def roster_driver(session: AsyncSession, principal: Principal, driver_id: UUID) -> RosterRow:
    """One driver in the same way; raises NoSuchDriver."""
    driver = await tracking.get_driver(session, principal, driver_id)
    return (await _rows(session, [driver]))[0]


async def _rows(session: AsyncSession, drivers: Sequence[DriverOut]) -> list[RosterRow]:
    ids = [driver.id for driver in drivers]
    loads = await roster_repository.loads(session, ids)
    capacities = await roster_repository.capacities(session, ids)
    shifts = await roster_repository.current_shifts(session, ids, clock.now())
    documents: dict[UUID, list[DocumentRow]] = {}
    for document in await roster_repository.documents(session, ids):
        documents.setdefault(document.driver_id, []).append(document)
    days = await _days(session, drivers)
    return [
        RosterRow(
            driver=driver,
            load=Load(**loads.get(driver.id, Room(0, 0, 0))._asdict()),
            capacity=_capacity(driver.vehicle, capacities.get(driver.id)),
            shift=shift_out(shifts[driver.id]) if driver.id in shifts else None,
            documents=[_document(row, days[driver.region]) for row in documents.get(driver.id, ())],
        )
        for driver in drivers
    ]


async def _days(session: AsyncSession, drivers: Sequence[DriverOut]) -> dict[str, date]:
    """Which day it is in each of the drivers' cities."""
    directory = await city_tree(session, [driver.region for driver in drivers])
    now = clock.now()
    return {
        code: _local(now, region.time_zone if (region := directory.get(code)) else None).date()
        for code in {driver.region for driver in drivers}
    }


def _local(now: datetime, zone: str | None) -> datetime:
    return now.astimezone(ZoneInfo(zone or "UTC"))


def _capacity(vehicle: str, row: CapacityRow | None) -> Capacity:
    most = capacity_of(vehicle, row)
    return Capacity(
        most_orders=most.orders,
        most_weight_g=most.weight_g,
        most_volume_cm3=most.volume_cm3,
        skills=row.skills if row else [],
        usual=row is None,
    )


async def get_capacity(session: AsyncSession, principal: Principal, driver_id: UUID) -> Capacity:
    """What a driver can carry at once."""
    return (await roster_driver(session, principal, driver_id)).capacity


async def set_capacity(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: CapacityIn
) -> Capacity:
    """Say what a driver can carry and do, and no longer what is usual for their vehicle."""
    driver = await driver_to_change(session, principal, "drivers:write", driver_id)
    await roster_repository.lock_driver(session, driver_id)
    row = (await roster_repository.capacities(session, [driver_id])).get(driver_id)
    before = _capacity(driver.vehicle, row)
    values = wanted.model_dump() | {"updated_at": clock.now()}
    if row is None:
        row = roster_repository.add(session, CapacityRow(driver_id=driver_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    await identity.record(
        session,
        principal,
        "driver.capacity_set",
        f"driver:{driver_id}",
        region=place_of(driver),
        before=before.model_dump(),
        after=wanted.model_dump(),
    )
    return _capacity(driver.vehicle, row)


async def list_documents(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> list[DocumentOut]:
    """The driver's documents; their numbers are masked."""
    return (await roster_driver(session, principal, driver_id)).documents


async def set_document(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: DocumentIn
) -> DocumentOut:
    """Keep what the caller has seen of a document, in place of what was known of that kind."""
    driver = await driver_to_change(session, principal, "drivers:write", driver_id)
    await roster_repository.lock_driver(session, driver_id)
    found = await roster_repository.documents(session, [driver_id])
    row = next((row for row in found if row.kind == wanted.kind), None)
    day = (await _days(session, [driver]))[driver.region]
    before = None if row is None else _document(row, day).model_dump(mode="json")
    values = wanted.model_dump() | {"checked_by": principal.name, "checked_at": clock.now()}
    if row is None:
        row = roster_repository.add(session, DocumentRow(id=uuid7(), driver_id=driver_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    kept = _document(row, day)
    await identity.record(
        session,
        principal,
        "driver.document_set",
        f"driver:{driver_id}",
        region=place_of(driver),
        before=before,
        after=kept.model_dump(mode="json"),
    )
    return kept


def _document(row: DocumentRow, today: date) -> DocumentOut:
    return DocumentOut(
        id=row.id,
        kind=cast(DocumentKind, row.kind),
        number=identity.mask({"account": row.number})["account"],
        expires_on=row.expires_on,
        state=document_state(row.expires_on, today),
        checked_by=row.checked_by,
        checked_at=row.checked_at,
    )
