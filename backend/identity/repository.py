"""Every query of persons, grants and tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from backend.identity.models import GrantTable, PersonTable, TokenTable
from backend.identity.schemas import Grant, Person, Token
from backend.platform.scopes import EVERYWHERE

_USED_AGAIN_AFTER = timedelta(minutes=1)


async def upsert_person(session: AsyncSession, person: PersonTable) -> UUID:
    """Insert the person or refresh name, e-mail and time of sign-in; the id that holds."""
    statement = insert(PersonTable).values(**person.model_dump())
    refreshed = statement.on_conflict_do_update(
        constraint="uq_identity_person_oid",
        set_={
            "name": statement.excluded.name,
            "email": statement.excluded.email,
            "signed_in_at": func.coalesce(
                statement.excluded.signed_in_at, col(PersonTable.signed_in_at)
            ),
        },
    ).returning(col(PersonTable.id))
    rows = await session.execute(refreshed)
    found: UUID = rows.scalar_one()
    return found


async def person(session: AsyncSession, person_id: UUID) -> PersonTable | None:
    """One person."""
    return await session.get(PersonTable, person_id)


async def persons(
    session: AsyncSession, text: str | None, after: UUID | None, limit: int
) -> list[PersonTable]:
    """Persons by id, whose name or e-mail holds `text`."""
    statement = select(PersonTable).order_by(col(PersonTable.id)).limit(limit)
    if after is not None:
        statement = statement.where(col(PersonTable.id) > after)
    if text:
        pattern = f"%{_literal(text)}%"
        statement = statement.where(
            or_(col(PersonTable.name).ilike(pattern), col(PersonTable.email).ilike(pattern))
        )
    return list(await session.scalars(statement))


def lies_in(region: ColumnElement[Any] | Mapped[Any], scopes: Iterable[str]) -> ColumnElement[bool]:
    """Whether a region code is one of `scopes` or lies below one, as `platform.scopes.covers`."""
    codes = tuple(scopes)
    if EVERYWHERE in codes:
        return true()
    return or_(
        false(),
        *(
            or_(
                region == code,
                region.startswith(f"{code}-", autoescape=True),
                region.startswith(f"{code}.", autoescape=True),
            )
            for code in codes
        ),
    )


def _active_grants(now: datetime) -> Select[GrantTable, PersonTable]:
    return (
        select(GrantTable, PersonTable)
        .join(PersonTable, col(PersonTable.id) == col(GrantTable.person_id))
        .where(
            col(GrantTable.revoked_at).is_(None),
            or_(col(GrantTable.expires_at).is_(None), col(GrantTable.expires_at) > now),
        )
    )


async def grants_of(
    session: AsyncSession, person_ids: Iterable[UUID], now: datetime
) -> list[Grant]:
    """What the persons hold now."""
    statement = _active_grants(now).where(col(GrantTable.person_id).in_(list(person_ids)))
    rows = await session.execute(statement.order_by(col(GrantTable.id)))
    return [_grant(grant, holder) for grant, holder in rows]


async def grants(
    session: AsyncSession,
    now: datetime,
    *,
    regions: tuple[str, ...],
    after: UUID | None,
    limit: int,
) -> list[Grant]:
    """Active grants in `regions`, newest first, from below `after`."""
    statement = _active_grants(now).order_by(col(GrantTable.id).desc()).limit(limit)
    statement = statement.where(lies_in(col(GrantTable.region), regions))
    if after is not None:
        statement = statement.where(col(GrantTable.id) < after)
    rows = await session.execute(statement)
    return [_grant(grant, holder) for grant, holder in rows]


async def grant_for_update(session: AsyncSession, grant_id: UUID) -> GrantTable | None:
    """One active grant, locked."""
    statement = (
        select(GrantTable)
        .where(col(GrantTable.id) == grant_id, col(GrantTable.revoked_at).is_(None))
        .with_for_update()
    )
    found: GrantTable | None = await session.scalar(statement)
    return found


async def close_expired(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    """Mark the person's expired grants as revoked, so that the same can be given again."""
    await session.execute(
        update(GrantTable)
        .where(
            col(GrantTable.person_id) == person_id,
            col(GrantTable.revoked_at).is_(None),
            col(GrantTable.expires_at) <= now,
        )
        .values(revoked_at=GrantTable.expires_at, revoked_by="system")
    )


async def token_by_digest(session: AsyncSession, digest: bytes) -> TokenTable | None:
    """The token with this digest, revoked and expired ones too."""
    found: TokenTable | None = await session.scalar(
        select(TokenTable).where(col(TokenTable.digest) == digest)
    )
    return found


async def maker_of_token(session: AsyncSession, token_id: UUID) -> str | None:
    """The id of the principal who made the token."""
    found: str | None = await session.scalar(
        select(col(TokenTable.created_by)).where(col(TokenTable.id) == token_id)
    )
    return found


async def mark_used(session: AsyncSession, token_ids: Sequence[UUID], now: datetime) -> None:
    """Note that the tokens were used, at most once a minute each."""
    await session.execute(
        update(TokenTable)
        .where(
            col(TokenTable.id).in_(token_ids),
            or_(
                col(TokenTable.used_at).is_(None),
                col(TokenTable.used_at) < now - _USED_AGAIN_AFTER,
            ),
        )
        .values(used_at=now)
    )


async def tokens(
    session: AsyncSession,
    *,
    kind: str | None,
    driver_id: UUID | None,
    regions: tuple[str, ...],
    after: UUID | None,
    limit: int,
) -> list[Token]:
    """Tokens that are not revoked and reach into `regions`, newest first, from below `after`."""
    statement = select(TokenTable).where(col(TokenTable.revoked_at).is_(None))
    if EVERYWHERE not in regions:
        region = func.unnest(col(TokenTable.regions)).column_valued("region")
        statement = statement.where(select(region).where(lies_in(region, regions)).exists())
    if kind is not None:
        statement = statement.where(col(TokenTable.kind) == kind)
    if driver_id is not None:
        statement = statement.where(col(TokenTable.driver_id) == driver_id)
    if after is not None:
        statement = statement.where(col(TokenTable.id) < after)
    rows = await session.scalars(statement.order_by(col(TokenTable.id).desc()).limit(limit))
    return [_token(row) for row in rows]


async def token_for_update(session: AsyncSession, token_id: UUID) -> TokenTable | None:
    """One token, locked."""
    return await session.get(TokenTable, token_id, with_for_update=True)


async def device_tokens_for_update(session: AsyncSession, driver_id: UUID) -> list[TokenTable]:
    """A driver's tokens that are not revoked, newest first, locked."""
    statement = (
        select(TokenTable)
        .where(and_(col(TokenTable.driver_id) == driver_id, col(TokenTable.revoked_at).is_(None)))
        .order_by(col(TokenTable.id).desc())
        .with_for_update()
    )
    return list(await session.scalars(statement))


def _literal(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text


def _grant(row: GrantTable, holder: PersonTable) -> Grant:
    return Grant(
        id=row.id,
        person_id=row.person_id,
        person_name=holder.name,
        role=row.role,
        region=row.region,
        source=row.source,
        reason=row.reason,
        granted_by=row.granted_by,
        granted_by_name=row.granted_by_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def describe_person(row: PersonTable, held: Iterable[Grant] = ()) -> Person:
    """The person with what they hold."""
    return Person(row.id, row.name, row.email, row.signed_in_at, tuple(held))


def _token(row: TokenTable) -> Token:
    return Token(
        id=row.id,
        kind=row.kind,
        name=row.name,
        hint=row.hint,
        role=row.role,
        permissions=tuple(row.permissions),
        regions=tuple(row.regions),
        driver_id=row.driver_id,
        created_by_name=row.created_by_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
