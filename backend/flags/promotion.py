"""The verbs that carry a flag's rules over from staging to production."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository
from backend.flags.blast import blast_radius
from backend.flags.changes import settle
from backend.flags.checking import warnings
from backend.flags.compiling import definition_of
from backend.flags.editing import find, refuse_during_rollout
from backend.flags.models import FlagRow, SegmentRow
from backend.flags.plans import Stale, Wanted, WantedFlag, weigh
from backend.flags.rule_schemas import FlagSpec, Rule, Segment
from backend.flags.rules import same
from backend.flags.schemas import ChangePreview, PromoteIn, Promotion, SaveResult
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import Conflict

_CARRIED = ("variants", "default_variant", "off_variant", "rules", "targeting", "prerequisites")
"""What decides who is served which variant; the rest of a flag is its environment's own."""


async def preview_promotion(session: AsyncSession, principal: Principal, key: str) -> Promotion:
    """What promoting the flag would do in production, and to whom.

    Raises NoSuchFlag where staging has none, Conflict where it is archived there, Invalid where
    production could not serve it.
    """
    identity.authorize(principal, "flags:read")
    staged = await _staged(session, key)
    row = await repository.flag(session, "production", key)
    spec = _promoted(staged, row)
    seen = row.version if row else 0
    plan = await weigh(session, _change(spec, seen, reason="only looking"))
    step = plan.flags[0] if plan.flags else None
    return Promotion(
        staging_version=staged.version,
        production_version=seen,
        spec=spec,
        preview=ChangePreview(
            words=plan.words,
            diff=plan.diff,
            definition=step.definition if step else {},
            blast=await blast_radius(session, principal, "production", step),
            needs_approval=plan.needs_approval,
            needs_confirmation=plan.needs_confirmation,
            warnings=[*_switch(spec), *warnings(spec), *await _differences(session, spec)],
        ),
    )


async def promote_flag(
    session: AsyncSession, principal: Principal, key: str, wanted: PromoteIn
) -> SaveResult:
    """Publish in production what staging serves, or keep it for a second person.

    Asks for all that another change of production asks for. Raises Stale where either environment
    has another version than the caller saw, Conflict while a rollout moves production's flag.
    """
    identity.authorize(principal, "flags:write")
    await repository.lock_environment(session, "production")
    await refuse_during_rollout(session, "production", key)
    staged = await _staged(session, key)
    if staged.version != wanted.staging_version:
        raise Stale(
            f"{staged.changed_by_name} made {key} version {staged.version} in staging; you saw"
            f" version {wanted.staging_version}."
        )
    spec = _promoted(staged, await repository.flag(session, "production", key))
    change = _change(spec, wanted.version_seen, reason=wanted.reason)
    result, _ = await settle(session, principal, change, typed=wanted.confirm)
    return result


async def _staged(session: AsyncSession, key: str) -> FlagRow:
    row = await find(session, key, "staging")
    if row.archived:
        raise Conflict(f"{key} is archived in staging.")
    return row


def _change(spec: FlagSpec, seen: int, *, reason: str) -> Wanted:
    flag = WantedFlag(spec=spec, version_seen=seen)
    return Wanted(environment="production", cause="promote", reason=reason, flags=[flag])


def _promoted(staged: FlagRow, row: FlagRow | None) -> FlagSpec:
    """Production's flag with staging's rules: its switch, owner, date and protection stay.

    So nothing that was killed or switched off in production comes back by a promotion.
    """
    spec = FlagSpec.model_validate(staged.spec)
    if row is None:
        return spec
    there = FlagSpec.model_validate(row.spec)
    if row.archived:
        return spec.model_copy(update={"sensitive": spec.sensitive or there.sensitive})
    carried = {name: getattr(spec, name) for name in _CARRIED}
    return there.model_copy(update={**carried, "rules": _named(spec.rules, there.rules)})


def _named(rules: Sequence[Rule], there: Sequence[Rule]) -> list[Rule]:
    """The rules, one for the same people under the id that it has in production.

    Its rollouts and its history go by that id, and the change then reads as one of its share.
    """
    ids = {_who(rule): rule.id for rule in reversed(there)}
    named = [rule.model_copy(update={"id": ids.get(_who(rule), rule.id)}) for rule in rules]
    return named if len({rule.id for rule in named}) == len(rules) else list(rules)


def _who(rule: Rule) -> bytes:
    return orjson.dumps([condition.model_dump() for condition in rule.conditions])


def _switch(spec: FlagSpec) -> list[str]:
    if spec.on:
        return []
    return [f"It is switched off in production and stays so: everyone gets {spec.off_variant}."]


async def _differences(session: AsyncSession, spec: FlagSpec) -> list[str]:
    """The segments of the rules that are other people in production than in staging."""
    definition = orjson.dumps(definition_of(spec)).decode()
    staging = await repository.segments(session, "staging")
    production = await repository.segments(session, "production")
    return [
        f"Segment {name} is other people in production than in staging."
        for name in sorted(staging.keys() & production.keys())
        if f'"$ref":{orjson.dumps(name).decode()}' in definition
        and not same(_people(staging[name]), _people(production[name]))
    ]


def _people(row: SegmentRow) -> dict[str, object]:
    return Segment.model_validate(row.spec).model_dump(include={"conditions", "logic"})
