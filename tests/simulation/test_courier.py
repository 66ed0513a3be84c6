"""A driver at work with the app: what they tell, in which order, on good lines and bad."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from backend.regions.rules import haversine_m
from backend.simulation.courier import Courier
from backend.simulation.motion import Journey
from tests.simulation.world import CITIES

START = 1_790_000_000.0
CITY = next(city for city in CITIES if city.code == "TH-10")


def task(journey: Journey, **more: Any) -> dict[str, Any]:
    """An order of the driver's, a few hundred metres from where they are."""
    along, across = journey.at
    pickup = CITY.streets.to_ground(along + 400, across)
    drop = CITY.streets.to_ground(along + 400, across + 900)
    return {
        "order_id": "order-1",
        "number": "WP-1",
        "state": "accepted",
        "version": 4,
        "pickup": {"lat": pickup[0], "lon": pickup[1]},
        "drop": {"lat": drop[0], "lon": drop[1]},
        "parcels": [{"barcode": "BOX-1"}],
        "payment": {"terms": "cod", "amount": {"minor": 5000, "currency": "THB"}},
        "otp_at_pickup": False,
        "otp_only": False,
        "overridden": False,
        "codes": [],
        **more,
    }


def answer(**more: Any) -> dict[str, Any]:
    """An answer to a sync in which nothing is new."""
    return {
        "results": [], "settled": [], "next_seq": 1, "missing": [], "tasks": [], "gone": [],
        "offers": [], "cursor": "c", **more,
    }  # fmt: skip


class World:
    """A courier with a journey, and a server that takes every event it has not had."""

    def __init__(self, seed: str = "a", **about: Any) -> None:
        for number in range(50):
            self.journey = Journey(CITY, CITY.hubs[0], "bike", f"{seed}{number}", START)
            if self.journey.on_shift:
                break
        self.courier = Courier(CITY, self.journey, seed, START)
        self.now = START
        self.taken: list[dict[str, Any]] = []
        self.task = task(self.journey, **about)
        self.courier.synced(START, answer(tasks=[self.task]))

    def sync(self) -> list[dict[str, Any]]:
        """One sync, whose answer arrives."""
        sent: list[dict[str, Any]] = self.courier.sync_body(self.now)["events"]
        self.receive(sent)
        self.courier.synced(self.now, answer(results=[ok(event) for event in sent]))
        return sent

    def receive(self, sent: list[dict[str, Any]]) -> None:
        """What the server keeps, each event once."""
        known = {event["event_id"] for event in self.taken}
        self.taken += [event for event in sent if event["event_id"] not in known]

    def live(
        self, seconds: float, *, reachable: bool = True, until: Callable[[], bool] | None = None
    ) -> None:
        """Let time pass, four seconds at a time, with a sync whenever the app wants one."""
        end = self.now + seconds
        while self.now < end and not (until and until()):
            self.now += 4
            sample = self.journey.advance(self.now)
            place = (sample.fix.lat, sample.fix.lon) if sample.fix else None
            self.courier.live(self.now, place, reachable=reachable)
            if reachable and self.courier.wants_to_sync(self.now):
                self.sync()

    def kinds(self) -> list[str]:
        """The types of what the server took, in the phone's order."""
        ordered = sorted(self.taken, key=lambda event: event["device_seq"])
        return [event["type"] for event in ordered]

    def numbers(self) -> list[int]:
        """The numbers of what the server took."""
        return sorted(event["device_seq"] for event in self.taken)


def ok(event: dict[str, Any]) -> dict[str, Any]:
    return {"event_id": event["event_id"], "status": "accepted", "first": None}


def ended(world: World) -> Callable[[], bool]:
    """Whether the order is at its end and all of it was told."""

    def reached() -> bool:
        kinds = world.kinds()
        return not world.courier.busy and ("order.deliver" in kinds or "order.returned" in kinds)

    return reached


def test_an_order_is_driven_scanned_and_proven_in_a_plausible_time() -> None:
    world = World("plain")
    world.live(3600, until=ended(world))
    kinds = [kind for kind in world.kinds() if kind != "evidence.added"]
    assert kinds == [
        "order.reach_pickup", "order.pick_up", "order.depart", "order.arrive", "order.deliver",
    ]  # fmt: skip
    assert world.numbers() == list(range(1, len(world.taken) + 1))
    by_kind = {event["type"]: event for event in world.taken}
    for kind, stop in (("order.reach_pickup", "pickup"), ("order.arrive", "drop")):
        at, goal = by_kind[kind]["payload"]["position"], world.task[stop]
        assert haversine_m(at["lat"], at["lon"], goal["lat"], goal["lon"]) < 60
    assert by_kind["order.pick_up"]["payload"]["barcodes"] == ["BOX-1"]
    assert by_kind["order.deliver"]["payload"]["collected"]["minor"] in (5000, 4500)
    assert 300 < world.now - START < 2400


def test_without_a_code_photo_and_signature_are_taken_and_sent() -> None:
    world = World("pictures")
    world.live(3600, until=ended(world))
    pictured = [event for event in world.taken if event["type"] == "evidence.added"]
    assert {event["payload"]["kind"] for event in pictured} == {"photo", "signature"}
    names = {picture.name for picture in world.courier.pictures}
    assert {event["payload"]["sha256"] for event in pictured} == names


def test_the_recipient_is_asked_for_the_code_and_it_goes_with_the_delivery() -> None:
    world = World("code", otp_only=True)

    def at_door() -> bool:
        return "order.arrive" in world.kinds()

    world.live(3600, until=at_door)
    told = {**world.task, "state": "arrived", "version": 9}
    told["codes"] = [{"step": "drop", "verified": False}]
    world.courier.synced(world.now, answer(tasks=[told]))
    assert world.courier.asks_code_of == "WP-1"
    world.courier.heard_code(world.now, "WP-1", {"drop": "123456"})
    world.live(300, until=ended(world))
    assert world.taken[-1]["payload"]["otp"] == "123456"


def test_in_a_dead_zone_events_wait_and_come_in_order_afterwards() -> None:
    world = World("dead")
    world.live(3600, until=lambda: "order.pick_up" in world.kinds())
    before = len(world.taken)
    world.live(1500, reachable=False)
    assert len(world.taken) == before
    assert world.courier.wants_to_sync(world.now)
    world.live(60)
    assert world.kinds()[before:][:2] == ["order.depart", "order.arrive"]
    assert world.numbers() == list(range(1, len(world.taken) + 1))


def test_a_lost_answer_has_the_same_events_sent_again() -> None:
    world = World("lost")

    def has_events() -> bool:
        return len(world.courier.sync_body(world.now)["events"]) > 0

    world.live(3600, reachable=False, until=has_events)
    first = world.courier.sync_body(world.now)["events"]
    # The server took them; the answer was lost.
    again = world.courier.sync_body(world.now + 4)["events"]
    assert first
    assert [event["event_id"] for event in again[: len(first)]] == [
        event["event_id"] for event in first
    ]


def test_offers_are_thought_over_and_answered_one_way_or_the_other() -> None:
    said: dict[str, int] = {}
    for number in range(80):
        world = World(f"offer{number}")
        offer = {"id": f"offer-{number}", "order_id": "order-2"}
        world.courier.synced(world.now, answer(offers=[offer]))
        assert world.courier.sync_body(world.now)["events"] == []
        world.live(16)
        answers = [e for e in world.taken if e["payload"].get("offer_id") == offer["id"]]
        assert len(answers) <= 1
        said[answers[0]["type"] if answers else "silence"] = (
            said.get(answers[0]["type"] if answers else "silence", 0) + 1
        )
    assert said["order.accept"] > 50
    assert said["order.reject"] > 1


def test_an_order_taken_away_is_dropped_at_once() -> None:
    world = World("gone")
    world.live(60)
    world.courier.synced(world.now, answer(gone=["order-1"]))
    world.live(1800)
    assert "order.pick_up" not in world.kinds()
    assert not world.courier.busy


def test_what_the_app_is_ahead_of_is_asked_for_again() -> None:
    """News of an order that came while an event of it was unsent must not be missed."""
    world = World("ahead")

    def has_events() -> bool:
        return len(world.courier.sync_body(world.now)["events"]) > 0

    world.live(3600, reachable=False, until=has_events)
    moved = {**world.task, "version": 5}
    world.courier.synced(world.now, answer(cursor="newer", tasks=[moved]))
    assert world.courier.sync_body(world.now)["cursor"] == "c"
    sent = world.courier.sync_body(world.now)["events"]
    done = [ok(event) for event in sent]
    world.courier.synced(world.now, answer(cursor="newer", tasks=[moved], results=done))
    assert world.courier.sync_body(world.now)["cursor"] == "newer"


def test_a_refused_step_has_everything_asked_for_anew() -> None:
    world = World("refused")

    def has_events() -> bool:
        return len(world.courier.sync_body(world.now)["events"]) > 0

    world.live(3600, reachable=False, until=has_events)
    [event] = world.courier.sync_body(world.now)["events"]
    no = {**ok(event), "status": "rejected", "code": "not_yours"}
    world.courier.synced(world.now, answer(cursor="newer", results=[no]))
    assert world.courier.sync_body(world.now)["cursor"] is None
    assert world.courier.wants_to_sync(world.now)


def test_an_app_that_lost_its_storage_goes_on_counting_where_the_server_is() -> None:
    world = World("fresh")
    fresh = Courier(CITY, world.journey, "fresh", START)
    fresh.synced(START, answer(next_seq=41, missing=[17, 18], tasks=[world.task]))
    numbers = [event["device_seq"] for event in fresh.sync_body(START)["events"]]
    assert numbers == [17, 18]
    world.courier = fresh
    world.live(3600, until=lambda: "order.reach_pickup" in world.kinds())
    [reached] = [event for event in world.taken if event["type"] == "order.reach_pickup"]
    assert reached["device_seq"] == 41


@pytest.mark.parametrize("seed", range(12))
def test_every_order_ends_delivered_or_back(seed: int) -> None:
    world = World(f"end{seed}")
    world.live(7200, until=ended(world))
    assert world.kinds()[-1] in ("order.deliver", "order.returned")
    first = datetime.fromisoformat(world.taken[0]["captured_at"])
    last = datetime.fromisoformat(world.taken[-1]["captured_at"])
    assert (last - first).total_seconds() < 3000
