"""The audit trail: who did what, sealed row upon row so that a change to the past is found."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from backend.identity import audit_repository as repository
from backend.identity.models import AuditTable
from backend.identity.policy import Denied, authorize, scopes
from backend.identity.rules import mask
from backend.identity.schemas import AuditCheck, AuditEntry, AuditFilter, Principal
from backend.platform import clock
from backend.platform.errors import RateLimited
from backend.platform.ids import uuid7
from backend.platform.ratelimit import take
from backend.platform.resources import Resources, current
from backend.platform.telemetry import current_trace_id, get_logger

_FIRST = b"waypost audit"
_BATCH = 2_000
_HEAD_KEY = "identity:audit:head"
_PENDING_HEAD = "identity_audit_head"
# The newest row as a second store knows it: rows cut off the end leave no broken seal behind.
_RAISE_HEAD = """
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], ARGV[1])
end
"""

_log = get_logger(__name__)
Outcome = Literal["done", "denied", "failed"]


def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"waypost audit chain 1", hashlib.sha256)


def seal_of(entry: AuditEntry, previous: bytes, secret: str) -> bytes:
    """HMAC-SHA256 over the previous seal and the entry's canonical JSON (sorted keys, UTF-8)."""
    # `str` is for asyncpg's own kind of UUID.
    options = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
    canonical = orjson.dumps(asdict(entry), default=str, option=options)
    return hmac.digest(_key(secret), previous + canonical, hashlib.sha256)


async def record(
    session: AsyncSession,
    principal: Principal,
    action: str,
    object: str,  # noqa: A002 - the field's name in the trail and in every caller
    *,
    region: str | None = None,
    before: Any = None,
    after: Any = None,
    reason: str | None = None,
    outcome: Outcome = "done",
) -> AuditEntry:
    """Add one row in the caller's transaction; `before` and `after` are masked here.

    Rows are written one after the other: record last in a unit of work, for others wait from here
    until its end.
    """
    head = await repository.lock_head(session)
    row = AuditTable(
        seq=head.seq + 1 if head else 1,
        id=uuid7(),
        at=clock.now(),
        actor=principal.id,
        actor_name=principal.name,
        session_id=_credential(principal),
        address=principal.address,
        action=action,
        outcome=outcome,
        object=object,
        region=region,
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        trace_id=current_trace_id(),
        seal=b"",
    )
    entry = repository.entry(row)
    secret = current().settings.secret_key.get_secret_value()
    row.seal = seal_of(entry, head.seal if head else _FIRST, secret)
    session.add(row)
    await session.flush()
    _note_head(session, row.seq)
    return entry


def _credential(principal: Principal) -> str | None:
    if principal.token_id is not None:
        return f"token:{principal.token_id}"
    return principal.session_id


def _plain(value: Any) -> Any:
    """`value` masked and as JSON gives it back, so that the seal holds after reading."""
    return None if value is None else orjson.loads(orjson.dumps(mask(value), default=str))


def _note_head(session: AsyncSession, seq: int) -> None:
    if _PENDING_HEAD not in session.info:
        event.listen(session.sync_session, "after_commit", _publish_head, once=True)
    session.info[_PENDING_HEAD] = seq


def _publish_head(sync_session: Any) -> None:
    seq = sync_session.info.pop(_PENDING_HEAD, None)
    if seq is None:
        return
    try:
        await_only(_raise_head(current().redis, seq))
    except RedisError as error:
        _log.warning("audit_head_not_noted", seq=seq, error=repr(error))


async def _raise_head(redis: Redis, seq: int) -> None:
    await redis.register_script(_RAISE_HEAD)(keys=[_HEAD_KEY], args=[seq])


async def record_denial(
    resources: Resources,
    principal: Principal,
    permission: str,
    region: str | None = None,
    *,
    target: str = "",
) -> None:
    """Record a refusal in a unit of work of its own; a flood of them is only logged."""
    _log.info("denied", principal=principal.id, permission=permission, region=region)
    try:
        await take(resources.redis, f"denials:{principal.id}", rate_per_s=0.5, burst=30)
    except (RateLimited, RedisError):
        return
    async with resources.database.unit_of_work() as session:
        await record(
            session,
            principal,
            "access.denied",
            target or permission,
            region=region,
            after={"permission": permission},
            outcome="denied",
        )


async def record_denied(resources: Resources, denied: Denied, target: str = "") -> None:
    """Record the refusal that `denied` tells of."""
    await record_denial(
        resources, denied.principal, denied.permission, denied.region, target=target
    )


async def list_audit(
    session: AsyncSession,
    principal: Principal,
    wanted: AuditFilter,
    *,
    before_seq: int | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """Rows newest first, below `before_seq`; who reads a region only sees what happened there."""
    authorize(principal, "audit:read")
    held = scopes(principal, "audit:read")
    regions = None if "*" in held else held
    return await repository.matching(session, wanted, regions, before_seq, limit)


async def active_persons(
    session: AsyncSession, principal: Principal, since: datetime, until: datetime
) -> int:
    """How many different persons did something in the console in a span; a figure, no names.

    Needs `scorecard:read` everywhere.
    """
    authorize(principal, "scorecard:read", "*")
    return await repository.actors_between(session, since, until)


async def verify(resources: Resources) -> AuditCheck:
    """Walk the whole chain and name the first row that was changed, removed or put in."""
    secret = resources.settings.secret_key.get_secret_value()
    expected, previous = 1, _FIRST
    # Before the walk: what is noted later may have been written behind its back.
    noted = int(await resources.redis.get(_HEAD_KEY) or 0)
    while True:
        # A transaction for each stretch: a long walk must not hold back the vacuum.
        async with resources.database.unit_of_work() as session:
            rows = await repository.after(session, expected - 1, _BATCH)
        for row in rows:
            if row.seq != expected:
                why = f"row {expected} is missing; the next there is {row.seq}"
                return AuditCheck(expected - 1, expected, why)
            if not hmac.compare_digest(seal_of(repository.entry(row), previous, secret), row.seal):
                return AuditCheck(expected - 1, expected, f"row {expected} does not fit its seal")
            expected, previous = expected + 1, row.seal
        if len(rows) < _BATCH:
            break
    if noted >= expected:
        why = f"rows {expected} to {noted} were written and are gone"
        return AuditCheck(expected - 1, expected, why)
    return AuditCheck(expected - 1)
