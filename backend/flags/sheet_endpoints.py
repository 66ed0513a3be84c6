"""The list of flags as a spreadsheet's file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from backend.flags import service
from backend.flags.schemas import FlagFilter, FlagOut
from backend.identity import service as identity
from backend.identity.callers import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.spreadsheet import all_rows, csv_answer

router = APIRouter(tags=["flags"])

_PAGE = 200
_HEADS = (
    "key", "environment", "state", "in_words", "version", "kind", "owner", "description",
    "sensitive", "stale_because", "waiting", "rollout", "asked_last_hour", "created_at",
    "updated_at", "changed_by", "expires_at",
)  # fmt: skip


@router.get("/api/v1/flags.csv", response_class=Response)
async def export_list(
    session: Uow,
    caller: Annotated[Principal, Depends(requires("flags:read"))],
    wanted: Annotated[FlagFilter, Query()],
) -> Response:
    """The first 10,000 matching flags by key; the export itself is recorded."""
    found = await all_rows(
        lambda after: service.list_flags(session, caller, wanted, after=after, limit=_PAGE)
    )
    await identity.record(session, caller, "flags.exported", "list", after={"rows": len(found)})
    return csv_answer("waypost-flags", _HEADS, map(_line, found))


def _line(flag: FlagOut) -> tuple[object, ...]:
    return (
        flag.key, flag.environment, flag.state, flag.in_words, flag.version, flag.kind, flag.owner,
        flag.description, "yes" if flag.sensitive else "no", flag.stale_because, flag.waiting,
        flag.rollout, flag.asked_last_hour, flag.created_at.isoformat(),
        flag.updated_at.isoformat(), flag.changed_by_name,
        flag.expires_at.isoformat() if flag.expires_at else None,
    )  # fmt: skip
