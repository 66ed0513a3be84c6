"""One verb on many escalations, each carried out or refused by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import FieldError, Invalid
from backend.platform.many import BulkResults, results_of
from backend.support import acts, linking, repository, views
from backend.support.changes import WRITE, to_look_at
from backend.support.replying import add_note, reply
from backend.support.schemas import (
    BulkIn,
    BulkItem,
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
    ids = [item.id for item in wanted.items]
    # All before the first is recorded, for whoever records makes others wait to the end.
    await repository.locked(session, ids)
    outcomes = await identity.one_by_one(
        session, ids, lambda index: verb(wanted.items[index]), f"bulk {wanted.verb}"
    )
    return results_of(ids, outcomes)


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
