"""The verbs of feature flags that the console, endpoints and other contexts call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags.guard import Guard, register_guard
from backend.flags.schemas import (
    Change,
    ChangePreview,
    ChangeState,
    Confirmed,
    ContextIn,
    DecisionIn,
    Environment,
    Explanation,
    Exposure,
    FlagDetail,
    FlagFilter,
    FlagPage,
    FlagVersion,
    ImportIn,
    ImportResult,
    KillIn,
    Outcome,
    Published,
    RestoreIn,
    Rollout,
    RolloutIn,
    SaveIn,
    SaveResult,
    SegmentIn,
    SegmentOut,
    StaleFlag,
)
from backend.identity.schemas import Principal

__all__ = ["Guard", "register_guard"]


async def list_flags(
    session: AsyncSession,
    principal: Principal,
    wanted: FlagFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> FlagPage:
    """Flags by key."""
    raise NotImplementedError


async def get_flag(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
) -> FlagDetail:
    """One flag; raises NotFound."""
    raise NotImplementedError


async def flag_versions(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[FlagVersion]:
    """Versions, newest first."""
    raise NotImplementedError


async def preview_change(
    session: AsyncSession, principal: Principal, wanted: SaveIn
) -> ChangePreview:
    """What saving this would do: words, JSON, whom it touches. Raises Invalid as saving would."""
    raise NotImplementedError


async def save_flag(session: AsyncSession, principal: Principal, wanted: SaveIn) -> SaveResult:
    """Publish the flag's new state, or keep it for a second person or a later moment."""
    raise NotImplementedError


async def schedule_change(
    session: AsyncSession, principal: Principal, wanted: SaveIn
) -> SaveResult:
    """The same with `publish_at` required."""
    raise NotImplementedError


async def list_changes(
    session: AsyncSession,
    principal: Principal,
    environment: Environment = "production",
    *,
    key: str | None = None,
    states: Sequence[ChangeState] = ("waiting", "scheduled"),
    limit: int = 50,
) -> list[Change]:
    """Changes kept, newest first."""
    raise NotImplementedError


async def approve_change(
    session: AsyncSession, principal: Principal, change_id: UUID, wanted: Confirmed
) -> SaveResult:
    """Let another person's change be published, now or when it is due."""
    raise NotImplementedError


async def reject_change(
    session: AsyncSession, principal: Principal, change_id: UUID, wanted: DecisionIn
) -> Change:
    """Refuse another person's change."""
    raise NotImplementedError


async def cancel_change(session: AsyncSession, principal: Principal, change_id: UUID) -> Change:
    """Take back a change of one's own, or any that is only scheduled."""
    raise NotImplementedError


async def kill_flag(
    session: AsyncSession, principal: Principal, key: str, wanted: KillIn
) -> SaveResult:
    """Serve the off variant to everyone at once; needs nobody else and no typing."""
    raise NotImplementedError


async def give_kill_reason(
    session: AsyncSession, principal: Principal, key: str, environment: Environment, reason: str
) -> None:
    """Say afterwards why a flag was killed."""
    raise NotImplementedError


async def restore_version(
    session: AsyncSession, principal: Principal, key: str, wanted: RestoreIn
) -> SaveResult:
    """Publish an earlier version again, as a new one."""
    raise NotImplementedError


async def archive_flag(
    session: AsyncSession, principal: Principal, key: str, wanted: RestoreIn
) -> SaveResult:
    """Take a flag out of what is served; its history stays."""
    raise NotImplementedError


async def start_rollout(
    session: AsyncSession, principal: Principal, key: str, wanted: RolloutIn
) -> Rollout:
    """Raise a rule's share step by step."""
    raise NotImplementedError


async def pause_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """Stay at the step in force."""
    raise NotImplementedError


async def resume_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """Go on from the step in force, waiting its time anew."""
    raise NotImplementedError


async def stop_rollout(session: AsyncSession, principal: Principal, rollout_id: UUID) -> Rollout:
    """End a rollout and leave the share as it is."""
    raise NotImplementedError


async def list_segments(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> list[SegmentOut]:
    """Segments by name."""
    raise NotImplementedError


async def save_segment(
    session: AsyncSession, principal: Principal, wanted: SegmentIn
) -> SaveResult:
    """Publish a segment's new state; waits for a second person where a sensitive flag uses it."""
    raise NotImplementedError


async def explain(
    session: AsyncSession, principal: Principal, key: str, wanted: ContextIn
) -> Explanation:
    """Why this context is served what it is, rule by rule."""
    raise NotImplementedError


async def exposure(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
    *,
    hours: int = 1,
) -> list[Exposure]:
    """How often each variant was served, by the caller's regions."""
    raise NotImplementedError


async def stale_flags(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> list[StaleFlag]:
    """Flags that could be cleaned up."""
    raise NotImplementedError


async def import_flags(
    session: AsyncSession, principal: Principal, wanted: ImportIn
) -> ImportResult:
    """Publish a flagd document's flags together, or nothing of it."""
    raise NotImplementedError


async def export_flags(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> dict[str, Any]:
    """An environment's flags as a flagd document that `import_flags` takes back unchanged."""
    raise NotImplementedError


async def report_outcomes(
    session: AsyncSession,
    principal: Principal,
    outcomes: Sequence[Outcome],
    environment: Environment = "production",
) -> None:
    """Count how things went for those who were served a variant."""
    raise NotImplementedError


async def published(session: AsyncSession, environment: str, since: int = 0) -> Published:
    """What the environment serves: all of it for `since` 0, else what changed after that version.

    Not for callers from outside: it asks for no principal. A flag that is gone comes as None.
    """
    raise NotImplementedError


async def published_version(session: AsyncSession, environment: str) -> int:
    """The environment's version, for a poll that costs next to nothing."""
    raise NotImplementedError
