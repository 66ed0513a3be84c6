"""The lists of incidents and alerts as CSV files; each is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.incidents import service
from backend.incidents.schemas import AlertFilter, AlertOut, IncidentFilter, IncidentRow
from backend.platform.http import Uow
from backend.platform.spreadsheet import all_rows, csv_answer

router = APIRouter(prefix="/api/v1", tags=["incidents"], default_response_class=Response)

Reader = Annotated[Principal, Depends(requires("incidents:read"))]
_PAGE = 200


@router.get("/incidents.csv")
async def export_incidents(
    session: Uow, caller: Reader, wanted: Annotated[IncidentFilter, Query()]
) -> Response:
    """The newest 10,000 matching incidents."""
    found = await all_rows(
        lambda after: service.list_incidents(session, caller, wanted, after=after, limit=_PAGE)
    )
    heads = [name for name in IncidentRow.model_fields if name != "id"]
    return await _recorded(session, caller, "incidents", wanted, heads, found)


@router.get("/alerts.csv")
async def export_alerts(
    session: Uow, caller: Reader, wanted: Annotated[AlertFilter, Query()]
) -> Response:
    """The newest 10,000 matching alerts."""
    found = await all_rows(
        lambda after: service.list_alerts(session, caller, wanted, after=after, limit=_PAGE)
    )
    heads = [name for name in AlertOut.model_fields if name not in ("labels", "event_id")]
    return await _recorded(session, caller, "alerts", wanted, heads, found)


async def _recorded(
    session: AsyncSession,
    caller: Principal,
    what: str,
    wanted: IncidentFilter | AlertFilter,
    heads: Sequence[str],
    found: Sequence[IncidentRow | AlertOut],
) -> Response:
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    await identity.record(
        session, caller, f"{what}.exported", what, after={"rows": len(found), **asked}
    )
    return csv_answer(f"waypost-{what}", heads, ([_cell(row, h) for h in heads] for row in found))


def _cell(row: IncidentRow | AlertOut, name: str) -> object:
    value = getattr(row, name)
    return " ".join(value) if isinstance(value, list) else value
