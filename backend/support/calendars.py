"""Business hours and targets: what the clocks of escalations run by."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, MovedOn
from backend.platform.scopes import EVERYWHERE
from backend.regions import service as regions
from backend.support import list_repository, settings_repository
from backend.support.changes import READ
from backend.support.clock_rules import TARGETS
from backend.support.macros import CONFIGURE
from backend.support.rules import Priority
from backend.support.settings_models import CalendarRow, PolicyRow
from backend.support.settings_schemas import (
    CalendarIn,
    CalendarOut,
    SlaPolicy,
    SlaPolicyIn,
    Target,
)

CLOSE_SOLVED_AFTER_H = 72
LATE_AFTER_MIN = 30


async def list_calendars(session: AsyncSession, principal: Principal) -> list[CalendarOut]:
    """Every region's business hours; needs `escalations:read`. Without any, all hours count."""
    identity.authorize(principal, READ)
    return [_calendar_out(row) for row in await settings_repository.calendars(session)]


async def save_calendar(
    session: AsyncSession, principal: Principal, wanted: CalendarIn
) -> CalendarOut:
    """Keep a region's business hours; the clocks that run there are set anew within seconds.

    Needs `escalations:configure` there. Raises MovedOn, and Invalid for an unknown region or zone,
    for shifts that overlap, and for a week without any.
    """
    identity.authorize(principal, CONFIGURE, wanted.region)
    await settings_repository.await_turn(session)
    _check(wanted, await regions.region_codes(session))
    contents = wanted.model_dump(mode="json", include={"zone", "week", "holidays"})
    row = await settings_repository.calendar(session, wanted.region)
    if row is not None and all(getattr(row, name) == contents[name] for name in contents):
        return _calendar_out(row)
    seen = wanted.seen_version or 0
    if seen != (row.version if row else 0):
        raise MovedOn(_who(row) if row else "Nobody has kept hours here.")
    if row is None:
        row = CalendarRow.model_validate(
            {"region": wanted.region, "version": 0, **contents, **_by(principal)}
        )
        session.add(row)
    row.zone, row.week, row.holidays = contents["zone"], contents["week"], contents["holidays"]
    row.version += 1
    row.changed_by_name, row.changed_at = principal.name, clock.now()
    await session.flush()
    await list_repository.mark_stale(session, row.region)
    await identity.record(
        session, principal, "calendar.saved", f"calendar:{row.region}", region=row.region,
        after={"version": row.version, "zone": row.zone},
    )  # fmt: skip
    return _calendar_out(row)


def _check(wanted: CalendarIn, codes: frozenset[str]) -> None:
    faults = []
    if wanted.region not in codes:
        detail = f"There is no region {wanted.region}."
        faults.append(FieldError("/region", "unknown_region", detail))
    try:
        ZoneInfo(wanted.zone)
    except (ZoneInfoNotFoundError, ValueError):
        detail = f"There is no time zone {wanted.zone}."
        faults.append(FieldError("/zone", "unknown_zone", detail))
    if not any(wanted.week):
        faults.append(FieldError("/week", "no_hours", "A week needs some business hours."))
    for day, shifts in enumerate(wanted.week):
        for at, shift in enumerate(shifts):
            overnight = shift.ends <= shift.begins
            before = shifts[at - 1].ends if at else shift.begins
            if before > shift.begins or (overnight and at + 1 < len(shifts)):
                detail = "Shifts of a day follow each other; only the last runs over midnight."
                faults.append(FieldError(f"/week/{day}/{at}", "overlap", detail))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


async def sla_policy(
    session: AsyncSession, principal: Principal, region: str = EVERYWHERE
) -> SlaPolicy:
    """What holds in a region: targets by priority, and how the queue runs itself."""
    identity.authorize(principal, READ)
    return policy_out(await settings_repository.policy_around(session, region))


async def save_sla_policy(
    session: AsyncSession, principal: Principal, wanted: SlaPolicyIn
) -> SlaPolicy:
    """Keep them for a region; the clocks that run there are set anew within seconds.

    Needs `escalations:configure` there. Raises MovedOn, and Invalid for a region that there is not
    and where a priority has no target or two.
    """
    identity.authorize(principal, CONFIGURE, wanted.region)
    await settings_repository.await_turn(session)
    _check_policy(wanted, await regions.region_codes(session))
    contents = wanted.model_dump(mode="json", exclude={"seen_version", "region"})
    row = await settings_repository.policy(session, wanted.region)
    if row is not None and all(getattr(row, name) == value for name, value in contents.items()):
        return policy_out(row)
    if wanted.seen_version != (row.version if row else 0):
        raise MovedOn(_who(row) if row else "Nobody has set anything here.")
    if row is None:
        row = PolicyRow.model_validate(
            {"region": wanted.region, "version": 0, **contents, **_by(principal)}
        )
        session.add(row)
    for name, value in contents.items():
        setattr(row, name, value)
    row.version += 1
    row.changed_by_name, row.changed_at = principal.name, clock.now()
    await session.flush()
    await list_repository.mark_stale(session, row.region)
    await identity.record(
        session, principal, "sla.saved", f"sla:{row.region}", region=row.region, after=contents
    )
    return policy_out(row)


def _check_policy(wanted: SlaPolicyIn, codes: frozenset[str]) -> None:
    if wanted.region not in codes:
        detail = f"There is no region {wanted.region}."
        raise Invalid(detail, errors=[FieldError("/region", "unknown_region", detail)])
    if {each.priority for each in wanted.targets} != set(Priority):
        detail = "Each priority needs one target."
        raise Invalid(detail, errors=[FieldError("/targets", "one_each", detail)])


def _by(principal: Principal) -> dict[str, object]:
    return {"changed_by_name": principal.name, "changed_at": clock.now()}


def _who(row: CalendarRow | PolicyRow) -> str:
    when = f"{row.changed_at:%H:%M:%S} UTC"
    return f"{row.changed_by_name} changed this at {when}; version {row.version} holds."


def policy_out(row: PolicyRow | None) -> SlaPolicy:
    """The targets as they are kept, or those that hold until somebody keeps others."""
    if row is None:
        targets = [
            Target(
                priority=priority,
                first_response_min=target.first_response_s // 60,
                resolution_min=target.resolution_s // 60,
                all_hours=target.all_hours,
            )
            for priority, target in TARGETS.items()
        ]
        return SlaPolicy(
            region=None,
            targets=targets,
            round_robin=True,
            close_solved_after_h=CLOSE_SOLVED_AFTER_H,
            late_after_min=LATE_AFTER_MIN,
            version=0,
            changed_by_name=None,
            changed_at=None,
        )
    return SlaPolicy(**row.model_dump())


def _calendar_out(row: CalendarRow) -> CalendarOut:
    return CalendarOut(**row.model_dump())
