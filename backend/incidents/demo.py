"""Fills in who is on call in the demo, what is expected to be heard, and a past maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import demo_staff
from backend.identity.schemas import Principal
from backend.incidents import schedules
from backend.incidents.on_call_models import MaintenanceTable
from backend.incidents.on_call_schemas import OnCallPerson, ScheduleIn
from backend.platform import clock
from backend.platform.ids import uuid7

_DAY = timedelta(days=1)
# The console first; an SMS where somebody does not look. The demo has no mail server.
_FIRST = {"after_s": 0, "whom": "on_call", "channels": ["console"]}
_SECOND = {"after_s": 300, "whom": "on_call", "channels": ["console", "sms"]}
_THIRD = {"after_s": 600, "whom": "next", "channels": ["console", "sms"]}
_ALL = {"after_s": 900, "whom": "everyone", "channels": ["console", "sms"]}
_PHONES = {
    "ananya.iyer": "+919845550142",
    "dewi.lestari": "+628115550187",
    "niran.phongphit": "+66815550163",
    "siti.aminah": "+60125550119",
}


async def seed(session: AsyncSession, principal: Principal) -> int:
    """Add schedules and a window where there is no schedule; answers how many schedules."""
    if await schedules.list_schedules(session, principal):
        return 0
    now = clock.now()
    monday = (now - now.weekday() * _DAY).replace(hour=3, minute=0, second=0, microsecond=0)
    wanted = (
        ("Operations", "*", ("ananya.iyer", "dewi.lestari"), (_FIRST, _SECOND, _THIRD, _ALL)),
        ("Bangkok", "TH-10", ("niran.phongphit", "dewi.lestari"), (_FIRST, _THIRD, _ALL)),
        ("Kuala Lumpur", "MY-14", ("siti.aminah", "ananya.iyer"), (_FIRST, _THIRD, _ALL)),
    )
    for name, region, people, steps in wanted:
        asked = await _schedule(session, name, region, people, steps, monday)
        await schedules.save_schedule(session, principal, asked)
    session.add(_past_window(principal, now))
    return len(wanted)


async def _schedule(
    session: AsyncSession,
    name: str,
    region: str,
    keys: Sequence[str],
    steps: Sequence[dict[str, Any]],
    starts_at: datetime,
) -> ScheduleIn:
    people = []
    for key in keys:
        person_id, person, email = await demo_staff.known(session, key)
        people.append(
            OnCallPerson(person_id=f"user:{person_id}", name=person, email=email, sms=_PHONES[key])
        )
    told = {"name": name, "region": region, "people": people, "steps": steps}
    return ScheduleIn.model_validate({**told, "starts_at": starts_at})


def _past_window(principal: Principal, now: datetime) -> MaintenanceTable:
    began = (now - 2 * _DAY).replace(hour=19, minute=0, second=0, microsecond=0)
    return MaintenanceTable(
        id=uuid7(),
        region="SG-01",
        services=["payments"],
        since=began,
        until=began + timedelta(minutes=45),
        reason="The acquiring bank moved its terminals to a new data centre.",
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=began - _DAY,
    )
