"""What a change comes to: weighed against what is there now, before anything of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository
from backend.flags.checking import (
    Node,
    Surroundings,
    faults_in_document,
    flag_faults,
    node_of,
    segment_faults,
)
from backend.flags.compiling import REGION, definition_of, segment_logic
from backend.flags.logic_checking import escaped
from backend.flags.models import FlagRow, SegmentRow
from backend.flags.rule_schemas import FlagSpec, Rule, Segment
from backend.flags.rules import MOST_FLAGS, dependents, same, share_words
from backend.flags.schemas import Cause, Environment
from backend.flags.words import Names, change_words, json_diff
from backend.identity.schemas import SYSTEM
from backend.platform.errors import Conflict, FieldError, Invalid
from backend.platform.scopes import EVERYWHERE
from backend.regions import service as regions


class Stale(Conflict):
    """Somebody else changed it since the caller looked."""

    code = "changed_meanwhile"


class WantedFlag(BaseModel):
    """A flag's whole new state, and the version that its author saw."""

    spec: FlagSpec
    version_seen: int
    archived: bool = False


class WantedSegment(BaseModel):
    """A segment's whole new state, and the version that its author saw."""

    segment: Segment
    version_seen: int


class Wanted(BaseModel):
    """A set of flags and segments to publish together; this is what a kept change holds."""

    environment: Environment
    cause: Cause
    reason: str
    flags: Annotated[list[WantedFlag], Field(max_length=MOST_FLAGS)] = []
    segments: Annotated[list[WantedSegment], Field(max_length=1_000)] = []
    rollout: dict[str, Any] | None = None
    """The rollout that begins with it."""

    @property
    def subject(self) -> str:
        """What is typed to confirm it: the one flag's key, the one segment's name, or where."""
        if self.rollout is not None:
            return str(self.rollout["key"])
        if self.cause == "import":
            return self.environment
        if len(self.flags) == 1 and not self.segments:
            return self.flags[0].spec.key
        if len(self.segments) == 1 and not self.flags:
            return self.segments[0].segment.name
        return self.environment


@dataclass(frozen=True, slots=True)
class FlagStep:
    """One flag's way from what it is to what it is to be."""

    row: FlagRow | None
    before: FlagSpec | None
    wanted: WantedFlag
    definition: dict[str, Any]
    words: list[str]

    @property
    def key(self) -> str:
        return self.wanted.spec.key


@dataclass(frozen=True, slots=True)
class SegmentStep:
    """One segment's way."""

    row: SegmentRow | None
    wanted: WantedSegment
    logic: dict[str, Any]
    used_by: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that is right in itself: what to write, and what it asks of its author."""

    wanted: Wanted
    flags: list[FlagStep]
    segments: list[SegmentStep]
    needs_approval: bool
    touched: frozenset[str]
    """Regions in which anybody could notice; `*` where it is not bound to some."""
    unchanged: int = 0
    names: Names = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.flags and not self.segments and self.wanted.rollout is None

    @property
    def needs_confirmation(self) -> bool:
        return self.wanted.environment == "production"

    @property
    def words(self) -> list[str]:
        """The whole change in words."""
        if len(self.flags) == 1 and not self.segments:
            return self.flags[0].words
        if self.wanted.rollout is not None:
            return [rollout_words(self.wanted.rollout)]
        said = [f"{step.key}: {words}" for step in self.flags[:100] for words in step.words]
        return said + [f"Segment {step.wanted.segment.name} changes" for step in self.segments]

    @property
    def diff(self) -> list[str]:
        """The whole change as a unified diff, a bounded number of lines."""
        lines: list[str] = []
        for step in self.flags:
            before = step.row.definition if step.row else None
            lines += json_diff(before, None if step.wanted.archived else step.definition)
            if len(lines) > 400:
                return [*lines[:400], "…"]
        for one in self.segments:
            before = segment_logic(Segment.model_validate(one.row.spec)) if one.row else None
            lines += json_diff(before, one.logic)
        return lines[:400]


def rollout_words(plan: Mapping[str, Any]) -> str:
    """What a rollout will do, in words."""
    steps = ", ".join(share_words(step["share"]) for step in plan["steps"])
    guarded = f", guarded by {plan['slo']}" if plan["slo"] else ""
    return f"Rolls out rule {plan['rule']} in steps of {steps}{guarded}"


async def weigh(session: AsyncSession, wanted: Wanted, *, pointers: bool = False) -> Plan:
    """What the change comes to; raises Stale and Invalid.

    `pointers` tells flags apart by key in the errors, as in a document of many.
    """
    directory = await regions.directory(session, SYSTEM)
    names = {region.code: region.name for region in directory}
    keys = [flag.spec.key for flag in wanted.flags]
    if wanted.rollout is not None:
        keys.append(wanted.rollout["key"])
    rows = await repository.flags_of(session, wanted.environment, keys)
    segment_rows = await repository.segments(session, wanted.environment)
    _check_seen(wanted, rows, segment_rows)
    graph = await repository.graph(session, wanted.environment)
    around = _surroundings(wanted, graph, segment_rows, frozenset(names) | {EVERYWHERE})
    _check(wanted, around, pointers=pointers)
    flags = [step for flag in wanted.flags if (step := _step(flag, rows.get(flag.spec.key), names))]
    used = await repository.users_of_segments(
        session, wanted.environment, [one.segment.name for one in wanted.segments]
    )
    segments = [
        SegmentStep(segment_rows.get(name), one, segment_logic(one.segment), used.get(name, []))
        for one in wanted.segments
        for name in (one.segment.name,)
        if name not in segment_rows
        or not same(segment_rows[name].spec, one.segment.model_dump(mode="json"))
    ]
    return Plan(
        wanted,
        flags,
        segments,
        _needs_approval(wanted, flags, segments, graph, around),
        _touched(flags, segments) | _rollout_touched(wanted, rows),
        len(wanted.flags) - len(flags),
        names,
    )


def _check_seen(
    wanted: Wanted, rows: Mapping[str, FlagRow], segments: Mapping[str, SegmentRow]
) -> None:
    for flag in wanted.flags:
        row = rows.get(flag.spec.key)
        if (row.version if row else 0) != flag.version_seen:
            raise Stale(_who_changed(flag.spec.key, flag.version_seen, row))
    for one in wanted.segments:
        name, found = one.segment.name, segments.get(one.segment.name)
        if (found.version if found else 0) != one.version_seen:
            by = f" by {found.changed_by_name}" if found else ""
            raise Stale(f"Segment {name} was changed meanwhile{by}; look at it again.")


def _who_changed(key: str, seen: int, row: FlagRow | None) -> str:
    if row is None:
        return f"There is no flag {key} here; you saw version {seen}."
    return (
        f"{row.changed_by_name} made {key} version {row.version} at"
        f" {row.updated_at:%H:%M:%S} UTC on {row.updated_at:%d %B}; you saw version {seen}."
    )


def _surroundings(
    wanted: Wanted,
    graph: Mapping[str, repository.GraphRow],
    segments: Mapping[str, SegmentRow],
    codes: frozenset[str],
) -> Surroundings:
    nodes = {
        key: Node(frozenset(row.variants), {p["key"]: p["variant"] for p in row.prerequisites})
        for key, row in graph.items()
    }
    for flag in wanted.flags:
        nodes[flag.spec.key] = node_of(flag.spec)
    for flag in wanted.flags:
        if flag.archived:
            del nodes[flag.spec.key]
    known = set(segments) | {one.segment.name for one in wanted.segments}
    return Surroundings.of(codes, known, nodes)


def _check(wanted: Wanted, around: Surroundings, *, pointers: bool) -> None:
    faults: list[FieldError] = []
    if len(around.flags) > MOST_FLAGS:
        raise Invalid(f"An environment holds {MOST_FLAGS} flags at most.")
    for flag in wanted.flags:
        if pointers:
            faults += faults_in_document(flag.spec, around, f"/flags/{escaped(flag.spec.key)}")
        elif not flag.archived:
            faults += flag_faults(flag.spec, around, "/spec")
        if len(faults) > 100:
            break
    for one in wanted.segments:
        at = f"/$evaluators/{escaped(one.segment.name)}" if pointers else "/segment"
        faults += segment_faults(one.segment, around, at)
    changed = {flag.spec.key for flag in wanted.flags}
    # What stays may need a variant, or a flag, that goes.
    for key, node in around.flags.items():
        if key not in changed:
            faults += _broken_needs(key, node, around, changed)
    if faults:
        raise Invalid(faults[0].detail, errors=faults[:100])


def _broken_needs(
    key: str, node: Node, around: Surroundings, changed: set[str]
) -> Sequence[FieldError]:
    faults = []
    for needed, variant in node.needs.items():
        if (
            needed in changed
            and variant not in around.flags.get(needed, Node(frozenset(), {})).variants
        ):
            detail = f"{key} needs {needed} to be {variant}: change that first."
            faults.append(FieldError("/spec", "needed", detail))
    return faults


def _step(wanted: WantedFlag, row: FlagRow | None, names: Names) -> FlagStep | None:
    """The flag's way, None where nothing changes."""
    before = FlagSpec.model_validate(row.spec) if row and not row.archived else None
    if wanted.archived:
        if row is None or row.archived:
            return None
        return FlagStep(row, before, wanted, row.definition, ["Archived"])
    definition = definition_of(wanted.spec)
    if row is not None and not row.archived and same(row.definition, definition):
        return None
    words = change_words(before, wanted.spec, names)
    return FlagStep(row, before, wanted, definition, words or ["Written another way"])


def _needs_approval(
    wanted: Wanted,
    flags: Sequence[FlagStep],
    segments: Sequence[SegmentStep],
    graph: Mapping[str, repository.GraphRow],
    around: Surroundings,
) -> bool:
    """Whether a sensitive flag of production serves, or might serve, anybody something else.

    So do flags that need a changed one, and flags that use a changed segment.
    """
    if wanted.environment != "production":
        return False
    # What the row says counts even when it is archived: making it anew is no way around.
    if any(
        step.wanted.spec.sensitive or (step.row is not None and step.row.spec["sensitive"])
        for step in flags
    ):
        return True
    changed = [step.key for step in flags]
    changed += [key for step in segments for key in step.used_by]
    if wanted.rollout is not None:
        changed.append(str(wanted.rollout["key"]))
    before = {key: [p["key"] for p in row.prerequisites] for key, row in graph.items()}
    reached = set(changed) | dependents(before, changed) | dependents(around.needs, changed)
    return any(graph[key].sensitive for key in reached if key in graph)


def _touched(flags: Sequence[FlagStep], segments: Sequence[SegmentStep]) -> frozenset[str]:
    found: set[str] = {EVERYWHERE} if segments else set()
    for step in flags:
        found |= regions_touched(step.before, step.wanted)
    return frozenset(found)


def _rollout_touched(wanted: Wanted, rows: Mapping[str, FlagRow]) -> set[str]:
    if wanted.rollout is None:
        return set()
    row = rows.get(wanted.rollout["key"])
    rules = FlagSpec.model_validate(row.spec).rules if row else []
    rule = next((rule for rule in rules if rule.id == wanted.rollout["rule"]), None)
    return set(bound_to(rule)) if rule else {EVERYWHERE}


def regions_touched(before: FlagSpec | None, wanted: WantedFlag) -> set[str]:
    """Where a flag's change can be noticed; `*` unless only rules bound to regions change."""
    after = wanted.spec
    if before is None or wanted.archived:
        return {EVERYWHERE}
    if not same(before.model_dump(exclude={"rules"}), after.model_dump(exclude={"rules"})):
        return {EVERYWHERE}
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    if [i for i in old if i in new] != [i for i in new if i in old]:
        return {EVERYWHERE}
    changed = [
        rule
        for rule_id in old.keys() | new.keys()
        if not _same_rule(old.get(rule_id), new.get(rule_id))
        for rule in (old.get(rule_id), new.get(rule_id))
        if rule is not None
    ]
    return {code for rule in changed for code in bound_to(rule)}


def _same_rule(one: Rule | None, other: Rule | None) -> bool:
    return one is not None and other is not None and same(one.model_dump(), other.model_dump())


def bound_to(rule: Rule) -> list[str]:
    """The regions outside of which the rule cannot match."""
    for condition in rule.conditions:
        if condition.attribute == REGION and condition.operator == "any_of":
            return [str(code) for code in condition.values]
    return [EVERYWHERE]
