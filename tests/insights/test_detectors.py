"""Each detector driven from real facts: drivers' states, orders, payments, codes, the log."""

from __future__ import annotations

from datetime import timedelta
from time import time
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.incidents.schemas import AlertIn
from backend.insights import detecting, readings
from backend.insights.counting import write_counts
from backend.insights.detecting import detect_once, sample
from backend.insights.readings import Facts
from backend.platform import clock, indicators
from backend.platform.eventlog import Record
from backend.platform.ids import uuid7
from backend.platform.outbox import TOPIC, Event, emit
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.tracking import livestore
from backend.tracking.livestate import LiveState
from backend.tracking.schemas import DriverIn
from backend.tracking.service import create_driver
from tests.dispatch.city import order, time_passes

from .counted import counted_for_weeks

Told = list[tuple[str, str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What was told to incidents: key, status and severity."""
    heard: Told = []

    async def hear(_: object, alert: AlertIn) -> UUID:
        heard.append((alert.key, alert.status, alert.severity))
        return uuid7()

    monkeypatch.setattr(detecting.incidents, "raise_alert", hear)
    indicators.drain()
    return heard


async def look(resources: Resources, name: str, after_s: float = 0) -> None:
    """Have a detector take a sample, as if some time had passed."""
    await write_counts(resources.database)
    async with resources.database.unit_of_work() as session:
        now = clock.now() + timedelta(seconds=after_s)
        await sample(Facts(resources, session, now), name)


async def look_on(resources: Resources, name: str, *after_s: float) -> None:
    """Samples at several times."""
    for seconds in after_s:
        await look(resources, name, seconds)


@pytest.fixture
async def drivers(resources: Resources) -> list[UUID]:
    """Ten drivers on shift in Bangkok, and one in Singapore."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        wanted = ["TH-10"] * 10 + ["SG-01"]
        return [
            (await create_driver(session, SYSTEM, DriverIn(name="M", vehicle="bike", region=r))).id
            for r in wanted
        ]


async def heard_of(resources: Resources, drivers: list[UUID], ages_s: list[float]) -> None:
    """Have each driver's last fix be so old."""
    now_ms = int(time() * 1000)
    await livestore.advance(
        resources.redis,
        {
            driver.bytes: LiveState(now_ms - int(age_s * 1000), now_ms, 13.75, 100.5)
            for driver, age_s in zip(drivers, ages_s, strict=True)
        },
    )
    readings.tracking.fleet_by_city.__globals__["_stored"].clear()


async def test_a_fifth_of_a_citys_drivers_going_silent_is_told_and_taken_back(
    resources: Resources, drivers: list[UUID], told: Told
) -> None:
    await heard_of(resources, drivers, [1.0] * 11)
    await look_on(resources, "stale_drivers", 0, 12)
    assert told == []
    await resources.redis.flushdb()
    await heard_of(resources, drivers, [60.0] * 3 + [1.0] * 8)
    await look_on(resources, "stale_drivers", 0, 12)
    assert told == [("stale-drivers:region=TH-10", "firing", "SEV2")]
    await heard_of(resources, drivers, [0.5] * 11)
    await look_on(resources, "stale_drivers", 13, 20)
    assert len(told) == 1
    await look(resources, "stale_drivers", 44)
    assert told[1:] == [("stale-drivers:region=TH-10", "resolved", "SEV2")]


async def test_orders_that_nobody_takes_are_told(resources: Resources, told: Told) -> None:
    for _ in range(12):
        await order(resources)
    await look_on(resources, "dispatch_backlog", 0, 60)
    assert told == []
    await time_passes(resources, 240)
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE dispatch_order SET updated_at = created_at"))
    await look_on(resources, "dispatch_backlog", 0, 61)
    assert [key for key, _, _ in told] == ["dispatch-backlog:region=TH-10"]


async def test_late_orders_are_told_where_they_are_many(resources: Resources, told: Told) -> None:
    for _ in range(16):
        await order(resources)
    await look_on(resources, "dispatch_lateness", 0, 121)
    assert told == []
    async with resources.database.unit_of_work() as session:
        late = text("UPDATE dispatch_order SET promised_at = now() - interval '1 minute'")
        await session.execute(late)
    await look_on(resources, "dispatch_lateness", 0, 121)
    assert told == [("dispatch-lateness:region=TH-10", "firing", "SEV3")]


async def test_a_gateway_whose_payments_fail_is_told_by_its_name(
    resources: Resources, told: Told
) -> None:
    indicators.count("payments.stripe", "TH-10", valid=10, good=9)
    indicators.count("payments.razorpay", "IN-KA", valid=10, good=2)
    await look(resources, "payment_failures")
    assert told == [("payment-failures:gateway=razorpay", "firing", "SEV2")]
    await look_on(resources, "payment_failures", 240, 275)
    assert told[1:] == [("payment-failures:gateway=razorpay", "resolved", "SEV2")]


async def test_a_gateway_that_does_not_answer_is_told(resources: Resources, told: Told) -> None:
    indicators.count("gateway.stripe", indicators.NOWHERE, valid=8, good=3)
    await look(resources, "payment_failures")
    assert told == [("payment-failures:gateway=stripe", "firing", "SEV2")]


@pytest.mark.parametrize(
    ("detector", "name", "key", "severity"),
    [
        ("otp_failures", "otp", "otp-failures:region=TH-10", "SEV3"),
        ("webhook_failures", "webhooks", "webhook-failures:region=TH-10", "SEV3"),
        ("message_failures", "messages", "message-failures:region=TH-10", "SEV2"),
    ],
)
async def test_codes_webhooks_and_messages_that_fail_are_told_by_city(
    resources: Resources, told: Told, detector: str, name: str, key: str, severity: str
) -> None:
    indicators.count(name, "SG-01", valid=20, good=19)
    indicators.count(name, "TH-10", valid=20, good=5)
    await look_on(resources, detector, 0, 31)
    assert told == [(key, "firing", severity)]


async def test_a_reader_of_the_log_that_stands_still_is_told(
    resources: Resources, told: Told
) -> None:
    await resources.events.ensure_group(TOPIC, "payments")
    await resources.events.append(TOPIC, [Record(b"k", b"{}")])
    await look(resources, "event_log_lag")
    assert told == []
    await resources.redis.delete(f"log:{TOPIC}")
    await resources.events.ensure_group(TOPIC, "payments")
    half_a_minute_ago = int((time() - 30) * 1000)
    await resources.redis.xadd(
        f"log:{TOPIC}", {b"k": b"k", b"v": b"{}"}, id=f"{half_a_minute_ago}-0"
    )
    await look_on(resources, "event_log_lag", 0, 16)
    assert told == [("event-log-lag:reader=events/payments", "firing", "SEV2")]
    [delivery] = await resources.events.read(TOPIC, "payments", "c", count=9, block_ms=1)
    await look_on(resources, "event_log_lag", 17, 38)
    assert len(told) == 1, "what is read and not done is still waiting"
    await resources.events.acknowledge(TOPIC, "payments", [delivery.id])
    await look_on(resources, "event_log_lag", 39, 60)
    assert told[1:] == [("event-log-lag:reader=events/payments", "resolved", "SEV2")]


async def test_an_outbox_that_nobody_publishes_is_told(resources: Resources, told: Told) -> None:
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("order.created", "1", "system", {}))
    await look(resources, "event_log_lag", 0)
    assert told == []
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE platform_outbox SET written_at = now() - interval '40 seconds'")
        )
    await look_on(resources, "event_log_lag", 0, 16)
    assert told == [("event-log-lag:reader=outbox", "firing", "SEV2")]


async def test_a_hot_store_that_is_away_blinds_only_those_who_read_it(
    resources: Resources, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("gone")

    await counted_for_weeks(resources, "order_api")
    indicators.count("order_api", "TH-10", valid=100, good=10)
    await write_counts(resources.database)
    with monkeypatch.context() as patch:
        patch.setattr(type(resources.redis), "execute_command", away)
        await detect_once(resources)
        await look(resources, "hot_store", 6)
    assert told == [
        ("slo-burn:slo=order_api,region=TH-10", "firing", "SEV2"),
        ("hot-store:store=valkey", "firing", "SEV1"),
    ]
    await look_on(resources, "hot_store", 7, 28)
    assert told[2:] == [("hot-store:store=valkey", "resolved", "SEV1")]


async def test_an_objective_that_burns_is_told_and_taken_back(
    resources: Resources, told: Told
) -> None:
    await counted_for_weeks(resources, "ingest")
    for region, good in (("SG-01", 1_000), ("IN-KA", 1_000), ("TH-10", 900)):
        indicators.count("ingest", region, valid=1_000, good=good)
    await look(resources, "slo_burn")
    assert told == [("slo-burn:slo=ingest,region=TH-10", "firing", "SEV2")]
    # Six hours later not even the longest of the paging windows holds it.
    await look_on(resources, "slo_burn", 6.1 * 3600, 6.1 * 3600 + 31)
    assert told[1:] == [("slo-burn:slo=ingest,region=TH-10", "resolved", "SEV2")]


async def test_a_thing_is_told_once_however_often_it_is_seen(
    resources: Resources, told: Told
) -> None:
    indicators.count("payments.stripe", "TH-10", valid=10, good=1)
    await write_counts(resources.database)
    for _ in range(3):
        await detect_once(resources)
    assert told == [("payment-failures:gateway=stripe", "firing", "SEV2")]
