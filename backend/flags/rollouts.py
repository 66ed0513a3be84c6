"""The verbs of rollouts: start, pause, go on, stop."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository, rollout_repository
from backend.flags.changes import settle
from backend.flags.editing import find, refuse_during_rollout
from backend.flags.guard import guard
from backend.flags.models import RolloutRow
from backend.flags.plans import Stale, Wanted, bound_to
from backend.flags.rollout_steps import rule_of
from backend.flags.rule_schemas import FlagSpec, Rule
from backend.flags.rules import WHOLE, share_words
from backend.flags.schemas import Rollout, RolloutIn, RolloutStarted
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid, NotFound


class NoSuchRollout(NotFound):
    """There is no such rollout."""

    title = "There is no such rollout"


async def start_rollout(
    session: AsyncSession, principal: Principal, key: str, wanted: RolloutIn
) -> RolloutStarted:
    """Raise a rule's share step by step, the first at once; `rollout` is None where it waits.

    A sensitive flag's rollout waits for a second person as a whole, not step by step. Raises
    Stale, Conflict while another one is under way, Invalid.
    """
    identity.authorize(principal, "flags:write")
    await repository.lock_environment(session, wanted.environment)
    row = await find(session, key, wanted.environment, lock=True)
    await refuse_during_rollout(session, wanted.environment, key)
    if row.version != wanted.version_seen:
        raise Stale(f"{row.changed_by_name} made {key} version {row.version} meanwhile.")
    spec = FlagSpec.model_validate(row.spec)
    if not spec.on or row.archived:
        raise Conflict(f"{key} is off; switch it on first.")
    rule = rule_of(spec, wanted.rule)
    _check_steps(rule, wanted)
    await _check_slo(session, wanted)
    plan = {**wanted.model_dump(mode="json", exclude={"environment", "confirm"}), "key": key}
    change = Wanted(
        environment=wanted.environment, cause="rollout", reason=wanted.reason, rollout=plan
    )
    result, _ = await settle(session, principal, change, typed=wanted.confirm)
    found = await rollout_repository.open_rollout(session, wanted.environment, key)
    rollout = describe(found) if found and result.status == "published" else None
    return RolloutStarted(result=result, rollout=rollout)


def _check_steps(rule: Rule, wanted: RolloutIn) -> None:
    faults = []
    share = rule.serve[0].share
    room = WHOLE - sum(one.share for one in rule.serve[1:])
    for index, step in enumerate(wanted.steps):
        pointer = f"/steps/{index}/share"
        if step.share <= share:
            detail = "A rollout only raises the share, step by step."
            faults.append(FieldError(pointer, "not_rising", detail))
        if step.share > room:
            detail = f"The rule's other variants leave {share_words(room)}."
            faults.append(FieldError(pointer, "over_limit", detail))
        share = step.share
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


async def _check_slo(session: AsyncSession, wanted: RolloutIn) -> None:
    watcher = guard()
    if wanted.slo is None or watcher is None:
        return
    try:
        reason = await watcher.burning(session, wanted.slo, wanted.region, clock.now())
    except LookupError as error:
        detail = f"There is no service level {wanted.slo}."
        raise Invalid(detail, errors=[FieldError("/slo", "unknown", detail)]) from error
    if reason is not None:
        raise Conflict(f"{wanted.slo} burns already: {reason}")


async def pause_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """Stay at the step in force."""
    row = await _to_change(session, principal, rollout_id, "running")
    row.state, row.next_at = "paused", None
    row.halted_because = f"Paused by {principal.name}."
    return await _changed(session, principal, row, "paused")


async def resume_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """Go on from the step in force, waiting its time anew."""
    row = await _to_change(session, principal, rollout_id, "paused")
    now = clock.now()
    row.state, row.halted_because, row.step_at = "running", None, now
    row.next_at = now + timedelta(seconds=row.steps[max(row.step, 0)]["wait_s"])
    return await _changed(session, principal, row, "resumed")


async def stop_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """End a rollout and leave the share as it is."""
    row = await _to_change(session, principal, rollout_id, "running", "paused")
    row.state, row.next_at = "stopped", None
    row.halted_because = f"Stopped by {principal.name}."
    return await _changed(session, principal, row, "stopped")


async def _to_change(
    session: AsyncSession, principal: Principal, rollout_id: UUID, *states: str
) -> RolloutRow:
    identity.authorize(principal, "flags:write")
    seen = await rollout_repository.rollout(session, rollout_id)
    if seen is None:
        raise NoSuchRollout
    await repository.lock_environment(session, seen.environment)
    row = await rollout_repository.rollout(session, rollout_id, lock=True)
    if row is None:
        raise NoSuchRollout
    flag = await find(session, row.key, row.environment)
    spec = FlagSpec.model_validate(flag.spec)
    rule = next((rule for rule in spec.rules if rule.id == row.rule), None)
    for region in bound_to(rule) if rule else ["*"]:
        identity.authorize(principal, "flags:write", region)
    if row.state not in states:
        raise Conflict(f"This rollout is {row.state}.")
    return row


async def _changed(
    session: AsyncSession, principal: Principal, row: RolloutRow, deed: str
) -> Rollout:
    row.updated_at = clock.now()
    await session.flush()
    await identity.record(
        session,
        principal,
        f"flag.rollout_{deed}",
        f"flag:{row.environment}:{row.key}",
        after={"rollout": str(row.id), "step": row.step + 1, "state": row.state},
    )
    return describe(row)


def describe(row: RolloutRow) -> Rollout:
    """What is shown of a rollout."""
    return Rollout.model_validate(row.model_dump(), from_attributes=True)
