"""How the support desk works: business hours, targets, and who is there to take tickets."""

from __future__ import annotations

from datetime import date, time
from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.platform import clock
from backend.regions.service import place_words
from backend.support import service as support
from backend.support.settings_schemas import (
    AgentOut,
    CalendarIn,
    CalendarOut,
    SlaPolicy,
    SlaPolicyIn,
)
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves
from dashboard.states.paging import ListState, form_text, iso, loads
from dashboard.states.shell import EVERYWHERE, ShellState, place_names
from dashboard.states.support_words import PRIORITY_WORDS

TABS = ("", "targets", "macros", "people")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MIN = 24 * 60
_AHEAD = 3
_KEPT = "Kept; clocks that run are set anew."


class Span(TypedDict):
    """A shift on the strip of a day."""

    left: str
    width: str


class DayRow(TypedDict):
    """One weekday of a calendar."""

    name: str
    words: str
    spans: list[Span]


class CalendarRow(TypedDict):
    """One calendar."""

    key: str
    place: str
    zone: str
    days: list[DayRow]
    holidays: str
    ahead: list[str]
    changed: str
    may_change: bool


class TargetRow(TypedDict):
    """One priority's targets as the form holds them."""

    priority: str
    word: str
    answer: str
    solve: str
    all_hours: bool


class AgentRow(TypedDict):
    """Somebody who may take tickets."""

    name: str
    tone: str
    word: str
    until: str
    unsolved: str
    me: bool


class SupportSettingsState(ListState, FormState, rx.State):
    """The tabs of calendars, targets and people."""

    tab: str = ""
    calendars: list[CalendarRow] = []
    targets: list[TargetRow] = []
    policy: dict[str, str] = {"close": "", "late": "", "by": "", "at": "", "where": ""}
    round_robin: bool = False
    policy_key: str = ""
    people: list[AgentRow] = []
    place: str = ""
    may_configure: bool = False
    may_write: bool = False
    available: bool = False
    form: dict[str, Any] = {}
    form_key: str = ""
    _kept: dict[str, CalendarOut] = {}
    _policy_version: int = 0
    _region: str = EVERYWHERE

    @rx.event(background=True)
    @requires("escalations:read")
    @loads
    async def load(self) -> None:
        """Show what the tab of the address holds."""
        async with self:
            asked = self._asked("tab")
            shell = await self.get_state(ShellState)
            region, names = self._asked("region") or shell.region, await place_names(self)
        async with gateway.open(self) as (session, principal):
            calendars = await support.list_calendars(session, principal)
            policy = await support.sla_policy(session, principal, region)
            people = await support.agents_on(session, principal, region)
            may_configure = identity.may(principal, "escalations:configure", region)
            configured = {
                each.region
                for each in calendars
                if identity.may(principal, "escalations:configure", each.region)
            }
            may_write = identity.may(principal, "escalations:write")
        async with self:
            self.tab = asked if asked in TABS else ""
            self.calendars = [
                calendar_row(each, names, may_change=each.region in configured)
                for each in calendars
            ]
            self._kept = {each.region: each for each in calendars}
            self._show_policy(policy, region)
            self.policy["where"] = place_words([policy.region], names) if policy.region else ""
            self.people = [agent_row(each, principal.id) for each in people]
            self.place = place_words([region], names)
            self.available = any(
                each.person_id == principal.id and each.available for each in people
            )
            self.may_configure, self.may_write = may_configure, may_write
            self.fault, self.ready = "", True

    def _show_policy(self, policy: SlaPolicy, region: str) -> None:
        by_priority = {each.priority.value: each for each in policy.targets}
        self.targets = [
            {
                "priority": key,
                "word": word,
                "answer": str(by_priority[key].first_response_min),
                "solve": str(by_priority[key].resolution_min),
                "all_hours": by_priority[key].all_hours,
            }
            for key, word in PRIORITY_WORDS.items()
            if key in by_priority
        ]
        self.policy = {
            "close": str(policy.close_solved_after_h),
            "late": str(policy.late_after_min),
            "by": policy.changed_by_name or "",
            "where": "",
            "at": iso(policy.changed_at),
        }
        self.round_robin = policy.round_robin
        own = policy.region == region
        self._region, self._policy_version = region, policy.version if own else 0
        self.policy_key = f"policy-{region}-{policy.region}-{policy.version}"

    @rx.event
    @requires("escalations:configure")
    async def begin(self, region: str) -> None:
        """Open the form of a region's hours, or of new ones."""
        kept = self._kept.get(str(region))
        shell = await self.get_state(ShellState)
        taken = set(self._kept)
        free = next(
            (each for each in shell.region_choices if each["code"] not in {*taken, EVERYWHERE}),
            None,
        )
        self.form = (
            form_of(kept)
            if kept
            else new_form(free["code"] if free else "", free["zone"] if free else "UTC")
        )
        self.serial += 1
        self.form_key = f"{region}-{self.serial}"
        self.open, self.form_fault, self.working = True, "", False

    @rx.event
    @requires("escalations:read")
    async def leave(self) -> None:
        """Close the form."""
        self.open = False

    @rx.event(background=True)
    @requires("escalations:configure")
    @saves
    async def save(self, kept: dict[str, Any]) -> str:
        """Keep the hours of a region."""
        async with self:
            before = self._kept.get(str(kept.get("region")))
        wanted = CalendarIn.model_validate(
            {
                **{name: kept.get(name) for name in ("region", "zone", "week", "holidays")},
                "seen_version": before.version if before else None,
            }
        )
        async with gateway.open(self) as (session, principal):
            await support.save_calendar(session, principal, wanted)
        return _KEPT

    @rx.event(background=True)
    @requires("escalations:configure")
    @saves
    async def save_policy(self, form: dict[str, Any]) -> str:
        """Keep the targets and how the queue runs itself."""
        async with self:
            seen, region = self._policy_version, self._region
        wanted = SlaPolicyIn.model_validate(
            {
                "region": region,
                "targets": [
                    {
                        "priority": key,
                        "first_response_min": form_text(form, f"answer-{key}"),
                        "resolution_min": form_text(form, f"solve-{key}"),
                        "all_hours": bool(form.get(f"all-{key}")),
                    }
                    for key in PRIORITY_WORDS
                ],
                "round_robin": bool(form.get("round_robin")),
                "close_solved_after_h": form_text(form, "close"),
                "late_after_min": form_text(form, "late"),
                "seen_version": seen,
            }
        )
        async with gateway.open(self) as (session, principal):
            await support.save_sla_policy(session, principal, wanted)
        return _KEPT

    @rx.event(background=True)
    @requires("escalations:write")
    async def turn(self, available: bool) -> Any:
        """Take what comes in from now on, or no longer."""
        async with gateway.open(self) as (session, principal):
            await support.set_available(session, principal, bool(available))
        return SupportSettingsState.load


def calendar_row(
    each: CalendarOut, names: dict[str, str], *, may_change: bool = False
) -> CalendarRow:
    """A calendar in words and strips."""
    today = clock.now().date()
    ahead = sorted((day for day in each.holidays if day.on >= today), key=lambda day: day.on)
    return {
        "key": each.region,
        "place": place_words([each.region], names),
        "zone": each.zone,
        "days": [
            {
                "name": name,
                "words": ", ".join(f"{_told(one.begins)} to {_told(one.ends)}" for one in shifts)
                or "closed",
                "spans": [_span(one.begins, one.ends) for one in shifts],
            }
            for name, shifts in zip(DAYS, each.week, strict=True)
        ],
        "holidays": f"{len(ahead):,} holidays ahead" if len(ahead) != 1 else "1 holiday ahead",
        "ahead": [f"{_day(day.on)} {day.name}" for day in ahead[:_AHEAD]],
        "changed": f"changed by {each.changed_by_name}",
        "may_change": may_change,
    }


def _told(moment: time) -> str:
    return f"{moment:%H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _span(begins: time, ends: time) -> Span:
    first = begins.hour * 60 + begins.minute
    last = ends.hour * 60 + ends.minute or _DAY_MIN
    return {"left": f"{first / _DAY_MIN:.2%}", "width": f"{max(last - first, 0) / _DAY_MIN:.2%}"}


def form_of(each: CalendarOut) -> dict[str, Any]:
    """A calendar as its editor holds it."""
    return {
        "fresh": False,
        "region": each.region,
        "zone": each.zone,
        "week": [
            [{"begins": _told(one.begins), "ends": _told(one.ends)} for one in shifts]
            for shifts in each.week
        ],
        "holidays": [{"on": day.on.isoformat(), "name": day.name} for day in each.holidays],
    }


def new_form(region: str, zone: str) -> dict[str, Any]:
    """Office hours of five days, to begin with."""
    shift = {"begins": "09:00", "ends": "18:00"}
    return {
        "fresh": True,
        "region": region,
        "zone": zone,
        "week": [[dict(shift)] if at < 5 else [] for at in range(7)],
        "holidays": [],
    }


def agent_row(each: AgentOut, me: str) -> AgentRow:
    """Somebody who may take tickets, and whether they do."""
    return {
        "name": each.name,
        "tone": "good" if each.available else "off",
        "word": "takes tickets" if each.available else "away",
        "until": iso(each.until),
        "unsolved": f"{each.unsolved:,}",
        "me": each.person_id == me,
    }
