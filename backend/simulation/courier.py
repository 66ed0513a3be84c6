"""A driver at work with the app: takes offers, drives to stops, scans, asks for codes, delivers.

Pure: time is an argument, chance comes from a seed, and what the server says is handed in.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from backend.simulation import pictures
from backend.simulation.jobs import AFTER, Job, job_of, nearest
from backend.simulation.motion import Journey
from backend.simulation.outgoing import Outgoing
from backend.simulation.places import City
from backend.simulation.streets import Point

_IDLE_POLL_S = (11.0, 16.0)
_BUSY_POLL_S = (22.0, 34.0)
_CODE_PATIENCE_S = 75.0
_OFFLINE_PATIENCE_S = 60.0
_REASONS = (
    "nobody_there", "nobody_there", "not_reachable", "refused", "wrong_address", "cannot_pay",
    "access_denied",
)  # fmt: skip
_DECLINES = ("too far", "vehicle full", "wrong direction", "on a break")


@dataclass(slots=True)
class Picture:
    """A picture on the phone, and how much of it the server has."""

    name: str
    content: bytes
    begun: bool = False
    offset: int = 0


@dataclass(slots=True)
class Visit:
    """A stop that the driver goes to or stands at."""

    job: Job
    stop: str
    arrived: float | None = None
    until: float = 0.0
    fails: bool = False
    by_code: bool = False
    code: str | None = None


class Courier:
    """One driver and their app."""

    def __init__(self, city: City, journey: Journey, seed: str, start: float) -> None:
        self._city = city
        self._journey = journey
        self._rng = Random(f"{seed}:courier")
        self._out = Outgoing(seed, start)
        self._jobs: dict[str, Job] = {}
        self._offers: dict[str, tuple[float, str | None]] = {}
        self._orders_offered: dict[str, str] = {}
        self._visit: Visit | None = None
        self._pictured: set[str] = set()
        self._free_from = start
        self._poll_at = start + self._rng.uniform(0, 20)
        self._cursor: str | None = None
        self._doubts = False
        self._place: tuple[float, float] | None = None
        self._reachable = True
        self._last_reachable = start
        self.pictures: deque[Picture] = deque()
        self.done = 0

    @property
    def busy(self) -> bool:
        """Whether there are orders in hand or events unsent."""
        return bool(self._jobs) or len(self._out) > 0

    @property
    def at(self) -> Point | None:
        """Where the driver works now; None off shift."""
        return self._journey.at if self._journey.on_shift else None

    @property
    def asks_code_of(self) -> str | None:
        """The number of the order whose recipient is being asked for the code, if any."""
        visit = self._visit
        if visit is None or visit.arrived is None or not visit.by_code or visit.code:
            return None
        return visit.job.number if visit.stop in visit.job.codes else None

    def live(self, now: float, place: tuple[float, float] | None, *, reachable: bool) -> None:
        """Do what is due by `now`, with the phone where it last was."""
        self._place = place or self._place
        self._reachable = reachable
        if reachable:
            self._last_reachable = now
        self._answer_offers(now)
        if self._visit is None:
            self._choose(now)
        elif self._journey.there:
            self._stand(now, self._visit)

    def wants_to_sync(self, now: float) -> bool:
        """Whether the app has something to tell, or has not asked for a while."""
        asks = self._journey.on_shift and now >= self._poll_at
        return asks or (len(self._out) > 0 and self._out.numbered)

    def sync_body(self, now: float) -> dict[str, Any]:
        """A sync as the app sends it; on a bad line the newest events overtake the others."""
        events = self._out.batch()
        if len(events) > 2 and self._rng.random() < 0.04:
            events = events[-2:]
        return self._out.body(now, events, self._cursor)

    def synced(self, now: float, answer: dict[str, Any]) -> None:
        """Take in what the server answered to a sync."""
        self._out.go_on(answer["next_seq"], answer["missing"], now)
        self._poll_at = now + self._rng.uniform(*(_BUSY_POLL_S if self._jobs else _IDLE_POLL_S))
        for event, result in self._out.settle([*answer["results"], *answer["settled"]]):
            if result["outcome"] != "accepted":
                self._refused(event)
        news = [task for task in answer["tasks"] if not self._out.about(task["order_id"])]
        for task in news:
            self._keep(job_of(task, self._city.streets))
        for order_id in answer["gone"]:
            self._lose(order_id)
        for offer in answer["offers"]:
            self._consider(now, offer)
        # What the app is ahead of is asked for again, once the server has heard of it.
        if len(news) == len(answer["tasks"]) and not self._doubts:
            self._cursor = answer["cursor"]
        self._doubts = False

    def heard_code(self, now: float, number: str, codes: dict[str, str]) -> None:
        """The recipient, asked in person, reads out the code."""
        visit = self._visit
        if visit is not None and visit.job.number == number and visit.stop in codes:
            visit.code = codes[visit.stop]
            visit.until = max(visit.until, now + self._rng.uniform(5, 25))

    def _consider(self, now: float, offer: dict[str, Any]) -> None:
        if offer["id"] in self._offers:
            return
        chance = self._rng.random()
        # Somebody who is on the way home takes nothing more, and some do not look at the phone.
        declines = self._journey.closing or chance < 0.07
        answer = "order.reject" if declines else None if chance < 0.11 else "order.accept"
        self._offers[offer["id"]] = (now + self._rng.uniform(2, 9), answer)
        self._orders_offered[offer["id"]] = offer["order_id"]
        if len(self._offers) > 60:
            for old in list(self._offers)[:30]:
                del self._offers[old]
                self._orders_offered.pop(old, None)

    def _answer_offers(self, now: float) -> None:
        for offer_id, (at, answer) in self._offers.items():
            if answer is None or now < at or not self._reachable:
                continue
            reason = self._rng.choice(_DECLINES) if answer == "order.reject" else None
            order_id = self._orders_offered[offer_id]
            self._out.add(answer, now, order_id, offer_id=offer_id, reason=reason)
            self._offers[offer_id] = (at, None)

    def _keep(self, job: Job) -> None:
        self._jobs[job.id] = job
        if job.state == "assigned":
            # Given by hand: the app takes it without asking.
            self._tell("order.accept", self._journey.now, job)
        visit = self._visit
        if visit is not None and visit.job.id == job.id:
            visit.job = job
            if job.stop != visit.stop:
                self._leave()

    def _lose(self, order_id: str) -> None:
        self._jobs.pop(order_id, None)
        if self._visit is not None and self._visit.job.id == order_id:
            self._leave()

    def _refused(self, event: dict[str, Any]) -> None:
        """The server saw it otherwise: ask for everything anew, and prove it by other means."""
        order_id = event.get("order_id")
        if order_id is None or event["payload"].get("offer_id"):
            return
        if event["type"] == "order.deliver":
            self._pictured.add(order_id)
        self._lose(order_id)
        self._cursor = None
        self._doubts = True
        self._poll_at = 0.0

    def _tell(self, what: str, now: float, job: Job, /, **payload: Any) -> None:
        position = None
        if self._place is not None:
            position = {"lat": self._place[0], "lon": self._place[1]}
        self._out.add(what, now, job.id, position=position, **payload)
        job.state = AFTER.get(what, job.state)

    def _choose(self, now: float) -> None:
        """Set out for the nearest stop of all that are in hand."""
        if now < self._free_from or not self._journey.on_shift:
            return
        job = nearest(self._jobs.values(), self._journey.at)
        if job is None or job.stop is None:
            self._journey.free()
            return
        if job.state == "picked_up":
            self._tell("order.depart", now, job)
        elif job.state == "failed":
            self._tell("order.return_begun", now, job)
        self._visit = Visit(job, job.stop)
        self._journey.send(job.goal)

    def _leave(self) -> None:
        """Be done with a stop; the driver stays there until they set out for the next."""
        self._visit = None

    def _stand(self, now: float, visit: Visit) -> None:
        rng, job = self._rng, visit.job
        if visit.arrived is None:
            visit.arrived = now
            visit.until = now + rng.uniform(40, 200 if visit.stop == "pickup" else 120)
            if visit.stop == "pickup":
                visit.by_code = job.otp_at_pickup
                if job.state == "accepted":
                    self._tell("order.reach_pickup", now, job)
            elif visit.stop == "drop":
                visit.fails = not job.waived and rng.random() < 0.07
                visit.by_code = job.otp_only or rng.random() < 0.72
                visit.by_code &= job.id not in self._pictured
                if job.state == "in_transit":
                    self._tell("order.arrive", now, job)
            return
        if now < visit.until:
            return
        match visit.stop:
            case "pickup":
                self._load(now, visit)
            case "drop":
                self._hand_over(now, visit)
            case _:
                self._tell("order.returned", now, job, received_by="the shop's desk")
                self._finish(now, job)

    def _load(self, now: float, visit: Visit) -> None:
        job = visit.job
        if visit.by_code and visit.code is None:
            if now - (visit.arrived or now) > 4 * _CODE_PATIENCE_S:
                self._tell("order.reject", now, job, reason="the sender had no code")
                self._lose(job.id)
            return
        self._tell("order.pick_up", now, job, barcodes=job.barcodes, otp=visit.code)
        self._free_from = now + self._rng.uniform(15, 70)
        self._leave()

    def _hand_over(self, now: float, visit: Visit) -> None:
        job, rng = visit.job, self._rng
        waited = now - (visit.arrived or now)
        if visit.fails:
            if waited < 150:
                return
            self._tell("order.fail", now, job, reason=rng.choice(_REASONS))
            self._free_from = now + rng.uniform(20, 60)
            self._leave()
            return
        offline = now - self._last_reachable > _OFFLINE_PATIENCE_S
        if visit.by_code and visit.code is None and not job.otp_only and not job.waived:
            if waited < _CODE_PATIENCE_S and not offline:
                return
            visit.by_code = False
        if job.otp_only and visit.code is None and not job.waived:
            if waited > 5 * _CODE_PATIENCE_S:
                visit.fails = True
            return
        if visit.code is None or rng.random() < 0.25:
            self._take_pictures(now, job)
        self._tell("order.deliver", now, job, otp=visit.code, collected=self._cash(job))
        self._finish(now, job)

    def _cash(self, job: Job) -> dict[str, Any] | None:
        """What was paid: what was due, but for somebody who had no change now and then."""
        if job.cash is None or self._rng.random() > 0.015:
            return job.cash
        return {**job.cash, "minor": job.cash["minor"] * 9 // 10}

    def _take_pictures(self, now: float, job: Job) -> None:
        for kind, take in (("photo", pictures.photo), ("signature", pictures.signature)):
            content = take(self._rng)
            name = hashlib.sha256(content).hexdigest()
            self.pictures.append(Picture(name, content))
            self._tell("evidence.added", now, job, sha256=name, kind=kind, step="drop")

    def _finish(self, now: float, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self._pictured.discard(job.id)
        self._free_from = now + self._rng.uniform(5, 40)
        self.done += 1
        self._leave()
