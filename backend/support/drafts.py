"""What agents have begun to write: each agent's own for each escalation, and nobody else's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.support import repository
from backend.support.changes import WRITE, to_look_at
from backend.support.models import DraftRow
from backend.support.schemas import Draft


async def draft_of(
    session: AsyncSession, principal: Principal, escalation_id: UUID
) -> Draft | None:
    """The caller's own draft; `outdated` where somebody else has answered since it was begun."""
    row = await to_look_at(session, principal, escalation_id)
    draft = await repository.draft(session, row.id, principal.id)
    if draft is None:
        return None
    since = await repository.answered_after_version(
        session, row.id, draft.seen_version, but=principal.id
    )
    return Draft(
        text=draft.text,
        saved_at=draft.saved_at,
        seen_version=draft.seen_version,
        outdated=since is not None,
        outdated_by=since.actor_name if since else None,
    )


async def save_draft(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    text: str,
    *,
    seen_version: int,
) -> Draft | None:
    """Keep the caller's own draft, whoever else writes or answers; an empty one is forgotten.

    `seen_version` is the version that the words answer to. Needs `escalations:write`.
    """
    row = await to_look_at(session, principal, escalation_id)
    identity.authorize(principal, WRITE, row.region)
    if not text.strip():
        await repository.drop_draft(session, row.id, principal.id)
        return None
    draft = DraftRow(
        escalation_id=row.id,
        person_id=principal.id,
        text=text,
        seen_version=seen_version,
        saved_at=clock.now(),
    )
    await repository.put_draft(session, draft)
    return await draft_of(session, principal, escalation_id)
