"""Every query on one-time codes, evidence and uploads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.doorstep_models import EvidenceRow, OtpRow, UploadRow
from backend.dispatch.models import ParcelRow


async def code_of(session: AsyncSession, order_id: UUID, step: str) -> OtpRow | None:
    """The step's code as it stands now."""
    return await session.get(OtpRow, (order_id, step), populate_existing=True)


async def codes_of(session: AsyncSession, order_ids: Sequence[UUID]) -> list[OtpRow]:
    """Every code of these orders."""
    found = await session.scalars(select(OtpRow).where(col(OtpRow.order_id).in_(order_ids)))
    return list(found)


async def put_code(session: AsyncSession, row: OtpRow) -> None:
    """Make this the step's code; attempts used up on those before stay used up."""
    fresh = insert(OtpRow).values(row.model_dump())
    new = fresh.excluded
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=["order_id", "step"],
            set_={
                "digest": new.digest,
                "minted_at": new.minted_at,
                "expires_at": new.expires_at,
                "resend_from": new.resend_from,
                "sent": new.sent,
            },
        )
    )


async def use_attempt(
    session: AsyncSession, order_id: UUID, step: str, *, most: int, alive_at: datetime
) -> bytes | None:
    """The digest to compare one guess with, None where there is no attempt left or no live code.

    One statement takes the attempt and reads the digest: guesses at the same moment wait for each
    other on the row, and no more than `most` of them ever get an answer.
    """
    return await session.scalar(
        update(OtpRow)
        .where(
            col(OtpRow.order_id) == order_id,
            col(OtpRow.step) == step,
            col(OtpRow.attempts) < most,
            col(OtpRow.expires_at) >= alive_at,
            col(OtpRow.verified_at).is_(None),
        )
        .values(attempts=OtpRow.attempts + 1)
        .returning(col(OtpRow.digest))
        .execution_options(synchronize_session=False)
    )


async def mark_verified(session: AsyncSession, order_id: UUID, step: str, at: datetime) -> None:
    """Note that the right code was given."""
    await session.execute(
        update(OtpRow)
        .where(col(OtpRow.order_id) == order_id, col(OtpRow.step) == step)
        .values(verified_at=at)
        .execution_options(synchronize_session=False)
    )


async def add_evidence(session: AsyncSession, row: EvidenceRow) -> bool:
    """Whether the proof is new: evidence is a union, the same again changes nothing."""
    fresh = insert(EvidenceRow).values(row.model_dump())
    added = await session.scalar(
        fresh.on_conflict_do_nothing(constraint="uq_dispatch_evidence").returning(
            col(EvidenceRow.id)
        )
    )
    return added is not None


async def evidence_of(session: AsyncSession, order_id: UUID) -> list[EvidenceRow]:
    """The order's proofs, oldest first."""
    found = await session.scalars(
        select(EvidenceRow)
        .where(col(EvidenceRow.order_id) == order_id)
        .order_by(col(EvidenceRow.received_at), col(EvidenceRow.id))
    )
    return list(found)


async def kinds_at(
    session: AsyncSession, order_ids: Sequence[UUID], step: str
) -> list[EvidenceRow]:
    """The proofs of these orders at one step."""
    found = await session.scalars(
        select(EvidenceRow).where(
            col(EvidenceRow.order_id).in_(order_ids), col(EvidenceRow.step) == step
        )
    )
    return list(found)


async def mark_parcels(
    session: AsyncSession, order_id: UUID, at: datetime, *, delivered: bool
) -> None:
    """Note when the order's parcels were loaded or handed over."""
    moment = {"delivered_at": at} if delivered else {"picked_up_at": at}
    await session.execute(
        update(ParcelRow).where(col(ParcelRow.order_id) == order_id).values(**moment)
    )


async def begin_upload(session: AsyncSession, row: UploadRow) -> UploadRow:
    """The upload under this hash, begun unless it was before; locked."""
    fresh = insert(UploadRow).values(row.model_dump())
    await session.execute(fresh.on_conflict_do_nothing())
    return await session.get_one(
        UploadRow, row.sha256, with_for_update=True, populate_existing=True
    )


async def upload(session: AsyncSession, sha256: str) -> UploadRow | None:
    """How far a file has come."""
    return await session.get(UploadRow, sha256)


async def upload_for_update(session: AsyncSession, sha256: str) -> UploadRow | None:
    """How far a file has come, locked."""
    return await session.get(UploadRow, sha256, with_for_update=True, populate_existing=True)


async def uploads(session: AsyncSession, hashes: Sequence[str]) -> list[UploadRow]:
    """The uploads under these hashes."""
    found = await session.scalars(select(UploadRow).where(col(UploadRow.sha256).in_(hashes)))
    return list(found)


async def drop_abandoned(session: AsyncSession, before: datetime) -> list[str]:
    """Forget uploads that were begun before this and never ended; answers their names."""
    found = await session.scalars(
        delete(UploadRow)
        .where(col(UploadRow.done_at).is_(None), col(UploadRow.begun_at) < before)
        .returning(col(UploadRow.sha256))
    )
    return list(found)
