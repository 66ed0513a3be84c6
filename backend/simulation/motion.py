"""How a driver's day moves: shifts, legs along streets, stops, breaks, and the phone's troubles.

Pure: time is an argument and chance comes from a seed, so that a day can be lived again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import exp, hypot, inf, sqrt
from random import Random

from backend.simulation.fixes import Fix
from backend.simulation.places import City, Hub
from backend.simulation.streets import Node, Point

MAX_SPEED = 22.0
"""No vehicle's true speed on the ground is above this, in m/s."""

_STEP_S = 1.0
# After a longer silence (the machine slept) the time between is not lived.
_LONGEST_GAP_S = 900.0
_NOISE_MEMORY_S = 40.0

# Traffic by local hour: the share of free speed that is left.
_TRAFFIC = (
    (1.15,) * 6
    + (1.0, 0.85, 0.65, 0.65, 0.8, 0.85, 0.8, 0.85, 0.85, 0.8, 0.75, 0.6, 0.55, 0.65)
    + (0.8, 0.9, 1.0, 1.1)
)


class Activity(Enum):
    """What a driver is doing."""

    OFF = "off"
    LOADING = "loading"
    DRIVING = "driving"
    DROPPING = "dropping"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What a vehicle can do, in metres and seconds, and how far from its hub it works."""

    cruise: float
    accelerate: float
    brake: float
    corner: float
    reach_m: float


VEHICLES = {
    "bike": Vehicle(cruise=11.5, accelerate=2.0, brake=2.4, corner=4.5, reach_m=5500),
    "van": Vehicle(cruise=10.5, accelerate=1.5, brake=2.0, corner=3.8, reach_m=8500),
    "truck": Vehicle(cruise=8.5, accelerate=0.9, brake=1.6, corner=3.0, reach_m=11_000),
}


@dataclass(slots=True)
class Sample:
    """A moment of the phone: its fix, or none while it is off, and whether it reaches us."""

    fix: Fix | None
    reachable: bool
    on_shift: bool


class Journey:
    """One driver's endless sequence of shifts, from `start` on and from the place given, if any."""

    def __init__(
        self,
        city: City,
        hub: Hub,
        vehicle: str,
        seed: str,
        start: float,
        place: Point | None = None,
    ) -> None:
        self._city = city
        self._hub = hub
        self._vehicle = VEHICLES[vehicle]
        self._rng = rng = Random(seed)
        self.now = start
        self._at: Point = place or hub.at
        self._way: list[Node] = []
        self._left = 0.0
        self._speed = 0.0
        self._cruise = 0.0
        self._heading = rng.uniform(0, 360)
        self._activity = Activity.LOADING
        self._until = start
        self._drops_left = 0
        self._homeward = False
        self._errand: Point | None = None
        self._shift_ends = start + rng.uniform(0.2, 8.5) * 3600
        self._break_due = start + rng.uniform(0.3, 4) * 3600
        self._battery = min(1.0, max(0.06, rng.gauss(0.68, 0.24)))
        self._drain = rng.uniform(0.06, 0.18)
        self._usual_accuracy = rng.uniform(3.5, 9)
        self._accuracy = self._usual_accuracy
        self._blurred_until = start
        self._noise = (0.0, 0.0)
        self._noised_at = start
        self._mute_until = start
        self._dark_until = start
        self._seq = int(start)
        self._begin(found=place is not None)

    def _begin(self, *, found: bool) -> None:
        """Open the day in the middle of it: most are under way, a few off shift or in trouble."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.08:
            self._activity = Activity.OFF
            self._until = self.now + rng.uniform(60, 2400)
            return
        self._start_round()
        if not found:
            self._at = self._drop_point(anywhere=True)
        if chance < 0.11:
            self._dark_until = self.now + rng.uniform(30, 500)
        self._set_out()

    @property
    def activity(self) -> Activity:
        """What the driver is doing now."""
        return self._activity

    @property
    def on_shift(self) -> bool:
        """Whether the driver works now."""
        return self._activity is not Activity.OFF

    @property
    def at(self) -> Point:
        """Where the driver is on the grid."""
        return self._at

    @property
    def there(self) -> bool:
        """Whether the driver waits where they were sent."""
        return self._errand is not None and self._activity is Activity.DROPPING

    @property
    def closing(self) -> bool:
        """Whether the shift is over but for what is still in hand."""
        return self.now > self._shift_ends

    def send(self, goal: Point) -> None:
        """Have the driver go to a point and wait there; one who is off shift stays at home."""
        if self._activity is Activity.OFF:
            return
        self._errand = goal
        self._speed = min(self._speed, self._vehicle.corner)
        self._set_out()

    def free(self) -> None:
        """Let the driver go on by themselves."""
        if self._errand is None:
            return
        self._errand = None
        if self._activity is Activity.DROPPING:
            self._until = self.now + self._rng.uniform(5, 60)

    def advance(self, to: float) -> Sample:
        """Live until `to` and tell what the phone has then."""
        if to - self.now > _LONGEST_GAP_S:
            skipped = to - self.now - 60
            self.now += skipped
            self._until += skipped
        while self.now < to:
            if self._activity is Activity.DRIVING and self._until <= self.now:
                step = min(_STEP_S, to - self.now)
                self.now += step
                self._drive(step)
            elif self._until > to:
                self.now = to
            elif self._activity is Activity.DRIVING:
                self.now = max(self.now, self._until)
            else:
                self.now = max(self.now, self._until)
                self._next()
        return self._sample()

    def _next(self) -> None:
        """Decide what follows the activity that has just ended."""
        rng = self._rng
        match self._activity:
            case Activity.OFF:
                self._shift_ends = self.now + rng.uniform(6, 9) * 3600
                self._break_due = self.now + rng.uniform(2, 4) * 3600
                self._battery = rng.uniform(0.85, 1.0)
                self._load()
            case Activity.LOADING:
                self._start_round()
                self._set_out()
            case Activity.DROPPING | Activity.RESTING:
                if self.now > self._break_due and self._activity is Activity.DROPPING:
                    self._activity = Activity.RESTING
                    self._until = self.now + rng.uniform(12, 28) * 60
                    self._break_due = self.now + rng.uniform(3, 4.5) * 3600
                    return
                self._set_out()
            case Activity.DRIVING:
                self._arrive()

    def _load(self) -> None:
        self._activity = Activity.LOADING
        self._until = self.now + self._rng.uniform(120, 540)

    def _start_round(self) -> None:
        self._drops_left = self._rng.randint(3, 9)
        self._homeward = False

    def _set_out(self) -> None:
        rng = self._rng
        self._homeward = self._errand is None and (
            self._drops_left == 0 or self.now > self._shift_ends
        )
        if self._errand is not None:
            goal = self._errand
        elif self._homeward:
            goal = (self._hub.at[0] + rng.gauss(0, 15), self._hub.at[1] + rng.gauss(0, 15))
        else:
            goal = self._drop_point()
            self._drops_left -= 1
        self._way = self._city.streets.route(self._at, goal, rng, self._city.inside)
        self._way.reverse()
        self._activity = Activity.DRIVING
        self._until = self.now
        hour = datetime.fromtimestamp(self.now, self._city.zone).hour
        self._pace = _TRAFFIC[hour] * rng.uniform(0.85, 1.15)
        self._enter_stretch()
        if rng.random() < 0.05:
            self._mute_until = self.now + rng.uniform(40, 240)
        if rng.random() < 0.025:
            self._dark_until = self.now + rng.uniform(4, 12) * 60
        if rng.random() < 0.12:
            self._blurred_until = self.now + rng.uniform(30, 150)

    def _drop_point(self, *, anywhere: bool = False) -> Point:
        """A point near the last one and within reach of the hub, on the city's land."""
        rng, reach = self._rng, self._vehicle.reach_m
        point = self._hub.at
        for _ in range(8):
            wide = anywhere or rng.random() < 0.3
            around, spread = (self._hub.at, reach / 2) if wide else (self._at, reach / 5)
            point = (around[0] + rng.gauss(0, spread), around[1] + rng.gauss(0, spread))
            far = hypot(point[0] - self._hub.at[0], point[1] - self._hub.at[1]) > reach
            if not far and self._city.inside(point):
                break
        else:
            point = (self._hub.at[0] + rng.gauss(0, 60), self._hub.at[1] + rng.gauss(0, 60))
        return point

    def _enter_stretch(self) -> None:
        node = self._way[-1]
        self._left = hypot(node.along - self._at[0], node.across - self._at[1])
        self._cruise = self._vehicle.cruise * self._pace * (1.0 if node.main else 0.72)
        if self._left > 0.5:
            self._heading = self._city.streets.heading_deg(self._at, (node.along, node.across))

    def _drive(self, step: float) -> None:
        """Move for up to a second: speed up to the stretch's pace, slow down for its end."""
        vehicle, node = self._vehicle, self._way[-1]
        stops = node.wait_s > 0 or len(self._way) == 1
        at_node = 0.0 if stops else vehicle.corner if node.turn else self._cruise
        # The speed from which, after this step, braking still ends at the node's speed.
        slack = vehicle.brake * step
        safe = sqrt(slack * slack + at_node * at_node + 2 * vehicle.brake * self._left) - slack
        want = min(self._cruise, safe)
        if want > self._speed:
            self._speed = min(want, self._speed + vehicle.accelerate * step)
        else:
            # A turn that follows closely on another is caught by braking harder.
            self._speed = max(want, self._speed - 1.5 * vehicle.brake * step)
        travelled = max(self._speed, 0.3) * step
        if travelled < self._left:
            share = travelled / self._left
            self._at = (
                self._at[0] + (node.along - self._at[0]) * share,
                self._at[1] + (node.across - self._at[1]) * share,
            )
            self._left -= travelled
            return
        self._at = (node.along, node.across)
        self._way.pop()
        if stops:
            self._speed = 0.0
        if not self._way:
            self._arrive()
            return
        self._until = self.now + node.wait_s
        self._enter_stretch()

    def _arrive(self) -> None:
        rng = self._rng
        self._speed = 0.0
        if not self._homeward:
            self._activity = Activity.DROPPING
            stay = rng.uniform(45, 200)
            self._until = self.now + stay if self._errand is None else inf
            if rng.random() < 0.12:
                # Lifts, basements, stairwells.
                self._mute_until = self.now + stay
        elif self.now > self._shift_ends:
            self._activity = Activity.OFF
            self._until = self.now + rng.uniform(25, 50) * 60
        else:
            self._load()

    def _sample(self) -> Sample:
        on_shift = self.on_shift
        elapsed = self.now - self._noised_at
        self._age_battery(elapsed)
        if not on_shift or self.now < self._dark_until:
            self._noised_at = self.now
            return Sample(None, self.now >= self._dark_until, on_shift)
        shadowed = self.now < self._mute_until or self._city.shadowed(*self._at)
        self._blur(elapsed)
        self._seq += 1
        return Sample(self._fix(), not shadowed, on_shift)

    def _age_battery(self, elapsed: float) -> None:
        resting = self._activity in (Activity.LOADING, Activity.RESTING)
        per_hour = 0.3 if resting else -self._drain
        self._battery = min(1.0, self._battery + per_hour * elapsed / 3600)
        if self._battery < 0.02:
            # The phone dies and comes back on a power bank.
            self._dark_until = max(self._dark_until, self.now + self._rng.uniform(8, 20) * 60)
            self._battery = self._rng.uniform(0.18, 0.4)

    def _blur(self, elapsed: float) -> None:
        """Let the receiver's error drift: correlated in time, wider between high buildings."""
        rng = self._rng
        self._noised_at = self.now
        goal = self._usual_accuracy * (4.0 if self.now < self._blurred_until else 1.0)
        step = 0.8 * elapsed
        self._accuracy += max(-step, min(step, goal - self._accuracy))
        keep = exp(-elapsed / _NOISE_MEMORY_S)
        kick = self._accuracy * 0.45 * sqrt(1 - keep * keep)
        self._noise = (
            self._noise[0] * keep + kick * max(-2.0, min(2.0, rng.gauss(0, 1))),
            self._noise[1] * keep + kick * max(-2.0, min(2.0, rng.gauss(0, 1))),
        )

    def _fix(self) -> Fix:
        rng = self._rng
        moving = self._speed > 0.5
        lat, lon = self._city.streets.to_ground(
            self._at[0] + self._noise[0], self._at[1] + self._noise[1]
        )
        node = self._way[-1] if self._way else None
        if moving and node is not None and self._left > 2:
            self._heading = self._city.streets.heading_deg(self._at, (node.along, node.across))
        return Fix(
            at=round(self.now, 3),
            lat=round(lat, 6),
            lon=round(lon, 6),
            speed=round(max(0.0, self._speed + rng.gauss(0, 0.25)), 2) if moving else 0.0,
            bearing=round(self._heading + rng.gauss(0, 3), 1) % 360 if moving else None,
            altitude=round(self._city.altitude_m + rng.gauss(0, 2), 1),
            accuracy=round(self._accuracy, 1),
            battery=round(self._battery, 2),
            seq=self._seq,
        )
