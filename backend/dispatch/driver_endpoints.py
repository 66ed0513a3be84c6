"""The driver app's doorway, `/api/driver/v1`: sync, tasks, offers, codes, pictures in pieces."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from backend.dispatch import service
from backend.dispatch.doorstep_schemas import (
    MOST_FILE_BYTES,
    CodeAnswer,
    CodeIn,
    CodeOut,
    OfferAnswerIn,
    ResendIn,
    Sha256,
    SyncIn,
    SyncOut,
    TaskList,
    UploadOut,
)
from backend.dispatch.matching_schemas import OfferOut
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.errors import BadRequest, DomainError, FieldError, Invalid
from backend.platform.http import Uow, problem

router = APIRouter(prefix="/api/driver/v1", tags=["driver app"])

Phone = Annotated[Principal, Depends(requires("tasks:write"))]
Hash = Annotated[Sha256, Path()]
# https://tus.io/protocols/resumable-upload, version 1.0.0 with its extension `creation`; a picture
# announces its hash as metadata and so has one address, however often it is sent.
_TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
_PIECE = "application/offset+octet-stream"


@router.post("/sync")
async def sync(session: Uow, caller: Phone, sent: SyncIn) -> SyncOut:
    """Take the phone's events, each once and in its order, and tell all that is new for it."""
    return await service.sync(session, caller, sent)


@router.get("/tasks")
async def tasks(session: Uow, caller: Phone) -> TaskList:
    """The driver's open orders."""
    return await service.tasks_of_driver(session, caller)


@router.post("/offers/{offer_id}")
async def answer_offer(
    session: Uow, caller: Phone, offer_id: UUID, wanted: OfferAnswerIn
) -> OfferOut:
    """Take an offer or turn it down."""
    if wanted.answer == "accept":
        return await service.accept_offer(session, caller, offer_id)
    return await service.reject_offer(session, caller, offer_id, wanted.reason or "not said")


@router.post("/orders/{order_id}/otp")
async def verify_otp(session: Uow, caller: Phone, order_id: UUID, given: CodeIn) -> CodeAnswer:
    """Whether the code that the recipient said is right; each guess takes one of five attempts."""
    return await service.verify_otp(session, caller, order_id, given.step, given.code)


@router.post("/orders/{order_id}/otp/resend")
async def resend_otp(session: Uow, caller: Phone, order_id: UUID, wanted: ResendIn) -> CodeOut:
    """Have a new code sent to the recipient; the wait doubles each time."""
    return await service.resend_otp(session, caller, order_id, wanted.step)


@router.post("/evidence", status_code=201)
async def begin_upload(
    session: Uow,
    caller: Phone,
    upload_length: Annotated[int, Header(ge=1)],
    upload_metadata: Annotated[str, Header(max_length=500)],
) -> Response:
    """Announce a picture by size and hash; `Upload-Offset` says how much is there already."""
    state = await service.begin_upload(session, caller, _hash_in(upload_metadata), upload_length)
    headers = {**_progress(state), "Location": f"{router.prefix}/evidence/{state.sha256}"}
    return Response(status_code=201, headers=headers)


@router.head("/evidence/{sha256}")
async def upload_state(session: Uow, caller: Phone, sha256: Hash) -> Response:
    """How far a picture has come."""
    return Response(headers=_progress(await service.upload_state(session, caller, sha256)))


@router.patch("/evidence/{sha256}", status_code=204)
async def append_upload(
    session: Uow,
    caller: Phone,
    request: Request,
    sha256: Hash,
    upload_offset: Annotated[int, Header(ge=0, le=MOST_FILE_BYTES)],
    content_type: Annotated[str, Header()],
) -> Response:
    """Add the next piece; after the last the content must have the hash it was announced with."""
    if content_type != _PIECE:
        raise BadRequest(f"A piece of a picture is sent as {_PIECE}.")
    chunk = await request.body()
    done = await service.append_upload(session, caller, sha256, upload_offset, chunk)
    if isinstance(done, DomainError):
        return problem(done)
    return Response(status_code=204, headers=_progress(done))


def _progress(state: UploadOut) -> dict[str, str]:
    return {**_TUS, "Upload-Offset": str(state.offset), "Upload-Length": str(state.size)}


def _hash_in(metadata: str) -> str:
    """The hash among the pairs of `Upload-Metadata`: `sha256 <base64>, ...`."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "sha256":
            try:
                text = base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                break
            if len(text) == 64 and set(text) <= set("0123456789abcdef"):
                return text
    detail = "Upload-Metadata must hold sha256, the hash in lower-case hexadecimal, as base64."
    raise Invalid(detail, errors=[FieldError("/header/Upload-Metadata", "sha256", detail)])
