"""Writes a change that was weighed: flags, versions, the environment's version, events, trail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from backend.flags import change_repository, repository
from backend.flags.compiling import definition_of, evaluators_of, published_of
from backend.flags.evaluation import BUCKETING
from backend.flags.models import EnvironmentRow, FlagRow, SegmentRow, VersionRow
from backend.flags.plans import FlagStep, Plan, SegmentStep
from backend.flags.rule_schemas import Segment
from backend.flags.schemas import PUBLISHED_CHANNEL
from backend.flags.words import json_diff
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.outbox import Event, emit
from backend.platform.resources import current
from backend.platform.telemetry import get_logger

_PENDING = "flags.published"
_MOST_EVENTS = 20
_BREATHE_EVERY = 100
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Author:
    """Who a change is by, and who agreed to it."""

    id: str
    name: str
    approved_by: str | None = None
    approved_by_name: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> Author:
        """The caller alone."""
        return cls(principal.id, principal.name)


async def publish(session: AsyncSession, principal: Principal, plan: Plan, author: Author) -> int:
    """Carry the plan out; answers the flag's new version, the environment's where it has many.

    The environment is to be locked by now, since the plan was weighed under that lock.
    """
    where = await repository.lock_environment(session, plan.wanted.environment)
    now = clock.now()
    where.version += 1
    where.published_at = now
    for index, step in enumerate(plan.flags):
        _write_flag(session, step, plan, author, where.version, now)
        if index % _BREATHE_EVERY == 0:
            await asyncio.sleep(0)
    for one in plan.segments:
        _write_segment(session, one, plan, author, now)
    await session.flush()
    if plan.segments:
        await _publish_segments(session, where)
    keys = [step.key for step in plan.flags]
    await change_repository.overtake(
        session, plan.wanted.environment, keys, f"{author.name} changed it first.", now
    )
    await _tell(session, plan, author, where.version)
    tell_after_commit(session, where.name, where.version)
    await _record(session, principal, plan, author)
    versions = [step.row.version if step.row else 1 for step in plan.flags]
    return versions[0] if len(versions) == 1 else where.version


def _write_flag(
    session: AsyncSession,
    step: FlagStep,
    plan: Plan,
    author: Author,
    published_version: int,
    now: datetime,
) -> None:
    spec, wanted, row = step.wanted.spec, plan.wanted, step.row
    before = row.definition if row and not row.archived else None
    if row is None:
        row = FlagRow(
            environment=wanted.environment,
            key=spec.key,
            version=0,
            spec={},
            definition={},
            published=None,
            published_version=0,
            bucketing=BUCKETING,
            archived=False,
            created_at=now,
            updated_at=now,
            changed_by=author.id,
            changed_by_name=author.name,
        )
        session.add(row)
    row.version += 1
    row.spec = spec.model_dump(mode="json")
    row.definition = step.definition
    row.archived = step.wanted.archived
    row.published = None if row.archived else published_of(spec)
    row.published_version = published_version
    row.updated_at, row.changed_by, row.changed_by_name = now, author.id, author.name
    if wanted.cause == "kill":
        row.killed_at, row.killed_by_name, row.kill_reason = now, author.name, wanted.reason
    elif spec.on:
        row.killed_at = row.killed_by_name = row.kill_reason = None
    session.add(
        VersionRow(
            environment=row.environment,
            key=row.key,
            version=row.version,
            cause=wanted.cause,
            spec=row.spec,
            definition=row.definition,
            words=step.words,
            diff=json_diff(before, None if row.archived else row.definition),
            reason=wanted.reason,
            by=author.id,
            by_name=author.name,
            approved_by=author.approved_by,
            approved_by_name=author.approved_by_name,
            at=now,
        )
    )


def _write_segment(
    session: AsyncSession, step: SegmentStep, plan: Plan, author: Author, now: datetime
) -> None:
    spec = step.wanted.segment
    row = step.row
    if row is None:
        row = SegmentRow(
            environment=plan.wanted.environment,
            name=spec.name,
            version=0,
            spec={},
            updated_at=now,
            changed_by_name=author.name,
        )
        session.add(row)
    row.version += 1
    row.spec = spec.model_dump(mode="json")
    row.updated_at, row.changed_by_name = now, author.name


async def _publish_segments(session: AsyncSession, where: EnvironmentRow) -> None:
    rows = await repository.segments(session, where.name)
    where.evaluators = evaluators_of([Segment.model_validate(row.spec) for row in rows.values()])
    await session.flush()


async def _tell(session: AsyncSession, plan: Plan, author: Author, version: int) -> None:
    wanted = plan.wanted
    common: dict[str, Any] = {"environment": wanted.environment, "cause": wanted.cause}
    if len(plan.flags) > _MOST_EVENTS or plan.segments:
        keys = [step.key for step in plan.flags]
        data = {**common, "version": version, "flags": keys[:1_000], "count": len(keys)}
        await emit(session, Event("flag.set_published", wanted.environment, author.id, data))
        return
    for step in plan.flags:
        data = {
            **common,
            "flag": step.key,
            "version": step.row.version if step.row else 1,
            "words": step.words,
            "reason": wanted.reason,
        }
        await emit(session, Event("flag.published", step.key, author.id, data))


async def _record(session: AsyncSession, principal: Principal, plan: Plan, author: Author) -> None:
    wanted = plan.wanted
    first = plan.flags[0] if len(plan.flags) == 1 and not plan.segments else None
    await identity.record(
        session,
        principal,
        f"flag.{wanted.cause}",
        f"flag:{wanted.environment}:{wanted.subject}",
        region=next(iter(plan.touched)) if len(plan.touched) == 1 else None,
        before=definition_of(first.before) if first and first.before else None,
        after={
            "words": plan.words[:50],
            "flags": len(plan.flags),
            "segments": len(plan.segments),
            "by": author.name,
            "approved_by": author.approved_by_name,
        },
        reason=wanted.reason or None,
    )


def tell_after_commit(session: AsyncSession, environment: str, version: int) -> None:
    """Tell every process of the environment's new version once this unit of work commits."""
    pending = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = {}
        event.listen(session.sync_session, "after_commit", _tell_now)
    pending[environment] = version


def _tell_now(sync_session: Any) -> None:
    # A savepoint that ends is told of here too, and is no commit.
    if sync_session.in_nested_transaction():
        return
    pending: dict[str, int] = sync_session.info[_PENDING].copy()
    sync_session.info[_PENDING].clear()
    try:
        await_only(_send([f"{name} {version}" for name, version in pending.items()]))
    except RedisError as error:
        # Every process also looks from time to time: committed is committed.
        _log.warning("publish_not_told", error=repr(error))


async def _send(messages: Sequence[str]) -> None:
    for message in messages:
        await current().redis.publish(PUBLISHED_CHANNEL, message)
