"""Where an alert belongs: one episode, one incident, reopened or followed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.incidents import service
from backend.incidents.rules import IncidentState
from backend.platform.resources import Resources

from .world import ADMIN, MANAGER, alert, do, incidents, look, raised, tell, work


async def test_an_alert_opens_an_incident_with_its_clock_at_the_first_bad_sample(
    resources: Resources,
) -> None:
    found = await raised(resources, ago_s=90)
    assert found.state == "triggered"
    assert found.number == "INC-1"
    assert found.regions == ["TH-10"]
    assert 90 <= found.clocks.detect_s < 95
    assert [entry.kind for entry in found.timeline][:2] == ["impact", "detected"]


async def test_the_same_key_is_one_alert_while_it_fires(resources: Resources) -> None:
    first = await tell(resources, alert())
    again = await tell(resources, alert(value=12.5))
    assert first == again
    [only] = await incidents(resources)
    shown = (await look(resources, only.id)).alerts
    assert [(each.deliveries, each.value) for each in shown] == [(2, 12.5)]


async def test_alerts_of_one_service_and_place_share_an_incident(resources: Resources) -> None:
    one = await raised(resources, "a")
    assert (await raised(resources, "b", region="TH")).id == one.id
    assert (await raised(resources, "c", region="TH-10.siam", severity="SEV1")).id == one.id
    assert (await raised(resources, "d", region="IN-KA")).id != one.id
    assert (await raised(resources, "e", service="tracking")).id != one.id
    grown = await look(resources, one.id)
    assert grown.severity == "SEV1"
    assert grown.regions == ["TH-10", "TH"]
    assert grown.version == one.version, "alerts that join take nobody's version away"


async def test_an_old_incident_takes_no_new_alerts(resources: Resources) -> None:
    one = await raised(resources, "a")
    await _age(resources, "alerted_at", minutes=61)
    assert (await raised(resources, "b")).id != one.id


async def test_flapping_stays_one_episode(resources: Resources) -> None:
    one = await raised(resources, "a", ago_s=100)
    await tell(resources, alert("a", status="resolved", ago_s=1))
    await work(resources, later_s=30)
    assert (await look(resources, one.id)).firing == 1
    await tell(resources, alert("a", ago_s=0))
    await work(resources, later_s=120)
    now = await look(resources, one.id)
    assert now.state == "triggered"
    assert [(each.status, each.flaps) for each in now.alerts] == [("firing", 1)]
    assert "flapped" in [entry.kind for entry in now.timeline]


async def test_a_clear_incident_ends_when_its_alert_ended(resources: Resources) -> None:
    one = await raised(resources, "a", ago_s=600)
    ended = alert("a", status="resolved", ago_s=0)
    await tell(resources, ended)
    await work(resources, later_s=61)
    cleared = await look(resources, one.id)
    assert cleared.state == "mitigated"
    await work(resources, later_s=130)
    over = await look(resources, one.id)
    assert over.state == "resolved"
    assert ended.ended_at is not None
    assert over.resolved_at is not None
    assert over.resolved_at >= ended.ended_at
    assert over.resolved_at - ended.ended_at < timedelta(seconds=30)
    assert 600 <= (over.clocks.resolve_s or 0) < 630


async def _resolved(resources: Resources, key: str = "a") -> object:
    one = await raised(resources, key, ago_s=300)
    await tell(resources, alert(key, status="resolved", ago_s=130))
    await work(resources)
    over = await look(resources, one.id)
    assert over.state == "resolved"
    return over


async def test_a_recurrence_within_half_an_hour_reopens_and_the_clock_runs_through(
    resources: Resources,
) -> None:
    over = await _resolved(resources)
    again = await raised(resources, "a", ago_s=1)
    assert again.id == over.id  # type: ignore[attr-defined]
    assert again.state == "triggered"
    assert again.reopened == 1
    assert again.resolved_at is None
    assert again.clocks.running_s >= 300
    assert len(again.alerts) == 2, "each episode is an alert of its own"


async def test_a_later_recurrence_is_a_new_incident_that_follows_the_old(
    resources: Resources,
) -> None:
    over = await _resolved(resources)
    await _age(resources, "resolved_at", minutes=31)
    await _age(resources, "mitigated_at", minutes=31)
    again = await raised(resources, "a", ago_s=1)
    assert again.id != over.id  # type: ignore[attr-defined]
    assert again.follows == over.id  # type: ignore[attr-defined]
    assert again.follows_number == "INC-1"
    assert (await look(resources, over.id)).state == "resolved"  # type: ignore[attr-defined]


async def test_a_resolved_incident_never_swallows_another_alert(resources: Resources) -> None:
    over = await _resolved(resources)
    other = await raised(resources, "b", ago_s=1)
    assert other.id != over.id  # type: ignore[attr-defined]
    assert other.state == "triggered"


async def test_an_alert_ended_by_hand_that_fires_on_is_told_again(resources: Resources) -> None:
    one = await raised(resources, "a")
    await do(
        resources, service.resolve, MANAGER, one.id,
        seen_version=one.version, note="Looks fine from here.", force=True,
    )  # fmt: skip
    assert (await look(resources, one.id)).firing == 0
    again = await raised(resources, "a", ago_s=30)
    assert again.id == one.id
    assert (again.state, again.reopened, again.firing) == ("triggered", 1, 1)


async def test_an_unknown_alert_that_resolves_does_nothing(resources: Resources) -> None:
    assert await tell(resources, alert("never", status="resolved")) is None
    assert await incidents(resources, states=list(IncidentState)) == []


async def test_a_worse_alert_raises_the_severity_and_says_so(resources: Resources) -> None:
    one = await raised(resources, "a", severity="SEV3")
    worse = await raised(resources, "a", severity="SEV1")
    assert worse.id == one.id
    assert worse.severity == "SEV1"
    assert [entry.text for entry in worse.timeline if entry.kind == "severity"] == [
        "SEV1 from SEV3: Payments fail (a)"
    ]


async def test_a_mitigated_incident_whose_alert_comes_back_is_mitigated_no_longer(
    resources: Resources,
) -> None:
    one = await raised(resources, "a", ago_s=300)
    taken = await do(resources, service.acknowledge, MANAGER, one.id, seen_version=one.version)
    await do(resources, service.mitigate, MANAGER, one.id, seen_version=taken.version)
    worse = await raised(resources, "b", ago_s=0)
    assert worse.id == one.id
    assert (worse.state, worse.mitigated_at) == ("acknowledged", None)


async def _age(resources: Resources, column: str, *, minutes: int) -> None:
    """Let a moment of all incidents have been so much earlier."""
    async with resources.database.unit_of_work() as session:
        shift = f"{column} - make_interval(mins => {minutes})"
        await session.execute(text(f"UPDATE incidents_incident SET {column} = {shift}"))


@pytest.mark.parametrize("region", ["*", "TH", "TH-10.siam"])
async def test_counts_see_what_concerns_a_place(resources: Resources, region: str) -> None:
    await raised(resources, "a", region=region)
    counted = await do(resources, service.count_open, ADMIN, "TH-10")
    assert counted.total == 1
    assert (await do(resources, service.count_open, ADMIN, "IN-KA")).total == (region == "*")
