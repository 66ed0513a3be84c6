"""The verbs of segments."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository
from backend.flags.changes import settle
from backend.flags.plans import Wanted, WantedSegment
from backend.flags.rule_schemas import Segment
from backend.flags.schemas import Environment, SaveResult, SegmentIn, SegmentOut
from backend.flags.words import segment_words
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.regions import service as regions


async def list_segments(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> list[SegmentOut]:
    """Segments by name, each with the flags that use it."""
    identity.authorize(principal, "flags:read")
    rows = await repository.segments(session, environment)
    used = await repository.users_of_segments(session, environment, list(rows))
    names = {region.code: region.name for region in await regions.directory(session, SYSTEM)}
    found = []
    for name, row in rows.items():
        segment = Segment.model_validate(row.spec)
        found.append(
            SegmentOut(
                environment=environment,
                segment=segment,
                version=row.version,
                in_words=segment_words(segment, names),
                used_by=used.get(name, []),
                updated_at=row.updated_at,
                changed_by_name=row.changed_by_name,
            )
        )
    return found


async def save_segment(
    session: AsyncSession, principal: Principal, wanted: SegmentIn
) -> SaveResult:
    """Publish a segment's new state; waits for a second person where a sensitive flag uses it."""
    change = Wanted(
        environment=wanted.environment,
        cause="edit",
        reason=wanted.reason,
        segments=[WantedSegment(segment=wanted.segment, version_seen=wanted.version_seen)],
    )
    result, _ = await settle(session, principal, change, typed=wanted.confirm)
    return result
