"""Calendars, targets and macros: who keeps them, what is refused, and what they change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.identity.service import Denied
from backend.platform import clock
from backend.platform.errors import Invalid
from backend.platform.resources import Resources
from backend.support import service
from backend.support.clock_rules import Calendar, after
from backend.support.clocks import read_calendar
from backend.support.rules import Kind, Priority, State
from backend.support.settings_models import CalendarRow
from backend.support.settings_schemas import CalendarIn, MacroIn, SlaPolicyIn
from tests.dispatch.orders import seeded

from .world import ADMIN, AGENT, FOREIGNER, LEAD, ago, answer, do, look, opened, person, queue, work

SPLIT = [{"begins": "09:00", "ends": "12:00"}, {"begins": "13:00", "ends": "18:00"}]


def hours(**changes: Any) -> CalendarIn:
    facts = {
        "region": "TH", "zone": "Asia/Bangkok", "week": [SPLIT] * 5 + [[], []],
        "holidays": [{"on": "2026-12-07", "name": "Father's Day"}], **changes,
    }  # fmt: skip
    return CalendarIn.model_validate(facts)


def policy(**changes: Any) -> SlaPolicyIn:
    targets = [
        {"priority": name, "first_response_min": 30, "resolution_min": 120, "all_hours": False}
        for name in ("urgent", "high", "normal", "low")
    ]
    facts = {
        "targets": targets, "round_robin": True, "close_solved_after_h": 24, "late_after_min": 45,
        "seen_version": 0, **changes,
    }  # fmt: skip
    return SlaPolicyIn.model_validate(facts)


def read(wanted: CalendarIn) -> Calendar:
    contents = wanted.model_dump(mode="json", include={"zone", "week", "holidays"})
    row = CalendarRow(
        region="x", version=1, changed_by_name="x", changed_at=clock.now(), **contents
    )
    return read_calendar(row)


async def test_clocks_run_by_the_hours_of_their_region(resources: Resources) -> None:
    row = await opened(resources)
    plain = row.sla
    assert plain.first_response_due == row.opened_at + timedelta(hours=4)
    kept = await do(resources, service.save_calendar, LEAD, hours())
    assert (kept.version, kept.changed_by_name) == (1, "Lek")
    await work(resources)
    now = (await look(resources, row.id)).sla
    thai = read(hours())
    assert now.first_response_due == after(thai, row.opened_at, 4 * 3600)
    assert now.resolution_due == after(thai, row.opened_at, 24 * 3600)
    # Another country's hours, and what is opened after the change.
    other = await opened(resources)
    assert other.sla.first_response_due == after(thai, other.opened_at, 4 * 3600)
    indian = hours(region="IN", zone="Asia/Kolkata")
    await do(resources, service.save_calendar, ADMIN, indian)
    await work(resources)
    later = (await look(resources, row.id)).sla
    assert (later.first_response_due, later.resolution_due) == (
        now.first_response_due, now.resolution_due
    )  # fmt: skip


async def test_a_citys_own_hours_come_before_the_countrys(resources: Resources) -> None:
    await seeded(resources)
    await do(resources, service.save_calendar, LEAD, hours())
    city = hours(region="TH-10", week=[[{"begins": "00:00", "ends": "00:00"}]] * 7, holidays=[])
    await do(resources, service.save_calendar, LEAD, city)
    row = await opened(resources)
    assert row.sla.first_response_due == row.opened_at + timedelta(hours=4)


async def test_only_waiting_on_the_customer_stops_the_clock(resources: Resources) -> None:
    row = await opened(resources)
    await ago(resources, row.id, timedelta(hours=2))
    before = await look(resources, row.id)
    row = await answer(resources, before, then="pending", waiting_on="third_party")
    assert row.sla.resolution == "running"
    assert row.sla.resolution_due == before.sla.resolution_due
    row = await do(
        resources, service.set_state, AGENT, row.id, State.PENDING, seen_version=row.version
    )
    assert (row.sla.state, row.sla.due, row.sla.remaining_s) == ("paused", None, None)
    assert row.sla.paused_left_s == pytest.approx(22 * 3600, abs=60)
    assert [each.number for each in await queue(resources, sla="paused")] == [row.number]
    await ago(resources, row.id, timedelta(hours=5))
    row = await do(
        resources, service.set_state, AGENT, row.id, State.OPEN,
        seen_version=(await look(resources, row.id)).version,
    )  # fmt: skip
    # Two of 24 hours were used before the pause of five, whenever it was opened.
    assert row.sla.due is not None
    assert (row.sla.due - clock.now()).total_seconds() == pytest.approx(22 * 3600, abs=60)


async def test_what_is_nearly_up_and_what_is_up_is_told_once_each(resources: Resources) -> None:
    row = await opened(resources, priority="high")
    await ago(resources, row.id, timedelta(minutes=47))
    assert (await look(resources, row.id)).sla.state == "running"
    await ago(resources, row.id, timedelta(minutes=2))
    for _ in range(2):
        await work(resources)
    soon = await look(resources, row.id)
    assert soon.sla.state == "soon"
    assert [each.text for each in soon.timeline if each.kind == "sla"] == [
        "It is soon to be answered."
    ]
    await ago(resources, row.id, timedelta(minutes=12))
    for _ in range(2):
        await work(resources)
    over = await look(resources, row.id)
    assert (over.sla.state, over.sla.first_response) == ("breached", "breached")
    assert over.sla.remaining_s is not None
    assert over.sla.remaining_s < 0
    assert [each.text for each in over.timeline if each.kind == "sla"][-1:] == [
        "It was to be answered by now."
    ]
    assert [each.number for each in await queue(resources, sla="breached")] == [row.number]
    answered = await answer(resources, over)
    assert (answered.sla.first_response, answered.sla.state) == ("breached", "running")


async def test_a_higher_priority_is_due_sooner(resources: Resources) -> None:
    row = await opened(resources)
    row = await do(
        resources, service.set_priority, AGENT, row.id, Priority.URGENT, seen_version=row.version
    )
    assert row.sla.due == row.opened_at + timedelta(minutes=15)


async def test_hours_that_cannot_be_are_refused(resources: Resources) -> None:
    await seeded(resources)
    overlap = [{"begins": "09:00", "ends": "13:00"}, {"begins": "12:00", "ends": "18:00"}]
    night = [{"begins": "20:00", "ends": "02:00"}, {"begins": "22:00", "ends": "23:00"}]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/zone", {"zone": "Asia/Nowhere"}),
        ("/region", {"region": "XX"}),
        ("/week", {"week": [[]] * 7}),
        ("/week/0/1", {"week": [overlap] + [SPLIT] * 6}),
        ("/week/3/0", {"week": [SPLIT] * 3 + [night] + [SPLIT] * 3}),
    ]
    for pointer, change in wrong:
        with pytest.raises(Invalid) as refused:
            await do(resources, service.save_calendar, ADMIN, hours(**change))
        assert pointer in {fault.pointer for fault in refused.value.errors}
    assert await do(resources, service.list_calendars, AGENT) == []


async def test_leads_keep_what_holds_in_their_regions_and_agents_do_not(
    resources: Resources,
) -> None:
    await seeded(resources)
    macro = MacroIn(name="Sorry", text="Dear {customer}, sorry.", region="TH")
    for verb, asked in (
        (service.save_calendar, hours()),
        (service.save_sla_policy, policy(region="TH")),
        (service.save_macro, macro),
    ):
        with pytest.raises(Denied):
            await do(resources, verb, AGENT, asked)
        first = await do(resources, verb, LEAD, asked)
        everywhere = asked.model_copy(update={"region": "*"})
        with pytest.raises(Denied):
            await do(resources, verb, LEAD, everywhere)
        assert first.version == 1
    for verb, asked in (
        (service.save_calendar, hours(zone="Asia/Jakarta")),
        (service.save_sla_policy, policy(region="TH", late_after_min=50)),
    ):
        with pytest.raises(service.MovedOn, match="Lek changed this"):
            await do(resources, verb, ADMIN, asked)
        fresh = asked.model_copy(update={"seen_version": 1})
        for _ in range(2):
            assert (await do(resources, verb, ADMIN, fresh)).version == 2
    assert (await do(resources, service.sla_policy, AGENT, "TH-10")).late_after_min == 50
    assert (await do(resources, service.sla_policy, AGENT, "IN-KA")).version == 0
    row = await opened(resources)
    assert row.sla.due == after(read(hours(zone="Asia/Jakarta")), row.opened_at, 30 * 60)


async def test_macros_are_offered_where_they_hold(resources: Resources) -> None:
    await seeded(resources)
    for name, region, kind in (
        ("All", "*", None), ("Thai", "TH", None), ("Indian", "IN", None), ("Late", "*", "late")
    ):  # fmt: skip
        asked = MacroIn(
            name=name, text="{number}", region=region, kind=Kind(kind) if kind else None
        )
        await do(resources, service.save_macro, ADMIN, asked)

    async def names(who: Any, **asked: Any) -> list[str]:
        found = await do(resources, service.list_macros, who, **asked)
        return [each.name for each in found]

    assert await names(AGENT) == ["All", "Late", "Thai"]
    assert await names(FOREIGNER) == ["All", "Indian", "Late"]
    assert await names(ADMIN, region="IN-KA", kind=Kind.OTP) == ["All", "Indian"]
    [thai] = [
        each for each in await do(resources, service.list_macros, LEAD) if each.name == "Thai"
    ]
    asked = MacroIn(id=thai.id, name="Thai", text="{phone}", region="TH", seen_version=1)
    with pytest.raises(Invalid, match="Nothing fills"):
        await do(resources, service.save_macro, LEAD, asked)
    with pytest.raises(service.NoSuchMacro):
        await do(resources, service.remove_macro, person("arjun", "support_lead", "IN"), thai.id)
    await do(resources, service.remove_macro, LEAD, thai.id)
    assert await names(AGENT) == ["All", "Late"]


def test_a_holiday_is_read_as_a_day() -> None:
    assert read(hours()).holidays == frozenset({date(2026, 12, 7)})
