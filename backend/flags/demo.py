"""Fills in the demo's flags, at different stages, from the data file beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import service
from backend.flags.delivery import ENVIRONMENTS
from backend.flags.schemas import (
    Environment,
    FlagFilter,
    FlagSpec,
    KillIn,
    RolloutIn,
    SaveIn,
    Segment,
    SegmentIn,
)
from backend.identity.schemas import Principal

_FILE = Path(__file__).with_name("demo_flags.json")
_REASON = "The demo begins with it."


async def seed(session: AsyncSession, principal: Principal) -> int:
    """Add the flags to environments that hold none; answers how many.

    Where there is any flag, nothing is touched: what an operator changed stays so across starts.
    """
    content = orjson.loads(_FILE.read_bytes())
    added = 0
    for environment in ENVIRONMENTS:
        wanted = FlagFilter(environment=environment)
        if (await service.list_flags(session, principal, wanted, limit=1)).items:
            continue
        added += await _fill(session, principal, environment, content)
        if environment == "production":
            await _set_going(session, principal, content)
    return added


async def _fill(
    session: AsyncSession, principal: Principal, environment: Environment, content: dict[str, Any]
) -> int:
    for segment in content["segments"]:
        asked = SegmentIn(
            environment=environment,
            segment=Segment.model_validate(segment),
            version_seen=0,
            reason=_REASON,
            confirm=segment["name"],
        )
        await service.save_segment(session, principal, asked)
    for flag in content["flags"]:
        spec = FlagSpec.model_validate(flag)
        await _save(session, principal, environment, spec, seen=0, reason=_REASON)
    return len(content["flags"])


async def _save(
    session: AsyncSession,
    principal: Principal,
    environment: Environment,
    spec: FlagSpec,
    *,
    seen: int,
    reason: str,
) -> None:
    asked = SaveIn(
        environment=environment, spec=spec, version_seen=seen, reason=reason, confirm=spec.key
    )
    await service.save_flag(session, principal, asked)


async def _set_going(session: AsyncSession, principal: Principal, content: dict[str, Any]) -> None:
    """A change that waits for a second person, a flag that was killed, a rollout on its way."""
    for change in content["waiting"]:
        spec = FlagSpec.model_validate(change["spec"])
        await _save(session, principal, "production", spec, seen=1, reason=change["reason"])
    for killed in content["killed"]:
        await service.kill_flag(session, principal, killed["key"], KillIn(reason=killed["reason"]))
    for rollout in content["rollouts"]:
        key = rollout["key"]
        asked = RolloutIn.model_validate(
            {name: value for name, value in rollout.items() if name != "key"}
            | {"version_seen": 1, "confirm": key}
        )
        await service.start_rollout(session, principal, key, asked)
