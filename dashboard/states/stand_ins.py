"""Who stands in for whoever would be on call, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import reflex as rx

from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import Override, ScheduleIn, ScheduleOut
from backend.platform import clock
from backend.platform.errors import NotFound
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import Refusal
from dashboard.states.on_call import OnCallState
from dashboard.states.paging import form_text, iso
from dashboard.states.shell import tell

_INPUT = "%Y-%m-%dT%H:%M"
_KEPT = frozenset(ScheduleIn.model_fields) & frozenset(ScheduleOut.model_fields)


class StandInRow(TypedDict):
    """Somebody who stands in."""

    key: str
    name: str
    since: str
    until: str


class StandInsState(rx.State):
    """The drawer of one schedule's stand-ins."""

    open: bool = False
    working: bool = False
    fault: str = ""
    title: str = ""
    rows: list[StandInRow] = []
    people: list[dict[str, str]] = []
    since: str = ""
    until: str = ""
    serial: int = 0
    _schedule: str = ""

    @rx.event(background=True)
    @requires("incidents:configure")
    async def begin(self, schedule_id: str) -> None:
        """Open the drawer of a schedule."""
        async with self:
            self._schedule = str(schedule_id)
        await self._show()
        async with self:
            self.open = self.title != ""

    @rx.event
    @requires("incidents:read")
    async def leave(self) -> None:
        """Close the drawer, also when the page is opened anew."""
        self.open = False

    @rx.event(background=True)
    @requires("incidents:configure")
    async def add(self, form: dict[str, Any]) -> Any:
        """Have somebody stand in."""
        wanted = {
            "person_id": form_text(form, "person"),
            "since": _utc(form_text(form, "since")),
            "until": _utc(form_text(form, "until")),
        }
        return await self._save(lambda kept: [*kept.overrides, Override.model_validate(wanted)])

    @rx.event(background=True)
    @requires("incidents:configure")
    async def remove(self, key: str) -> Any:
        """Have somebody stand in no longer."""
        return await self._save(
            lambda kept: [each for each in kept.overrides if _key(each) != str(key)]
        )

    async def _save(self, changed: Any) -> Any:
        async with self:
            if self.working:
                return None
            self.working, self.fault = True, ""
            named = self._schedule
        with Refusal() as refused:
            async with gateway.open(self) as (session, principal):
                kept = await _find(session, principal, named)
                told = kept.model_dump(include=set(_KEPT))
                told |= {"overrides": changed(kept), "seen_version": kept.version}
                await incidents.save_schedule(session, principal, ScheduleIn.model_validate(told))
        if not refused.words:
            await self._show()
        async with self:
            self.working, self.fault = False, refused.words
            if not refused.words:
                await tell(self, "good", "The stand-ins are kept.")
        return None if refused.words else OnCallState.load

    async def _show(self) -> None:
        async with self:
            named = self._schedule
        async with gateway.open(self) as (session, principal):
            kept = await _find(session, principal, named)
        now = clock.now().replace(second=0, microsecond=0)
        names = {each.person_id: each.name for each in kept.people}
        coming = [each for each in kept.overrides if each.until > now]
        async with self:
            self.title = kept.name
            self.rows = [
                {
                    "key": _key(each),
                    "name": names.get(each.person_id, "somebody who left"),
                    "since": iso(each.since),
                    "until": iso(each.until),
                }
                for each in sorted(coming, key=lambda each: each.since)
            ]
            self.people = [{"id": each.person_id, "name": each.name} for each in kept.people]
            self.since = now.strftime(_INPUT)
            self.until = (now + timedelta(days=1)).strftime(_INPUT)
            self.serial += 1


async def _find(session: Any, principal: Any, named: str) -> ScheduleOut:
    for each in await incidents.list_schedules(session, principal):
        if str(each.id) == named:
            return each
    raise NotFound("There is no such schedule.")


def _key(each: Override) -> str:
    return f"{each.person_id} {iso(each.since)} {iso(each.until)}"


def _utc(text: str) -> datetime | str:
    """What a field for date and time holds, which says no zone; other text stays as it is."""
    try:
        return datetime.strptime(text, _INPUT).replace(tzinfo=UTC)
    except ValueError:
        return text
