"""The list of escalations as a CSV file; each is recorded."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.identity import service as identity
from backend.platform.http import Uow
from backend.platform.spreadsheet import all_rows, csv_answer
from backend.support import service
from backend.support.endpoints import Reader, Wanted
from backend.support.schemas import EscalationRow, Sla

router = APIRouter(prefix="/api/v1", tags=["escalations"], default_response_class=Response)

_PAGE = 200
_HEADS = [name for name in EscalationRow.model_fields if name not in ("sla", "version")]
_CLOCKS = ["first_response_due", "first_response_at", "first_response", "resolution_due",
           "resolution"]  # fmt: skip


@router.get("/escalations.csv")
async def export_escalations(session: Uow, caller: Reader, wanted: Wanted) -> Response:
    """The first 10,000 matching escalations, with both their clocks."""
    found = await all_rows(
        lambda after: service.list_escalations(session, caller, wanted, after=after, limit=_PAGE)
    )
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    await identity.record(
        session, caller, "escalations.exported", "escalations", after={"rows": len(found), **asked}
    )
    rows = ([*_cells(row, _HEADS), *_cells(row.sla, _CLOCKS)] for row in found)
    return csv_answer("waypost-escalations", [*_HEADS, *_CLOCKS], rows)


def _cells(row: EscalationRow | Sla, names: list[str]) -> list[object]:
    return [getattr(row, name) for name in names]
