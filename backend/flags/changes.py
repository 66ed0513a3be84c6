"""The verbs of changes: published at once, or kept for a second person or a later moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import change_repository, repository
from backend.flags.models import ChangeRow
from backend.flags.plans import Plan, Wanted, weigh
from backend.flags.publishing import Author, publish
from backend.flags.rollout_steps import begin
from backend.flags.schemas import (
    Change,
    ChangeState,
    Confirmed,
    DecisionIn,
    Environment,
    SaveResult,
)
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.scopes import EVERYWHERE

_OPEN: tuple[ChangeState, ...] = ("waiting", "scheduled")


class NoSuchChange(NotFound):
    """There is no such change."""

    title = "There is no such change"


class NotASecondPerson(Forbidden):
    """Whoever asked for a change, or stands behind the program that did, cannot approve it."""

    code = "second_person_needed"
    title = "Somebody else has to approve this"


def confirm(environment: Environment, subject: str, typed: str) -> None:
    """Raise Invalid unless a change of production was confirmed by typing what it is about."""
    if environment != "production" or typed == subject:
        return
    detail = f"Type {subject} to confirm a change of production."
    raise Invalid(detail, errors=[FieldError("/confirm", "confirmation_needed", detail)])


async def settle(
    session: AsyncSession,
    principal: Principal,
    wanted: Wanted,
    *,
    typed: str,
    publish_at: datetime | None = None,
    pointers: bool = False,
) -> tuple[SaveResult, Plan]:
    """Publish a change, or keep it where it needs a second person or is for later.

    Every way into flags ends here, so none of them passes by what is asked for. Raises Denied,
    Invalid, Stale.
    """
    identity.authorize(principal, "flags:write")
    await repository.lock_environment(session, wanted.environment)
    plan = await weigh(session, wanted, pointers=pointers)
    for region in plan.touched:
        identity.authorize(principal, "flags:write", region)
    if plan.is_empty:
        seen = wanted.flags[0].version_seen if len(wanted.flags) == 1 else 0
        return SaveResult(status="unchanged", version=seen, words=[]), plan
    confirm(wanted.environment, wanted.subject, typed)
    if publish_at is not None and publish_at <= clock.now():
        detail = "The moment to publish lies in the past."
        raise Invalid(detail, errors=[FieldError("/publish_at", "past", detail)])
    if plan.needs_approval or publish_at is not None:
        return await _keep(session, principal, plan, publish_at), plan
    version = await _carry_out(session, principal, plan, Author.of(principal))
    return SaveResult(status="published", version=version, words=plan.words), plan


async def _carry_out(
    session: AsyncSession, principal: Principal, plan: Plan, author: Author
) -> int:
    if plan.wanted.rollout is not None:
        return await begin(session, principal, plan.wanted, author)
    if plan.is_empty:
        return 0
    return await publish(session, principal, plan, author)


async def _keep(
    session: AsyncSession, principal: Principal, plan: Plan, publish_at: datetime | None
) -> SaveResult:
    wanted = plan.wanted
    state: ChangeState = "waiting" if plan.needs_approval else "scheduled"
    row = ChangeRow(
        id=uuid7(),
        environment=wanted.environment,
        title=_title(plan),
        keys=_keys(plan),
        cause=wanted.cause,
        state=state,
        wanted=wanted.model_dump(mode="json"),
        words=plan.words,
        diff=plan.diff,
        reason=wanted.reason,
        asked_by=principal.id,
        asked_by_name=principal.name,
        stands_behind=await identity.stands_behind(session, principal),
        asked_at=clock.now(),
        publish_at=publish_at,
    )
    session.add(row)
    await session.flush()
    data = {"change": str(row.id), "environment": row.environment, "flags": row.keys[:100]}
    await emit(session, Event(f"flag.change_{state}", row.title, principal.id, data))
    await _record(session, principal, f"flag.change_{state}", row)
    return SaveResult(
        status="waiting" if state == "waiting" else "scheduled",
        version=wanted.flags[0].version_seen if len(wanted.flags) == 1 else 0,
        change_id=row.id,
        words=plan.words,
    )


def _title(plan: Plan) -> str:
    wanted = plan.wanted
    if wanted.subject != wanted.environment:
        return wanted.subject
    if wanted.rollout is not None:
        return str(wanted.rollout["key"])
    return f"{len(plan.flags)} flags, {len(plan.segments)} segments"


def _keys(plan: Plan) -> list[str]:
    keys = [step.key for step in plan.flags]
    if plan.wanted.rollout is not None:
        keys.append(str(plan.wanted.rollout["key"]))
    return list(dict.fromkeys(keys))


async def list_changes(
    session: AsyncSession,
    principal: Principal,
    environment: Environment = "production",
    *,
    key: str | None = None,
    states: Sequence[ChangeState] = _OPEN,
    limit: int = 50,
) -> list[Change]:
    """Changes kept, newest first."""
    identity.authorize(principal, "flags:read")
    rows = await change_repository.changes(session, environment, key, states, limit)
    return [describe(row) for row in rows]


async def approve_change(
    session: AsyncSession, principal: Principal, change_id: UUID, wanted: Confirmed
) -> SaveResult:
    """Let another person's change be published, now or when it is due.

    Only a person in a session of their own approves: a token could be held by who asked. Raises
    NotASecondPerson, Stale where the flag has moved on.
    """
    identity.authorize(principal, "flags:approve")
    row = await _open_change(session, change_id)
    if row.state != "waiting":
        raise Conflict("This change is approved already; it waits for its moment.")
    refuse_same_person(principal, row.asked_by, row.stands_behind)
    kept = Wanted.model_validate(row.wanted)
    confirm(kept.environment, kept.subject, wanted.confirm)
    plan = await weigh(session, kept)
    for region in plan.touched:
        identity.authorize(principal, "flags:approve", region)
    row.decided_by, row.decided_by_name = principal.id, principal.name
    row.decided_at = clock.now()
    if row.publish_at is not None and row.publish_at > clock.now():
        row.state = "scheduled"
        await session.flush()
        await _record(session, principal, "flag.change_approved", row)
        return SaveResult(status="scheduled", version=0, change_id=row.id, words=row.words)
    return await _publish_kept(session, principal, row, plan)


def refuse_same_person(principal: Principal, asked_by: str, stands_behind: str) -> None:
    """Raise NotASecondPerson unless the caller is a person, and another one."""
    if principal.kind != "user":
        raise NotASecondPerson("A person has to approve this in the console, not a program.")
    if principal.id in (asked_by, stands_behind):
        raise NotASecondPerson("You asked for this change; somebody else has to approve it.")


async def _publish_kept(
    session: AsyncSession, principal: Principal, row: ChangeRow, plan: Plan
) -> SaveResult:
    # Closed first: publishing closes every other change of the same flags.
    row.state = "published"
    await session.flush()
    author = Author(row.asked_by, row.asked_by_name, row.decided_by, row.decided_by_name)
    version = await _carry_out(session, principal, plan, author)
    return SaveResult(status="published", version=version, change_id=row.id, words=row.words)


async def reject_change(
    session: AsyncSession, principal: Principal, change_id: UUID, wanted: DecisionIn
) -> Change:
    """Refuse another person's change."""
    identity.authorize(principal, "flags:approve", EVERYWHERE)
    row = await _open_change(session, change_id)
    await _close(session, principal, row, "rejected", wanted.reason)
    return describe(row)


async def cancel_change(session: AsyncSession, principal: Principal, change_id: UUID) -> Change:
    """Take back a change of one's own, or any that is only scheduled."""
    identity.authorize(principal, "flags:write")
    row = await _open_change(session, change_id)
    if row.state == "waiting" and row.asked_by != principal.id:
        raise Forbidden("Only who asked for a change takes it back; you may reject it.")
    if row.asked_by != principal.id:
        identity.authorize(principal, "flags:write", EVERYWHERE)
    await _close(session, principal, row, "cancelled", f"Taken back by {principal.name}.")
    return describe(row)


async def publish_due(session: AsyncSession, change_id: UUID) -> bool:
    """Publish a scheduled change whose moment has come; False where it is none any more.

    Raises what publishing it by hand would: the flag may have moved on since.
    """
    row = await _due_change(session, change_id)
    if row is None:
        return False
    plan = await weigh(session, Wanted.model_validate(row.wanted))
    if plan.needs_approval and row.decided_by is None:
        raise Conflict("It needs a second person by now; ask again.")
    author = await identity.person_now(session, row.stands_behind)
    if author is not None and not all(
        identity.may(author, "flags:write", region) for region in (None, *plan.touched)
    ):
        raise Conflict(f"{author.name} may not change this any more; somebody else has to ask.")
    await _publish_kept(session, SYSTEM, row, plan)
    return True


async def give_up_due(session: AsyncSession, change_id: UUID, why: str) -> None:
    """Close a scheduled change that could not be published."""
    row = await _due_change(session, change_id)
    if row is not None:
        await _close(session, SYSTEM, row, "overtaken", why)


async def _due_change(session: AsyncSession, change_id: UUID) -> ChangeRow | None:
    row = await change_repository.change(session, change_id)
    if row is None:
        return None
    await repository.lock_environment(session, row.environment)
    await session.refresh(row, with_for_update=True)
    return row if row.state == "scheduled" else None


async def _open_change(session: AsyncSession, change_id: UUID) -> ChangeRow:
    """The change, locked together with its environment; raises NoSuchChange, Conflict."""
    row = await change_repository.change(session, change_id)
    if row is None:
        raise NoSuchChange
    await repository.lock_environment(session, row.environment)
    await session.refresh(row, with_for_update=True)
    if row.state not in _OPEN:
        by = f" by {row.decided_by_name}" if row.decided_by_name else ""
        raise Conflict(f"This change is {row.state} already{by}.")
    return row


async def _close(
    session: AsyncSession, principal: Principal, row: ChangeRow, state: ChangeState, why: str
) -> None:
    row.state, row.why, row.decided_at = state, why, clock.now()
    row.decided_by, row.decided_by_name = principal.id, principal.name
    await session.flush()
    data = {"change": str(row.id), "environment": row.environment, "why": why}
    await emit(session, Event(f"flag.change_{state}", row.title, principal.id, data))
    await _record(session, principal, f"flag.change_{state}", row)


async def _record(session: AsyncSession, principal: Principal, action: str, row: ChangeRow) -> None:
    await identity.record(
        session,
        principal,
        action,
        f"flag:{row.environment}:{row.title}",
        after={"change": str(row.id), "words": row.words[:50], "state": row.state},
        reason=row.why or row.reason,
    )


def describe(row: ChangeRow) -> Change:
    """What is shown of a change."""
    return Change.model_validate(row.model_dump(), from_attributes=True)
