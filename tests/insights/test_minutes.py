"""What failed in each minute around an incident, for those who may see it."""

from __future__ import annotations

from datetime import timedelta

from backend.identity.schemas import GrantScope, Principal
from backend.insights.minutes import Minutes, failures_by_minute
from backend.platform import clock
from backend.platform.resources import Resources
from dashboard.states.incident_minutes import failures_chart

from .counted import counted

ADMIN = Principal("user", "user:1", "Asha", (GrantScope("admin", "*"),))
MANAGER = Principal("user", "user:2", "Malee", (GrantScope("fleet_manager", "TH-10"),))
BEGAN = clock.now() - timedelta(minutes=8)


async def minutes(
    resources: Resources, caller: Principal = ADMIN, *services: str
) -> Minutes | None:
    async with resources.database.unit_of_work() as session:
        return await failures_by_minute(
            session, caller, services or ("payments",), ["*"], BEGAN, None
        )


async def test_failures_are_told_by_gateway_and_minute_the_worst_first(
    resources: Resources,
) -> None:
    await counted(resources, "payments.stripe", "TH-10", timedelta(minutes=5), 9, 1)
    await counted(resources, "payments.razorpay", "IN-KA", timedelta(minutes=5), 9, 4)
    await counted(resources, "payments.razorpay", "TH-10", timedelta(minutes=5), 9, 3)
    await counted(resources, "payments.razorpay", "IN-KA", timedelta(hours=2), 9, 9)
    found = await minutes(resources)
    assert found is not None
    assert (found.title, found.by) == ("Payment failures a minute", "by gateway")
    assert [(line.name, sum(line.failed)) for line in found.lines] == [
        ("razorpay", 7), ("stripe", 1),
    ]  # fmt: skip
    worst = found.lines[0].failed
    at = found.at[worst.index(7)]
    assert timedelta(minutes=4) < clock.now() - at < timedelta(minutes=7)
    assert len(worst) == len(found.at) >= 38
    figure = failures_chart(found, BEGAN)
    assert [line["name"] for line in figure["data"]] == ["razorpay", "stripe"]
    assert figure["layout"]["shapes"][0]["x0"] == BEGAN.isoformat()[:19]
    there = failures_chart(found, BEGAN, "Asia/Kolkata")
    ahead = BEGAN + timedelta(hours=5, minutes=30)
    assert there["layout"]["shapes"][0]["x0"] == ahead.isoformat()[:19]
    assert figure["layout"]["yaxis"]["dtick"] == 2


async def test_a_manager_sees_the_failures_of_their_city_alone(resources: Resources) -> None:
    await counted(resources, "payments.razorpay", "IN-KA", timedelta(minutes=5), 9, 4)
    await counted(resources, "payments.razorpay", "TH-10", timedelta(minutes=5), 9, 3)
    found = await minutes(resources, MANAGER)
    assert found is not None
    assert [sum(line.failed) for line in found.lines] == [3]


async def test_without_failures_the_line_is_flat_and_what_is_not_counted_has_none(
    resources: Resources,
) -> None:
    found = await minutes(resources)
    assert found is not None
    assert set(found.lines[0].failed) == {0}
    assert await minutes(resources, ADMIN, "platform") is None
    both = await minutes(resources, ADMIN, "platform", "dispatch")
    assert both is not None
    assert both.title.startswith("Order API")
