"""A phone's tracking app: makes fixes on a rhythm, keeps what it could not send, sends in order."""

from __future__ import annotations

from collections import deque
from itertools import islice
from random import Random

from backend.simulation.doorways import Doorway, batch_size
from backend.simulation.fixes import Fix
from backend.simulation.motion import Journey

# With this much unsent the app saves its battery and storage by making fixes less often.
_SPARING_FROM = 300
_SPARING_FACTOR = 4
_LONGEST_PAUSE_S = 30.0


class Phone:
    """One driver's phone. Times are seconds since 1970 and are given, never read."""

    def __init__(self, journey: Journey, doorway: Doorway, seed: str) -> None:
        self._journey = journey
        self._rng = Random(seed)
        self._interval = self._rng.uniform(3.2, 4.8)
        self._next = journey.now + self._rng.uniform(0, self._interval)
        self._unsent: deque[Fix] = deque()
        self._failures = 0
        self._not_before = 0.0
        self.doorway: Doorway = doorway
        self.reachable = True
        self.on_shift = journey.on_shift
        self.told_shift: bool | None = None
        self.place: tuple[float, float] | None = None

    @property
    def unsent(self) -> int:
        """How many fixes wait on the phone."""
        return len(self._unsent)

    def live(self, now: float) -> None:
        """Make every fix that is due by `now`."""
        while self._next <= now:
            sample = self._journey.advance(self._next)
            self.reachable, self.on_shift = sample.reachable, sample.on_shift
            if sample.fix is not None:
                if self.doorway == "owntracks":
                    # Its format knows whole seconds only.
                    sample.fix.at = float(int(sample.fix.at))
                self._unsent.append(sample.fix)
                self.place = (sample.fix.lat, sample.fix.lon)
            pace = self._interval * self._rng.uniform(0.9, 1.1)
            if len(self._unsent) > _SPARING_FROM:
                pace *= _SPARING_FACTOR
            self._next = max(self._next, now - 48 * 3600) + pace

    def due(self) -> float:
        """When there is something to do next."""
        if self._failures:
            return max(self._next, self._not_before)
        return self._next

    def wants_to_tell_shift(self) -> bool:
        """Whether the server does not know yet that the driver began or ended a shift."""
        return self.told_shift != self.on_shift

    def batch(self) -> list[Fix]:
        """The oldest unsent fixes, as many as one request carries; none without network."""
        if not self.reachable:
            return []
        return list(islice(self._unsent, batch_size(self.doorway)))

    def sent(self, count: int) -> None:
        """Forget the oldest `count` fixes: the server has answered for them."""
        for _ in range(count):
            self._unsent.popleft()
        self._failures = 0

    def failed(self, now: float, wait_s: float | None = None) -> None:
        """Keep everything and come back later: after what the server asked, or longer each time."""
        self._failures += 1
        pause = min(_LONGEST_PAUSE_S, 2.0 ** min(self._failures, 6))
        pause *= self._rng.uniform(0.5, 1.0)
        self._not_before = now + max(pause, wait_s or 0.0)
