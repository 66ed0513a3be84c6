"""The driver app's doorway to its messages: what was pushed, and what has arrived."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.notifications import service
from backend.notifications.message_schemas import PushList, ReceiptResults, ReceiptsIn
from backend.platform.http import Uow

router = APIRouter(prefix="/api/driver/v1/messages", tags=["driver app"])

Phone = Annotated[Principal, Depends(requires("tasks:write"))]


@router.get("")
async def pushes(session: Uow, caller: Phone) -> PushList:
    """The pushes that the app has not acknowledged, oldest first, so long as they are of use."""
    return await service.pushes_to_phone(session, caller)


@router.post("/received")
async def received(session: Uow, caller: Phone, sent: ReceiptsIn) -> ReceiptResults:
    """Acknowledge pushes by the `message_id` in their data, up to 500 at once; repeats are safe."""
    results = await service.acknowledge_pushes(session, caller, sent.receipts)
    return ReceiptResults(results=results)
