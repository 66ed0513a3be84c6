"""Planning shifts: for one driver or many, for one day or some, with what became of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx
from pydantic import ValidationError

from backend.dispatch import service as dispatch
from backend.dispatch.roster_schemas import ShiftPlan
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking import service as tracking
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import form_text, uuid_or_none, uuids
from dashboard.states.shell import tell

_MOST_DAYS = 31


class PlanOutcome(TypedDict):
    """What became of one driver's shifts."""

    code: str
    tone: str
    word: str
    detail: str


class ShiftsState(rx.State):
    """The drawer in which shifts are planned."""

    open: bool = False
    title: str = ""
    first: str = ""
    working: bool = False
    fault: str = ""
    summary: str = ""
    outcomes: list[PlanOutcome] = []
    serial: int = 0
    _ids: list[str] = []

    @rx.event
    @requires("shifts:write")
    async def ask(self, action: str, driver_ids: list[str]) -> None:
        """Open the drawer for these drivers."""
        wanted = uuids(driver_ids)
        if action != "plan" or not wanted:
            return
        self._ids = [str(each) for each in wanted]
        self.title = "Plan shifts of " + (
            "1 driver" if len(wanted) == 1 else f"{len(wanted)} drivers"
        )
        self.first = clock.now().date().isoformat()
        self.fault, self.summary, self.outcomes = "", "", []
        self.open, self.working = True, False

    @rx.event
    @requires("shifts:write")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event(background=True)
    @requires("shifts:write")
    async def plan(self, form: dict[str, Any]) -> None:
        """Plan the shifts, each driver by themselves."""
        days = days_of(form_text(form, "first"), form_text(form, "last"), _ticked(form))
        hours = hours_of(form_text(form, "begins"), form_text(form, "ends"))
        async with self:
            if self.working or not self.open:
                return
            self.fault = (
                "" if days and hours else "Give the days, and when the shift begins and ends."
            )
            if self.fault or hours is None:
                return
            self.working = True
            ids = uuids(self._ids)
        outcomes = [await self._plan_for(each, days, hours) for each in ids]
        refused = sum(each["tone"] == "critical" for each in outcomes)
        async with self:
            self.working = False
            self.serial += 1
            self.outcomes = sorted(outcomes, key=lambda each: each["tone"] != "critical")
            self.summary = f"{len(ids) - refused} of {len(ids)} drivers have the shifts."
            if not refused:
                self.open = False
                await tell(self, "good", f"The shifts of {_drivers(len(ids))} are planned.")

    async def _plan_for(
        self, driver_id: UUID, days: list[date], hours: tuple[time, time]
    ) -> PlanOutcome:
        """One driver's shifts, all of them or none."""
        code = str(driver_id)
        try:
            async with gateway.open(self) as (session, principal):
                driver = await tracking.get_driver(session, principal, driver_id)
                code = driver.code
                directory = await regions.directory(session, principal)
                city = directory.get(driver.region)
                zone = ZoneInfo((city and city.time_zone) or "UTC")
                for day in days:
                    begins, ends = span_of(day, hours, zone)
                    wanted = ShiftPlan(starts_at=begins, ends_at=ends)
                    await dispatch.plan_shift(session, principal, driver_id, wanted)
        except (DomainError, ValidationError) as error:
            detail = (
                error.detail if isinstance(error, DomainError) else str(error.errors()[0]["msg"])
            )
            return {"code": code, "tone": "critical", "word": "refused", "detail": detail}
        return {"code": code, "tone": "good", "word": "planned", "detail": ""}

    @rx.event(background=True)
    @requires("shifts:write")
    async def cancel(self, driver_id: str, shift_id: str) -> None:
        """Call one shift off."""
        driver, shift = uuid_or_none(str(driver_id)), uuid_or_none(str(shift_id))
        if driver is None or shift is None:
            return
        try:
            async with gateway.open(self) as (session, principal):
                await dispatch.cancel_shift(session, principal, driver, shift)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            self.serial += 1
            await tell(self, "good", "The shift is cancelled.")


def _ticked(form: dict[str, Any]) -> set[int]:
    return {day for day in range(7) if form.get(f"on-{day}")}


def _drivers(count: int) -> str:
    return "1 driver" if count == 1 else f"{count} drivers"


def days_of(first: str, last: str, weekdays: set[int]) -> list[date]:
    """The days from first to last, at most a month, on these weekdays; none where none is meant."""
    try:
        begin = date.fromisoformat(first)
        end = date.fromisoformat(last) if last else begin
    except ValueError:
        return []
    count = min((end - begin).days + 1, _MOST_DAYS)
    days = [begin + timedelta(days=n) for n in range(count)]
    return [day for day in days if not weekdays or day.weekday() in weekdays]


def hours_of(begins: str, ends: str) -> tuple[time, time] | None:
    """The two clock times; None where one is missing."""
    try:
        return time.fromisoformat(begins), time.fromisoformat(ends)
    except ValueError:
        return None


def span_of(day: date, hours: tuple[time, time], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day's shift in UTC; one that ends before it begins ends the next day."""
    begins = datetime.combine(day, hours[0], zone)
    ends = datetime.combine(day + timedelta(days=hours[1] <= hours[0]), hours[1], zone)
    return begins.astimezone(UTC), ends.astimezone(UTC)
