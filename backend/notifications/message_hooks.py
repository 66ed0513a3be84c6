"""The door of the message gateway: signed receipts, each worked in at once."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from pydantic import ValidationError

from backend.notifications import receipts
from backend.notifications.message_schemas import ReceiptResults, ReceiptsIn
from backend.platform.errors import Invalid
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take

router = APIRouter(prefix="/api/hooks", tags=["gateways"])


@router.post("/messages")
async def message_receipts(request: Request, session: Uow, resources: Res) -> ReceiptResults:
    """Up to 500 receipts, signed as Standard Webhooks are; one result for each."""
    key = f"hooks:messages:{client_address(request)}"
    await take(resources.redis, key, rate_per_s=200, burst=2000)
    body = await request.body()
    receipts.verify(resources.settings, request.headers, body)
    try:
        read = ReceiptsIn.model_validate(orjson.loads(body))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise Invalid("Send an object with a list of 1 to 500 receipts.") from error
    return ReceiptResults(results=await receipts.apply(session, read.receipts))
