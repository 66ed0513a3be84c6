"""The verbs that take flags in and give them out as a flagd document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository, rollout_repository
from backend.flags.changes import settle
from backend.flags.compiling import definition_of, document_of, evaluators_of
from backend.flags.logic_checking import escaped
from backend.flags.plans import Wanted, WantedFlag, WantedSegment
from backend.flags.reading import Unreadable, segment_of, spec_of
from backend.flags.rule_schemas import FlagSpec, Segment
from backend.flags.rules import MOST_FLAGS, same
from backend.flags.schemas import Environment, ImportIn, ImportResult
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import Conflict, FieldError, Invalid

_MOST_FAULTS = 100
_STATUSES: dict[str, Literal["published", "waiting", "unchanged"]] = {
    "published": "published",
    "waiting": "waiting",
    "unchanged": "unchanged",
}
_KNOWN_PARTS = frozenset({"$schema", "flags", "$evaluators", "metadata"})


async def export_flags(
    session: AsyncSession, principal: Principal, environment: Environment = "production"
) -> dict[str, Any]:
    """An environment's flags as a flagd document that `import_flags` takes back unchanged."""
    identity.authorize(principal, "flags:read")
    rows = await repository.flags_of(session, environment)
    segments = await repository.segments(session, environment)
    evaluators = evaluators_of([Segment.model_validate(row.spec) for row in segments.values()])
    return document_of({key: row.definition for key, row in rows.items()}, evaluators)


async def import_flags(
    session: AsyncSession, principal: Principal, wanted: ImportIn
) -> ImportResult:
    """Publish a flagd document's flags together, or nothing of it.

    Flags that are not in the document stay as they are. Raises Invalid with a pointer into the
    document for each fault, a hundred at most; Conflict while a rollout moves one of the flags.
    """
    identity.authorize(principal, "flags:write")
    # On a thread and before the lock: a large document holds up neither this process nor a kill.
    specs, segments = await asyncio.to_thread(read_document, wanted.document)
    await repository.lock_environment(session, wanted.environment)
    rows = await repository.flags_of(session, wanted.environment, specs)
    known = await repository.segments(session, wanted.environment)
    flags = []
    for key, spec in specs.items():
        row = rows.get(key)
        definition = wanted.document["flags"][key]
        if row is not None and not row.archived and _same(row.definition, definition, spec):
            continue
        flags.append(WantedFlag(spec=spec, version_seen=row.version if row else 0))
    moving = await rollout_repository.latest_states(
        session, wanted.environment, [flag.spec.key for flag in flags]
    )
    for key, state in moving.items():
        if state in ("running", "paused"):
            raise Conflict(f"A rollout of {key} is {state}; stop it first.")
    changed_segments = [
        WantedSegment(segment=segment, version_seen=known[name].version if name in known else 0)
        for name, segment in segments.items()
        if name not in known or _differs(known[name].spec, segment)
    ]
    change = Wanted(
        environment=wanted.environment,
        cause="import",
        reason=wanted.reason,
        flags=flags,
        segments=changed_segments,
    )
    result, plan = await settle(session, principal, change, typed=wanted.confirm, pointers=True)
    created = [step.key for step in plan.flags if step.wanted.version_seen == 0]
    return ImportResult(
        status=_STATUSES[result.status],
        change_id=result.change_id,
        created=created,
        changed=[step.key for step in plan.flags if step.wanted.version_seen != 0],
        unchanged=len(specs) - len(plan.flags),
    )


def _same(known: Mapping[str, Any], found: Mapping[str, Any], spec: FlagSpec) -> bool:
    return same(known, found) or same(known, definition_of(spec))


def _differs(known: Mapping[str, Any], segment: Segment) -> bool:
    """A document says nothing of a segment's description: that stays as it is."""
    former = Segment.model_validate(known)
    said = {"conditions", "logic"}
    return not same(former.model_dump(include=said), segment.model_dump(include=said))


def read_document(
    document: Mapping[str, Any],
) -> tuple[dict[str, FlagSpec], dict[str, Segment]]:
    """The flags and segments of a flagd document; raises Invalid with a pointer for each fault."""
    faults: list[FieldError] = [
        FieldError(f"/{escaped(str(part))}", "unknown", f"A flagd document has no {part}.")
        for part in document
        if part not in _KNOWN_PARTS
    ]
    flags, evaluators = document.get("flags"), document.get("$evaluators") or {}
    if not isinstance(flags, dict) or not isinstance(evaluators, dict):
        detail = "A flagd document holds an object `flags`, and may hold an object `$evaluators`."
        raise Invalid(detail, errors=[FieldError("/flags", "missing", detail)])
    if len(flags) > MOST_FLAGS:
        detail = f"{len(flags)} flags are more than the {MOST_FLAGS} that an environment holds."
        raise Invalid(detail, errors=[FieldError("/flags", "too_many", detail)])
    segments: dict[str, Segment] = {}
    for name, logic in evaluators.items():
        at = f"/$evaluators/{escaped(name)}"
        try:
            segments[name] = segment_of(name, logic)
        except (ValidationError, Unreadable) as error:
            faults += _faults(at, error)
    specs: dict[str, FlagSpec] = {}
    for key, definition in flags.items():
        at = f"/flags/{escaped(key)}"
        try:
            if not isinstance(definition, dict):
                raise Unreadable("A flag is an object.")
            specs[key] = spec_of(key, definition)
        except (ValidationError, Unreadable) as error:
            faults += _faults(at, error)
    if faults:
        raise Invalid(faults[0].detail, errors=faults[:_MOST_FAULTS])
    return specs, segments


def _faults(at: str, error: ValidationError | Unreadable) -> list[FieldError]:
    if isinstance(error, Unreadable):
        return [FieldError(at, "unreadable", str(error))]
    return [
        FieldError(
            "".join([at, *(f"/{escaped(str(part))}" for part in fault["loc"])]),
            str(fault["type"]),
            str(fault["msg"]),
        )
        for fault in error.errors()
    ]
