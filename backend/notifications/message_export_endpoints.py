"""The outbox as a CSV file; each is recorded."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.identity import service as identity
from backend.notifications import service
from backend.notifications.message_endpoints import Reader, Wanted
from backend.notifications.message_schemas import MessageOut
from backend.platform.http import Uow
from backend.platform.spreadsheet import MOST_ROWS, csv_answer

router = APIRouter(prefix="/api/v1", tags=["messages"], default_response_class=Response)

_HEADS = [name for name in MessageOut.model_fields if name != "tried"]


@router.get("/messages.csv")
async def export_messages(session: Uow, caller: Reader, wanted: Wanted) -> Response:
    """The newest 10,000 matching messages, without their words; who they went to is masked."""
    page = await service.list_messages(session, caller, wanted, limit=MOST_ROWS)
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    await identity.record(
        session, caller, "messages.exported", "messages", after={"rows": len(page.items), **asked}
    )
    rows = ([getattr(each, name) for name in _HEADS] for each in page.items)
    return csv_answer("waypost-messages", _HEADS, rows)
