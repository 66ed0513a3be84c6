"""The event streams that tell clients of a publish, and the tickets that open one."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from time import time
from typing import Any

import orjson
from opentelemetry.metrics import CallbackOptions, Observation
from starlette.types import Receive, Scope, Send

from backend.flags.schemas import Environment
from backend.flags.served import ServedEnvironment, Snapshot
from backend.platform.errors import RateLimited
from backend.platform.resources import Resources
from backend.platform.telemetry import meter

PATH = "/ofrep/v1/events"
INACTIVE_AFTER_S = 120
MOST_STREAMS = 5_000
"""In one process."""

_BEAT_EVERY_S = 15.0
_RECONNECT_AFTER_MS = 500
# A ticket holds for the day it is given out and the one after.
_TICKET_DAYS = 2
_DAY_S = 86_400

_open: set[EventStream] = set()


def _count(_: CallbackOptions) -> list[Observation]:
    return [Observation(len(_open))]


meter.create_observable_gauge(
    "waypost.flags.streams", [_count], "1", "Event streams open to clients of flags"
)


def ticket_of(resources: Resources, environment: str, holder: str) -> str:
    """What opens a stream of the environment without a header, which browsers cannot send there.

    It tells of changes and gives no value away; the same for a key all day, so that an answer
    which holds it can be compared with the one before.
    """
    day = int(time()) // _DAY_S
    body = f"{environment}.{day}.{sha256(holder.encode()).hexdigest()[:16]}"
    return f"{body}.{_signature(resources, body)}"


def environment_of_ticket(resources: Resources, ticket: str) -> Environment | None:
    """The environment that a ticket opens, None for one that is forged or too old."""
    body, _, signature = ticket.rpartition(".")
    environment, _, rest = body.partition(".")
    day = rest.partition(".")[0]
    if not hmac.compare_digest(signature.encode(), _signature(resources, body).encode()):
        return None
    if not day.isdecimal() or int(time()) // _DAY_S - int(day) >= _TICKET_DAYS:
        return None
    return "staging" if environment == "staging" else "production"


def _signature(resources: Resources, body: str) -> str:
    key = resources.settings.secret_key.get_secret_value()
    return hmac.new(key.encode(), f"flags stream {body}".encode(), sha256).hexdigest()[:32]


def etag_of(snapshot: Snapshot) -> str:
    """What stands for a version of the definitions, whoever asks."""
    return f'"v{snapshot.version}"'


class EventStream:
    """One client that listens for publishes, as a response.

    The first thing sent is the version at hand. A client that comes back with the last version it
    heard of is told at once where it has missed something.
    """

    def __init__(
        self, environment: ServedEnvironment, last_seen: str | None, headers: dict[str, str]
    ) -> None:
        if len(_open) >= MOST_STREAMS:
            raise RateLimited("There are too many streams open.", retry_after_s=5)
        self._environment = environment
        self._last_seen = last_seen
        self._headers = headers

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes away or the process ends."""
        headers = {
            "content-type": "text/event-stream",
            "cache-control": "no-store",
            "x-accel-buffering": "no",
            **self._headers,
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        sender = asyncio.create_task(self._tell(send), name="flags event stream")
        _open.add(self)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            _open.discard(self)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        async def put(data: str) -> None:
            await send({"type": "http.response.body", "body": data.encode(), "more_body": True})

        snapshot = self._environment.snapshot
        start = f"retry: {_RECONNECT_AFTER_MS}\nid: {snapshot.version}\n\n"
        missed = self._last_seen is not None and self._last_seen != str(snapshot.version)
        await put(start + (_event(snapshot) if missed else ""))
        while True:
            if await self._environment.newer_than(snapshot.version, within_s=_BEAT_EVERY_S):
                snapshot = self._environment.snapshot
                await put(_event(snapshot))
            else:
                await put(": still here\n\n")


def _event(snapshot: Snapshot) -> str:
    told: dict[str, Any] = {"type": "refetchEvaluation", "etag": etag_of(snapshot)}
    if snapshot.published_at is not None:
        told["lastModified"] = int(snapshot.published_at.timestamp())
    return f"id: {snapshot.version}\nevent: message\ndata: {orjson.dumps(told).decode()}\n\n"


def streams_open() -> int:
    """How many clients listen to this process."""
    return len(_open)
