"""The driver app's queue of events: numbered, kept until answered for, sent as lines allow."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from backend.platform.ids import uuid7

_AT_ONCE = 60
_FINAL = frozenset({"accepted", "rejected", "conflict"})


class Outgoing:
    """Events in the order in which they happened. Times are seconds since 1970 and are given."""

    def __init__(self, seed: str, started: float) -> None:
        rng = Random(f"{seed}:app")
        self.boot_id = f"{rng.getrandbits(48):012x}"
        self._started = started
        # Most phones keep the network's time; some were set by hand.
        self._clock_error_s = rng.gauss(0, 0.8) if rng.random() < 0.93 else rng.gauss(0, 240)
        self._platform = rng.choice(("android", "android", "android", "ios"))
        self._events: list[dict[str, Any]] = []
        self._next_seq: int | None = None

    @property
    def numbered(self) -> bool:
        """Whether the server has told where to go on counting."""
        return self._next_seq is not None

    def __len__(self) -> int:
        return len(self._events)

    def about(self, order_id: str) -> bool:
        """Whether something of this order is not answered for yet."""
        return any(event.get("order_id") == order_id for event in self._events)

    def add(self, what: str, now: float, order_id: str | None = None, /, **payload: Any) -> None:
        """Note that something happened."""
        event = {
            "event_id": str(uuid7()),
            "captured_at": self.clock(now),
            "monotonic_ms": self._ticks(now),
            "boot_id": self.boot_id,
            "type": what,
            "payload": {name: value for name, value in payload.items() if value is not None},
        }
        self._events.append(event if order_id is None else {**event, "order_id": order_id})

    def go_on(self, next_seq: int, missing: list[int], now: float) -> None:
        """Count from where the server is; what an app before this one lost is given up by notes."""
        if self._next_seq is not None:
            return
        self._next_seq = next_seq
        for number in missing:
            self.add("note", now, text="This event was lost with the app's storage.")
            self._events[-1]["device_seq"] = number

    def batch(self) -> list[dict[str, Any]]:
        """The oldest events, numbered once and for all; none before the server told the count."""
        if self._next_seq is None:
            return []
        for event in self._events:
            if "device_seq" not in event:
                event["device_seq"] = self._next_seq
                self._next_seq += 1
        return self._events[:_AT_ONCE]

    def body(self, now: float, events: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
        """A sync as the app sends it."""
        device = {
            "boot_id": self.boot_id,
            "app_version": "4.2.0",
            "platform": self._platform,
            "sent_at": self.clock(now),
            "monotonic_ms": self._ticks(now),
        }
        return {"device": device, "cursor": cursor, "events": events}

    def settle(self, results: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The events that these results are final for, each with its result; they are done with."""
        final = {}
        for result in results:
            outcome = result.get("first") or result["status"]
            if outcome in _FINAL:
                final[result["event_id"]] = {**result, "outcome": outcome}
        done = [(e, final[e["event_id"]]) for e in self._events if e["event_id"] in final]
        self._events = [event for event in self._events if event["event_id"] not in final]
        return done

    def clock(self, now: float) -> str:
        """What the phone's own clock shows."""
        return datetime.fromtimestamp(now + self._clock_error_s, UTC).isoformat()

    def _ticks(self, now: float) -> int:
        return round((now - self._started) * 1000)
