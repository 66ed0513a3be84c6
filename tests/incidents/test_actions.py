"""What an incident shows of its harm, and what can be done about it from there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.flags import service as flags
from backend.flags.schemas import SaveIn
from backend.identity.service import Denied
from backend.incidents import blast, indicators, service
from backend.incidents.consumers import GROUP, HANDLERS
from backend.incidents.schemas import ActionIn
from backend.platform import clock
from backend.platform.consumers import Consumer
from backend.platform.errors import Invalid
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit, relay_once
from backend.platform.resources import Resources
from tests.dispatch.city import driver, open_city, order
from tests.flags.conftest import spec

from .world import ADMIN, FOREIGNER, MANAGER, VIEWER, alert, do, incidents, look, raised, tell, work


def action(kind: str, seen: int, **more: Any) -> ActionIn:
    """An action with a reason."""
    return ActionIn.model_validate(
        {"kind": kind, "seen_version": seen, "reason": "The gateway is down.", **more}
    )


async def test_the_blast_radius_counts_what_was_open_in_the_time_and_place(
    resources: Resources,
) -> None:
    await open_city(resources)
    for _ in range(3):
        await order(resources)
    await _order_ended(resources, (await order(resources)).id, hours_ago=2)
    await _payment(resources, "TH-10", "failed", 12_500)
    await _payment(resources, "TH-10", "processing", 2_500)
    await _payment(resources, "TH-10", "captured", 9_900)
    await _payment(resources, "IN-KA", "failed", 70_000)
    one = await raised(resources, ago_s=600)
    radius = await do(resources, service.blast_radius, ADMIN, one.id)
    assert (radius.orders, radius.orders_waiting) == (3, 3)
    assert radius.customers >= 1
    assert (radius.payments_failed, radius.payments_unknown) == (1, 1)
    assert [(each.minor, each.currency) for each in radius.money] == [(15_000, "THB")]
    assert radius.regions == ["TH-10"]
    assert (await do(resources, service.blast_radius, VIEWER, one.id)).money == []


async def test_of_a_country_one_sees_the_harm_in_ones_own_part(resources: Resources) -> None:
    await open_city(resources)
    await order(resources)
    country = await raised(resources, region="TH")
    mine = await do(resources, service.blast_radius, MANAGER, country.id)
    assert (mine.regions, mine.orders) == (["TH-10"], 1)


async def _order_ended(resources: Resources, order_id: UUID, *, hours_ago: int) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "UPDATE dispatch_order SET state = 'cancelled',"
                " ended_at = now() - make_interval(hours => :ago) WHERE id = :id"
            ),
            {"ago": hours_ago, "id": order_id},
        )


async def _payment(resources: Resources, region: str, state: str, minor: int) -> None:
    values = {
        "id": uuid7(), "region": region, "state": state, "amount": minor,
        "captured": minor if state == "captured" else 0,
        "currency": "INR" if region.startswith("IN") else "THB", "now": clock.now(),
    }  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "INSERT INTO payments_payment (id, purpose, order_id, region, terms, gateway,"
                " amount, captured, refunded, reserved, currency, state, round, created_by,"
                " created_at, updated_at) VALUES (:id, 'order', :id, :region, 'prepaid',"
                " 'sandbox', :amount, :captured, 0, 0, :currency, :state, 1, 'test', :now, :now)"
            ),
            values,
        )


async def test_matching_is_paused_and_resumed_from_the_incident(resources: Resources) -> None:
    await open_city(resources)
    one = await raised(resources)
    usual = ["redispatch", "pause_matching", "message_customers", "flag_off"]
    assert one.actions == usual, "nothing is paused that could be resumed"
    done = await do(
        resources, service.act_on_incident, MANAGER, one.id,
        action("pause_matching", one.version, region="TH-10"),
    )  # fmt: skip
    assert done.summary == "Paused matching in Bangkok."
    assert await _automatic(resources) is False
    assert "resume_matching" in (await look(resources, one.id)).actions
    back = await do(
        resources, service.act_on_incident, MANAGER, one.id,
        action("resume_matching", done.incident.version, region="TH-10"),
    )  # fmt: skip
    assert await _automatic(resources) is True
    now = await look(resources, one.id)
    assert [entry.text for entry in now.timeline if entry.kind == "action"] == [
        "Paused matching in Bangkok.", "Resumed matching in Bangkok."
    ]  # fmt: skip
    assert back.incident.version == one.version + 2
    assert now.actions == usual


async def _automatic(resources: Resources) -> bool:
    switches_ = await do(resources, dispatch.city_switches, ADMIN)
    return next(bool(each.automatic) for each in switches_ if each.code == "TH-10")


async def test_an_area_is_redispatched_from_the_incident(resources: Resources) -> None:
    await open_city(resources)
    carrier = await driver(resources)
    order_id = (await order(resources)).id
    found = await do(resources, dispatch.get_order, ADMIN, order_id)
    await do(
        resources, dispatch.assign_order, ADMIN, order_id, carrier, reason="Near.",
        seen_version=found.version,
    )  # fmt: skip
    one = await raised(resources, service="tracking")
    done = await do(
        resources,
        service.act_on_incident,
        MANAGER,
        one.id,
        action("redispatch", one.version, reason="x"),
    )
    assert done.summary == "Re-dispatched 1 order in Bangkok."
    assert (await do(resources, dispatch.get_order, ADMIN, order_id)).state == "ready"


async def test_customers_are_messaged_through_an_event(resources: Resources) -> None:
    await open_city(resources)
    await order(resources)
    one = await raised(resources)
    with pytest.raises(Invalid):
        await do(
            resources, service.act_on_incident, MANAGER, one.id,
            action("message_customers", one.version),
        )  # fmt: skip
    done = await do(
        resources, service.act_on_incident, MANAGER, one.id,
        action("message_customers", one.version, text="We are late, and sorry."),
    )  # fmt: skip
    told = "Asked for 1 customer in Bangkok to be told: We are late, and sorry."
    assert (done.summary, done.data) == (told, {"region": "TH-10", "customers": 1})
    [wanted] = [
        each for each in await _outbox(resources) if each["type"] == "customers.message_wanted"
    ]
    assert wanted["region"] == "TH-10"
    assert wanted["data"]["text"] == "We are late, and sorry."


async def _outbox(resources: Resources) -> list[Any]:
    async with resources.database.unit_of_work() as session:
        rows = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        return [orjson.loads(bytes(row)) for row in rows]


async def _flag(resources: Resources, key: str) -> None:
    asked = SaveIn(
        environment="production", spec=spec(key, default_variant="on"), version_seen=0,
        reason="because of the test", confirm=key,
    )  # fmt: skip
    await do(resources, flags.save_flag, ADMIN, asked)


async def test_a_flag_is_turned_off_from_the_incident(resources: Resources) -> None:
    await open_city(resources)
    await _flag(resources, "gateway-th")
    one = await raised(resources)
    assert "flag_off" in (await look(resources, one.id)).actions
    wanted = action("flag_off", one.version, flag="gateway-th")
    done = await do(resources, service.act_on_incident, ADMIN, one.id, wanted)
    assert done.summary == "Turned a flag off: gateway-th is off since v2 in production."
    off = await do(resources, flags.get_flag, ADMIN, "gateway-th", "production")
    assert off.kill_reason == "INC-1: The gateway is down."


async def test_who_may_not_turn_flags_off_is_not_offered_it_and_refused(
    resources: Resources,
) -> None:
    await open_city(resources)
    await _flag(resources, "gateway-th")
    one = await raised(resources)
    assert "flag_off" not in (await look(resources, one.id, MANAGER)).actions
    with pytest.raises(Denied):
        await do(
            resources, service.act_on_incident, MANAGER, one.id,
            action("flag_off", one.version, flag="gateway-th"),
        )  # fmt: skip


async def test_an_action_stays_where_the_incident_is_and_what_the_caller_may(
    resources: Resources,
) -> None:
    await open_city(resources)
    one = await raised(resources)
    with pytest.raises(Invalid, match="not about Bengaluru"):
        await do(
            resources, service.act_on_incident, ADMIN, one.id,
            action("pause_matching", one.version, region="IN-KA"),
        )  # fmt: skip
    with pytest.raises(service.NoSuchIncident):
        await do(
            resources, service.act_on_incident, FOREIGNER, one.id,
            action("redispatch", one.version),
        )  # fmt: skip
    with pytest.raises(Denied):
        await do(
            resources, service.act_on_incident, VIEWER, one.id, action("redispatch", one.version)
        )
    with pytest.raises(service.MovedOn):
        await do(
            resources, service.act_on_incident, MANAGER, one.id,
            action("redispatch", one.version + 1),
        )  # fmt: skip


async def test_a_halted_rollout_opens_an_incident_once(resources: Resources) -> None:
    event = Event(
        "flag.rollout_halted", "eta-v2", "system", region="TH",
        data={
            "flag": "eta-v2", "environment": "production", "step": "25 %",
            "reason": "eta errors 4x", "slo": "order-api", "region": "TH",
        },
    )  # fmt: skip
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    for _ in range(2):
        async with resources.database.unit_of_work() as session:
            await emit(session, event)
        while await relay_once(resources.database, resources.events):
            pass
    while await consumer.turn(wait_ms=1):
        pass
    [one] = await incidents(resources)
    assert one.title == "Rollout of eta-v2 halted: eta errors 4x"
    assert (one.region, one.services, one.alerts_count) == ("TH", ["flags"], 1)


async def test_an_indicator_that_is_bad_holds_the_end_back(resources: Resources) -> None:
    wrong: list[str] = ["12 % of payments fail"]

    async def measure(
        session: Any, services: Any, regions: Any, keys: Any, since: Any
    ) -> str | None:
        return wrong[0] if wrong else None

    service.register_indicator(measure)
    try:
        one = await raised(resources, ago_s=300)
        await tell(resources, alert("a", status="resolved", ago_s=200))
        await work(resources)
        held = await look(resources, one.id)
        assert held.state == "mitigated", "clear is not yet well"
        with pytest.raises(service.StillFiring, match="12 % of payments fail"):
            await do(resources, service.resolve, MANAGER, one.id, seen_version=held.version)
        wrong.clear()
        await work(resources)
        assert (await look(resources, one.id)).state == "resolved"
    finally:
        indicators._registered.clear()


async def test_an_incident_is_shown_while_the_hot_store_is_what_is_down(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_city(resources)
    one = await raised(resources)
    assert one.blast_radius.drivers_silent == 0

    async def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(blast.tracking, "fleet_by_city", away)
    assert (await look(resources, one.id)).blast_radius.drivers_silent is None


def test_there_are_runbooks_and_none_elsewhere() -> None:
    for name in ("payments", "tracking", "dispatch", "notifications", "platform", "flags"):
        book = service.runbook(name)
        assert book is not None
        assert book.text.startswith(f"# {book.title}")
        assert "## Verify" in book.text
    assert service.runbook("../service") is None
    assert service.runbook("nobody") is None


async def test_traces_are_linked(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.settings, "trace_url", "https://traces.example.com/{trace_id}")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    one = await raised(resources, labels={"trace_id": trace})
    assert one.traces[0] == trace
    assert [each.url for each in one.links] == [f"https://traces.example.com/{trace}"]


async def test_urls_of_senders_are_links_of_the_web_alone(resources: Resources) -> None:
    one = await raised(resources, url="javascript:alert(1)")
    assert one.links == []
    since = clock.now() - one.impact_started_at
    assert since > timedelta(0)
