"""Every statement on environments, flags, versions and segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import EnvironmentRow, FlagRow, SegmentRow, VersionRow
from backend.flags.schemas import FlagFilter
from backend.platform import clock


@dataclass(frozen=True, slots=True)
class GraphRow:
    """What other flags need to know of a flag."""

    key: str
    variants: list[str]
    prerequisites: list[dict[str, str]]
    sensitive: bool


async def lock_environment(session: AsyncSession, name: str) -> EnvironmentRow:
    """The environment, locked until the unit of work ends; made where it is new."""
    new = {"name": name, "version": 0, "evaluators": {}, "published_at": clock.now()}
    await session.execute(insert(EnvironmentRow).values(new).on_conflict_do_nothing())
    found = select(EnvironmentRow).where(col(EnvironmentRow.name) == name).with_for_update()
    return (await session.execute(found)).scalar_one()


async def environment(session: AsyncSession, name: str) -> EnvironmentRow | None:
    """The environment, None before anything was published in it."""
    return await session.get(EnvironmentRow, name)


async def version_of(session: AsyncSession, name: str) -> int:
    """The environment's version, 0 before anything was published in it."""
    wanted = select(col(EnvironmentRow.version)).where(col(EnvironmentRow.name) == name)
    return await session.scalar(wanted) or 0


async def published_since(
    session: AsyncSession, name: str, since: int
) -> tuple[int, dict[str, Any], datetime, dict[str, dict[str, Any] | None]] | None:
    """Version, evaluators, when published, and each flag's served definition that changed since.

    One statement, and so one moment: a definition never comes without the segments it uses.
    """
    row = (
        await session.execute(
            text(
                "SELECT version, evaluators, published_at, (SELECT"
                " coalesce(jsonb_object_agg(key, published), '{}') FROM flags_flag"
                " WHERE environment = name AND published_version > :since"
                " AND (published IS NOT NULL OR :since > 0)) AS flags"
                " FROM flags_environment WHERE name = :name"
            ).columns(evaluators=JSONB, flags=JSONB),
            {"name": name, "since": since},
        )
    ).one_or_none()
    if row is None:
        return None
    return row.version, row.evaluators, row.published_at, row.flags


async def flag(
    session: AsyncSession, environment_name: str, key: str, *, lock: bool = False
) -> FlagRow | None:
    """A flag of an environment by its key; None where there is none."""
    wanted = select(FlagRow).where(
        col(FlagRow.environment) == environment_name, col(FlagRow.key) == key
    )
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


async def flags_of(
    session: AsyncSession, environment_name: str, keys: Iterable[str] | None = None
) -> dict[str, FlagRow]:
    """Flags by key; all that are not archived where no keys are given."""
    wanted = select(FlagRow).where(col(FlagRow.environment) == environment_name)
    if keys is None:
        wanted = wanted.where(~col(FlagRow.archived))
    else:
        wanted = wanted.where(col(FlagRow.key).in_(list(keys)))
    return {row.key: row for row in await session.scalars(wanted.order_by(col(FlagRow.key)))}


async def graph(session: AsyncSession, environment_name: str) -> dict[str, GraphRow]:
    """Every flag that is not archived, as far as others speak of it."""
    rows = await session.execute(
        text(
            "SELECT key, ARRAY(SELECT jsonb_object_keys(spec->'variants')) AS variants,"
            " spec->'prerequisites' AS prerequisites, (spec->>'sensitive')::boolean AS sensitive"
            " FROM flags_flag WHERE environment = :environment AND NOT archived"
        ),
        {"environment": environment_name},
    )
    return {
        row.key: GraphRow(row.key, row.variants, row.prerequisites or [], bool(row.sensitive))
        for row in rows
    }


async def flag_page(
    session: AsyncSession, wanted: FlagFilter, after: str | None, limit: int
) -> list[FlagRow]:
    """Flags by key."""
    found = select(FlagRow).where(
        col(FlagRow.environment) == wanted.environment,
        col(FlagRow.archived) == wanted.archived,
    )
    if after is not None:
        found = found.where(col(FlagRow.key) > after)
    if wanted.q:
        words = (
            func.lower(col(FlagRow.key))
            + " "
            + func.lower(col(FlagRow.spec)["description"].astext)
            + " "
            + func.lower(col(FlagRow.spec)["owner"].astext)
        )
        found = found.where(words.contains(wanted.q.lower(), autoescape=True))
    if wanted.kind:
        found = found.where(col(FlagRow.spec)["kind"].astext == wanted.kind)
    if wanted.owner:
        found = found.where(col(FlagRow.spec)["owner"].astext == wanted.owner)
    found = found.order_by(col(FlagRow.key)).limit(limit)
    return list(await session.scalars(found))


async def versions(
    session: AsyncSession, environment_name: str, key: str, before: int | None, limit: int
) -> list[VersionRow]:
    """A flag's versions, newest first."""
    wanted = select(VersionRow).where(
        col(VersionRow.environment) == environment_name, col(VersionRow.key) == key
    )
    if before is not None:
        wanted = wanted.where(col(VersionRow.version) < before)
    wanted = wanted.order_by(col(VersionRow.version).desc()).limit(limit)
    return list(await session.scalars(wanted))


async def versions_between(
    session: AsyncSession, environment_name: str, since: datetime, until: datetime, limit: int
) -> list[VersionRow]:
    """Versions that flags got in a span after their first, oldest first; the newest where many."""
    wanted = select(VersionRow).where(
        col(VersionRow.environment) == environment_name,
        col(VersionRow.version) > 1,
        col(VersionRow.at).between(since, until),
    )
    newest = wanted.order_by(col(VersionRow.at).desc()).limit(limit)
    return list(await session.scalars(newest))[::-1]


async def version(
    session: AsyncSession, environment_name: str, key: str, number: int
) -> VersionRow | None:
    """A flag as its version `number` was; None where it never had one."""
    return await session.get(VersionRow, (environment_name, key, number))


async def add_flags(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add flags that are new, in one go."""
    if rows:
        await session.execute(insert(FlagRow), rows)


async def add_versions(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add versions, in one go."""
    if rows:
        await session.execute(insert(VersionRow), rows)


async def needed_by(session: AsyncSession, environment_name: str, key: str) -> list[str]:
    """Keys of the flags whose prerequisite this one is."""
    wanted = select(col(FlagRow.key)).where(
        col(FlagRow.environment) == environment_name,
        ~col(FlagRow.archived),
        col(FlagRow.spec).contains({"prerequisites": [{"key": key}]}),
    )
    return list(await session.scalars(wanted.order_by(col(FlagRow.key))))


async def last_kill(session: AsyncSession, environment_name: str, key: str) -> VersionRow | None:
    """The version by which the flag was killed last."""
    wanted = (
        select(VersionRow)
        .where(
            col(VersionRow.environment) == environment_name,
            col(VersionRow.key) == key,
            col(VersionRow.cause) == "kill",
        )
        .order_by(col(VersionRow.version).desc())
        .limit(1)
    )
    return (await session.scalars(wanted)).one_or_none()


async def segments(session: AsyncSession, environment_name: str) -> dict[str, SegmentRow]:
    """Segments by name."""
    wanted = select(SegmentRow).where(col(SegmentRow.environment) == environment_name)
    return {row.name: row for row in await session.scalars(wanted.order_by(col(SegmentRow.name)))}


async def users_of_segments(
    session: AsyncSession, environment_name: str, names: Sequence[str]
) -> dict[str, list[str]]:
    """Keys of the flags whose definition refers to each segment."""
    rows = await session.execute(
        text(
            "SELECT name, ARRAY(SELECT key FROM flags_flag WHERE environment = :environment"
            " AND NOT archived AND position('\"$ref\": ' || to_json(name)::text"
            " IN definition::text) > 0 ORDER BY key) AS keys"
            " FROM unnest(CAST(:names AS text[])) AS name"
        ),
        {"environment": environment_name, "names": list(names)},
    )
    return {row.name: list(row.keys) for row in rows}


async def flags_made_before(
    session: AsyncSession, environment_name: str, before: datetime
) -> list[FlagRow]:
    """Flags that are not archived and were made before then."""
    wanted = select(FlagRow).where(
        col(FlagRow.environment) == environment_name,
        ~col(FlagRow.archived),
        col(FlagRow.created_at) < before,
    )
    return list(await session.scalars(wanted.order_by(col(FlagRow.key))))
