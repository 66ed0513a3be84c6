"""Every query on one escalation: the row, its timeline, its pauses and its drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.scopes import EVERYWHERE
from backend.support.models import UNSOLVED, DraftRow, EntryRow, EscalationTable, PauseRow
from backend.support.rules import State

_NUMBER = "ESC-"
_TURN = 7265440
SAID = ("customer", "reply", "told")
"""Kinds of entries that the customer reads, theirs first."""


def number_of(row: EscalationTable) -> str:
    """The number that people say: `ESC-12`."""
    return f"{_NUMBER}{row.number}"


def within(column: Any, scopes: Sequence[str]) -> ColumnElement[bool]:
    """Rows whose region is one of the scopes or lies in it."""
    if EVERYWHERE in scopes:
        return true()
    below = [column.startswith(scope + end, autoescape=True) for scope in scopes for end in "-."]
    return or_(column.in_(list(scopes)), *below)


def digits_of(named: str) -> int | None:
    """The number behind `ESC-12`, `esc-12` or `12`."""
    digits = named.strip().upper().removeprefix(_NUMBER)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


async def add(session: AsyncSession, row: EscalationTable) -> EscalationTable:
    """Add an escalation; its number comes with it."""
    session.add(row)
    await session.flush()
    return row


async def escalation(
    session: AsyncSession, named: UUID | str, scopes: Sequence[str], *, lock: bool = False
) -> EscalationTable | None:
    """The escalation of an id or a number, if it lies in the scopes."""
    number = None
    if isinstance(named, str):
        number = digits_of(named)
    if number is not None:
        is_it = col(EscalationTable.number) == number
    elif (escalation_id := _id_of(named)) is not None:
        is_it = col(EscalationTable.id) == escalation_id
    else:
        return None
    query = select(EscalationTable).where(is_it, within(col(EscalationTable.region), scopes))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: EscalationTable | None = await session.scalar(query)
    return found


def _id_of(named: UUID | str) -> UUID | None:
    if isinstance(named, UUID):
        return named
    try:
        return UUID(named)
    except ValueError:
        return None


async def locked(session: AsyncSession, ids: Sequence[UUID]) -> list[EscalationTable]:
    """These escalations, locked in the order of their ids."""
    query = (
        select(EscalationTable)
        .where(col(EscalationTable.id).in_(ids))
        .order_by(col(EscalationTable.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def await_turn(session: AsyncSession) -> None:
    """Wait until nobody else opens an escalation, to the commit.

    One after the other: two at once could open two for one thing, or give both to one agent. What
    else is locked is locked after this.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _TURN})


async def unsolved_of_order(
    session: AsyncSession, order_id: UUID, kind: str
) -> EscalationTable | None:
    """The newest unsolved escalation of an order about this, locked."""
    found: EscalationTable | None = await session.scalar(
        select(EscalationTable)
        .where(
            col(EscalationTable.order_id) == order_id, col(EscalationTable.kind) == kind, UNSOLVED
        )
        .order_by(col(EscalationTable.id).desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def opened_beside(session: AsyncSession, row: EscalationTable) -> EscalationTable | None:
    """Another unsolved one that opened by itself for the same order about the same."""
    found: EscalationTable | None = await session.scalar(
        select(EscalationTable).where(
            col(EscalationTable.order_id) == row.order_id,
            col(EscalationTable.kind) == row.kind,
            col(EscalationTable.origin) == "system",
            col(EscalationTable.id) != row.id,
            UNSOLVED,
        )
    )
    return found


async def newest_of_customer(session: AsyncSession, order_id: UUID) -> EscalationTable | None:
    """The newest escalation of an order in which somebody spoke with the customer, locked."""
    spoken = (
        select(1)
        .where(col(EntryRow.escalation_id) == col(EscalationTable.id), col(EntryRow.kind).in_(SAID))
        .exists()
    )
    found: EscalationTable | None = await session.scalar(
        select(EscalationTable)
        .where(col(EscalationTable.order_id) == order_id, spoken)
        .order_by(col(EscalationTable.id).desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def escalation_of_key(
    session: AsyncSession, order_id: UUID, key: str
) -> EscalationTable | None:
    """The escalation of an order in which an entry was written under this key, locked."""
    written = (
        select(1)
        .where(col(EntryRow.escalation_id) == col(EscalationTable.id), col(EntryRow.key) == key)
        .exists()
    )
    found: EscalationTable | None = await session.scalar(
        select(EscalationTable)
        .where(col(EscalationTable.order_id) == order_id, written)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def opened_under(session: AsyncSession, person: str, key: str) -> EscalationTable | None:
    """The escalation that somebody opened under a key of theirs."""
    found: EscalationTable | None = await session.scalar(
        select(EscalationTable).where(
            col(EscalationTable.opened_by) == person, col(EscalationTable.key) == key
        )
    )
    return found


async def any_unsolved(session: AsyncSession, order_id: UUID) -> bool:
    """Whether an escalation of an order is unsolved."""
    found = await session.scalar(
        select(1).where(col(EscalationTable.order_id) == order_id, UNSOLVED).limit(1)
    )
    return found is not None


async def orders_with(session: AsyncSession, order_ids: Sequence[UUID], kind: str) -> set[UUID]:
    """Those of the orders that ever had an escalation about this."""
    found = await session.scalars(
        select(col(EscalationTable.order_id)).where(
            col(EscalationTable.order_id).in_(order_ids), col(EscalationTable.kind) == kind
        )
    )
    return {each for each in found if each is not None}


def write(
    session: AsyncSession,
    row: EscalationTable,
    kind: str,
    actor: tuple[str, str],
    words: str,
    *,
    at: datetime | None = None,
    key: str | None = None,
    message_id: UUID | None = None,
    **data: Any,
) -> EntryRow:
    """Add an entry to a timeline; `actor` is an id and a name."""
    at = at or clock.now()
    entry = EntryRow(
        id=uuid7(), escalation_id=row.id, at=at, kind=kind, actor=actor[0], actor_name=actor[1],
        text=words, data=data, key=key, message_id=message_id,
    )  # fmt: skip
    session.add(entry)
    row.last_at = max(row.last_at, at)
    return entry


async def entry_of_key(session: AsyncSession, escalation_id: UUID, key: str) -> EntryRow | None:
    """The entry that was written under a key."""
    found: EntryRow | None = await session.scalar(
        select(EntryRow).where(
            col(EntryRow.escalation_id) == escalation_id, col(EntryRow.key) == key
        )
    )
    return found


async def timeline(session: AsyncSession, escalation_id: UUID) -> list[EntryRow]:
    """Everything that was said and done, in its order."""
    return list(
        await session.scalars(
            select(EntryRow)
            .where(col(EntryRow.escalation_id) == escalation_id)
            .order_by(col(EntryRow.id))
        )
    )


async def said_of_order(session: AsyncSession, order_id: UUID) -> list[EntryRow]:
    """What the customer of an order and we have said, in its order."""
    of_order = select(col(EscalationTable.id)).where(col(EscalationTable.order_id) == order_id)
    return list(
        await session.scalars(
            select(EntryRow)
            .where(col(EntryRow.escalation_id).in_(of_order), col(EntryRow.kind).in_(SAID))
            .order_by(col(EntryRow.at), col(EntryRow.id))
        )
    )


async def was_spoken_in(session: AsyncSession, escalation_id: UUID) -> bool:
    """Whether anything was said between the customer and us."""
    found = await session.scalar(
        select(1)
        .where(col(EntryRow.escalation_id) == escalation_id, col(EntryRow.kind).in_(SAID))
        .limit(1)
    )
    return found is not None


async def answered_after_version(
    session: AsyncSession, escalation_id: UUID, version: int, *, but: str
) -> EntryRow | None:
    """The newest answer of somebody else that made a later version."""
    made = col(EntryRow.data)["version"].as_integer()
    found: EntryRow | None = await session.scalar(
        select(EntryRow)
        .where(
            col(EntryRow.escalation_id) == escalation_id,
            col(EntryRow.kind) == "reply",
            made > version,
            col(EntryRow.actor) != but,
        )
        .order_by(col(EntryRow.id).desc())
        .limit(1)
    )
    return found


async def pauses(session: AsyncSession, escalation_id: UUID) -> list[PauseRow]:
    """The pauses of an escalation, in their order."""
    return list(
        await session.scalars(
            select(PauseRow)
            .where(col(PauseRow.escalation_id) == escalation_id)
            .order_by(col(PauseRow.began_at), col(PauseRow.id))
            # Pauses are ended past the session, which may still know them as open.
            .execution_options(populate_existing=True)
        )
    )


async def end_pause(session: AsyncSession, escalation_id: UUID, at: datetime) -> None:
    """End the pause that is open, where there is one."""
    await session.execute(
        update(PauseRow)
        .where(col(PauseRow.escalation_id) == escalation_id, col(PauseRow.ended_at).is_(None))
        .values(ended_at=func.greatest(col(PauseRow.began_at), at))
        .execution_options(synchronize_session=False)
    )


async def draft(session: AsyncSession, escalation_id: UUID, person: str) -> DraftRow | None:
    """What somebody has begun to write."""
    return await session.get(DraftRow, (escalation_id, person), populate_existing=True)


async def put_draft(session: AsyncSession, row: DraftRow) -> None:
    """Keep a draft over the one before."""
    values = row.model_dump()
    changed = {name: values[name] for name in ("text", "seen_version", "saved_at")}
    await session.execute(
        insert(DraftRow)
        .values(values)
        .on_conflict_do_update(index_elements=["escalation_id", "person_id"], set_=changed)
    )


async def drop_draft(session: AsyncSession, escalation_id: UUID, person: str) -> None:
    """Forget somebody's own draft."""
    await session.execute(
        delete(DraftRow).where(
            col(DraftRow.escalation_id) == escalation_id, col(DraftRow.person_id) == person
        )
    )


async def drop_old_drafts(session: AsyncSession, before: datetime) -> int:
    """Forget what was begun for escalations that are closed, both before then; how many."""
    closed = exists().where(
        col(EscalationTable.id) == col(DraftRow.escalation_id),
        col(EscalationTable.state) == State.CLOSED,
        col(EscalationTable.closed_at) < before,
    )
    gone = await session.scalars(
        delete(DraftRow)
        .where(col(DraftRow.saved_at) < before, closed)
        .returning(col(DraftRow.escalation_id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
