"""The HTTP side of matching, routes and ETAs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from backend.dispatch import service
from backend.dispatch.matching_schemas import (
    CitySwitch,
    CitySwitchIn,
    Code,
    Decision,
    EtaAccuracy,
    MatchingFigures,
    OfferOut,
    PlanIn,
    PlanResult,
    RankedDriver,
    RedispatchIn,
    RedispatchResult,
    RouteEdit,
    RouteOut,
    RunIn,
    RunResult,
)
from backend.dispatch.routes import NoSuchRoute
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow

router = APIRouter(prefix="/api/v1", tags=["dispatch"])

DispatchReader = Annotated[Principal, Depends(requires("dispatch:read"))]
DispatchWriter = Annotated[Principal, Depends(requires("dispatch:write"))]
Number = Annotated[str, Path(max_length=64, description="An order's number or id.")]
Region = Annotated[Code, Query(description="A region's code; `*` is everything you may see.")]


@router.post("/dispatch/run")
async def run_matching(session: Uow, caller: DispatchWriter, wanted: RunIn) -> RunResult:
    """Match a city now, whether or not its switch is on."""
    return await service.run_matching(session, caller, wanted.city)


@router.get("/dispatch/cities")
async def city_switches(session: Uow, caller: DispatchReader) -> list[CitySwitch]:
    """Which of your cities match by themselves."""
    return await service.city_switches(session, caller)


@router.put("/dispatch/cities/{code}")
async def set_city_switch(
    session: Uow, caller: DispatchWriter, code: Code, wanted: CitySwitchIn
) -> CitySwitch:
    """Switch a city's automatic matching on or off."""
    return await service.set_city_switch(
        session, caller, code, automatic=wanted.automatic, reason=wanted.reason
    )


@router.get("/dispatch/figures")
async def matching_figures(
    session: Uow, caller: DispatchReader, region: Region = "*"
) -> MatchingFigures:
    """How matching does in a region."""
    return await service.matching_figures(session, caller, region)


@router.get("/dispatch/eta-accuracy")
async def eta_accuracy(
    session: Uow, caller: DispatchReader, region: Region = "*"
) -> list[EtaAccuracy]:
    """How far the ETAs of the last seven days were off."""
    return await service.eta_accuracy(session, caller, region)


@router.post("/dispatch/redispatch")
async def redispatch_area(
    session: Uow, caller: DispatchWriter, wanted: RedispatchIn
) -> RedispatchResult:
    """Take back what the drivers in an area have not picked up, to be matched anew."""
    return await service.redispatch_area(session, caller, wanted)


@router.get("/orders/{number}/decisions")
async def why(session: Uow, caller: DispatchReader, number: Number) -> list[Decision]:
    """Why an order was offered to whom it was, newest first."""
    return await service.why(session, caller, await service.order_id_of(session, number))


@router.get("/orders/{number}/offers")
async def offers_of_order(session: Uow, caller: DispatchReader, number: Number) -> list[OfferOut]:
    """Every offer of an order, newest first."""
    order_id = await service.order_id_of(session, number)
    return await service.offers_of_order(session, caller, order_id)


@router.get("/orders/{number}/drivers")
async def drivers_for_order(
    session: Uow,
    caller: DispatchReader,
    number: Number,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[RankedDriver]:
    """Drivers for an order at this moment, the best first."""
    order_id = await service.order_id_of(session, number)
    return await service.drivers_for_order(session, caller, order_id, limit)


@router.get("/routes")
async def list_routes(session: Uow, caller: DispatchReader, region: Region = "*") -> list[RouteOut]:
    """The tours in force in a region, by driver code."""
    return await service.list_routes(session, caller, region)


@router.post("/routes/plan")
async def plan_routes(session: Uow, caller: DispatchWriter, wanted: PlanIn) -> PlanResult:
    """Plan the tours of a region anew."""
    return await service.plan_routes(session, caller, wanted.region)


@router.get("/drivers/{driver_id}/route")
async def route_of_driver(session: Uow, caller: DispatchReader, driver_id: UUID) -> RouteOut:
    """A driver's tour in force; 404 for one without orders."""
    found = await service.route_of_driver(session, caller, driver_id)
    if found is None:
        raise NoSuchRoute
    return found


@router.put("/drivers/{driver_id}/route")
async def edit_route(
    session: Uow, caller: DispatchWriter, driver_id: UUID, edit: RouteEdit
) -> RouteOut:
    """Put a tour's stops into another order, or pin them."""
    return await service.edit_route(session, caller, driver_id, edit)
