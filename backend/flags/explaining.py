"""Why a context is served what it is, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cbor2
import mmh3
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository
from backend.flags.compiling import (
    TARGETING_KEY,
    condition_logic,
    document_of,
    evaluators_of,
    serve_logic,
)
from backend.flags.editing import find
from backend.flags.evaluation import FlagSet, evaluate
from backend.flags.logic_checking import value_faults
from backend.flags.rule_schemas import FlagSpec, Rule, Segment
from backend.flags.rules import DEEPEST_LOGIC, complete, too_deep
from backend.flags.schemas import ContextIn, Explanation, ExplanationStep
from backend.flags.words import Names, condition_words, served, who
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform.errors import FieldError, Invalid
from backend.regions import service as regions


async def explain(
    session: AsyncSession, principal: Principal, key: str, wanted: ContextIn
) -> Explanation:
    """Why this context is served what it is, rule by rule; raises NoSuchFlag."""
    identity.authorize(principal, "flags:read")
    if too_deep(wanted.context):
        detail = f"A context is {DEEPEST_LOGIC} deep at most."
        raise Invalid(detail, errors=[FieldError("/context", "too_large", detail)])
    if unread := value_faults(wanted.context, "/context"):
        raise Invalid(unread[0].detail, errors=unread[:100])
    row = await find(session, key, wanted.environment)
    spec = FlagSpec.model_validate(row.spec)
    rows = await repository.flags_of(session, wanted.environment)
    segments = await repository.segments(session, wanted.environment)
    evaluators = evaluators_of([Segment.model_validate(one.spec) for one in segments.values()])
    published = {name: one.published for name, one in rows.items() if one.published is not None}
    flags = FlagSet(document_of(published, evaluators))
    names = {region.code: region.name for region in await regions.directory(session, SYSTEM)}
    context = complete(wanted.context)
    found = flags.evaluate(key, context, strict=True)
    steps = _Steps(spec, flags, evaluators, context, names).walk(killed=row.killed_at is not None)
    return Explanation(
        key=key,
        value=found.value,
        variant=found.variant,
        reason=found.reason,
        error_code=found.error_code,
        version=row.version,
        steps=steps,
        bucket=_bucket(key, context) if _shares(spec) else None,
    )


class _Steps:
    """What is looked at for one context, in order, until something decides."""

    def __init__(
        self,
        spec: FlagSpec,
        flags: FlagSet,
        evaluators: Mapping[str, Any],
        context: Mapping[str, Any],
        names: Names,
    ) -> None:
        self._spec = spec
        self._flags = flags
        self._evaluators = evaluators
        self._context = context
        self._names = names

    def walk(self, *, killed: bool) -> list[ExplanationStep]:
        spec = self._spec
        if not spec.on:
            said = "The flag is killed" if killed else "The flag is off"
            return [_step(said, False, f"Everyone is served {spec.off_variant}.", decided=True)]
        steps = [_step("The flag is on", True, "")]
        for needed in spec.prerequisites:
            found = self._flags.evaluate(needed.key, self._context)
            holds = found.variant == needed.variant
            detail = f"{needed.key} serves {found.variant or found.error_code or 'nothing'} here."
            said = f"Needs {needed.key} to be {needed.variant}"
            steps.append(_step(said, holds, detail, decided=not holds))
            if not holds:
                return steps
        if spec.targeting is not None:
            return [*steps, _step("Logic of its own", True, "It decides.", decided=True)]
        for index, rule in enumerate(spec.rules):
            step, decided = self._rule(index, rule)
            steps.append(step)
            if decided:
                return steps
        default = spec.default_variant or "what the program says itself"
        return [*steps, _step("Everyone else", True, f"Served {default}.", decided=True)]

    def _rule(self, index: int, rule: Rule) -> tuple[ExplanationStep, bool]:
        said = f"Rule {index + 1}: {who(rule, self._names)}"
        for condition in rule.conditions:
            if not self._holds(condition_logic(condition)):
                name = condition.attribute
                has = self._attribute(name)
                detail = f"{condition_words(condition, self._names)} does not hold: {has}."
                return _step(said, False, detail), False
        if rule.by != TARGETING_KEY and not self._context.get(rule.by):
            detail = f"It is shared out by {rule.by}, which this context lacks."
            return _step(said, False, detail), False
        answer = self._answer(serve_logic(rule, self._spec.default_variant))
        detail = f"Shares: {served(rule)}. Served {answer or 'the default variant'}."
        return _step(said, True, detail, decided=True), True

    def _attribute(self, name: str) -> str:
        if name == "region":
            parts = [self._context.get(part) for part in ("country", "city", "hub")]
            known = [self._names.get(str(part), str(part)) for part in parts if part]
            return f"the context is in {', '.join(known)}" if known else "it names no region"
        value = self._context.get(name)
        return f"{name} is {value!r}" if value is not None else f"it has no {name}"

    def _holds(self, logic: Any) -> bool:
        return self._try({"if": [logic, "yes", "no"]}) == "yes"

    def _answer(self, logic: Any) -> str | None:
        return logic if isinstance(logic, str) else self._try(logic)

    def _try(self, targeting: Mapping[str, Any]) -> str | None:
        variants = {**dict.fromkeys(self._spec.variants, 1), "yes": 1, "no": 1}
        definition = {"state": "ENABLED", "variants": variants, "targeting": targeting}
        document = document_of({self._spec.key: definition}, self._evaluators)
        return evaluate(document, self._spec.key, self._context).variant


def _step(what: str, passed: bool, detail: str, *, decided: bool = False) -> ExplanationStep:
    return ExplanationStep(what=what, passed=passed, detail=detail, decided=decided)


def _shares(spec: FlagSpec) -> bool:
    return any(
        rule.by == TARGETING_KEY and (len(rule.serve) > 1 or rule.serve[0].share < 100_000)
        for rule in spec.rules
    )


def _bucket(key: str, context: Mapping[str, Any]) -> float | None:
    """Where in 0..100 % a targeting key stands for this flag (bucketing version 3)."""
    who_asks = context.get(TARGETING_KEY)
    if not isinstance(who_asks, str) or not who_asks:
        return None
    place = int(mmh3.hash(cbor2.dumps([key, who_asks]), signed=False))
    return ((place * 100_000) >> 32) / 1000
