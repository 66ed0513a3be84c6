"""People at an incident: who may do what, in which order, and two at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.identity.service import Denied
from backend.incidents import service
from backend.incidents.rules import Kind, Role, Severity
from backend.incidents.schemas import BulkIn, BulkItem, IncidentIn
from backend.platform import clock
from backend.platform.errors import Invalid
from backend.platform.resources import Resources
from backend.regions.service import seed

from .world import (
    ADMIN,
    FOREIGNER,
    MANAGER,
    OTHER,
    VIEWER,
    alert,
    do,
    incidents,
    look,
    raised,
    tell,
    work,
)


async def test_an_incident_goes_from_its_alert_to_its_review(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, ADMIN)
    one = await raised(resources, ago_s=120)
    row = await do(resources, service.acknowledge, MANAGER, one.id, seen_version=one.version)
    assert (row.state, row.commander) == ("acknowledged", "Nok")
    row = await do(
        resources, service.mitigate, MANAGER, one.id, seen_version=row.version, note="Rerouted."
    )
    await tell(resources, alert("a", status="resolved", ago_s=0))
    row = await do(resources, service.resolve, MANAGER, one.id, seen_version=row.version)
    assert row.state == "resolved"
    draft = await do(resources, service.review_draft, VIEWER, one.id)
    assert draft.draft
    assert "# INC-1: Payments fail (a)\n\nSEV2, payments, Bangkok." in draft.text
    assert "Rerouted. (Nok)" in draft.text
    assert "Nok was commander." in draft.text
    saved = await do(
        resources, service.save_review, MANAGER, one.id, "# What we learnt",
        seen_version=row.version,
    )  # fmt: skip
    assert (saved.draft, saved.saved_by) == (False, "Nok")
    now = await look(resources, one.id)
    row = await do(resources, service.close, MANAGER, one.id, seen_version=now.version)
    over = await look(resources, one.id, MANAGER)
    assert over.allowed == ["reopen", "add_note", "set_kind", "save_review"]
    clocks = over.clocks
    assert clocks.acknowledge_s is not None
    assert clocks.mitigate_s is not None
    assert clocks.resolve_s is not None
    assert 120 <= clocks.detect_s <= clocks.acknowledge_s <= clocks.mitigate_s <= clocks.resolve_s
    assert [entry.kind for entry in over.timeline] == [
        "impact", "detected", "alert", "acknowledge", "mitigate", "resolve", "review", "close"
    ]  # fmt: skip


async def test_an_incident_is_found_by_its_id_and_by_its_number(resources: Resources) -> None:
    one = await raised(resources)
    for named in (one.id, str(one.id), one.number, one.number.lower()):
        assert (await do(resources, service.get_incident, VIEWER, named)).id == one.id
    for nothing in ("INC-999", str(one.id)[:-1], "x" * 36, ""):
        with pytest.raises(service.NoSuchIncident):
            await do(resources, service.get_incident, VIEWER, nothing)


async def test_of_two_who_acknowledge_at_once_one_is_told_who_was_quicker(
    resources: Resources,
) -> None:
    one = await raised(resources)
    both = await asyncio.gather(
        do(resources, service.acknowledge, MANAGER, one.id, seen_version=one.version),
        do(resources, service.acknowledge, OTHER, one.id, seen_version=one.version),
        return_exceptions=True,
    )
    refused = [each for each in both if isinstance(each, service.MovedOn)]
    done = [each for each in both if not isinstance(each, BaseException)]
    assert (len(done), len(refused)) == (1, 1)
    winner = done[0].commander
    assert refused[0].detail.startswith(f"{winner} acknowledged it at ")
    assert refused[0].detail.endswith("INC-1 is acknowledged now.")
    assert refused[0].status == 409


async def test_nothing_ends_while_an_alert_fires_unless_somebody_says_why(
    resources: Resources,
) -> None:
    one = await raised(resources)
    with pytest.raises(service.StillFiring, match=r"Firing: Payments fail \(a\)\."):
        await do(resources, service.resolve, MANAGER, one.id, seen_version=one.version)
    with pytest.raises(Invalid):
        await do(resources, service.resolve, MANAGER, one.id, seen_version=one.version, force=True)
    row = await do(
        resources, service.resolve, MANAGER, one.id,
        seen_version=one.version, force=True, note="The alert is wrong.",
    )  # fmt: skip
    assert row.state == "resolved"


async def test_moments_stay_in_order(resources: Resources) -> None:
    one = await raised(resources, ago_s=60)
    before = one.impact_started_at - timedelta(seconds=1)
    after = clock.now() + timedelta(minutes=5)
    with pytest.raises(service.NotNow, match="before what came first"):
        await do(resources, service.mitigate, MANAGER, one.id, seen_version=one.version, at=before)
    with pytest.raises(Invalid, match="not come yet"):
        await do(resources, service.mitigate, MANAGER, one.id, seen_version=one.version, at=after)
    with pytest.raises(service.NotNow):
        await do(resources, service.close, MANAGER, one.id, seen_version=one.version)


async def test_others_neither_see_nor_change_what_is_not_theirs(resources: Resources) -> None:
    one = await raised(resources)
    with pytest.raises(service.NoSuchIncident):
        await look(resources, one.id, FOREIGNER)
    with pytest.raises(service.NoSuchIncident):
        await do(resources, service.acknowledge, FOREIGNER, one.id, seen_version=one.version)
    with pytest.raises(Denied):
        await do(resources, service.acknowledge, VIEWER, one.id, seen_version=one.version)
    seen = await look(resources, one.id, VIEWER)
    assert (seen.allowed, seen.actions) == ([], [])
    assert seen.blast_radius.money == []
    country = await raised(resources, "b", region="TH", service="maps")
    assert (await look(resources, country.id, MANAGER)).allowed == [], "a country is not theirs"


async def test_a_number_finds_an_incident(resources: Resources) -> None:
    one = await raised(resources)
    found = await do(resources, service.get_incident, MANAGER, "inc-1")
    assert found.id == one.id
    for wrong in ("INC-2", "INC-", "1;", "INC-9999999999999999999"):
        with pytest.raises(service.NoSuchIncident):
            await do(resources, service.get_incident, MANAGER, wrong)


async def test_there_is_one_commander_and_parts_can_be_given_back(resources: Resources) -> None:
    one = await raised(resources)
    row = await do(resources, service.acknowledge, MANAGER, one.id, seen_version=one.version)
    give = service.set_role
    row = await do(
        resources, give, MANAGER, one.id, Role.COMMANDER, OTHER.id, OTHER.name,
        seen_version=row.version,
    )  # fmt: skip
    row = await do(
        resources, give, MANAGER, one.id, Role.RESPONDER, MANAGER.id, MANAGER.name,
        seen_version=row.version,
    )  # fmt: skip
    now = await look(resources, one.id)
    assert [(each.role, each.name) for each in now.roles] == [
        ("commander", "Dao"), ("responder", "Nok")
    ]  # fmt: skip
    await do(
        resources, give, MANAGER, one.id, Role.RESPONDER, MANAGER.id, MANAGER.name,
        seen_version=row.version, remove=True,
    )  # fmt: skip
    assert [each.name for each in (await look(resources, one.id)).roles] == ["Dao"]
    assert [row.id for row in await _mine(resources, OTHER)] == [one.id]
    assert await _mine(resources, MANAGER) == []


async def _mine(resources: Resources, who: Any) -> Any:
    from backend.incidents.schemas import IncidentFilter

    found = await do(resources, service.list_incidents, who, IncidentFilter(mine=True))
    return found.items


async def test_the_timeline_cannot_be_changed(resources: Resources) -> None:
    await raised(resources)
    for change in ("UPDATE incidents_timeline SET text = ''", "DELETE FROM incidents_timeline"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with resources.database.unit_of_work() as session:
                await session.execute(text(change))


async def test_a_declared_incident_begins_when_its_finder_says(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, ADMIN)
    began = clock.now() - timedelta(minutes=10)
    wanted = IncidentIn(
        title="Doors of Siam hub do not open", severity=Severity.SEV3, region="TH-10",
        service="hubs", impact_started_at=began, note="Seen by the guard.",
    )  # fmt: skip
    row = await do(resources, service.open_incident, MANAGER, wanted)
    assert row.impact_started_at == began
    assert row.running_s >= 600
    with pytest.raises(Denied):
        await do(resources, service.open_incident, FOREIGNER, wanted)
    nowhere = wanted.model_copy(update={"region": "XX-1"})
    with pytest.raises(Invalid, match="not a region"):
        await do(resources, service.open_incident, ADMIN, nowhere)


async def test_notes_need_no_version_and_reopening_says_why(resources: Resources) -> None:
    one = await raised(resources)
    await do(resources, service.add_note, MANAGER, one.id, "Calling the gateway.")
    await do(resources, service.add_note, OTHER, one.id, "They know.")
    row = await do(
        resources, service.resolve, MANAGER, one.id,
        seen_version=one.version, force=True, note="Over.",
    )  # fmt: skip
    row = await do(
        resources, service.reopen, OTHER, one.id, seen_version=row.version, note="It is not."
    )
    assert (row.state, row.reopened, row.resolved_at) == ("triggered", 1, None)
    texts = [entry.text for entry in (await look(resources, one.id)).timeline]
    assert texts[-4:] == ["Calling the gateway.", "They know.", "Over.", "It is not."]


async def test_many_at_once_say_what_became_of_each(resources: Resources) -> None:
    one = await raised(resources, "a")
    two = await raised(resources, "b", service="maps")
    far = await raised(resources, "c", region="IN-KA")
    items = [
        BulkItem(id=one.id, seen_version=one.version),
        BulkItem(id=two.id, seen_version=two.version + 1),
        BulkItem(id=far.id, seen_version=far.version),
    ]
    answer = await do(
        resources, service.act_on_incidents, MANAGER, BulkIn(verb="acknowledge", items=items)
    )
    assert answer.done == 1
    assert [(each.status, each.code) for each in answer.results] == [
        ("done", None), ("refused", "moved_on"), ("refused", "not_found")
    ]  # fmt: skip
    assert (await look(resources, one.id)).state == "acknowledged"
    assert (await look(resources, two.id)).state == "triggered"


async def test_figures_leave_out_tests_false_positives_and_children_and_count_them(
    resources: Resources,
) -> None:
    took = {"a": 100, "b": 200, "c": 900}
    for key, seconds in took.items():
        one = await raised(resources, key, ago_s=seconds, service=key)
        await do(
            resources, service.resolve, ADMIN, one.id,
            seen_version=one.version, force=True, note="Over.",
        )  # fmt: skip
    await raised(resources, "d", service="d")
    false = await raised(resources, "e", service="e")
    await do(
        resources, service.set_kind, ADMIN, false.id, Kind.FALSE_POSITIVE,
        seen_version=false.version,
    )  # fmt: skip
    child = await raised(resources, "f", service="f")
    target = await raised(resources, "d", service="d")
    await do(
        resources, service.merge_incidents, ADMIN, target.id, [child.id],
        seen_version=target.version,
    )  # fmt: skip
    now = clock.now()
    figures = await do(
        resources, service.clock_figures, ADMIN, since=now - timedelta(hours=1), until=now
    )
    assert figures.excluded == {"test": 0, "false_positive": 1, "merged": 1}
    assert (figures.detect.n, figures.resolve.n) == (4, 3)
    assert figures.resolve.median_s == pytest.approx(200, abs=60)
    assert figures.resolve.mean_s == pytest.approx(400, abs=60)
    assert figures.resolve.p90_s == pytest.approx(900, abs=60)
    assert figures.reopen_rate == 0
    assert len(await incidents(resources)) == 2
    await work(resources)
