"""Proof of an order's steps: added as a union, never overwritten, and shown to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import proof_repository
from backend.dispatch.doorstep_models import EvidenceRow
from backend.dispatch.doorstep_rules import EvidenceKind, Step
from backend.dispatch.doorstep_schemas import EvidenceOut
from backend.dispatch.evidence_store import evidence_store
from backend.dispatch.models import OrderRow
from backend.dispatch.orders import order_row
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.ids import uuid7
from backend.regions.rules import haversine_m


class NoSuchEvidence(NotFound):
    """The order has no such proof, or its picture has not come yet."""

    title = "There is no such proof"


@dataclass(frozen=True, slots=True)
class Taken:
    """A proof as it was taken: what, when and where; `words` for what is not a picture."""

    step: Step
    kind: EvidenceKind
    sha256: str
    captured_at: datetime
    lat: float | None = None
    lon: float | None = None
    words: str | None = None


async def add_evidence(
    session: AsyncSession,
    principal: Principal,
    order: OrderRow,
    taken: Taken,
    *,
    flags: tuple[str, ...] = (),
) -> bool:
    """Whether the proof is new for the order; with how far from its stop it was taken."""
    stop = (
        (order.drop_lat, order.drop_lon)
        if taken.step is Step.DROP
        else (order.pickup_lat, order.pickup_lon)
    )
    away = None
    if taken.lat is not None and taken.lon is not None:
        away = round(haversine_m(taken.lat, taken.lon, *stop), 1)
    return await proof_repository.add_evidence(
        session,
        EvidenceRow(
            id=uuid7(),
            order_id=order.id,
            step=taken.step,
            kind=taken.kind,
            sha256=taken.sha256,
            text=taken.words,
            driver_id=principal.driver_id,
            actor=principal.id,
            captured_at=taken.captured_at,
            received_at=clock.now(),
            lat=taken.lat,
            lon=taken.lon,
            distance_m=away,
            flags=",".join(flags) or None,
        ),
    )


async def evidence_of(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[EvidenceOut]:
    """The order's proofs, oldest first; needs `orders:read` where it is delivered."""
    order = await order_row(session, principal, order_id)
    rows = await proof_repository.evidence_of(session, order.id)
    there = {
        upload.sha256
        for upload in await proof_repository.uploads(session, [row.sha256 for row in rows])
        if upload.done_at is not None
    }
    return [
        EvidenceOut(
            **row.model_dump(exclude={"order_id", "driver_id", "flags"}),
            flags=row.flags.split(",") if row.flags else [],
            content=row.sha256 in there,
        )
        for row in rows
    ]


async def evidence_content(
    session: AsyncSession, principal: Principal, number: str, evidence_id: UUID
) -> tuple[bytes, str]:
    """The picture of a proof and its media type; raises NoSuchEvidence where none has come."""
    order = await order_row(session, principal, number)
    rows = await proof_repository.evidence_of(session, order.id)
    row = next((row for row in rows if row.id == evidence_id), None)
    upload = await proof_repository.upload(session, row.sha256) if row else None
    if upload is None or upload.done_at is None or upload.media_type is None:
        raise NoSuchEvidence
    return await evidence_store().read(upload.sha256), upload.media_type
