"""One verb on many escalations, each carried out or refused by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import DomainError, FieldError, Invalid
from backend.platform.resources import current
from backend.support import acts, linking, repository, views
from backend.support.changes import WRITE, to_look_at
from backend.support.replying import add_note, reply
from backend.support.schemas import (
    BulkIn,
    BulkItem,
    BulkResult,
    BulkResults,
    EscalationRow,
    ReplyIn,
)

_Verb = Callable[[BulkItem], Awaitable[EscalationRow]]
_T = TypeVar("_T")


async def act_on_escalations(
    session: AsyncSession, principal: Principal, wanted: BulkIn
) -> BulkResults:
    """One verb on up to 200, with a result for each in the order sent; needs `escalations:write`.

    Raises Invalid where the verb lacks what it takes.
    """
    identity.authorize(principal, WRITE)
    verb = _verb_of(session, principal, wanted)
    # All before the first is recorded, for whoever records makes others wait to the end.
    await repository.locked(session, [item.id for item in wanted.items])
    results: dict[int, BulkResult] = {}
    denied: identity.Denied | None = None
    # By id, so that two who lock the same escalations never wait for each other in a circle.
    for index, item in sorted(enumerate(wanted.items), key=lambda pair: pair[1].id):
        try:
            async with session.begin_nested():
                row = await verb(item)
        except DomainError as error:
            results[index] = BulkResult(
                index=index, id=item.id, status="refused", code=error.code, detail=error.detail
            )
            if isinstance(error, identity.Denied):
                denied = error
        else:
            results[index] = BulkResult(
                index=index, id=row.id, status="done", number=row.number, version=row.version
            )
    if denied is not None:
        await identity.record_denied(current(), denied, f"bulk {wanted.verb}")
    done = sum(result.status == "done" for result in results.values())
    return BulkResults(done=done, results=[results[n] for n in range(len(wanted.items))])


def _verb_of(session: AsyncSession, principal: Principal, wanted: BulkIn) -> _Verb:
    match wanted.verb:
        case "reply":
            text = _needed(wanted.text, "text")
            return lambda item: reply(session, principal, item.id, _reply(wanted, item, text))
        case "add_note":
            text = _needed(wanted.text, "text")
            return lambda item: _noted(session, principal, item.id, text)
        case "assign":
            person = _needed(wanted.assignee, "assignee")
            return lambda item: acts.assign(
                session, principal, item.id, person, seen_version=item.seen_version
            )
        case "take":
            return lambda item: acts.take(
                session, principal, item.id, seen_version=item.seen_version
            )
        case "release":
            return lambda item: acts.release(
                session, principal, item.id, seen_version=item.seen_version
            )
        case "set_state":
            state = _needed(wanted.state, "state")
            return lambda item: acts.set_state(
                session, principal, item.id, state, seen_version=item.seen_version,
                waiting_on=wanted.waiting_on, note=wanted.reason,
            )  # fmt: skip
        case "set_priority":
            priority = _needed(wanted.priority, "priority")
            return lambda item: acts.set_priority(
                session, principal, item.id, priority, seen_version=item.seen_version,
                note=wanted.reason,
            )  # fmt: skip
        case "set_kind":
            kind = _needed(wanted.kind, "kind")
            return lambda item: acts.set_kind(
                session, principal, item.id, kind, seen_version=item.seen_version
            )
        case "link_incident":
            incident = _needed(wanted.incident, "incident")
            return lambda item: linking.link_incident(
                session, principal, item.id, incident, seen_version=item.seen_version
            )
        case "unlink_incident":
            return lambda item: linking.unlink_incident(
                session, principal, item.id, seen_version=item.seen_version
            )


def _reply(wanted: BulkIn, item: BulkItem, text: str) -> ReplyIn:
    return ReplyIn(
        text=text, then=wanted.state, waiting_on=wanted.waiting_on, seen_version=item.seen_version
    )


async def _noted(
    session: AsyncSession, principal: Principal, escalation_id: UUID, text: str
) -> EscalationRow:
    await add_note(session, principal, escalation_id, text)
    return views.row_out(await to_look_at(session, principal, escalation_id))


def _needed(value: _T | None, field: str) -> _T:
    if value is None:
        detail = f"This needs the {field}."
        raise Invalid(detail, errors=[FieldError(f"/{field}", "missing", detail)])
    return value
