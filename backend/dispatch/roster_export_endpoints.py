"""The roster as a CSV file; the export itself is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from backend.dispatch import service
from backend.dispatch.roster_schemas import RosterFilter, RosterRow
from backend.identity import service as identity
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.spreadsheet import all_rows, csv_answer
from backend.tracking.schemas import Freshness, RegionCode, Search, Vehicle

router = APIRouter(prefix="/api/v1", tags=["roster"], default_response_class=Response)

Reader = Annotated[Principal, Depends(requires("drivers:read"))]

_PAGE = 200
_HEADS = (
    "code", "name", "region", "hub", "vehicle", "status", "orders", "most_orders", "weight_g",
    "most_weight_g", "skills", "shift_starts_at", "shift_ends_at", "battery", "documents",
)  # fmt: skip


@router.get("/roster.csv")
async def export_roster(
    *,
    session: Uow,
    caller: Reader,
    region: RegionCode | None = None,
    vehicle: Vehicle | None = None,
    status: Freshness | None = None,
    q: Search | None = None,
) -> Response:
    """The matching drivers by code, at most 10,000."""
    wanted = RosterFilter(region=region, vehicle=vehicle, status=status, q=q)
    rows = await all_rows(lambda after: service.roster(session, caller, wanted, after, _PAGE))
    await identity.record(session, caller, "roster.exported", "roster", after={"rows": len(rows)})
    return csv_answer("waypost-drivers", _HEADS, (_cells(row) for row in rows))


def _cells(row: RosterRow) -> tuple[object, ...]:
    driver, shift, position = row.driver, row.shift, row.driver.position
    return (
        driver.code, driver.name, driver.region, driver.hub, driver.vehicle, driver.status,
        row.load.orders, row.capacity.most_orders, row.load.weight_g, row.capacity.most_weight_g,
        " ".join(row.capacity.skills),
        shift.starts_at if shift else None, shift.ends_at if shift else None,
        position.battery if position else None,
        " ".join(f"{each.kind}:{each.state}" for each in row.documents),
    )  # fmt: skip
