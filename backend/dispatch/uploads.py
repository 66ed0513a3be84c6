"""Pictures on their way in, piece by piece, each under the hash of its whole content."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import proof_repository
from backend.dispatch.doorstep_models import UploadRow
from backend.dispatch.doorstep_schemas import MOST_FILE_BYTES, UploadOut
from backend.dispatch.evidence_store import (
    PartLost,
    evidence_store,
    media_type_of,
    name_of,
)
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import Conflict, DomainError, Invalid, NotFound, TooLarge
from backend.platform.ratelimit import take
from backend.platform.resources import current

ABANDONED_AFTER = timedelta(days=1)
_HEAD_BYTES = 12
_PER_HOUR = 240
_BURST = 120


class NoSuchUpload(NotFound):
    """Nobody began an upload under this hash."""

    title = "There is no such upload"


class NotAPicture(DomainError):
    """The content is none of the formats taken, whatever it is called."""

    status = 415
    code = "not_a_picture"
    title = "Only JPEG, PNG and WebP pictures are taken"


class WrongOffset(Conflict):
    """The piece does not begin where the upload stands."""

    code = "wrong_offset"
    title = "The upload stands elsewhere"

    def __init__(self, offset: int) -> None:
        super().__init__(f"Go on from byte {offset}.")
        self.offset = offset

    @property
    def headers(self) -> dict[str, str]:
        return {"Upload-Offset": str(self.offset)}


class WrongHash(DomainError):
    """The whole content has another hash than it was sent under (status of the tus protocol)."""

    status = 460
    code = "wrong_hash"
    title = "The content is not what its name says; the upload begins anew"


def driver_of(principal: Principal) -> UUID:
    """The driver whose phone calls; raises NotFound for anybody else."""
    identity.authorize(principal, "tasks:write")
    if principal.driver_id is None:
        raise NotFound("Only a driver's phone has tasks.")
    return principal.driver_id


async def begin_upload(
    session: AsyncSession, principal: Principal, sha256: str, size: int
) -> UploadOut:
    """How far the picture is there already: from nothing for a new one to all of it.

    Raises TooLarge over 8 MB, Conflict where the hash was announced with another size.
    """
    driver_id = driver_of(principal)
    if not 0 < size <= MOST_FILE_BYTES:
        raise TooLarge(f"A picture has from 1 to {MOST_FILE_BYTES} bytes.")
    await take(current().redis, f"evidence:{driver_id}", rate_per_s=_PER_HOUR / 3600, burst=_BURST)
    row = await proof_repository.begin_upload(
        session,
        UploadRow(sha256=sha256, size=size, received=0, driver_id=driver_id, begun_at=clock.now()),
    )
    if row.done_at is None and row.size != size:
        if row.received:
            raise Conflict(f"This picture was announced with {row.size} bytes.")
        row.size = size
    return _out(row)


async def upload_state(session: AsyncSession, principal: Principal, sha256: str) -> UploadOut:
    """How far a picture has come; raises NoSuchUpload."""
    driver_of(principal)
    row = await proof_repository.upload(session, sha256)
    if row is None:
        raise NoSuchUpload
    return _out(row)


async def append_upload(
    session: AsyncSession, principal: Principal, sha256: str, offset: int, chunk: bytes
) -> UploadOut | DomainError:
    """How far the picture is after this piece.

    A refusal after which the upload begins anew is answered, not raised, so that this is kept:
    WrongHash, NotAPicture, and WrongOffset where the pieces before were lost. Raises WrongOffset
    with where to go on, StorageFull, and NoSuchUpload.
    """
    driver_of(principal)
    row = await proof_repository.upload_for_update(session, sha256)
    if row is None:
        raise NoSuchUpload
    if row.received == row.size and offset + len(chunk) <= row.size:
        # The answer to the last piece was lost.
        return _out(row)
    if offset != row.received:
        raise WrongOffset(row.received)
    if offset + len(chunk) > row.size:
        raise Invalid(f"The picture was announced with {row.size} bytes.")
    store = evidence_store()
    if offset == 0 and len(chunk) >= _HEAD_BYTES and media_type_of(chunk) is None:
        raise NotAPicture
    try:
        await store.write(sha256, offset, chunk)
    except PartLost:
        if await store.has(sha256):
            return await _finished(row)
        row.received = 0
        return WrongOffset(0)
    row.received = offset + len(chunk)
    return await _ended(row) if row.received == row.size else _out(row)


async def _ended(row: UploadRow) -> UploadOut | DomainError:
    store = evidence_store()
    content = await store.part(row.sha256)
    if name_of(content) != row.sha256 or media_type_of(content) is None:
        await store.discard(row.sha256)
        row.received = 0
        return WrongHash() if name_of(content) != row.sha256 else NotAPicture()
    await store.keep(row.sha256)
    return await _finished(row)


async def _finished(row: UploadRow) -> UploadOut:
    content = await evidence_store().read(row.sha256)
    row.size = row.received = len(content)
    row.media_type = media_type_of(content)
    row.done_at = clock.now()
    return _out(row)


async def drop_abandoned(session: AsyncSession) -> None:
    """Forget uploads that nobody went on with for a day."""
    store = evidence_store()
    for name in await proof_repository.drop_abandoned(session, clock.now() - ABANDONED_AFTER):
        await store.discard(name)


def _out(row: UploadRow) -> UploadOut:
    return UploadOut(sha256=row.sha256, offset=row.received, size=row.size)
