"""Incidents that are one, and alerts that are another's: clocks and alerts come along."""

from __future__ import annotations

import pytest

from backend.incidents import service
from backend.platform.errors import Invalid
from backend.platform.resources import Resources

from .world import MANAGER, OTHER, alert, do, look, raised, tell, work


async def test_a_merge_takes_the_earliest_moments_and_all_alerts(resources: Resources) -> None:
    late = await raised(resources, "a", ago_s=60, severity="SEV3")
    early = await raised(resources, "b", ago_s=600, service="maps", severity="SEV1")
    taken = await do(resources, service.acknowledge, OTHER, early.id, seen_version=early.version)
    row = await do(
        resources, service.merge_incidents, MANAGER, late.id, [early.id],
        seen_version=late.version,
    )  # fmt: skip
    one = await look(resources, late.id)
    assert one.impact_started_at == early.impact_started_at
    assert one.acknowledged_at == taken.acknowledged_at
    assert one.severity == "SEV1"
    assert one.services == ["payments", "maps"]
    assert {each.key for each in one.alerts} == {"a", "b"}
    assert one.merged == [early.id]
    child = await look(resources, early.id)
    assert (child.state, child.merged_into_number) == ("merged", "INC-1")
    assert child.allowed == []
    assert row.version == late.version + 1


async def test_a_merged_incidents_alert_goes_on_in_its_target(resources: Resources) -> None:
    one = await raised(resources, "a")
    two = await raised(resources, "b", ago_s=300, service="maps")
    await do(
        resources, service.merge_incidents, MANAGER, one.id, [two.id], seen_version=one.version
    )
    again = await raised(resources, "b", service="maps", value=3.0)
    assert again.id == one.id
    for key, where in (("a", "payments"), ("b", "maps")):
        await tell(resources, alert(key, status="resolved", ago_s=130, service=where))
    await tell(resources, alert("a", status="resolved", ago_s=0))
    await tell(resources, alert("b", status="resolved", ago_s=0, service="maps"))
    await work(resources, later_s=200)
    assert (await look(resources, one.id)).state == "resolved"
    back = await raised(resources, "b", service="maps", ago_s=0)
    assert back.id == one.id, "the child's alert reopens what it ended in"


async def test_merges_that_make_no_sense_are_refused(resources: Resources) -> None:
    one = await raised(resources, "a")
    two = await raised(resources, "b", service="maps")
    with pytest.raises(Invalid):
        await do(
            resources, service.merge_incidents, MANAGER, one.id, [one.id], seen_version=one.version
        )
    row = await do(
        resources, service.merge_incidents, MANAGER, one.id, [two.id], seen_version=one.version
    )
    with pytest.raises(service.NotNow):
        await do(
            resources, service.merge_incidents, MANAGER, one.id, [two.id], seen_version=row.version
        )
    with pytest.raises(service.MovedOn):
        await do(
            resources, service.merge_incidents, MANAGER, one.id, [two.id], seen_version=one.version
        )


async def test_a_split_has_clocks_of_its_own(resources: Resources) -> None:
    await raised(resources, "a", ago_s=600)
    both = await raised(resources, "b", ago_s=90, severity="SEV3")
    [parted] = [each for each in both.alerts if each.key == "b"]
    row = await do(
        resources, service.split_alerts, MANAGER, both.id, [parted.id],
        seen_version=both.version, title="Only the wallets",
    )  # fmt: skip
    new = await look(resources, row.id)
    assert (new.title, new.severity, new.state) == ("Only the wallets", "SEV3", "triggered")
    assert new.impact_started_at == parted.started_at
    assert [each.key for each in new.alerts] == ["b"]
    old = await look(resources, both.id)
    assert [each.key for each in old.alerts] == ["a"]
    assert old.clocks.running_s >= 600
    assert 90 <= new.clocks.running_s < 600
    assert "split" in [entry.kind for entry in old.timeline]
    again = await raised(resources, "b", value=1.0)
    assert again.id == new.id, "a parted alert stays where it was put"


async def test_what_is_left_of_a_split_ends_when_its_own_alerts_have(resources: Resources) -> None:
    await raised(resources, "a", ago_s=600)
    await tell(resources, alert("a", status="resolved", ago_s=65))
    await work(resources)
    both = await raised(resources, "b", ago_s=5)
    assert {each.key for each in both.alerts} == {"a", "b"}
    [parted] = [each for each in both.alerts if each.key == "b"]
    await do(
        resources, service.split_alerts, MANAGER, both.id, [parted.id], seen_version=both.version
    )
    await work(resources, later_s=60)
    old = await look(resources, both.id)
    assert [each.key for each in old.alerts] == ["a"]
    assert old.state == "resolved", "nothing of it fires any more"


async def test_not_all_alerts_can_be_parted(resources: Resources) -> None:
    one = await raised(resources, "a")
    with pytest.raises(Invalid):
        await do(
            resources, service.split_alerts, MANAGER, one.id, [one.alerts[0].id],
            seen_version=one.version,
        )  # fmt: skip
    other = await raised(resources, "b", service="maps")
    with pytest.raises(service.NoSuchAlert):
        await do(
            resources, service.split_alerts, MANAGER, one.id, [other.alerts[0].id],
            seen_version=one.version,
        )  # fmt: skip


async def test_what_takes_in_a_running_incident_is_mitigated_no_longer(
    resources: Resources,
) -> None:
    one = await raised(resources, "a", ago_s=300)
    row = await do(resources, service.mitigate, MANAGER, one.id, seen_version=one.version)
    two = await raised(resources, "b", service="maps")
    await do(
        resources, service.merge_incidents, MANAGER, one.id, [two.id], seen_version=row.version
    )
    now = await look(resources, one.id)
    assert (now.state, now.mitigated_at) == ("acknowledged", None)
