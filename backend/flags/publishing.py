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
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.util import await_only

from backend.flags import change_repository, repository
from backend.flags.compiling import definition_of, evaluators_of, published_of
from backend.flags.evaluation import BUCKETING
from backend.flags.models import EnvironmentRow, SegmentRow
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
_NEW: dict[str, Any] = {
    "bucketing": BUCKETING,
    "killed_at": None,
    "killed_by_name": None,
    "kill_reason": None,
}
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
    new, versions = [], []
    for index, step in enumerate(plan.flags):
        version = _version(step, plan, author, step.row.version + 1 if step.row else 1, now)
        versions.append(version)
        state = _state(version, step, plan, where.version)
        if step.row is None:
            new.append(
                {**_NEW, "environment": where.name, "key": step.key, "created_at": now, **state}
            )
        else:
            step.row.sqlmodel_update(state)
            # Without this a true that becomes 1 counts as no change, and is not written.
            for name in ("spec", "definition", "published"):
                flag_modified(step.row, name)
        if index % _BREATHE_EVERY == 0:
            await asyncio.sleep(0)
    await repository.add_flags(session, new)
    await repository.add_versions(session, versions)
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
    return int(versions[0]["version"]) if len(versions) == 1 else where.version


def _version(
    step: FlagStep, plan: Plan, author: Author, number: int, now: datetime
) -> dict[str, Any]:
    """The row of the flag's new version."""
    wanted, row = plan.wanted, step.row
    before = row.definition if row and not row.archived else None
    return {
        "environment": wanted.environment,
        "key": step.key,
        "version": number,
        "cause": wanted.cause,
        "spec": step.wanted.spec.model_dump(mode="json"),
        "definition": step.definition,
        "words": step.words,
        "diff": json_diff(before, None if step.wanted.archived else step.definition),
        "reason": wanted.reason,
        "by": author.id,
        "by_name": author.name,
        "approved_by": author.approved_by,
        "approved_by_name": author.approved_by_name,
        "at": now,
    }


def _state(version: dict[str, Any], step: FlagStep, plan: Plan, where: int) -> dict[str, Any]:
    """What the flag's row says once this version is in force."""
    spec, archived = step.wanted.spec, step.wanted.archived
    state = {
        "version": version["version"],
        "spec": version["spec"],
        "definition": step.definition,
        "published": None if archived else published_of(spec),
        "published_version": where,
        "archived": archived,
        "updated_at": version["at"],
        "changed_by": version["by"],
        "changed_by_name": version["by_name"],
    }
    if plan.wanted.cause == "kill":
        killed = {"killed_at": version["at"], "killed_by_name": version["by_name"]}
        return state | killed | {"kill_reason": plan.wanted.reason}
    if spec.on:
        state |= {"killed_at": None, "killed_by_name": None, "kill_reason": None}
    return state


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
    flag_modified(row, "spec")
    row.updated_at, row.changed_by_name = now, author.name


async def _publish_segments(session: AsyncSession, where: EnvironmentRow) -> None:
    rows = await repository.segments(session, where.name)
    where.evaluators = evaluators_of([Segment.model_validate(row.spec) for row in rows.values()])
    flag_modified(where, "evaluators")
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
