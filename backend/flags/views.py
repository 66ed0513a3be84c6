"""The verbs that show flags: lists, one flag, its versions, exposure, what is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import (
    change_repository,
    count_repository,
    repository,
    rollout_repository,
    rollouts,
)
from backend.flags.changes import describe as describe_change
from backend.flags.count_repository import Served
from backend.flags.editing import find
from backend.flags.models import FlagRow, RolloutRow
from backend.flags.rule_schemas import FlagSpec
from backend.flags.rules import share_words
from backend.flags.schemas import (
    Environment,
    Exposure,
    FlagDetail,
    FlagFilter,
    FlagOut,
    FlagPage,
    FlagVersion,
    RuleWords,
    StaleFlag,
)
from backend.flags.words import Names, state_of, state_words, who
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.scopes import covers
from backend.regions import service as regions

ONE_SIDED_AFTER = timedelta(days=30)
UNREAD_AFTER = timedelta(days=14)
_SHOWN_CHANGES = 20
_READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is known of flags beside their rows."""

    served: Mapping[str, Served]
    last_hour: Mapping[str, Served]
    waiting: Mapping[str, int]
    rollouts: Mapping[str, str]
    countries: Sequence[str]
    names: Names


async def list_flags(
    session: AsyncSession,
    principal: Principal,
    wanted: FlagFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> FlagPage:
    """Flags by key; `state` and `stale` are worked out, so pages are read until one is full."""
    identity.authorize(principal, "flags:read")
    items: list[FlagOut] = []
    narrowed = wanted.state is not None or wanted.stale is not None
    at_once = _READ_AT_ONCE if narrowed else limit
    while True:
        rows = await repository.flag_page(session, wanted, after, at_once + 1)
        page = rows[:at_once]
        beside = await _beside(session, wanted.environment, page)
        for row in page:
            shown = _shown(row, beside)
            after = row.key
            if _fits(shown, wanted):
                items.append(shown)
            if len(items) == limit:
                more = row is not page[-1] or len(rows) > at_once
                return FlagPage(items=items, next_cursor=after if more else None)
        if len(rows) <= at_once:
            return FlagPage(items=items, next_cursor=None)


def _fits(shown: FlagOut, wanted: FlagFilter) -> bool:
    if wanted.state is not None and shown.state != wanted.state:
        return False
    return wanted.stale is None or (shown.stale_because is not None) == wanted.stale


async def get_flag(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
) -> FlagDetail:
    """One flag; raises NoSuchFlag."""
    identity.authorize(principal, "flags:read")
    row = await find(session, key, environment)
    beside = await _beside(session, environment, [row])
    spec = FlagSpec.model_validate(row.spec)
    changes = await change_repository.changes(
        session, environment, key, ("waiting", "scheduled"), _SHOWN_CHANGES
    )
    moved = await rollout_repository.rollouts_of(session, environment, key)
    return FlagDetail(
        **_shown(row, beside).model_dump(),
        spec=spec,
        rules=_rules(spec, moved, beside.names),
        killed_at=row.killed_at,
        killed_by_name=row.killed_by_name,
        kill_reason=row.kill_reason,
        changes=[describe_change(change) for change in changes],
        rollouts=[rollouts.describe(one) for one in moved],
        needed_by=await repository.needed_by(session, environment, key),
    )


async def flag_versions(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[FlagVersion]:
    """Versions, newest first; raises NoSuchFlag."""
    identity.authorize(principal, "flags:read")
    await find(session, key, environment)
    rows = await repository.versions(session, environment, key, before, limit)
    return [FlagVersion.model_validate(row.model_dump(), from_attributes=True) for row in rows]


async def exposure(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
    *,
    hours: int = 1,
) -> list[Exposure]:
    """How often each variant was served, by the caller's regions, in this hour and those before."""
    identity.authorize(principal, "flags:read")
    await find(session, key, environment)
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    found = await count_repository.exposure(
        session, environment, key, hour - timedelta(hours=hours)
    )
    scopes = identity.scopes(principal, "flags:read")
    return [
        Exposure(region=region, variant=variant, asked=asked)
        for region, variant, asked in found
        if any(covers(scope, region) for scope in scopes)
    ]


async def stale_flags(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> list[StaleFlag]:
    """Flags that could be cleaned up: expired, one-sided for 30 days, or unread for 14."""
    identity.authorize(principal, "flags:read")
    rows = await repository.flags_made_before(session, environment, clock.now())
    now = clock.now()
    keys = [row.key for row in rows]
    served = await count_repository.asked_since(session, environment, keys, now - ONE_SIDED_AFTER)
    found = []
    for row in rows:
        stale = _staleness(row, served.get(row.key), now)
        if stale is not None:
            found.append(stale)
    return found


def _staleness(row: FlagRow, served: Served | None, now: datetime) -> StaleFlag | None:
    expires = row.spec["expires_at"]
    if expires is not None and (date := datetime.fromisoformat(expires)) <= now:
        return _stale(row, "past its date", date, "Decide, then archive it.")
    read = served.newest if served else None
    if row.created_at < now - UNREAD_AFTER and (read is None or read < now - UNREAD_AFTER):
        since = read or row.created_at
        return _stale(row, "not read for 14 days", since, "Nobody asks for it: archive it.")
    quiet_since = max(row.updated_at, row.created_at)
    lasting = row.spec["kind"] in ("operational", "permission", "route")
    if served and served.variants == 1 and quiet_since < now - ONE_SIDED_AFTER and not lasting:
        detail = "Put the served variant into the code, then archive it."
        return _stale(row, "one-sided for 30 days", quiet_since, detail)
    return None


def _stale(row: FlagRow, why: str, since: datetime, hint: str) -> StaleFlag:
    return StaleFlag(
        key=row.key,
        environment=cast(Environment, row.environment),
        owner=row.spec["owner"],
        why=why,
        since=since,
        suggestion=hint,
    )


async def _beside(
    session: AsyncSession, environment: Environment, rows: Sequence[FlagRow]
) -> _Beside:
    keys = [row.key for row in rows]
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    directory = await regions.directory(session, SYSTEM)
    since = now - ONE_SIDED_AFTER
    return _Beside(
        served=await count_repository.asked_since(session, environment, keys, since),
        last_hour=await count_repository.asked_since(
            session, environment, keys, hour - timedelta(hours=1)
        ),
        waiting=await change_repository.waiting_by_key(session, environment, keys),
        rollouts=await rollout_repository.latest_states(session, environment, keys),
        countries=[region.code for region in directory if region.kind == "country"],
        names={region.code: region.name for region in directory},
    )


def _shown(row: FlagRow, beside: _Beside) -> FlagOut:
    spec = FlagSpec.model_validate(row.spec)
    state = state_of(spec, killed=row.killed_at is not None)
    stale = _staleness(row, beside.served.get(row.key), clock.now())
    moving = beside.rollouts.get(row.key)
    asked = beside.last_hour.get(row.key)
    shown: dict[str, Any] = {
        "key": row.key,
        "environment": row.environment,
        "version": row.version,
        "kind": spec.kind,
        "owner": spec.owner,
        "description": spec.description,
        "state": state,
        "in_words": state_words(spec, state, beside.countries, beside.names),
        "sensitive": spec.sensitive,
        "stale_because": stale.why if stale else None,
        "waiting": beside.waiting.get(row.key, 0),
        "rollout": moving if moving in ("running", "paused", "halted") else None,
        "asked_last_hour": asked.asked if asked else 0,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "changed_by_name": row.changed_by_name,
        "expires_at": spec.expires_at,
        "definition": row.definition,
    }
    return FlagOut.model_validate(shown)


def _rules(spec: FlagSpec, moved: Sequence[RolloutRow], names: Names) -> list[RuleWords]:
    under_way = {one.rule: one for one in moved if one.state in ("running", "paused")}
    said = [
        RuleWords(
            id=rule.id,
            who=who(rule, names),
            variant=rule.serve[0].variant,
            share=rule.serve[0].share / 1000,
            note=_note(under_way.get(rule.id)),
        )
        for rule in spec.rules
    ]
    default = spec.default_variant or "as the program says"
    return [*said, RuleWords(id="", who="Everyone else", variant=default, share=100, note="")]


def _note(rollout: RolloutRow | None) -> str:
    if rollout is None:
        return ""
    if rollout.state == "paused" or rollout.next_at is None:
        return "paused"
    if rollout.step + 1 == len(rollout.steps):
        return f"done at {rollout.next_at:%H:%M} UTC if all is well"
    following = share_words(rollout.steps[rollout.step + 1]["share"])
    guarded = " if green" if rollout.slo or rollout.most_errors else ""
    return f"{following} at {rollout.next_at:%H:%M} UTC{guarded}"
