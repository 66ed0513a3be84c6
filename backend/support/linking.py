"""Escalations on incidents: hung on one, taken off, and answered together once it is over."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.incidents import service as incidents
from backend.platform.errors import BadRequest
from backend.platform.many import results_of
from backend.support import filling, list_repository, repository, views
from backend.support.changes import actor_of, expect, recorded, tell, to_change, touch
from backend.support.replying import say
from backend.support.repository import number_of
from backend.support.rules import State
from backend.support.schemas import AnswerResults, EscalationRow

ANSWER = "escalations:answer_many"


async def link_incident(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    incident: UUID | str,
    *,
    seen_version: int,
) -> EscalationRow:
    """Hang it on an incident that the caller sees, by id or number; raises NoSuchIncident."""
    found = await incidents.get_incident(session, principal, incident)
    row = await to_change(session, principal, escalation_id)
    if row.incident_id == found.id:
        return views.row_out(row)
    expect(row, seen_version)
    row.incident_id, row.incident_number = found.id, found.number
    row.ready_to_answer = False
    touch(row, principal, f"linked it to {found.number}")
    words = f"Linked to {found.number}: {found.title}"
    repository.write(
        session, row, "incident", actor_of(principal), words, incident_id=str(found.id)
    )
    await tell(session, principal, row, "escalation.linked", incident=found.number)
    await recorded(session, principal, row, "linked", incident=found.number)
    return views.row_out(row)


async def unlink_incident(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Take it off its incident."""
    row = await to_change(session, principal, escalation_id)
    if row.incident_id is None:
        return views.row_out(row)
    expect(row, seen_version)
    former, row.incident_id, row.incident_number = row.incident_number, None, None
    row.ready_to_answer = False
    touch(row, principal, f"took it off {former}")
    actor = actor_of(principal)
    repository.write(session, row, "incident", actor, f"Taken off {former}.", former=former)
    await tell(session, principal, row, "escalation.unlinked", incident=former)
    await recorded(session, principal, row, "unlinked", incident=former)
    return views.row_out(row)


async def answer_incident(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    text: str,
    solve: bool,
    *,
    after: str | None = None,
    limit: int = 200,
) -> AnswerResults:
    """Answer the unsolved escalations of an incident in the caller's regions, a page at a time.

    Each gets these words once: whoever is interrupted begins anew, or goes on with `next_cursor`,
    and nobody is answered twice. Needs `escalations:answer_many`. Raises Invalid for a placeholder
    that nothing fills.
    """
    identity.authorize(principal, ANSWER)
    filling.check(text)
    found = await incidents.get_incident(session, principal, incident_id)
    rows = await list_repository.of_incident(
        session,
        found.id,
        identity.scopes(principal, ANSWER),
        after=_place(after),
        limit=limit,
    )
    # All before the first message is recorded, for whoever records makes others wait to the end.
    ids = [row.id for row in rows]
    await repository.locked(session, ids)
    outcomes = await identity.one_by_one(
        session, ids,
        lambda index: _answered(session, principal, ids[index], found.id, text, solve=solve),
        f"incident:{found.number}",
    )  # fmt: skip
    answer = results_of(ids, outcomes)
    for row, each in zip(rows, answer.results, strict=True):
        each.number = number_of(row)
    if answer.done:
        await identity.record(
            session, principal, "incident.escalations_answered", f"incident:{found.number}",
            region=found.region, after={"escalations": answer.done, "solved": solve},
            reason=text[:500],
        )  # fmt: skip
    more = str(rows[-1].id) if len(rows) == limit else None
    return AnswerResults(done=answer.done, results=answer.results, next_cursor=more)


async def _answered(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    incident_id: UUID,
    text: str,
    *,
    solve: bool,
) -> EscalationRow:
    row = await to_change(session, principal, escalation_id, ANSWER)
    digest = hashlib.sha256(text.encode()).hexdigest()
    key = f"answer:{incident_id}:{digest}"
    if await repository.entry_of_key(session, row.id, key) is None:
        then = State.SOLVED if solve else None
        await say(session, principal, row, text, then=then, key=key)
        await session.flush()
    return views.row_out(row)


def _place(after: str | None) -> UUID | None:
    try:
        return UUID(after) if after is not None else None
    except ValueError as error:
        raise BadRequest("The cursor is not one that this list gave out.") from error


async def make_ready(session: AsyncSession, incident_id: UUID, number: str) -> int:
    """An incident is over: have its unsolved escalations wait for the answer; how many they are."""
    rows = await list_repository.ready(session, incident_id)
    for row in rows:
        row.ready_to_answer = True
        words = f"{number} is resolved: ready to answer."
        repository.write(session, row, "ready", actor_of(SYSTEM), words)
    await session.flush()
    return len(rows)


async def make_unready(session: AsyncSession, incident_id: UUID) -> None:
    """An incident has come back: nothing is to be answered yet."""
    await list_repository.unready(session, incident_id)


async def follow_merge(session: AsyncSession, incident_id: UUID) -> int:
    """An incident ended in another: have its escalations hang on that one; how many they are."""
    merged = await incidents.get_incident(session, SYSTEM, incident_id)
    if merged.merged_into is None:
        return 0
    rows = await list_repository.all_of_incident(session, incident_id)
    for row in rows:
        row.incident_id, row.incident_number = merged.merged_into, merged.merged_into_number
        words = f"{merged.number} ended in {merged.merged_into_number}: linked to that."
        repository.write(session, row, "incident", actor_of(SYSTEM), words)
    await session.flush()
    return len(rows)
