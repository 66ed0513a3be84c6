"""Maintenance windows, snoozed alerts, heartbeats."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backend.identity.service import Denied
from backend.incidents import service
from backend.incidents.on_call_schemas import HeartbeatIn, MaintenanceIn, MaintenanceOut
from backend.incidents.schemas import AlertBulkIn, AlertFilter, AlertOut
from backend.platform import clock
from backend.platform.errors import Invalid, NotFound
from backend.platform.resources import Resources
from backend.regions.service import seed

from .world import (
    ADMIN,
    FOREIGNER,
    MANAGER,
    VIEWER,
    alert,
    do,
    incidents,
    look,
    raised,
    tell,
    work,
)


async def window(resources: Resources, **more: Any) -> MaintenanceOut:
    """An hour of maintenance in Bangkok."""
    async with resources.database.unit_of_work() as session:
        await seed(session, ADMIN)
    facts: dict[str, Any] = {
        "region": "TH-10",
        "since": clock.now() - timedelta(minutes=1),
        "until": clock.now() + timedelta(hours=1),
        "reason": "New switches",
        **more,
    }
    return await do(resources, service.add_maintenance, MANAGER, MaintenanceIn(**facts))


async def alerts(resources: Resources) -> list[AlertOut]:
    return (await do(resources, service.list_alerts, ADMIN, AlertFilter())).items


async def test_in_a_window_alerts_open_nothing(resources: Resources) -> None:
    made = await window(resources)
    await tell(resources, alert("a", region="TH-10.siam"))
    await work(resources)
    assert await incidents(resources) == []
    [quiet] = await alerts(resources)
    assert (quiet.status, quiet.silenced_by) == ("firing", made.id)
    [shown] = await do(resources, service.list_maintenance, VIEWER)
    assert (shown.active, shown.silenced) == (True, 1)
    await tell(resources, alert("b", region="TH"))
    assert len(await incidents(resources)) == 1, "a country is more than the window"


async def test_what_fires_when_a_window_ends_opens_its_incident(resources: Resources) -> None:
    made = await window(resources)
    await tell(resources, alert("a", ago_s=600))
    await tell(resources, alert("b"))
    await tell(resources, alert("b", status="resolved", ago_s=70))
    await work(resources)
    with pytest.raises(Denied):
        await do(resources, service.end_maintenance, VIEWER, made.id)
    with pytest.raises(NotFound):
        await do(resources, service.end_maintenance, FOREIGNER, made.id)
    await do(resources, service.end_maintenance, MANAGER, made.id)
    await work(resources)
    [one] = await incidents(resources)
    assert [
        each.key for each in (await look(resources, one.id)).alerts if each.status == "firing"
    ] == ["a"]
    assert one.running_s >= 600, "the impact began when it began"
    assert await do(resources, service.list_maintenance, ADMIN) == []


async def test_a_window_ends_by_itself(resources: Resources) -> None:
    await window(resources)
    await tell(resources, alert("a"))
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE incidents_maintenance SET until = now()"))
    await work(resources)
    assert len(await incidents(resources)) == 1


async def test_a_window_is_about_its_services_alone(resources: Resources) -> None:
    await window(resources, services=["maps"])
    assert (await raised(resources, "a")).state == "triggered"
    await tell(resources, alert("b", service="maps"))
    assert len(await incidents(resources)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": clock.now() - timedelta(hours=1)},
        {"until": clock.now() + timedelta(days=40)},
        {"region": "TH-10.nowhere"},
    ],
)
async def test_windows_that_make_no_sense(resources: Resources, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await window(resources, **wrong)


async def test_a_silent_source_is_an_alert_until_it_is_heard_again(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, ADMIN)
    wanted = HeartbeatIn(integration="alertmanager/prometheus", every_s=300, region="TH")
    with pytest.raises(Denied):
        await do(resources, service.save_heartbeat, MANAGER, wanted)
    await do(resources, service.save_heartbeat, ADMIN, wanted)
    await work(resources, later_s=290)
    assert await incidents(resources) == []
    await _heard_ago(resources, 301)
    await work(resources)
    [one] = await incidents(resources)
    assert one.title == "alertmanager/prometheus is silent"
    [beat] = await do(resources, service.list_heartbeats, ADMIN)
    assert beat.silent
    await _heard_ago(resources, 0)
    await work(resources)
    await work(resources, later_s=200)
    [over] = await incidents(resources, states=["resolved"])
    assert over.id == one.id
    await do(resources, service.remove_heartbeat, ADMIN, "alertmanager/prometheus")
    with pytest.raises(NotFound):
        await do(resources, service.remove_heartbeat, ADMIN, "alertmanager/prometheus")


async def _heard_ago(resources: Resources, seconds: int) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE incidents_heartbeat SET heard_at = now() - make_interval(secs => :ago)"),
            {"ago": seconds},
        )


async def test_many_alerts_are_changed_at_once(resources: Resources) -> None:
    one = await raised(resources, "a")
    await raised(resources, "b")
    far = await raised(resources, "c", region="IN-KA")
    ids = [each.id for each in (await look(resources, one.id)).alerts] + [far.alerts[0].id]
    taken = await do(
        resources, service.act_on_alerts, MANAGER, AlertBulkIn(verb="acknowledge", ids=ids)
    )
    assert taken.done == 2
    assert [each.code for each in taken.results] == [None, None, "not_firing"]
    with pytest.raises(Invalid):
        await do(resources, service.act_on_alerts, MANAGER, AlertBulkIn(verb="snooze", ids=ids))
    ended = await do(
        resources, service.act_on_alerts, MANAGER,
        AlertBulkIn(verb="resolve", ids=ids, reason="A test."),
    )  # fmt: skip
    assert ended.done == 2
    now = await look(resources, one.id)
    assert now.firing == 0
    assert "Ended 2 alerts by hand: A test." in [entry.text for entry in now.timeline]
    await work(resources, later_s=100)
    assert (await look(resources, one.id)).state == "resolved"
    assert (await look(resources, far.id)).state == "triggered"
