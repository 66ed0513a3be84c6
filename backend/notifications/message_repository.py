"""Every query on messages and preferences but those of the messenger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, false, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.notifications.message_models import MessageRow, PreferenceRow
from backend.notifications.message_rules import UNSENT, MessageState
from backend.notifications.message_schemas import MessageFilter
from backend.platform.ids import first_at
from backend.platform.scopes import EVERYWHERE

M = MessageRow
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_SPREAD = timedelta(minutes=1)
"""How far the time in a message's id may lie from when it was queued."""


async def add(session: AsyncSession, row: MessageRow) -> bool:
    """Add a message unless one with its `dedup_key` is there; answers whether it was new."""
    new = insert(M).values(row.model_dump()).on_conflict_do_nothing()
    return await session.scalar(new.returning(col(M.id))) is not None


async def by_dedup_key(session: AsyncSession, key: str) -> MessageRow | None:
    """The message that was queued with this key."""
    found: MessageRow | None = await session.scalar(select(M).where(col(M.dedup_key) == key))
    return found


async def by_id(
    session: AsyncSession, message_id: UUID, scopes: Sequence[str], *, lock: bool = False
) -> MessageRow | None:
    """The message, if it went to somebody within the scopes."""
    query = select(M).where(col(M.id) == message_id, _within(scopes))
    found: MessageRow | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def of_order(session: AsyncSession, order_id: UUID) -> list[MessageRow]:
    """Every message about an order, oldest first."""
    query = select(M).where(col(M.order_id) == order_id).order_by(col(M.id))
    return list(await session.scalars(query))


async def page(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: MessageFilter,
    order_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[MessageRow]:
    """Messages within the scopes, newest first."""
    query = (
        select(M).where(_matching(scopes, wanted, order_id)).order_by(col(M.id).desc()).limit(limit)
    )
    if after is not None:
        query = query.where(col(M.id) < after)
    return list(await session.scalars(query))


async def counts(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: MessageFilter,
    order_id: UUID | None,
    most: int,
) -> dict[str, int]:
    """The newest messages that match, up to `most`, counted by state."""
    newest = (
        select(col(M.state))
        .where(_matching(scopes, wanted, order_id))
        .order_by(col(M.id).desc())
        .limit(most)
        .subquery()
    )
    rows = await session.execute(select(newest.c.state, func.count()).group_by(newest.c.state))
    return {row[0]: row[1] for row in rows}


def _matching(
    scopes: Sequence[str], wanted: MessageFilter, order_id: UUID | None
) -> ColumnElement[bool]:
    clauses = [_within(scopes)]
    if order_id is not None:
        clauses.append(col(M.order_id) == order_id)
    if wanted.states:
        clauses.append(col(M.state).in_([state.value for state in wanted.states]))
    for column, value in (
        (M.channel, wanted.channel),
        (M.template, wanted.template),
        (M.reader, wanted.to),
        (M.escalation_id, wanted.escalation_id),
        (M.incident_id, wanted.incident_id),
    ):
        if value is not None:
            clauses.append(col(column) == value)
    # Ids are made when a message is queued, and lists are read by them.
    if wanted.since is not None:
        clauses += [col(M.queued_at) >= wanted.since, col(M.id) >= _id_at(wanted.since, -_SPREAD)]
    if wanted.until is not None:
        clauses += [col(M.queued_at) < wanted.until, col(M.id) < _id_at(wanted.until, _SPREAD)]
    return and_(*clauses)


def _id_at(moment: datetime, spread: timedelta) -> UUID:
    """The id that a message has which was queued so long after a moment, or one before it."""
    return first_at(min(max(moment, _EARLIEST), _LATEST) + spread)


def _within(scopes: Sequence[str]) -> ColumnElement[bool]:
    if EVERYWHERE in scopes:
        return true()
    region = col(M.region)
    return or_(
        false(),
        *(region == scope for scope in scopes),
        *(region.startswith(scope + end, autoescape=True) for scope in scopes for end in "-."),
    )


async def overtake(
    session: AsyncSession, order_id: UUID, kinds: Sequence[str], why: str, now: datetime
) -> None:
    """Cancel what is to be sent yet of these kinds about an order, but what is being sent now."""
    await session.execute(
        update(M)
        .where(
            col(M.order_id) == order_id,
            col(M.template).in_(kinds),
            col(M.state).in_(UNSENT),
            or_(col(M.claimed_until).is_(None), col(M.claimed_until) < now),
        )
        .values(state=MessageState.CANCELLED, why=why, claim=None, claimed_until=None)
    )


async def drop_old(session: AsyncSession, before: datetime) -> None:
    """Forget messages that were queued before then."""
    await session.execute(delete(M).where(col(M.id) < first_at(before)))


async def preference(
    session: AsyncSession, recipient: str, merchant: str, *, lock: bool = False
) -> PreferenceRow | None:
    """How somebody wants to be written to for a marketplace, else for any."""
    query = (
        select(PreferenceRow)
        .where(
            col(PreferenceRow.recipient) == recipient,
            col(PreferenceRow.merchant).in_((merchant, "")),
        )
        .order_by(col(PreferenceRow.merchant).desc())
        .limit(1)
    )
    found: PreferenceRow | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def put_preference(session: AsyncSession, row: PreferenceRow) -> None:
    """Keep how somebody wants to be written to."""
    values = row.model_dump()
    new = insert(PreferenceRow).values(values)
    keys = ["recipient", "merchant"]
    await session.execute(new.on_conflict_do_update(index_elements=keys, set_=values))


async def forget_device(session: AsyncSession, recipient: str) -> None:
    """Forget a device that pushes do not reach any more."""
    await session.execute(
        update(PreferenceRow).where(col(PreferenceRow.recipient) == recipient).values(device=None)
    )
