"""From a bad sample to an incident and to its verified end; what rollouts and recoveries ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.identity.schemas import SYSTEM
from backend.incidents import service as incidents
from backend.incidents.schemas import AlertFilter, IncidentFilter
from backend.insights.counting import write_counts
from backend.insights.detecting import sample
from backend.insights.readings import Facts
from backend.insights.service import SloGuard, what_is_bad
from backend.platform import clock, indicators
from backend.platform.resources import Resources

from .counted import counted_for_weeks


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Nothing of what other tests counted."""
    indicators.drain()


async def look(resources: Resources, name: str, after_s: float = 0) -> None:
    """Have a detector take a sample, as if some time had passed."""
    await write_counts(resources.database)
    async with resources.database.unit_of_work() as session:
        now = clock.now() + timedelta(seconds=after_s)
        await sample(Facts(resources, session, now), name)


async def test_failing_payments_become_an_incident_and_its_alert_ends_with_them(
    resources: Resources,
) -> None:
    indicators.count("payments.razorpay", "IN-KA", valid=10, good=1)
    await look(resources, "payment_failures")
    await look(resources, "payment_failures", 5)
    async with resources.database.unit_of_work() as session:
        [incident] = (await incidents.list_incidents(session, SYSTEM, IncidentFilter())).items
        [alert] = (await incidents.list_alerts(session, SYSTEM, AlertFilter())).items
    assert (incident.state, incident.severity, incident.services, incident.region) == (
        "triggered", "SEV2", ["payments"], "IN-KA",
    )  # fmt: skip
    assert incident.title == "razorpay: 9 of 10 payments failed"
    assert abs(incident.impact_started_at - incident.detected_at) < timedelta(seconds=60)
    assert (alert.key, alert.deliveries) == ("payment-failures:gateway=razorpay", 1)
    for after_s in (240, 275):
        await look(resources, "payment_failures", after_s)
    async with resources.database.unit_of_work() as session:
        [alert] = (await incidents.list_alerts(session, SYSTEM, AlertFilter())).items
    assert alert.clears_at is not None or alert.status == "resolved"
    assert alert.ended_at is not None


async def test_a_recovery_is_not_believed_while_an_indicator_is_bad(resources: Resources) -> None:
    indicators.count("payments.razorpay", "IN-KA", valid=10, good=1)
    await look(resources, "payment_failures")
    now = clock.now()
    async with resources.database.unit_of_work() as session:
        said = await what_is_bad(session, ["payments"], ["IN-KA"], [], now)
        elsewhere = await what_is_bad(session, ["payments"], ["TH-10"], [], now)
        other = await what_is_bad(session, ["tracking"], ["IN-KA"], [], now)
        everywhere = await what_is_bad(session, ["payments"], ["*"], [], now)
        key = "payment-failures:gateway=razorpay"
        by_key = await what_is_bad(session, ["payments"], ["IN-KA"], [key], now)
        by_another = await what_is_bad(session, ["payments"], ["IN-KA"], ["payment-failures"], now)
    assert said == everywhere == by_key == "razorpay: 9 of 10 payments failed"
    assert (elsewhere, other, by_another) == (None, None, None)
    await look(resources, "payment_failures", 240)
    async with resources.database.unit_of_work() as session:
        assert await what_is_bad(session, ["payments"], ["IN-KA"], [], now) is None


async def test_a_rollout_is_told_what_began_to_burn_after_it(resources: Resources) -> None:
    guard, begun = SloGuard(), clock.now() - timedelta(minutes=1)
    async with resources.database.unit_of_work() as session:
        assert await guard.burning(session, "order_api", "TH-10", begun) is None
    await counted_for_weeks(resources, "order_api")
    for region, good in (("SG-01", 1_000), ("IN-KA", 1_000), ("TH-10", 500)):
        indicators.count("order_api", region, valid=1_000, good=good)
    await look(resources, "slo_burn")
    async with resources.database.unit_of_work() as session:
        why = await guard.burning(session, "order_api", "TH-10", begun)
        assert why == "Order API burns its budget 500.0 times too fast over 1h and 5m"
        assert await guard.burning(session, "order_api", None, begun) == why
        assert await guard.burning(session, "order_api", "SG-01", begun) is None
        assert await guard.burning(session, "payments", "TH-10", begun) is None
        later = clock.now() + timedelta(minutes=1)
        assert await guard.burning(session, "order_api", "TH-10", later) is None
