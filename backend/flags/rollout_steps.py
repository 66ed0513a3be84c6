"""Moves a rollout: its beginning, its steps, and the way back on a burn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import count_repository, repository, rollout_repository
from backend.flags.guard import guard
from backend.flags.models import RolloutRow
from backend.flags.plans import Wanted, WantedFlag, bound_to, weigh
from backend.flags.publishing import Author, publish
from backend.flags.rule_schemas import FlagSpec, Rule
from backend.flags.rules import share_words
from backend.flags.schemas import Cause
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import Conflict
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.scopes import covers
from backend.platform.shares import percent

_FEWEST_OUTCOMES = 20


async def begin(session: AsyncSession, principal: Principal, wanted: Wanted, author: Author) -> int:
    """Begin the rollout that a change holds with its first step; answers the flag's version."""
    plan: dict[str, Any] = wanted.rollout or {}
    row = await repository.flag(session, wanted.environment, plan["key"], lock=True)
    if row is None or row.version != plan["version_seen"]:
        raise Conflict(f"{plan['key']} was changed since the rollout was asked for.")
    spec = FlagSpec.model_validate(row.spec)
    rule = rule_of(spec, plan["rule"])
    now = clock.now()
    rollout = RolloutRow(
        id=uuid7(),
        environment=wanted.environment,
        key=row.key,
        rule=rule.id,
        steps=plan["steps"],
        step=-1,
        state="running",
        slo=plan["slo"],
        region=plan["region"],
        most_errors=plan["most_errors"],
        share_before=rule.serve[0].share,
        flag_version=row.version,
        reason=wanted.reason,
        started_by=author.id,
        started_by_name=author.name,
        approved_by=author.approved_by,
        approved_by_name=author.approved_by_name,
        started_at=now,
        updated_at=now,
    )
    session.add(rollout)
    await session.flush()
    return await _advance(session, principal, rollout, now)


def rule_of(spec: FlagSpec, rule_id: str) -> Rule:
    """The flag's rule with this id; raises Conflict where it is gone."""
    rule = next((rule for rule in spec.rules if rule.id == rule_id), None)
    if rule is None:
        raise Conflict(f"{spec.key} has no rule {rule_id} any more.")
    return rule


async def tend(session: AsyncSession, rollout: RolloutRow) -> None:
    """Look after one running rollout: stop it, halt it, move it on, or leave it.

    Its environment is to be locked by the caller.
    """
    now = clock.now()
    flag = await repository.flag(session, rollout.environment, rollout.key, lock=True)
    if flag is None or flag.version != rollout.flag_version:
        by = flag.changed_by_name if flag else "somebody"
        _end(rollout, "stopped", f"{by} changed the flag.", now)
        return
    try:
        reason = await burn(session, rollout)
    except Unwatched as unwatched:
        # Never on without its guard: it stays where it is until it is watched again.
        hold(rollout, str(unwatched))
        return
    if reason is not None:
        await _halt(session, rollout, reason, now)
    elif rollout.next_at is not None and rollout.next_at <= now:
        await _advance(session, SYSTEM, rollout, now)


def hold(rollout: RolloutRow, why: str) -> None:
    """Leave the rollout where it is until a person lets it go on."""
    rollout.state, rollout.halted_because = "paused", why
    rollout.updated_at, rollout.next_at = clock.now(), None


async def _advance(
    session: AsyncSession, principal: Principal, rollout: RolloutRow, now: datetime
) -> int:
    if rollout.step + 1 == len(rollout.steps):
        _end(rollout, "done", None, now)
        data = {"flag": rollout.key, "environment": rollout.environment}
        await emit(session, Event("flag.rollout_done", rollout.key, rollout.started_by, data))
        return rollout.flag_version
    rollout.step += 1
    step = rollout.steps[rollout.step]
    said = f"Step {rollout.step + 1} of {len(rollout.steps)}: {rollout.reason}"
    await _serve(session, principal, rollout, step["share"], "rollout", said)
    rollout.step_at = rollout.updated_at = now
    rollout.next_at = now + timedelta(seconds=step["wait_s"])
    return rollout.flag_version


async def _halt(session: AsyncSession, rollout: RolloutRow, reason: str, now: datetime) -> None:
    """Go back to the share from before the rollout, and tell why."""
    step = rollout.step
    share = rollout.steps[step]["share"]
    said = f"Halted at {share_words(share)}, back to {share_words(rollout.share_before)}: {reason}"
    await _serve(session, SYSTEM, rollout, rollout.share_before, "halt", said)
    _end(rollout, "halted", reason, now)
    data = {
        "flag": rollout.key,
        "environment": rollout.environment,
        "step": step + 1,
        "share": share,
        "reason": reason,
        "slo": rollout.slo,
        "region": rollout.region,
        "rollout": str(rollout.id),
    }
    await emit(
        session, Event("flag.rollout_halted", rollout.key, "system", data, region=rollout.region)
    )


def _end(rollout: RolloutRow, state: str, why: str | None, now: datetime) -> None:
    rollout.state, rollout.halted_because = state, why
    rollout.updated_at, rollout.next_at = now, None


async def _serve(
    session: AsyncSession,
    principal: Principal,
    rollout: RolloutRow,
    share: int,
    cause: Cause,
    reason: str,
) -> None:
    """Publish the flag with another share; who asked for the rollout stays its author."""
    row = await repository.flag(session, rollout.environment, rollout.key)
    if row is None:
        raise Conflict(f"{rollout.key} is gone.")
    spec = with_share(FlagSpec.model_validate(row.spec), rollout.rule, share)
    wanted = Wanted.model_validate(
        {
            "environment": rollout.environment,
            "cause": cause,
            "reason": reason,
            "flags": [WantedFlag(spec=spec, version_seen=row.version)],
        }
    )
    plan = await weigh(session, wanted)
    if plan.is_empty:
        return
    author = Author(
        rollout.started_by,
        rollout.started_by_name,
        rollout.approved_by,
        rollout.approved_by_name,
    )
    if cause == "halt":
        author = Author(SYSTEM.id, SYSTEM.name)
    rollout.flag_version = await publish(session, principal, plan, author)


def with_share(spec: FlagSpec, rule_id: str, share: int) -> FlagSpec:
    """The specification with another share of the rule's growing variant."""
    rule = rule_of(spec, rule_id)
    first = rule.serve[0].model_copy(update={"share": share})
    changed = rule.model_copy(update={"serve": [first, *rule.serve[1:]]})
    rules = [changed if one.id == rule_id else one for one in spec.rules]
    return spec.model_copy(update={"rules": rules})


class Unwatched(Exception):
    """Nobody in this process can tell whether the service level burns."""


async def burn(session: AsyncSession, rollout: RolloutRow) -> str | None:
    """Why the rollout has to halt, None where all is well; raises Unwatched."""
    since = rollout.step_at or rollout.started_at
    if rollout.slo is not None:
        watcher = guard()
        if watcher is None:
            raise Unwatched(f"Nobody watches {rollout.slo} here.")
        try:
            reason = await watcher.burning(session, rollout.slo, rollout.region, since)
        except LookupError as error:
            raise Unwatched(f"There is no service level {rollout.slo}.") from error
        if reason is not None:
            return reason
    if rollout.most_errors is None:
        return None
    return await _errors(session, rollout, rollout.most_errors, since)


async def _errors(
    session: AsyncSession, rollout: RolloutRow, most: float, since: datetime
) -> str | None:
    """The exposed group's errors against the others', where there are enough to tell."""
    row = await repository.flag(session, rollout.environment, rollout.key)
    if row is None:
        return None
    rule = rule_of(FlagSpec.model_validate(row.spec), rollout.rule)
    exposed, others = [0, 0], [0, 0]
    minute = since.replace(second=0, microsecond=0)
    counted = await count_repository.outcomes(session, rollout.environment, rollout.key, minute)
    for region, variant, good, bad in counted:
        if not any(covers(code, region) for code in bound_to(rule)):
            continue
        group = exposed if variant == rule.serve[0].variant else others
        group[0] += good
        group[1] += bad
    if sum(exposed) < _FEWEST_OUTCOMES:
        return None
    rate = exposed[1] / sum(exposed)
    usual = others[1] / sum(others) if sum(others) else 0.0
    if rate - usual <= most:
        return None
    return (
        f"{percent(rate)} of those served {rule.serve[0].variant} had errors,"
        f" {percent(usual)} of the others"
    )


async def running(session: AsyncSession) -> list[tuple[UUID, str]]:
    """Id and environment of the rollouts under way."""
    found = []
    for rollout_id in await rollout_repository.running(session):
        row = await rollout_repository.rollout(session, rollout_id)
        if row is not None:
            found.append((row.id, row.environment))
    return found
