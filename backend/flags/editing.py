"""The verbs that change one flag: save, schedule, preview, kill, restore, archive."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository, rollout_repository
from backend.flags.blast import blast_radius
from backend.flags.changes import settle
from backend.flags.checking import warnings
from backend.flags.compiling import definition_of
from backend.flags.models import FlagRow
from backend.flags.plans import FlagStep, Plan, Wanted, WantedFlag, weigh
from backend.flags.publishing import Author, publish
from backend.flags.rule_schemas import FlagSpec
from backend.flags.schemas import (
    ChangePreview,
    Environment,
    KillIn,
    RestoreIn,
    SaveIn,
    SaveResult,
)
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid, NotFound


class NoSuchFlag(NotFound):
    """There is no such flag in this environment."""

    title = "There is no such flag"


async def find(session: AsyncSession, key: str, environment: str, *, lock: bool = False) -> FlagRow:
    """The flag; raises NoSuchFlag."""
    row = await repository.flag(session, environment, key, lock=lock)
    if row is None:
        raise NoSuchFlag(f"There is no flag {key} in {environment}.")
    return row


async def preview_change(
    session: AsyncSession, principal: Principal, wanted: SaveIn
) -> ChangePreview:
    """What saving this would do: words, JSON, whom it touches. Raises Invalid as saving would."""
    identity.authorize(principal, "flags:read")
    plan = await weigh(session, _edit(wanted))
    step = plan.flags[0] if plan.flags else None
    return ChangePreview(
        words=plan.words,
        diff=plan.diff,
        definition=step.definition if step else {},
        blast=await blast_radius(session, principal, wanted.environment, step),
        needs_approval=plan.needs_approval,
        needs_confirmation=plan.needs_confirmation,
        warnings=warnings(wanted.spec),
    )


async def save_flag(session: AsyncSession, principal: Principal, wanted: SaveIn) -> SaveResult:
    """Publish the flag's new state, or keep it for a second person or a later moment.

    Raises Stale where somebody changed the flag since `version_seen`, Conflict while a rollout of
    it is under way, Invalid with a pointer to each fault.
    """
    identity.authorize(principal, "flags:write")
    await refuse_during_rollout(session, wanted.environment, wanted.spec.key)
    result, _ = await settle(
        session, principal, _edit(wanted), typed=wanted.confirm, publish_at=wanted.publish_at
    )
    return result


async def schedule_change(
    session: AsyncSession, principal: Principal, wanted: SaveIn
) -> SaveResult:
    """The same with `publish_at` required."""
    if wanted.publish_at is None:
        detail = "Say when it is to be published."
        raise Invalid(detail, errors=[FieldError("/publish_at", "missing", detail)])
    return await save_flag(session, principal, wanted)


def _edit(wanted: SaveIn) -> Wanted:
    flag = WantedFlag(spec=wanted.spec, version_seen=wanted.version_seen)
    return Wanted(
        environment=wanted.environment,
        cause="schedule" if wanted.publish_at else "edit",
        reason=wanted.reason,
        flags=[flag],
    )


async def refuse_during_rollout(session: AsyncSession, environment: Environment, key: str) -> None:
    """Raise Conflict while a rollout moves the flag."""
    row = await rollout_repository.open_rollout(session, environment, key)
    if row is not None and row.state != "waiting":
        detail = f"A rollout by {row.started_by_name} is {row.state}; stop it first."
        raise Conflict(detail)


async def kill_flag(
    session: AsyncSession, principal: Principal, key: str, wanted: KillIn
) -> SaveResult:
    """Serve the off variant to everyone at once; needs nobody else and no typing."""
    identity.authorize(principal, "flags:kill", "*")
    await repository.lock_environment(session, wanted.environment)
    row = await find(session, key, wanted.environment, lock=True)
    if row.killed_at is not None or row.archived:
        return SaveResult(status="unchanged", version=row.version, words=[])
    spec = FlagSpec.model_validate(row.spec).model_copy(update={"on": False})
    change = Wanted(
        environment=wanted.environment,
        cause="kill",
        reason=wanted.reason,
        flags=[WantedFlag(spec=spec, version_seen=row.version)],
    )
    # Not weighed as others are: nothing that could be wrong may hold up a kill.
    before = FlagSpec.model_validate(row.spec)
    step = FlagStep(row, before, change.flags[0], definition_of(spec), ["Killed: off for everyone"])
    plan = Plan(change, [step], [], needs_approval=False, touched=frozenset({"*"}))
    await rollout_repository.stop_open(
        session, wanted.environment, key, f"{principal.name} killed the flag.", clock.now()
    )
    version = await publish(session, principal, plan, Author.of(principal))
    return SaveResult(status="published", version=version, words=plan.words)


async def give_kill_reason(
    session: AsyncSession, principal: Principal, key: str, environment: Environment, reason: str
) -> None:
    """Say afterwards why a flag was killed; raises Conflict where it is not killed."""
    identity.authorize(principal, "flags:kill", "*")
    row = await find(session, key, environment, lock=True)
    if row.killed_at is None:
        raise Conflict(f"{key} is not killed.")
    row.kill_reason = reason
    found = await repository.last_kill(session, environment, key)
    if found is not None:
        found.reason = reason
    await session.flush()
    await identity.record(
        session, principal, "flag.kill_explained", f"flag:{environment}:{key}", reason=reason
    )


async def restore_version(
    session: AsyncSession, principal: Principal, key: str, wanted: RestoreIn
) -> SaveResult:
    """Publish an earlier version again, as a new one; raises NotFound for a version there is not.

    It asks for the same as any other change, a second person among it.
    """
    identity.authorize(principal, "flags:write")
    await find(session, key, wanted.environment)
    await refuse_during_rollout(session, wanted.environment, key)
    found = await repository.version(session, wanted.environment, key, wanted.version)
    if found is None:
        raise NotFound(f"{key} has no version {wanted.version}.")
    spec = FlagSpec.model_validate(found.spec)
    result, _ = await settle(session, principal, _again(wanted, spec), typed=wanted.confirm)
    return result


async def archive_flag(
    session: AsyncSession, principal: Principal, key: str, wanted: RestoreIn
) -> SaveResult:
    """Take a flag out of what is served; its history stays, and a version of it can be restored."""
    identity.authorize(principal, "flags:write")
    row = await find(session, key, wanted.environment)
    await refuse_during_rollout(session, wanted.environment, key)
    change = _again(wanted, FlagSpec.model_validate(row.spec), archived=True)
    result, _ = await settle(session, principal, change, typed=wanted.confirm)
    return result


def _again(wanted: RestoreIn, spec: FlagSpec, *, archived: bool = False) -> Wanted:
    flag = WantedFlag(spec=spec, version_seen=wanted.version_seen, archived=archived)
    return Wanted(
        environment=wanted.environment,
        cause="archive" if archived else "restore",
        reason=wanted.reason,
        flags=[flag],
    )
