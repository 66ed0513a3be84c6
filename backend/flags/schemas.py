"""What enters and leaves feature flags: specifications, changes, versions, rollouts, estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.flags.change_schemas import (
    Cause,
    Change,
    ChangeState,
    Confirmed,
    DecisionIn,
    Environment,
    ImportIn,
    ImportResult,
    KillIn,
    KillReasonIn,
    PromoteIn,
    RestoreIn,
    Rollout,
    RolloutIn,
    RolloutStarted,
    RolloutState,
    RolloutStep,
    SaveIn,
    SaveResult,
    SegmentIn,
)
from backend.flags.rule_schemas import FlagKey, FlagSpec, Name, RegionCode, Segment

__all__ = [
    "PUBLISHED_CHANNEL",
    "BlastRadius",
    "Cause",
    "Change",
    "ChangePreview",
    "ChangeState",
    "Confirmed",
    "ContextIn",
    "DecisionIn",
    "Environment",
    "Explanation",
    "ExplanationStep",
    "Exposure",
    "FlagDetail",
    "FlagFilter",
    "FlagOut",
    "FlagPage",
    "FlagSpec",
    "FlagVersion",
    "ImportIn",
    "ImportResult",
    "KillIn",
    "KillReasonIn",
    "MovedRegion",
    "Outcome",
    "PromoteIn",
    "Promotion",
    "Published",
    "RestoreIn",
    "Rollout",
    "RolloutIn",
    "RolloutStarted",
    "RolloutState",
    "RolloutStep",
    "RuleWords",
    "SaveIn",
    "SaveResult",
    "Segment",
    "SegmentIn",
    "SegmentOut",
    "StaleFlag",
]

PUBLISHED_CHANNEL = "flags:published"
"""Pub/sub channel: `<environment> <version>` after a publish is committed."""


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Published:
    """What an environment serves from `version` on; `flags` holds what changed since the asked one.

    A definition is flagd's; None for a flag that is gone. `evaluators` is always whole.
    """

    environment: str
    version: int
    flags: dict[str, dict[str, Any] | None]
    evaluators: dict[str, Any]
    published_at: datetime


class FlagFilter(_In):
    """Which flags are wanted; what is left out does not narrow."""

    environment: Environment = "production"
    q: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    kind: str | None = None
    owner: str | None = None
    state: Literal["on", "off", "partly", "killed"] | None = None
    stale: bool | None = None
    archived: bool = False


class FlagOut(BaseModel):
    """A flag in a list: flagd's definition with what is known beside it."""

    key: str
    environment: Environment
    version: int
    kind: str
    owner: str
    description: str
    state: Literal["on", "off", "partly", "killed"]
    """`partly`: the answer depends on who asks."""
    in_words: str
    """Such as `on in 3 of 9 countries`."""
    sensitive: bool
    stale_because: str | None
    waiting: int
    """Changes that wait for a second person."""
    rollout: Literal["waiting", "running", "paused", "halted"] | None
    asked_last_hour: int
    created_at: datetime
    updated_at: datetime
    changed_by_name: str
    expires_at: datetime | None
    definition: dict[str, Any]


class FlagPage(BaseModel):
    """A page of flags by key."""

    items: list[FlagOut]
    next_cursor: str | None


class RuleWords(BaseModel):
    """One rule as a person reads it."""

    id: str
    who: str
    variant: str
    share: float
    """Percent that gets the first variant."""
    note: str
    """What a rollout or schedule will do to it, empty where nothing."""


class MovedRegion(BaseModel):
    """How many of a region's sampled contexts would be served another variant."""

    region: str
    sampled: int
    changed: int
    users: int
    drivers: int


class BlastRadius(BaseModel):
    """Whom a change would touch: an estimate from a sample of recent contexts."""

    sampled: int
    changed: int
    users: int
    users_margin: int
    drivers: int
    drivers_margin: int
    orders_a_day: int
    gains: int
    losses: int
    """Of the sample: who leaves, and who falls back to, the variant served by default."""
    moves: dict[str, int]
    """Of the sample, by `from -> to`."""
    regions: list[MovedRegion]


class FlagDetail(FlagOut):
    """One flag with everything the page shows."""

    spec: FlagSpec
    rules: list[RuleWords]
    killed_at: datetime | None
    killed_by_name: str | None
    kill_reason: str | None
    """Empty text where it is still to be given."""
    changes: list[Change]
    rollouts: list[Rollout]
    needed_by: list[str]
    """Keys of flags whose prerequisite this one is."""


class FlagVersion(BaseModel):
    """One version of a flag."""

    version: int
    cause: str
    words: list[str]
    diff: list[str]
    reason: str
    by: str
    by_name: str
    approved_by_name: str | None
    at: datetime
    definition: dict[str, Any]


class ChangePreview(BaseModel):
    """What a change would do."""

    words: list[str]
    diff: list[str]
    definition: dict[str, Any]
    blast: BlastRadius
    needs_approval: bool
    needs_confirmation: bool
    warnings: list[str]


class Promotion(BaseModel):
    """What promoting a flag from staging to production would do there."""

    staging_version: int
    production_version: int
    """0 where production has no such flag."""
    spec: FlagSpec
    """What production's flag would be."""
    preview: ChangePreview


class SegmentOut(BaseModel):
    """A segment, in words, and the flags that use it."""

    environment: Environment
    segment: Segment
    version: int
    in_words: str
    used_by: list[str]
    updated_at: datetime
    changed_by_name: str


class ContextIn(_In):
    """Who asks, for a try."""

    environment: Environment = "production"
    context: Annotated[dict[str, Any], Field(max_length=100)]


class ExplanationStep(BaseModel):
    """One thing that was looked at, in order."""

    what: str
    passed: bool
    detail: str
    decided: bool = False


class Explanation(BaseModel):
    """Why this context is served this variant."""

    key: str
    value: Any
    variant: str | None
    reason: str
    error_code: str | None
    version: int
    steps: list[ExplanationStep]
    bucket: float | None
    """Where in 0..100 % the context stands for this flag; None where nothing is shared out."""


class Exposure(BaseModel):
    """How often a variant was served in a region."""

    region: str
    variant: str
    asked: int


class StaleFlag(BaseModel):
    """A flag that could be cleaned up, and why."""

    key: str
    environment: Environment
    owner: str
    why: str
    since: datetime
    suggestion: str


class Outcome(_In):
    """How things went for those who were served a variant, since the last report."""

    key: FlagKey
    variant: Name
    region: RegionCode
    good: Annotated[int, Field(ge=0, le=1_000_000)]
    bad: Annotated[int, Field(ge=0, le=1_000_000)]
