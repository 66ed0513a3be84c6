"""The roster: who drives, with which vehicle, and who may see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.resources import current
from backend.platform.scopes import covers, parent
from backend.regions import service as regions
from backend.regions.service import Directory
from backend.tracking import livestore, repository
from backend.tracking.changes import tell_after_commit
from backend.tracking.livestate import LiveState
from backend.tracking.models import DriverRow
from backend.tracking.rules import freshness
from backend.tracking.schemas import (
    DeviceToken,
    DriverChange,
    DriverContact,
    DriverIn,
    DriverName,
    DriverOut,
    DriverPage,
    Freshness,
    PositionOut,
    Shift,
)

_SEARCHED_AT_ONCE = 1000
_MOST_SEARCHES = 20


class NoSuchDriver(NotFound):
    """There is no such driver, or not where the caller may look."""

    title = "There is no such driver"


def place_of(row: DriverRow) -> str:
    """The most precise region code of a driver."""
    return row.hub or row.region


async def driver_row(
    session: AsyncSession, principal: Principal, permission: str, driver_id: UUID
) -> DriverRow:
    """The driver, if the caller holds the permission where the driver works.

    Raises NoSuchDriver for one whom the caller may not see, Denied for one whom they only may see.
    """
    identity.authorize(principal, permission)
    return _seen(await repository.by_id(session, driver_id), principal, permission)


def _seen(row: DriverRow | None, principal: Principal, permission: str) -> DriverRow:
    if row is None:
        raise NoSuchDriver
    place = place_of(row)
    if not identity.may(principal, permission, place):
        if identity.may(principal, "drivers:read", place):
            identity.authorize(principal, permission, place)
        raise NoSuchDriver
    return row


async def create_driver(session: AsyncSession, principal: Principal, wanted: DriverIn) -> DriverOut:
    """Add a driver to the roster; raises Invalid naming the field, Conflict for a taken code."""
    identity.authorize(principal, "drivers:write", wanted.hub or wanted.region)
    directory = await regions.directory(session, SYSTEM)
    _check_place(directory, wanted.region, wanted.hub)
    now = clock.now()
    row = DriverRow(
        id=uuid7(),
        code=wanted.code or await repository.next_code(session),
        created_at=now,
        updated_at=now,
        **wanted.model_dump(exclude={"code"}),
    )
    try:
        async with session.begin_nested():
            await repository.add_driver(session, row)
    except IntegrityError as error:
        fault = FieldError("/code", "taken", f"{row.code} is another driver's code.")
        raise Conflict(fault.detail, errors=[fault]) from error
    await emit(
        session,
        Event("driver.created", str(row.id), principal.id, {"code": row.code}, row.region),
    )
    tell_after_commit(session, row.id)
    await identity.record(
        session,
        principal,
        "driver.created",
        f"driver:{row.id}",
        region=row.region,
        after=wanted.model_dump(),
    )
    return _out(row, None, directory)


def _check_place(directory: Directory, city: str, hub: str | None) -> None:
    region = directory.get(city)
    if region is None or region.kind != "city":
        fault = FieldError("/region", "unknown", f"{city} is not a city's code.")
        raise Invalid(fault.detail, errors=[fault])
    if hub is not None and (directory.get(hub) is None or parent(hub) != city):
        fault = FieldError("/hub", "unknown", f"{hub} is not a hub of {city}.")
        raise Invalid(fault.detail, errors=[fault])


async def change_driver(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: DriverChange
) -> DriverOut:
    """The driver with the details that were sent; one who moves to another city leaves the hub.

    Needs `drivers:write` where the driver works and where they are to work.
    """
    identity.authorize(principal, "drivers:write")
    found = await repository.by_id_for_update(session, driver_id)
    row = _seen(found, principal, "drivers:write")
    sent = wanted.model_dump(exclude_unset=True)
    if sent.get("region", row.region) != row.region:
        sent.setdefault("hub", None)
    before = {
        name: getattr(row, name) for name, value in sent.items() if getattr(row, name) != value
    }
    if not before:
        return (await _outs(session, [row]))[0]
    for name in before:
        setattr(row, name, sent[name])
    identity.authorize(principal, "drivers:write", place_of(row))
    _check_place(await regions.directory(session, SYSTEM), row.region, row.hub)
    row.updated_at = clock.now()
    changed = sorted(before)
    await emit(
        session,
        Event("driver.changed", str(row.id), principal.id, {"changed": changed}, row.region),
    )
    tell_after_commit(session, row.id)
    await identity.record(
        session,
        principal,
        "driver.changed",
        f"driver:{row.id}",
        region=row.region,
        before=before,
        after={name: sent[name] for name in changed},
    )
    return (await _outs(session, [row]))[0]


async def list_drivers(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    vehicle: str | None = None,
    status: Freshness | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> DriverPage:
    """Drivers of the caller's regions by code; `after` is the last code of the page before.

    With a status a page may be short and still have a next one: how fresh somebody is stands in
    the hot store, and no call searches the roster for longer than a moment.
    """
    identity.authorize(principal, "drivers:read")
    scopes = identity.scopes(principal, "drivers:read")
    step = limit if status is None else _SEARCHED_AT_ONCE
    items: list[DriverOut] = []
    for _ in range(_MOST_SEARCHES):
        rows = await repository.drivers(
            session,
            scopes,
            region=region,
            vehicle=vehicle,
            on_shift=None if status is None else status != "off_shift",
            q=q,
            after=after,
            limit=step + 1,
        )
        for driver in await _outs(session, rows[:step]):
            if status not in (None, driver.status):
                continue
            if len(items) == limit:
                return DriverPage(items=items, next_cursor=items[-1].code)
            items.append(driver)
        if len(rows) <= step:
            return DriverPage(items=items, next_cursor=None)
        after = rows[step - 1].code
        if len(items) == limit:
            break
    return DriverPage(items=items, next_cursor=after)


async def get_driver(session: AsyncSession, principal: Principal, driver_id: UUID) -> DriverOut:
    """One driver with newest position; the phone number is masked."""
    row = await driver_row(session, principal, "drivers:read", driver_id)
    return (await _outs(session, [row]))[0]


async def find_driver(session: AsyncSession, principal: Principal, code: str) -> DriverOut:
    """The driver with this code; raises NoSuchDriver."""
    identity.authorize(principal, "drivers:read")
    row = await repository.by_code(session, code)
    if row is None or not identity.may(principal, "drivers:read", place_of(row)):
        raise NoSuchDriver
    return (await _outs(session, [row]))[0]


async def name_drivers(
    session: AsyncSession, principal: Principal, driver_ids: Collection[UUID]
) -> dict[UUID, DriverName]:
    """Codes and names of those of the drivers whom the caller may see, by id."""
    identity.authorize(principal, "drivers:read")
    rows = await repository.by_ids(session, driver_ids) if driver_ids else []
    return {
        row.id: DriverName(code=row.code, name=row.name)
        for row in rows
        if identity.may(principal, "drivers:read", place_of(row))
    }


async def driver_codes(session: AsyncSession, driver_ids: Collection[UUID]) -> dict[UUID, str]:
    """The codes of drivers that a service already deals with; a code tells nothing of a person."""
    return await repository.codes(session, driver_ids) if driver_ids else {}


async def driver_contact(
    session: AsyncSession, principal: Principal, driver_id: UUID, permission: str
) -> DriverContact:
    """Where a message to the driver goes, for a caller with the permission where they work."""
    row = await driver_row(session, principal, permission, driver_id)
    return DriverContact(row.id, row.name, row.phone, row.region, place_of(row))


async def reveal_phone(session: AsyncSession, principal: Principal, driver_id: UUID) -> str | None:
    """The driver's whole phone number; each look is recorded."""
    row = await driver_row(session, principal, "drivers:read", driver_id)
    identity.authorize(principal, "drivers:reveal", place_of(row))
    await identity.record(
        session, principal, "driver.phone_revealed", f"driver:{row.id}", region=row.region
    )
    return row.phone


async def issue_device_token(
    session: AsyncSession, principal: Principal, driver_id: UUID, *, secret: str | None = None
) -> DeviceToken:
    """A new token for the driver's phone; the two before it go on working, older ones stop.

    `secret` is for makers that must repeat an answer.
    """
    row = await driver_row(session, principal, "drivers:write", driver_id)
    issued = await identity.issue_device_token(
        session, principal, row.id, row.region, secret=secret
    )
    return DeviceToken(driver_id=row.id, token=issued.secret, expires_at=issued.expires_at)


async def set_shift(session: AsyncSession, principal: Principal, *, on: bool) -> Shift:
    """Put the calling driver on or off shift; saying it twice changes nothing."""
    identity.authorize(principal, "shift:write")
    row = (
        await repository.by_id_for_update(session, principal.driver_id)
        if principal.driver_id is not None
        else None
    )
    if row is None:
        raise NoSuchDriver("Only a driver's phone has a shift.")
    if row.on_shift != on:
        row.on_shift, row.updated_at = on, clock.now()
        kind = "driver.shift_started" if on else "driver.shift_ended"
        await emit(session, Event(kind, str(row.id), principal.id, {}, row.region))
        tell_after_commit(session, row.id)
    return Shift(driver_id=row.id, state="on" if on else "off")


async def _outs(session: AsyncSession, rows: Sequence[DriverRow]) -> list[DriverOut]:
    states = await livestore.newest(current().redis, [row.id for row in rows])
    directory = await regions.directory(session, SYSTEM)
    return [_out(row, states.get(row.id), directory) for row in rows]


def _out(row: DriverRow, state: LiveState | None, directory: Directory) -> DriverOut:
    values = row.model_dump(exclude={"created_at", "updated_at", "on_shift"})
    values["phone"] = identity.mask({"phone": row.phone})["phone"]
    return DriverOut(
        **values,
        status=_status(row, state, directory),
        position=None if state is None else _position(state),
    )


def _status(row: DriverRow, state: LiveState | None, directory: Directory) -> str:
    settings = current().settings
    place = directory.get(place_of(row)) or directory.get(row.region)
    now_ms = clock.now().timestamp() * 1000
    age_s = float("inf") if state is None else (now_ms - state.effective_ms) / 1000
    return freshness(
        age_s,
        on_shift=row.on_shift,
        live_s=place.live_after_s if place else settings.live_after_s,
        offline_s=place.offline_after_s if place else settings.offline_after_s,
    )


def _position(state: LiveState) -> PositionOut:
    return PositionOut(
        lat=state.lat,
        lon=state.lon,
        recorded_at=datetime.fromtimestamp(state.recorded_ms / 1000, clock.now().tzinfo),
        speed=state.speed,
        bearing=state.bearing,
        accuracy=state.accuracy,
        battery=state.battery,
    )


def sees(principal: Principal, permission: str, region: str) -> bool:
    """Whether the region, or a part of it, is the caller's to see."""
    held = identity.scopes(principal, permission)
    return any(covers(scope, region) or covers(region, scope) for scope in held)
