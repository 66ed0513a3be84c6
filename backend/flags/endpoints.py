"""The HTTP side of controlling flags; serving them to apps is another doorway."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from backend.flags import service
from backend.flags.rule_schemas import FlagKey
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
    KillReasonIn,
    Outcome,
    PromoteIn,
    Promotion,
    RestoreIn,
    Rollout,
    RolloutIn,
    RolloutStarted,
    SaveIn,
    SaveResult,
    SegmentIn,
    SegmentOut,
    StaleFlag,
)
from backend.identity.callers import requires
from backend.identity.schemas import Principal
from backend.platform.errors import FieldError, Invalid
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1/flags", tags=["flags"])

IMPORT_PATH = "/api/v1/flags/import"
MAX_IMPORT_BYTES = 16 * 1024 * 1024
"""Some thousand flags with their rules."""

Reader = Annotated[Principal, Depends(requires("flags:read"))]
Writer = Annotated[Principal, Depends(requires("flags:write"))]
Approver = Annotated[Principal, Depends(requires("flags:approve"))]
Killer = Annotated[Principal, Depends(requires("flags:kill"))]
Evaluator = Annotated[Principal, Depends(requires("flags:evaluate"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Where = Annotated[Environment, Query()]


class _FlagQuery(FlagFilter):
    limit: Limit = 50
    cursor: Annotated[str | None, Query(max_length=200)] = None


@router.get("")
async def list_flags(
    session: Uow, caller: Reader, asked: Annotated[_FlagQuery, Query()]
) -> FlagPage:
    """Flags by key."""
    return await service.list_flags(session, caller, asked, after=asked.cursor, limit=asked.limit)


@router.get("/export")
async def export_flags(
    session: Uow, caller: Reader, environment: Where = "production"
) -> dict[str, Any]:
    """The environment's flags as a flagd document."""
    return await service.export_flags(session, caller, environment)


@router.post("/import", response_model=ImportResult)
async def import_flags(session: Uow, caller: Writer, once: Once, wanted: ImportIn) -> Response:
    """Publish a flagd document's flags together, or nothing of it."""
    return await once.answer(
        session, caller.id, lambda: service.import_flags(session, caller, wanted), status=200
    )


@router.get("/stale")
async def stale_flags(
    session: Uow, caller: Reader, environment: Where = "production"
) -> list[StaleFlag]:
    """Flags that could be cleaned up."""
    return await service.stale_flags(session, caller, environment)


@router.post("/preview")
async def preview_change(session: Uow, caller: Reader, wanted: SaveIn) -> ChangePreview:
    """What a change would do, and to whom."""
    return await service.preview_change(session, caller, wanted)


@router.post("/outcomes", status_code=202)
async def report_outcomes(
    session: Uow,
    caller: Evaluator,
    outcomes: Annotated[list[Outcome], Field(max_length=1_000)],
    environment: Where = "production",
) -> None:
    """Count how things went for those who were served a variant."""
    await service.report_outcomes(session, caller, outcomes, environment)


@router.get("/segments")
async def list_segments(
    session: Uow, caller: Reader, environment: Where = "production"
) -> list[SegmentOut]:
    """Segments by name."""
    return await service.list_segments(session, caller, environment)


@router.put("/segments")
async def save_segment(session: Uow, caller: Writer, wanted: SegmentIn) -> SaveResult:
    """Publish a segment's new state."""
    return await service.save_segment(session, caller, wanted)


@router.get("/changes")
async def list_changes(
    session: Uow,
    caller: Reader,
    environment: Where = "production",
    key: FlagKey | None = None,
    state: Annotated[list[ChangeState] | None, Query()] = None,
    limit: Limit = 50,
) -> list[Change]:
    """Changes kept, newest first; those that wait or are scheduled where no state is named."""
    states = state or ["waiting", "scheduled"]
    return await service.list_changes(
        session, caller, environment, key=key, states=states, limit=limit
    )


@router.post("/changes/{change_id}/approve")
async def approve_change(
    session: Uow, caller: Approver, change_id: UUID, wanted: Confirmed
) -> SaveResult:
    """Let another person's change be published."""
    return await service.approve_change(session, caller, change_id, wanted)


@router.post("/changes/{change_id}/reject")
async def reject_change(
    session: Uow, caller: Approver, change_id: UUID, wanted: DecisionIn
) -> Change:
    """Refuse another person's change."""
    return await service.reject_change(session, caller, change_id, wanted)


@router.post("/changes/{change_id}/cancel")
async def cancel_change(session: Uow, caller: Writer, change_id: UUID) -> Change:
    """Take a change back."""
    return await service.cancel_change(session, caller, change_id)


@router.post("/rollouts/{rollout_id}/pause")
async def pause_rollout(session: Uow, caller: Writer, rollout_id: UUID) -> Rollout:
    """Stay at the step in force."""
    return await service.pause_rollout(session, caller, rollout_id)


@router.post("/rollouts/{rollout_id}/resume")
async def resume_rollout(session: Uow, caller: Writer, rollout_id: UUID) -> Rollout:
    """Go on from the step in force."""
    return await service.resume_rollout(session, caller, rollout_id)


@router.post("/rollouts/{rollout_id}/stop")
async def stop_rollout(session: Uow, caller: Writer, rollout_id: UUID) -> Rollout:
    """End a rollout and leave the share as it is."""
    return await service.stop_rollout(session, caller, rollout_id)


@router.get("/{key}")
async def get_flag(
    session: Uow, caller: Reader, key: FlagKey, environment: Where = "production"
) -> FlagDetail:
    """One flag."""
    return await service.get_flag(session, caller, key, environment)


@router.put("/{key}", response_model=SaveResult)
async def save_flag(
    session: Uow, caller: Writer, once: Once, key: FlagKey, wanted: SaveIn
) -> Response:
    """Publish the flag's new state, or keep it for a second person or a later moment."""
    if wanted.spec.key != key:
        detail = "A flag's key never changes."
        raise Invalid(detail, errors=[FieldError("/spec/key", "another_key", detail)])
    return await once.answer(
        session, caller.id, lambda: service.save_flag(session, caller, wanted), status=200
    )


@router.get("/{key}/versions")
async def flag_versions(
    session: Uow,
    caller: Reader,
    key: FlagKey,
    environment: Where = "production",
    before: int | None = None,
    limit: Limit = 50,
) -> list[FlagVersion]:
    """Versions, newest first."""
    return await service.flag_versions(
        session, caller, key, environment, before=before, limit=limit
    )


@router.get("/{key}/exposure")
async def exposure(
    session: Uow,
    caller: Reader,
    key: FlagKey,
    environment: Where = "production",
    hours: Annotated[int, Query(ge=1, le=720)] = 1,
) -> list[Exposure]:
    """How often each variant was served, by region."""
    return await service.exposure(session, caller, key, environment, hours=hours)


@router.post("/{key}/explain")
async def explain(session: Uow, caller: Reader, key: FlagKey, wanted: ContextIn) -> Explanation:
    """Why a context is served what it is, rule by rule."""
    return await service.explain(session, caller, key, wanted)


@router.post("/{key}/kill")
async def kill_flag(session: Uow, caller: Killer, key: FlagKey, wanted: KillIn) -> SaveResult:
    """Serve the off variant to everyone at once."""
    return await service.kill_flag(session, caller, key, wanted)


@router.post("/{key}/kill-reason", status_code=204)
async def give_kill_reason(
    session: Uow, caller: Killer, key: FlagKey, wanted: KillReasonIn
) -> None:
    """Say afterwards why a flag was killed."""
    await service.give_kill_reason(session, caller, key, wanted.environment, wanted.reason)


@router.post("/{key}/restore")
async def restore_version(
    session: Uow, caller: Writer, key: FlagKey, wanted: RestoreIn
) -> SaveResult:
    """Publish an earlier version again, as a new one."""
    return await service.restore_version(session, caller, key, wanted)


@router.get("/{key}/promotion")
async def preview_promotion(session: Uow, caller: Reader, key: FlagKey) -> Promotion:
    """What promoting the flag from staging would do in production, and to whom."""
    return await service.preview_promotion(session, caller, key)


@router.post("/{key}/promote", response_model=SaveResult)
async def promote_flag(
    session: Uow, caller: Writer, once: Once, key: FlagKey, wanted: PromoteIn
) -> Response:
    """Publish staging's rules in production, or keep them for a second person."""
    return await once.answer(
        session, caller.id, lambda: service.promote_flag(session, caller, key, wanted), status=200
    )


@router.post("/{key}/archive")
async def archive_flag(session: Uow, caller: Writer, key: FlagKey, wanted: RestoreIn) -> SaveResult:
    """Take a flag out of what is served."""
    return await service.archive_flag(session, caller, key, wanted)


@router.post("/{key}/rollouts", status_code=201)
async def start_rollout(
    session: Uow, caller: Writer, key: FlagKey, wanted: RolloutIn
) -> RolloutStarted:
    """Raise a rule's share step by step."""
    return await service.start_rollout(session, caller, key, wanted)
