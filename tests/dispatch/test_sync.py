"""A phone's events through the doorway: once each, in order, and refused one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from backend.tracking import service as tracking
from tests.dispatch.phones import (
    LUMPINI,
    SIAM,
    A,
    App,
    act,
    app,
    at_door,
    codes_sent,
    column,
    order_of,
    state_of,
    steps,
    story,
)


@pytest.fixture
async def phone(client: httpx.AsyncClient, resources: Resources) -> App:
    return await app(client, resources)


async def test_an_order_goes_from_pickup_to_door_to_delivered(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    deliver = phone.event("order.deliver", order, otp=code, position=LUMPINI)
    assert await phone.results(deliver) == ["accepted"]
    assert await state_of(resources, order) == "delivered"
    assert (await story(resources, order))[-5:] == [
        "order.at_pickup", "order.picked_up", "order.in_transit", "order.arrived",
        "order.delivered",
    ]  # fmt: skip
    names = await column(
        resources,
        "SELECT actor_name FROM dispatch_order_event WHERE type = 'order.delivered'",
    )
    assert names == ["Somchai"]


async def test_a_repeat_replays_its_result_and_does_nothing(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    good, bad = steps(phone, order, "order.reach_pickup", "order.depart")
    assert await phone.results(good, bad) == ["accepted", "rejected wrong_state"]
    before = await story(resources, order)
    assert await phone.results(bad, good) == [
        "duplicate rejected wrong_state",
        "duplicate accepted",
    ]
    assert await story(resources, order) == before


async def test_the_same_id_with_another_body_is_a_recorded_conflict(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    [event] = steps(phone, order, "order.reach_pickup")
    assert await phone.results(event) == ["accepted"]
    changed = {**event, "payload": {"position": LUMPINI}}
    for _ in range(2):
        assert await phone.results(changed) == ["conflict other_body"]
    assert await phone.results(event) == ["duplicate accepted"]
    kept = await column(resources, "SELECT body->'payload' FROM dispatch_device_conflict")
    assert kept == [{"position": LUMPINI}]


async def test_a_number_used_twice_is_a_conflict_and_the_phone_is_told_the_next(
    phone: App, resources: Resources
) -> None:
    first = phone.event("note", text="one")
    second = {**phone.event("note", text="two"), "device_seq": 1}
    done = await phone.sync(first, second)
    assert [r["status"] for r in done["results"]] == ["accepted", "conflict"]
    assert done["results"][1]["code"] == "number_taken"
    assert done["next_seq"] == 2


async def test_a_foreign_event_id_tells_nothing(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    other = await app(client, resources)
    event = phone.event("note", text="mine")
    await phone.sync(event)
    assert await other.results(event) == ["conflict other_body"]


async def test_a_gap_holds_steps_but_not_evidence_until_it_is_filled(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    first, second, third = steps(
        phone, order, "order.reach_pickup", "order.pick_up", "order.depart"
    )
    photo = phone.event("evidence.added", order, sha256="a" * 64, kind="photo", step="pickup")
    done = await phone.sync(third, photo, second)
    assert [r["status"] for r in done["results"]] == ["held", "accepted", "held"]
    assert done["missing"] == [1]
    assert await state_of(resources, order) == "accepted"
    done = await phone.sync(first)
    assert [r["status"] for r in done["results"]] == ["accepted"]
    assert [(r["device_seq"], r["status"]) for r in done["settled"]] == [
        (2, "accepted"), (3, "accepted"),
    ]  # fmt: skip
    assert done["missing"] == []
    assert await state_of(resources, order) == "in_transit"
    assert await phone.results(third) == ["duplicate accepted"]


async def test_events_are_done_in_the_phones_order_however_they_are_sent(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    events = steps(phone, order, "order.reach_pickup", "order.pick_up", "order.depart")
    assert await phone.results(*reversed(events)) == ["accepted"] * 3
    assert await state_of(resources, order) == "in_transit"


async def test_a_clock_that_goes_back_changes_no_order_and_is_corrected(
    phone: App, resources: Resources
) -> None:
    """The wall clock jumps back a day between two events; the monotonic clock does not."""
    order = await order_of(resources, phone.phone.id)
    now = clock.now()
    first, second = steps(phone, order, "order.reach_pickup", "order.pick_up")
    first |= {"captured_at": now.isoformat(), "monotonic_ms": 1_000_000}
    second |= {"captured_at": (now - timedelta(days=1)).isoformat(), "monotonic_ms": 1_060_000}
    sent_at = (now - timedelta(days=1) + timedelta(seconds=30)).isoformat()
    done = await phone.results(first, second, sent_at=sent_at, monotonic_ms=1_090_000)
    assert done == ["accepted", "accepted"]
    times = await column(
        resources,
        "SELECT device_at FROM dispatch_order_event WHERE device_at IS NOT NULL ORDER BY seq",
    )
    assert times[1] - times[0] == timedelta(seconds=60)
    assert abs((clock.now() - times[1]).total_seconds() - 30) < 25
    said = await column(
        resources, "SELECT captured_at FROM dispatch_device_event ORDER BY device_seq"
    )
    assert said == [now, now - timedelta(days=1)]
    [offset] = await column(resources, "SELECT clock_offset_ms FROM dispatch_device")
    assert abs(offset / 1000 - 86_370) < 10


async def test_wrong_events_are_results_and_block_nothing_behind_them(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    unknown = {**phone.event("order.fly", order)}
    unreadable = {**phone.event("order.fail", order, reason="bored")}
    nul = phone.event("note", text="a\0b")
    large = phone.event("note", text="x" * 20_000)
    aimless = phone.event("order.depart")
    [good] = steps(phone, order, "order.reach_pickup")
    answers = await phone.results(
        "words", {"event_id": "x"}, unknown, unreadable, nul, large, aimless, good
    )
    assert answers == [
        "rejected invalid", "rejected invalid", "rejected invalid", "rejected invalid",
        "rejected invalid", "rejected too_large", "rejected invalid", "accepted",
    ]  # fmt: skip
    assert await phone.results(unknown) == ["duplicate rejected invalid"]
    assert await state_of(resources, order) == "at_pickup"


async def test_more_than_five_hundred_events_are_refused_whole(phone: App) -> None:
    answer = await phone.post(*[{} for _ in range(501)])
    assert answer.status_code == 422


async def test_parcels_are_scanned_all_and_no_others(phone: App, resources: Resources) -> None:
    parcels: list[Any] = [{"barcode": f"BOX-{n}", "weight_g": 500} for n in (1, 2)]
    order = await order_of(resources, phone.phone.id, A.REACH_PICKUP, parcels=parcels)
    assert await phone.tell("order.pick_up", order, barcodes=["BOX-1"]) == "rejected parcel_missing"
    assert (
        await phone.tell("order.pick_up", order, barcodes=["BOX-1", "BOX-2", "BOX-9"])
        == "rejected wrong_parcel"
    )
    assert await phone.tell("order.pick_up", order, barcodes=["BOX-2", "BOX-1"]) == "accepted"
    scans = await column(resources, "SELECT text FROM dispatch_evidence WHERE kind = 'scan'")
    assert scans == ["BOX-1 BOX-2"]


async def test_an_order_of_somebody_else_is_not_yours_and_looks_like_none(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    other = await app(client, resources)
    order = await order_of(resources, other.phone.id)
    assert await phone.tell("order.reach_pickup", order) == "rejected not_yours"
    photo = {"sha256": "b" * 64, "kind": "photo", "step": "drop"}
    assert await phone.tell("evidence.added", order, **photo) == "rejected not_yours"
    assert await column(resources, "SELECT id FROM dispatch_evidence") == []
    missing = order.model_copy(update={"id": phone.phone.id})
    assert await phone.tell("order.depart", missing) == "rejected not_yours"
    assert await state_of(resources, order) == "accepted"


async def test_evidence_of_an_order_taken_away_is_kept_and_marked(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    other = await app(client, resources)
    order = await order_of(resources, phone.phone.id)
    await act(resources, order, A.REASSIGN, driver_id=other.phone.id)
    photo = {"sha256": "c" * 64, "kind": "photo", "step": "pickup"}
    assert await phone.tell("evidence.added", order, **photo) == "rejected not_yours"
    assert await column(resources, "SELECT flags FROM dispatch_evidence") == ["not_yours"]
    assert await phone.tell("order.reach_pickup", order) == "rejected not_yours"
    assert await state_of(resources, order) == "assigned"


async def test_an_ended_order_is_never_touched_but_flagged_with_what_came_late(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await act(resources, order, A.CANCEL)
    [late] = steps(phone, order, "order.reach_pickup")
    assert await phone.results(late) == ["rejected not_yours"]
    assert await state_of(resources, order) == "cancelled"
    assert (await story(resources, order))[-2:] == ["order.cancelled", "order.flagged"]
    [flagged] = await column(resources, "SELECT flagged FROM dispatch_order")
    assert "order.reach_pickup" in flagged


async def test_a_failed_delivery_goes_back_to_its_sender(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    assert await phone.tell("order.fail", order, reason="nobody_there") == "accepted"
    assert await phone.results(
        phone.event("order.return_begun", order), phone.event("order.returned", order)
    ) == ["accepted", "accepted"]
    assert await state_of(resources, order) == "returned"
    reasons = await column(
        resources, "SELECT reason FROM dispatch_order_event WHERE type = 'order.failed'"
    )
    assert reasons == ["nobody_there"]


async def test_arriving_far_from_the_drop_is_measured_and_flagged(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id, A.REACH_PICKUP, A.PICK_UP, A.DEPART)
    assert await phone.tell("order.arrive", order, position=SIAM) == "accepted"
    [away] = await column(
        resources,
        "SELECT (data->>'distance_m')::float FROM dispatch_order_event"
        " WHERE type = 'order.arrived'",
    )
    assert 1800 < away < 1900
    [flagged] = await column(resources, "SELECT flagged FROM dispatch_order")
    assert "from the drop" in flagged


async def test_shifts_follow_the_phone(phone: App, resources: Resources) -> None:
    assert await phone.tell("shift.end") == "accepted"
    async with resources.database.unit_of_work() as session:
        assert (await tracking.get_driver(session, SYSTEM, phone.phone.id)).status == "off_shift"
    assert await phone.tell("shift.begin") == "accepted"


async def test_only_what_changed_since_the_cursor_comes(phone: App, resources: Resources) -> None:
    first = await order_of(resources, phone.phone.id)
    second = await order_of(resources, phone.phone.id)
    done = await phone.sync()
    assert {task["order_id"] for task in done["tasks"]} == {str(first.id), str(second.id)}
    assert {task["drop"]["phone"] for task in done["tasks"]} == {"+66812345678"}
    phone.cursor = done["cursor"]
    assert (await phone.sync())["tasks"] == []
    [event] = steps(phone, first, "order.reach_pickup")
    done = await phone.sync(event)
    assert [(task["number"], task["state"]) for task in done["tasks"]] == [
        (first.number, "at_pickup")
    ]
    phone.cursor = done["cursor"]
    await act(resources, first, A.UNASSIGN)
    done = await phone.sync()
    assert (done["tasks"], done["gone"]) == ([], [str(first.id)])


async def test_the_answer_lost_on_its_way_costs_nothing(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    [event] = steps(phone, order, "order.reach_pickup")
    before = phone.cursor
    await phone.sync(event)
    phone.cursor = before
    done = await phone.sync(event)
    assert done["results"][0]["first"] == "accepted"
    assert [task["state"] for task in done["tasks"]] == ["at_pickup"]


async def test_a_cursor_that_is_not_ours_means_everything_is_new(
    phone: App, resources: Resources
) -> None:
    await order_of(resources, phone.phone.id)
    phone.cursor = "nonsense"
    assert len((await phone.sync())["tasks"]) == 1


async def test_tasks_are_for_phones(client: httpx.AsyncClient, phone: App) -> None:
    mine = await client.get("/api/driver/v1/tasks", headers=phone.phone.headers)
    assert mine.json()["items"] == []
    assert (await client.get("/api/driver/v1/tasks")).status_code == 401
