"""Whom a change would touch, estimated from a sample of recent contexts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.order_schemas import OrderFilter
from backend.flags import repository
from backend.flags.compiling import document_of, published_of
from backend.flags.evaluation import FlagSet
from backend.flags.plans import FlagStep
from backend.flags.rules import complete, margin, region_of
from backend.flags.samples import people_key, sample_key
from backend.flags.schemas import BlastRadius, Environment, MovedRegion
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.redis import unavailable
from backend.platform.resources import current
from backend.platform.scopes import covers
from backend.platform.telemetry import get_logger

_DRIVERS_APP = "drivemate"
_CUSTOMERS_APP = "shiptrack"
_MOST_CITIES = 20
_log = get_logger(__name__)


@dataclass(slots=True)
class _Tally:
    """The sample counted, by app and by region."""

    sampled: int = 0
    changed: int = 0
    gains: int = 0
    losses: int = 0
    by_app: Counter[str] = field(default_factory=Counter)
    changed_by_app: Counter[str] = field(default_factory=Counter)
    by_region: Counter[tuple[str, str]] = field(default_factory=Counter)
    changed_by_region: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)


async def blast_radius(
    session: AsyncSession, principal: Principal, environment: Environment, step: FlagStep | None
) -> BlastRadius:
    """How many people, and orders a day, the change would serve another variant.

    Shares of the sample, of the caller's regions, scaled to how many keys were seen since yesterday
    morning; the margins are half a 95 % interval. All zero where nothing was sampled yet.
    """
    if step is None:
        return _empty()
    before, after = await _sets(session, environment, step)
    contexts = await _contexts(environment)
    scopes = identity.scopes(principal, "flags:read")
    off = step.wanted.spec.off_variant
    tally = await asyncio.to_thread(_counted, contexts, before, after, step.key, off, scopes)
    people = await _people(environment, list(tally.by_app))
    return await _described(session, principal, tally, people)


def _empty() -> BlastRadius:
    return BlastRadius(
        sampled=0,
        changed=0,
        users=0,
        users_margin=0,
        drivers=0,
        drivers_margin=0,
        orders_a_day=0,
        gains=0,
        losses=0,
        moves={},
        regions=[],
    )


async def _sets(
    session: AsyncSession, environment: Environment, step: FlagStep
) -> tuple[FlagSet, FlagSet]:
    """The flag as it is and as it would be, each with what it needs."""
    where = await repository.environment(session, environment)
    evaluators = where.evaluators if where else {}
    needed: dict[str, Any] = {}
    left = [
        one.key for spec in (step.before, step.wanted.spec) if spec for one in spec.prerequisites
    ]
    while missing := [key for key in left if key not in needed]:
        rows = await repository.flags_of(session, environment, missing)
        needed |= {key: rows[key].published if key in rows else None for key in missing}
        left = [p["key"] for row in rows.values() for p in row.spec.get("prerequisites", ())]
    around = {key: flag for key, flag in needed.items() if flag is not None}
    old = {**around, step.key: step.row.published} if step.row and step.row.published else around
    gone = step.wanted.archived
    new = around if gone else {**around, step.key: published_of(step.wanted.spec)}
    return FlagSet(document_of(old, evaluators)), FlagSet(document_of(new, evaluators))


async def _contexts(environment: Environment) -> Sequence[bytes]:
    try:
        found: list[bytes] = await current().redis.hvals(sample_key(environment))  # type: ignore[misc]
    except RedisError as error:
        raise unavailable(error) from error
    return found


def _counted(
    contexts: Sequence[bytes],
    before: FlagSet,
    after: FlagSet,
    key: str,
    off: str,
    scopes: Sequence[str],
) -> _Tally:
    tally = _Tally()
    for raw in contexts:
        context = complete(orjson.loads(raw))
        region = region_of(context)
        if not any(covers(scope, region) for scope in scopes):
            continue
        app = str(context.get("app") or "other")
        old, new = before.evaluate(key, context).variant, after.evaluate(key, context).variant
        tally.sampled += 1
        tally.by_app[app] += 1
        tally.by_region[(region, app)] += 1
        if old == new:
            continue
        tally.changed += 1
        tally.changed_by_app[app] += 1
        tally.changed_by_region[(region, app)] += 1
        tally.moves[f"{old or 'nothing'} → {new or 'nothing'}"] += 1
        tally.gains += old in (off, None)
        tally.losses += new in (off, None)
    return tally


async def _people(environment: Environment, apps: Sequence[str]) -> dict[str, int]:
    """How many keys of each app were seen yesterday and today."""
    now = clock.now()
    redis = current().redis
    found = {}
    for app in apps:
        keys = [people_key(environment, app, now - timedelta(days=ago)) for ago in (0, 1)]
        found[app] = await redis.pfcount(*keys)
    return found


async def _described(
    session: AsyncSession, principal: Principal, tally: _Tally, people: Mapping[str, int]
) -> BlastRadius:
    users, users_margin, drivers, drivers_margin = 0, 0, 0, 0
    for app, sampled in tally.by_app.items():
        count, spread = _scaled(tally.changed_by_app[app], sampled, people.get(app, 0))
        if app == _DRIVERS_APP:
            drivers, drivers_margin = count, spread
        else:
            users, users_margin = users + count, users_margin + spread
    regions = _by_region(tally, people)
    return BlastRadius(
        sampled=tally.sampled,
        changed=tally.changed,
        users=users,
        users_margin=users_margin,
        drivers=drivers,
        drivers_margin=drivers_margin,
        orders_a_day=await _orders(session, principal, tally),
        gains=tally.gains,
        losses=tally.losses,
        moves=dict(tally.moves.most_common(20)),
        regions=regions,
    )


def _scaled(changed: int, sampled: int, people: int) -> tuple[int, int]:
    """The estimate and its margin; a sample is never larger than whom it was taken from."""
    everyone = max(people, sampled)
    if everyone == sampled:
        return changed, 0
    return round(changed / sampled * everyone), round(margin(changed, sampled) * everyone)


def _by_region(tally: _Tally, people: Mapping[str, int]) -> list[MovedRegion]:
    found: dict[str, MovedRegion] = {}
    for (region, app), sampled in tally.by_region.items():
        row = found.setdefault(
            region, MovedRegion(region=region, sampled=0, changed=0, users=0, drivers=0)
        )
        changed = tally.changed_by_region[(region, app)]
        row.sampled += sampled
        row.changed += changed
        scale = max(people.get(app, 0), tally.by_app[app]) / tally.by_app[app]
        if app == _DRIVERS_APP:
            row.drivers += round(changed * scale)
        else:
            row.users += round(changed * scale)
    return sorted(found.values(), key=lambda row: (-row.changed, row.region))


async def _orders(session: AsyncSession, principal: Principal, tally: _Tally) -> int:
    """Orders of the last day whose customers would be served another variant, city by city."""
    if not identity.may(principal, "orders:read"):
        return 0
    since = clock.now() - timedelta(days=1)
    shares = {
        region: changed / tally.by_region[(region, app)]
        for (region, app), changed in tally.changed_by_region.most_common(_MOST_CITIES)
        if app == _CUSTOMERS_APP and region != "*"
    }
    orders = 0.0
    for region, share in shares.items():
        wanted = OrderFilter(region=region, created_from=since)
        counted = await dispatch.count_orders(session, principal, wanted)
        orders += share * sum(counted.by_state.values())
    return round(orders)
