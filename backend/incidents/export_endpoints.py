"""The lists of incidents and alerts as CSV files; each is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from backend.identity import service as identity
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.incidents import service
from backend.incidents.schemas import AlertFilter, AlertOut, IncidentFilter, IncidentRow
from backend.platform.http import Uow
from backend.platform.spreadsheet import MOST_ROWS, csv_answer

router = APIRouter(prefix="/api/v1", tags=["incidents"], default_response_class=Response)

Reader = Annotated[Principal, Depends(requires("incidents:read"))]
_PAGE = 200


@router.get("/incidents.csv")
async def export_incidents(
    session: Uow, caller: Reader, wanted: Annotated[IncidentFilter, Query()]
) -> Response:
    """The newest 10,000 matching incidents."""
    found: list[IncidentRow] = []
    cursor: str | None = None
    while len(found) < MOST_ROWS:
        page = await service.list_incidents(session, caller, wanted, after=cursor, limit=_PAGE)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    await identity.record(
        session, caller, "incidents.exported", "incidents", after={"rows": len(found), **asked}
    )
    heads = [name for name in IncidentRow.model_fields if name != "id"]
    return csv_answer("waypost-incidents", heads, ([_cell(row, h) for h in heads] for row in found))


@router.get("/alerts.csv")
async def export_alerts(
    session: Uow, caller: Reader, wanted: Annotated[AlertFilter, Query()]
) -> Response:
    """The newest 10,000 matching alerts."""
    found: list[AlertOut] = []
    cursor: str | None = None
    while len(found) < MOST_ROWS:
        page = await service.list_alerts(session, caller, wanted, after=cursor, limit=_PAGE)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    await identity.record(
        session, caller, "alerts.exported", "alerts", after={"rows": len(found), **asked}
    )
    heads = [name for name in AlertOut.model_fields if name not in ("labels", "event_id")]
    return csv_answer("waypost-alerts", heads, ([_cell(row, h) for h in heads] for row in found))


def _cell(row: IncidentRow | AlertOut, name: str) -> object:
    value = getattr(row, name)
    return " ".join(value) if isinstance(value, list) else value
