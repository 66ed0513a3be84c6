"""Proof of delivery for people: pictures to look at, new codes, and support's override."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from backend.dispatch import service
from backend.dispatch.doorstep_schemas import CodeOut, EvidenceOut, OverrideIn, ResendIn
from backend.dispatch.schemas import OrderOut
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow

router = APIRouter(prefix="/api/v1/orders", tags=["proof of delivery"])
demo = APIRouter(prefix="/api/demo", tags=["demo"])

Reader = Annotated[Principal, Depends(requires("orders:read"))]
Writer = Annotated[Principal, Depends(requires("orders:write"))]
Overrider = Annotated[Principal, Depends(requires("orders:override"))]
# A picture comes from a stranger's phone: it is shown as a picture or not at all.
_AS_PICTURE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
    "Cache-Control": "private, max-age=3600",
}


@router.get("/{number}/evidence")
async def list_evidence(session: Uow, caller: Reader, number: str) -> list[EvidenceOut]:
    """The order's proofs, oldest first."""
    order_id = await service.order_id_of(session, number)
    return await service.evidence_of(session, caller, order_id)


@router.get("/{number}/evidence/{evidence_id}/content", response_class=Response)
async def show_evidence(session: Uow, caller: Reader, number: str, evidence_id: UUID) -> Response:
    """The picture of one proof."""
    content, kind = await service.evidence_content(session, caller, number, evidence_id)
    return Response(content, media_type=kind, headers=_AS_PICTURE)


@router.post("/{number}/otp/resend")
async def resend_otp(session: Uow, caller: Writer, number: str, wanted: ResendIn) -> CodeOut:
    """Have a new code sent to the recipient."""
    order_id = await service.order_id_of(session, number)
    return await service.resend_otp(session, caller, order_id, wanted.step)


@router.post("/{number}/proof/override")
async def override_proof(
    session: Uow, caller: Overrider, number: str, wanted: OverrideIn
) -> OrderOut:
    """Waive the proof of an order, with a reason that is kept."""
    order_id = await service.order_id_of(session, number)
    return await service.override_proof(session, caller, order_id, wanted)


@demo.get("/orders/{number}/otp")
async def received_code(session: Uow, caller: Reader, number: str) -> dict[str, str]:
    """What the recipient of an order of the demo reads on their phone."""
    return await service.received_codes(session, caller, number)
