"""What people ask of flags: saving, approving, killing, restoring, importing, rolling out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.flags.rule_schemas import FlagSpec, RegionCode, Segment, Words
from backend.platform.moments import Moment

Environment = Literal["production", "staging"]
ChangeState = Literal["waiting", "scheduled", "published", "rejected", "overtaken", "cancelled"]
RolloutState = Literal["waiting", "running", "paused", "halted", "done", "stopped"]
Cause = Literal[
    "edit", "kill", "restore", "schedule", "rollout", "halt", "import", "archive", "promote"
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SaveIn(_In):
    """The whole new state of a flag. `version_seen` is 0 for a new one."""

    environment: Environment = "production"
    spec: FlagSpec
    version_seen: Annotated[int, Field(ge=0)]
    reason: Words
    confirm: str = ""
    """The flag's key, typed, where the environment is production."""
    publish_at: Moment | None = None


class SaveResult(BaseModel):
    """What came of a change: published as `version`, or kept as a change."""

    status: Literal["published", "waiting", "scheduled", "unchanged"]
    version: int
    change_id: UUID | None = None
    words: list[str]


class Confirmed(_In):
    """The flag's key (or the change's title), typed."""

    confirm: str = ""


class DecisionIn(_In):
    """Why a change is refused."""

    reason: Words


class Change(BaseModel):
    """A change of one or more flags and segments that is not published yet, or once was."""

    id: UUID
    environment: Environment
    title: str
    keys: list[str]
    state: ChangeState
    cause: str
    reason: str
    words: list[str]
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    publish_at: datetime | None
    decided_by_name: str | None
    decided_at: datetime | None
    why: str | None
    """Why it was rejected, overtaken or cancelled."""
    diff: list[str]
    """Unified diff of the JSON."""


class KillIn(_In):
    """Which environment's flag is to serve its off variant at once; the reason may come later."""

    environment: Environment = "production"
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class KillReasonIn(_In):
    """Why a flag was killed."""

    environment: Environment = "production"
    reason: Words


class RestoreIn(_In):
    """Which version to publish again, as a new one."""

    environment: Environment = "production"
    version: Annotated[int, Field(ge=1)]
    version_seen: Annotated[int, Field(ge=1)]
    reason: Words
    confirm: str = ""


class PromoteIn(_In):
    """Which version of staging to publish in production, over which one there (0: none yet)."""

    staging_version: Annotated[int, Field(ge=1)]
    version_seen: Annotated[int, Field(ge=0)]
    reason: Words
    confirm: str = ""
    """The flag's key, typed."""


class SegmentIn(_In):
    """The whole new state of a segment; `version_seen` is 0 for a new one."""

    environment: Environment = "production"
    segment: Segment
    version_seen: Annotated[int, Field(ge=0)]
    reason: Words
    confirm: str = ""


class ImportIn(_In):
    """A flagd document: `flags`, `$evaluators`, `metadata`."""

    environment: Environment = "staging"
    document: dict[str, Any]
    reason: Words
    confirm: str = ""
    """The environment's name, typed, where it is production."""


class ImportResult(BaseModel):
    """What came of an import; nothing at all is published where anything is wrong."""

    status: Literal["published", "waiting", "unchanged"]
    change_id: UUID | None
    created: list[str]
    changed: list[str]
    unchanged: int


class RolloutStep(_In):
    """Share of the rule's first variant in thousandths of a percent, kept for `wait_s`."""

    share: Annotated[int, Field(ge=0, le=100_000)]
    wait_s: Annotated[int, Field(ge=0, le=2_592_000)]


class RolloutIn(_In):
    """A progressive rollout of one rule; guarded where `slo` or `most_errors` is given."""

    environment: Environment = "production"
    rule: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    steps: Annotated[list[RolloutStep], Field(min_length=1, max_length=20)]
    slo: Annotated[str, StringConstraints(max_length=80)] | None = None
    region: RegionCode | None = None
    """Where the SLO is watched; everywhere where none is given."""
    most_errors: Annotated[float, Field(gt=0, le=1)] | None = None
    """Halts where the exposed group's error rate exceeds the others' by this much."""
    version_seen: int
    reason: Words
    confirm: str = ""


class Rollout(BaseModel):
    """A rollout and where it stands."""

    id: UUID
    key: str
    environment: Environment
    rule: str
    steps: list[RolloutStep]
    step: int
    """Index of the step in force, -1 before the first."""
    state: RolloutState
    slo: str | None
    region: str | None
    most_errors: float | None
    share_before: int
    next_at: datetime | None
    halted_because: str | None
    started_by: str
    started_by_name: str
    started_at: datetime
    updated_at: datetime


class RolloutStarted(BaseModel):
    """What came of starting a rollout; `rollout` is None where it waits for a second person."""

    result: SaveResult
    rollout: Rollout | None
