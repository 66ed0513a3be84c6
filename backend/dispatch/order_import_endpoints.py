"""The HTTP side of table files: orders in from one, orders out as one."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from backend.dispatch import service
from backend.dispatch.order_filter import Wanted
from backend.dispatch.order_schemas import ImportPreview, ImportResult
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Res, Uow

router = APIRouter(prefix="/api/v1", tags=["orders"])

Creator = Annotated[Principal, Depends(requires("orders:create"))]
Reader = Annotated[Principal, Depends(requires("orders:read"))]

_CSV = "text/csv; charset=utf-8"
_BODY = {"requestBody": {"required": True, "content": {"text/csv": {}}}}


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@router.get("/orders.csv", response_class=StreamingResponse)
async def export_orders(
    session: Uow, resources: Res, caller: Reader, wanted: Wanted
) -> StreamingResponse:
    """The matching orders, up to 50,000, as CSV; the export itself is recorded."""
    await service.note_export(session, caller, wanted)

    async def rows() -> AsyncIterator[str]:
        # The request's own unit of work ends before the first byte is sent.
        async with resources.database.unit_of_work() as reading:
            async for part in service.export_orders(reading, caller, wanted):
                yield part

    return StreamingResponse(rows(), media_type=_CSV, headers=_attached("waypost-orders.csv"))


@router.get("/orders/import/template.csv", response_class=Response)
async def import_template(caller: Creator) -> Response:
    """A table with every column and one row as an example."""
    text = service.import_template(caller)
    return Response(text, media_type=_CSV, headers=_attached("waypost-orders-template.csv"))


@router.post("/orders/import/preview", openapi_extra=_BODY)
async def preview_import(session: Uow, caller: Creator, request: Request) -> ImportPreview:
    """What an import of the body, a CSV file, would do; makes nothing."""
    return await service.preview_import(session, caller, await request.body())


@router.post("/orders/import", openapi_extra=_BODY)
async def import_orders(
    session: Uow, caller: Creator, request: Request, skip_wrong: Annotated[bool, Query()] = False
) -> ImportResult:
    """Take in the orders of the body, a CSV file of up to 5,000 rows."""
    return await service.import_orders(session, caller, await request.body(), skip_wrong=skip_wrong)
