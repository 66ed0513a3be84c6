"""The HTTP side of drivers, tracks and playback."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import TypeAdapter, ValidationError

from backend.identity.endpoints import requires
from backend.identity.rules import DEVICE_PREFIX
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.cursors import foreign
from backend.platform.http import Res, Uow
from backend.platform.idempotency import Once
from backend.tracking import live_endpoint, service
from backend.tracking.schemas import (
    DeviceToken,
    DriverChange,
    DriverIn,
    DriverOut,
    DriverPage,
    Freshness,
    Moment,
    Playback,
    Refusals,
    RegionCode,
    Search,
    Shift,
    ShiftIn,
    Track,
    Vehicle,
)

router = APIRouter()
router.include_router(live_endpoint.router)

_drivers = APIRouter(prefix="/api/v1", tags=["drivers"])

DriverReader = Annotated[Principal, Depends(requires("drivers:read"))]
DriverWriter = Annotated[Principal, Depends(requires("drivers:write"))]
PositionReader = Annotated[Principal, Depends(requires("positions:read"))]
ShiftWriter = Annotated[Principal, Depends(requires("shift:write"))]

_moment: TypeAdapter[datetime] = TypeAdapter(Moment)


@_drivers.get("/drivers")
async def list_drivers(
    *,
    session: Uow,
    caller: DriverReader,
    region: RegionCode | None = None,
    vehicle: Vehicle | None = None,
    status: Freshness | None = None,
    q: Search | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Search | None = None,
) -> DriverPage:
    """A page of the caller's drivers by code."""
    return await service.list_drivers(
        session,
        caller,
        region=region,
        vehicle=vehicle,
        status=status,
        q=q,
        after=cursor,
        limit=limit,
    )


@_drivers.post("/drivers", status_code=201, response_model=DriverOut)
async def create_driver(
    session: Uow, caller: DriverWriter, once: Once, wanted: DriverIn
) -> Response:
    """Add a driver."""
    return await once.answer(
        session, caller.id, lambda: service.create_driver(session, caller, wanted)
    )


@_drivers.get("/drivers/{driver_id}")
async def get_driver(session: Uow, caller: DriverReader, driver_id: UUID) -> DriverOut:
    """One driver with status and newest position."""
    return await service.get_driver(session, caller, driver_id)


@_drivers.patch("/drivers/{driver_id}")
async def change_driver(
    session: Uow, caller: DriverWriter, driver_id: UUID, wanted: DriverChange
) -> DriverOut:
    """Change a driver's details; what is left out stays."""
    return await service.change_driver(session, caller, driver_id, wanted)


@_drivers.post("/drivers/{driver_id}/device-token", status_code=201, response_model=DeviceToken)
async def issue_device_token(
    session: Uow, resources: Res, caller: DriverWriter, driver_id: UUID, once: Once
) -> Response:
    """Make a token of a driver's phone; the newest three work."""
    derived = once.derive(resources.settings.secret_key.get_secret_value(), caller.id)
    secret = None if derived is None else DEVICE_PREFIX + derived
    shown: list[str] = []

    async def make() -> DeviceToken:
        issued = await service.issue_device_token(session, caller, driver_id, secret=secret)
        shown.append(issued.token)
        return issued.model_copy(update={"token": ""})

    # What is kept for a repeat holds no secret; it is derived again from the key.
    answer = await once.answer(session, caller.id, make)
    answer.body = orjson.dumps(
        {**orjson.loads(answer.body), "token": shown[0] if shown else secret}
    )
    answer.headers["content-length"] = str(len(answer.body))
    return answer


@_drivers.get("/drivers/{driver_id}/track")
async def get_track(
    *,
    session: Uow,
    caller: PositionReader,
    driver_id: UUID,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 2000,
    cursor: Search | None = None,
) -> Track:
    """The driver's fixes in a window; it ends now and spans ten minutes where nothing is said."""
    # A fix may be up to five minutes ahead of us.
    until = end or clock.now() + timedelta(minutes=5)
    since = start or (end or clock.now()) - timedelta(minutes=10)
    if cursor is not None:
        since = _time(cursor)
    return await service.get_track(session, caller, driver_id, since, until, limit=limit)


def _time(cursor: str) -> datetime:
    try:
        return _moment.validate_python(cursor)
    except ValidationError as error:
        raise foreign() from error


@_drivers.get("/playback")
async def playback(
    session: Uow,
    caller: PositionReader,
    region: RegionCode,
    at: Moment,
) -> Playback:
    """Who of a region was where at a moment."""
    return await service.playback(session, caller, region, at)


@_drivers.get("/positions/refusals")
async def refusals(
    resources: Res,
    caller: PositionReader,
    hours: Annotated[int, Query(ge=1, le=168)] = 24,
) -> list[Refusals]:
    """Counts of refused and flagged fixes by hour, region, doorway and code."""
    return list(await service.refusals(resources, caller, hours=hours))


router.include_router(_drivers)


@router.post("/api/driver/v1/shift", tags=["driver app"])
async def set_shift(session: Uow, caller: ShiftWriter, wanted: ShiftIn) -> Shift:
    """Put the calling driver on or off shift."""
    return await service.set_shift(session, caller, on=wanted.state == "on")
