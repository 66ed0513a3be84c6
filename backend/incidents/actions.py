"""What can be done about an incident from the incident itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.matching_schemas import RedispatchIn
from backend.flags import service as flags
from backend.flags.schemas import KillIn
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository, views
from backend.incidents.acts import to_change
from backend.incidents.blast import radius_of
from backend.incidents.changes import tell, touch
from backend.incidents.models import IncidentTable
from backend.incidents.places import related
from backend.incidents.repository import number_of
from backend.incidents.rules import OPEN
from backend.incidents.schemas import ActionIn, ActionKind, ActionResult
from backend.platform.errors import FieldError, Invalid
from backend.platform.outbox import Event, emit
from backend.regions import service as regions

Did = tuple[str, dict[str, Any]]
"""What an action did, in words and in figures."""


async def act_on_incident(
    session: AsyncSession, principal: Principal, incident_id: UUID, wanted: ActionIn
) -> ActionResult:
    """Do something about it; needs the action's own permission beside `incidents:write`.

    Raises Invalid naming the field that the action lacks or that lies outside of the incident.
    """
    row = await to_change(session, principal, incident_id, wanted.seen_version, states=OPEN)
    summary, data = await _DO[wanted.kind](session, principal, row, wanted)
    touch(row, principal, f"did this: {summary}")
    repository.write(
        session, row.id, "action", (principal.id, principal.name), summary,
        action=wanted.kind, reason=wanted.reason, **data,
    )  # fmt: skip
    await tell(session, principal, row, "incident.acted", action=wanted.kind, summary=summary)
    await session.flush()
    await identity.record(
        session, principal, f"incident.action.{wanted.kind}", f"incident:{number_of(row)}",
        region=row.region, after={"summary": summary}, reason=wanted.reason,
    )  # fmt: skip
    shown = await views.one_out(session, row)
    return ActionResult(kind=wanted.kind, summary=summary, data=data, incident=shown)


async def _redispatch(
    session: AsyncSession, principal: Principal, row: IncidentTable, wanted: ActionIn
) -> Did:
    region = await _region(session, row, wanted)
    result = await dispatch.redispatch_area(
        session,
        principal,
        RedispatchIn(region=region, reason=_reason(row, wanted), polygon=wanted.polygon),
    )
    n = len(result.taken_back)
    what = "1 order" if n == 1 else f"{n} orders"
    name = regions.place_words([region], await regions.region_names(session))
    where = f"an area of {name}" if wanted.polygon else name
    return f"Re-dispatched {what} in {where}.", {"region": region, "n": n}


async def _pause(
    session: AsyncSession, principal: Principal, row: IncidentTable, wanted: ActionIn
) -> Did:
    return await _switch(session, principal, row, wanted, automatic=False)


async def _resume(
    session: AsyncSession, principal: Principal, row: IncidentTable, wanted: ActionIn
) -> Did:
    return await _switch(session, principal, row, wanted, automatic=True)


async def _switch(
    session: AsyncSession,
    principal: Principal,
    row: IncidentTable,
    wanted: ActionIn,
    *,
    automatic: bool,
) -> Did:
    region = await _region(session, row, wanted)
    city = await dispatch.set_city_switch(
        session, principal, region, automatic=automatic, reason=_reason(row, wanted)
    )
    what = "Resumed" if automatic else "Paused"
    return f"{what} matching in {city.name}.", {"region": region}


async def _message(
    session: AsyncSession, principal: Principal, row: IncidentTable, wanted: ActionIn
) -> Did:
    """Ask for a message to the customers of the incident's orders; who sends it hears the event."""
    region = await _region(session, row, wanted)
    identity.authorize(principal, "orders:write", region)
    if not wanted.text:
        raise _missing("text", "Say what the customers are to read.")
    radius = await radius_of(session, principal, row)
    n = radius.customers
    data = {
        "incident_id": str(row.id),
        "number": number_of(row),
        "region": region,
        "since": row.impact_started_at.isoformat(),
        "text": wanted.text,
        "customers": n,
        "by": principal.name,
    }
    await emit(session, Event("customers.message_wanted", str(row.id), principal.id, data, region))
    who = "1 customer" if n == 1 else f"{n} customers"
    where = regions.in_place(region, await regions.region_names(session))
    told = f"Asked for {who} {where} to be told: {wanted.text}"
    return told, {"region": region, "customers": n}


async def _flag_off(
    session: AsyncSession, principal: Principal, row: IncidentTable, wanted: ActionIn
) -> Did:
    if not wanted.flag:
        raise _missing("flag", "Name the flag.")
    kill = KillIn(environment=wanted.environment, reason=_reason(row, wanted))
    done = await flags.kill_flag(session, principal, wanted.flag, kill)
    state = "was off already" if done.status == "unchanged" else f"is off since v{done.version}"
    told = f"{wanted.flag} {state} in {wanted.environment}"
    return f"Turned a flag off: {told}.", {"flag": wanted.flag, "environment": wanted.environment}


_DO: dict[
    ActionKind,
    Callable[[AsyncSession, Principal, IncidentTable, ActionIn], Awaitable[Did]],
] = {
    "redispatch": _redispatch,
    "pause_matching": _pause,
    "resume_matching": _resume,
    "message_customers": _message,
    "flag_off": _flag_off,
}


def _reason(row: IncidentTable, wanted: ActionIn) -> str:
    """Why, for those who see what was done without its incident."""
    return f"{number_of(row)}: {wanted.reason}"[:300]


async def _region(session: AsyncSession, row: IncidentTable, wanted: ActionIn) -> str:
    """The region asked for, which the incident must concern; its own where none is named."""
    region = wanted.region or row.region
    if not any(related(each, region) for each in row.regions):
        name = regions.place_words([region], await regions.region_names(session))
        detail = f"{number_of(row)} is not about {name}."
        raise Invalid(detail, errors=[FieldError("/region", "elsewhere", detail)])
    return region


def _missing(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"/{field}", "missing", detail)])
