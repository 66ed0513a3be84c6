"""One verb on many incidents or alerts, each carried out or refused by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import acts, alert_repository, repository
from backend.incidents.schemas import (
    AlertBulkIn,
    BulkIn,
    BulkItem,
    IncidentRow,
)
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.platform.many import BulkResult, BulkResults, results_of

_Verb = Callable[[BulkItem], Awaitable[IncidentRow]]


async def act_on_incidents(
    session: AsyncSession, principal: Principal, wanted: BulkIn
) -> BulkResults:
    """One verb on many, with a result for each, in the order sent; needs `incidents:write`."""
    identity.authorize(principal, acts.WRITE)
    verb = _verb_of(session, principal, wanted)
    await repository.await_turn(session)
    ids = [item.id for item in wanted.items]
    # All before the first is recorded, for whoever records makes others wait to the end.
    await repository.locked(session, ids)
    outcomes = await identity.one_by_one(
        session, ids, lambda index: verb(wanted.items[index]), f"bulk {wanted.verb}"
    )
    return results_of(ids, outcomes)


def _verb_of(session: AsyncSession, principal: Principal, wanted: BulkIn) -> _Verb:
    async def acknowledge(item: BulkItem) -> IncidentRow:
        return await acts.acknowledge(session, principal, item.id, seen_version=item.seen_version)

    async def mitigate(item: BulkItem) -> IncidentRow:
        return await acts.mitigate(
            session, principal, item.id, seen_version=item.seen_version, note=wanted.reason
        )

    async def resolve(item: BulkItem) -> IncidentRow:
        return await acts.resolve(
            session, principal, item.id, seen_version=item.seen_version, note=wanted.reason
        )

    async def close(item: BulkItem) -> IncidentRow:
        return await acts.close(
            session, principal, item.id, seen_version=item.seen_version, note=wanted.reason
        )

    async def snooze(item: BulkItem) -> IncidentRow:
        assert wanted.until is not None
        return await acts.snooze(
            session, principal, item.id, wanted.until, seen_version=item.seen_version
        )

    async def set_severity(item: BulkItem) -> IncidentRow:
        assert wanted.severity is not None
        return await acts.set_severity(
            session, principal, item.id, wanted.severity,
            seen_version=item.seen_version, note=wanted.reason,
        )  # fmt: skip

    if wanted.verb == "snooze" and wanted.until is None:
        raise _missing("until", "Say until when.")
    if wanted.verb == "set_severity" and wanted.severity is None:
        raise _missing("severity", "Say how severe they are.")
    return {
        "acknowledge": acknowledge,
        "mitigate": mitigate,
        "resolve": resolve,
        "close": close,
        "snooze": snooze,
        "set_severity": set_severity,
    }[wanted.verb]


def _missing(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"/{field}", "missing", detail)])


async def act_on_alerts(
    session: AsyncSession, principal: Principal, wanted: AlertBulkIn
) -> BulkResults:
    """Acknowledge, snooze or end many alerts that fire, with a result for each.

    One that is ended by hand is not over for its sender: told again, it is a new episode.
    """
    identity.authorize(principal, acts.WRITE)
    now = clock.now()
    if wanted.verb == "snooze" and (wanted.until is None or wanted.until <= now):
        raise _missing("until", "Say until when, in the future.")
    if wanted.verb == "resolve":
        await repository.await_turn(session)
    changed = await alert_repository.change_firing(
        session,
        sorted(set(wanted.ids)),
        identity.scopes(principal, acts.WRITE),
        wanted.verb,
        actor=(principal.id, principal.name),
        now=now,
        until=wanted.until,
    )
    if wanted.verb == "resolve":
        await _ended(session, principal, changed, wanted.reason)
    await identity.record(
        session, principal, f"alerts.{wanted.verb}", "alerts",
        after={"alerts": len(changed)}, reason=wanted.reason,
    )  # fmt: skip
    results = [_result(index, each, done=each in changed) for index, each in enumerate(wanted.ids)]
    return BulkResults(done=sum(each.status == "done" for each in results), results=results)


async def _ended(
    session: AsyncSession,
    principal: Principal,
    changed: dict[UUID, UUID | None],
    reason: str | None,
) -> None:
    """Write what was ended into the incidents, and begin to verify those that are clear now."""
    counted = Counter(each for each in changed.values() if each is not None)
    for incident_id, n in sorted(counted.items()):
        words = f"Ended {n} alert{'' if n == 1 else 's'} by hand" + (
            f": {reason}" if reason else "."
        )
        actor = (principal.id, principal.name)
        repository.write(session, incident_id, "alerts_ended", actor, words)
    await session.flush()
    await repository.mark_cleared(session, sorted(counted))


def _result(index: int, alert_id: UUID, *, done: bool) -> BulkResult:
    if done:
        return BulkResult(index=index, id=alert_id, status="done")
    return BulkResult(
        index=index, id=alert_id, status="refused", code="not_firing",
        detail="It does not fire any more, or is not yours to change.",
    )  # fmt: skip
