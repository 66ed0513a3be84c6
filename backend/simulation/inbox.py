"""The messages on a driver's phone: where pushes go, what has come, what the server knows of it."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

_LOOK_EVERY_S = (40.0, 70.0)
_MOST_TOLD = 100


class Inbox:
    """One phone's pushes. Times are seconds since 1970 and are given, never read."""

    def __init__(self, seed: str) -> None:
        self._rng = Random(f"{seed}:inbox")
        self._look_at: float | None = None
        self._untold: dict[str, float] = {}
        self.known_by: str | None = None
        """The token of the phone whose pushes the server knows the way of."""

    def wants_to_look(self, now: float) -> bool:
        """Whether the app asks what was pushed: in the demo nobody else brings it."""
        if self._look_at is None:
            self._look_at = now + self._rng.uniform(0, _LOOK_EVERY_S[1])
        return now >= self._look_at

    def looked(self, now: float, pushes: list[dict[str, Any]]) -> None:
        """Take in what was pushed."""
        self._look_at = now + self._rng.uniform(*_LOOK_EVERY_S)
        # What the server still tells of has not heard that it came.
        for push in pushes:
            self._untold.setdefault(push["id"], now)

    def receipts(self) -> list[dict[str, str]]:
        """What has come and the server does not know, oldest first."""
        told = list(self._untold.items())[:_MOST_TOLD]
        return [{"id": id_, "at": datetime.fromtimestamp(at, UTC).isoformat()} for id_, at in told]

    def acknowledged(self, receipts: list[dict[str, str]]) -> None:
        """Forget what the server has answered for."""
        for each in receipts:
            self._untold.pop(each["id"], None)
