"""Keeps one sender from taking a process for itself: a token bucket for each, in memory.

The bound is each process's own, so a sender gets it once per process; that is exact enough to keep
a loop gone wrong away from everybody else, and costs no round trip.
"""

from __future__ import annotations

from time import monotonic

from backend.platform.errors import RateLimited

# A phone sends a fix every few seconds; after a day without network, some ten thousand at once.
FIXES_PER_S = 500.0
BURST = 25_000.0
# What a request costs beside its fixes.
REQUEST_COST = 3.0
_MOST_SENDERS = 100_000


class TooFast(RateLimited):
    """One sender's fixes come faster than any phone makes them."""

    code = "too_fast"
    title = "These positions come too fast"


class Floodgate:
    """How much each sender has left."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def pass_through(self, sender: str, fixes: int, *, share: float = 1.0) -> None:
        """Take a request's cost; raises TooFast. `share` multiplies what the sender may do."""
        now = monotonic()
        rate, burst = FIXES_PER_S * share, BURST * share
        level, at = self._levels.get(sender, (burst, now))
        level = min(burst, level + (now - at) * rate)
        cost = fixes + REQUEST_COST
        if level < cost:
            self._levels[sender] = (level, now)
            raise TooFast(retry_after_s=(cost - level) / rate)
        if len(self._levels) >= _MOST_SENDERS:
            self._levels.clear()
        self._levels[sender] = (level - cost, now)
