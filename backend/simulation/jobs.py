"""Orders in a driver's hands as the driver's app knows them, and where each leads next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import Any

from backend.simulation.streets import Point, Streets

# What the app shows as the state after its own event, before the server has answered.
AFTER = {
    "order.accept": "accepted",
    "order.reach_pickup": "at_pickup",
    "order.pick_up": "picked_up",
    "order.depart": "in_transit",
    "order.arrive": "arrived",
    "order.deliver": "delivered",
    "order.fail": "failed",
    "order.return_begun": "returning",
    "order.returned": "returned",
}
_STOP = {
    "accepted": "pickup",
    "at_pickup": "pickup",
    "picked_up": "drop",
    "in_transit": "drop",
    "arrived": "drop",
    "failed": "return",
    "returning": "return",
}


@dataclass(slots=True)
class Job:
    """One order in hand; `state` runs ahead of the server's by what was not answered yet."""

    id: str
    number: str
    state: str
    pickup: Point
    drop: Point
    barcodes: list[str]
    cash: dict[str, Any] | None
    otp_at_pickup: bool
    otp_only: bool
    waived: bool
    codes: frozenset[str]

    @property
    def stop(self) -> str | None:
        """Where the driver has to go with it: pickup, drop, return; None where to nowhere."""
        return _STOP.get(self.state)

    @property
    def goal(self) -> Point:
        """The point of that stop."""
        return self.drop if self.stop == "drop" else self.pickup


def job_of(task: dict[str, Any], streets: Streets) -> Job:
    """A task of the server as a job."""
    payment = task["payment"]
    return Job(
        id=task["order_id"],
        number=task["number"],
        state=task["state"],
        pickup=streets.to_grid(task["pickup"]["lat"], task["pickup"]["lon"]),
        drop=streets.to_grid(task["drop"]["lat"], task["drop"]["lon"]),
        barcodes=[parcel["barcode"] for parcel in task["parcels"]],
        cash=payment["amount"] if payment["terms"] == "cod" else None,
        otp_at_pickup=task["otp_at_pickup"],
        otp_only=task["otp_only"],
        waived=task["overridden"],
        codes=frozenset(code["step"] for code in task["codes"] if not code["verified"]),
    )


def nearest(jobs: Iterable[Job], at: Point) -> Job | None:
    """The job whose next stop is closest; what is at its door already comes before all."""
    waiting = [job for job in jobs if job.stop is not None]
    return min(
        waiting,
        key=lambda job: (
            job.state not in ("arrived", "at_pickup"),
            hypot(job.goal[0] - at[0], job.goal[1] - at[1]),
        ),
        default=None,
    )
