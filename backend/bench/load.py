"""A cheap HTTP/1.1 load generator: it shares its two cores with everything that it measures."""

from __future__ import annotations

import selectors
import socket
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

_READ_BYTES = 1 << 16
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What a run of requests found."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    refusal: bytes = b""

    @property
    def answered(self) -> int:
        """How many requests were answered, however."""
        return self.statuses.total()

    def per_second(self, status: int) -> float:
        """Answers of this status a second."""
        return self.statuses[status] / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """The time within which this share of the requests was answered."""
        ordered = sorted(self.took_s)
        return ordered[int(share * (len(ordered) - 1))] * 1000 if ordered else 0.0


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    asked_at: float = 0.0
    head: bytes = b""
    status: int = 0
    missing: int = -1


def send_for(
    port: int,
    next_request: Callable[[], bytes],
    *,
    seconds: float,
    connections: int,
    per_second: float | None = None,
    requests: int | None = None,
    wanted_status: int = 202,
) -> Load:
    """Send requests one after another on each connection for a while, at most `per_second`.

    Ends early after so many `requests`.

    Blocks: give it a thread. Responses need a Content-Length, as every answer of the API has.
    """
    selector = selectors.DefaultSelector()
    # In turn: the server closes a connection that rests for half a minute.
    idle: deque[_Connection] = deque()
    for _ in range(connections):
        opened = socket.create_connection(("127.0.0.1", port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(opened)
        selector.register(opened, selectors.EVENT_READ, connection)
        idle.append(connection)
    load = Load()
    began = perf_counter()
    now, sent, busy = began, 0, 0
    while busy or (now < began + seconds and sent != requests):
        if now < began + seconds:
            due = len(idle) if per_second is None else int((now - began) * per_second) - sent
            due = due if requests is None else min(due, requests - sent)
            for connection in [idle.popleft() for _ in range(max(0, min(len(idle), due)))]:
                connection.asked_at, connection.missing, connection.head = now, -1, b""
                connection.socket.sendall(next_request())
                sent, busy = sent + 1, busy + 1
        for key, _ in selector.select(0.001 if per_second or not busy else 1.0):
            connection = key.data
            if _complete(connection, load, wanted_status):
                load.statuses[connection.status] += 1
                load.took_s.append(perf_counter() - connection.asked_at)
                idle.append(connection)
                busy -= 1
        now = perf_counter()
    load.seconds = now - began
    for connection in idle:
        connection.socket.close()
    selector.close()
    return load


def _complete(connection: _Connection, load: Load, wanted_status: int) -> bool:
    """Read what has come; whether the answer is whole."""
    read = connection.socket.recv(_READ_BYTES)
    if not read:
        raise ConnectionResetError("the server closed a connection that was in use")
    if connection.missing < 0:
        connection.head += read
        end = connection.head.find(_END_OF_HEAD)
        if end < 0:
            return False
        connection.status = int(connection.head[9:12])
        lowered = connection.head[:end].lower()
        at = lowered.index(_LENGTH) + len(_LENGTH)
        length = int(lowered[at:].split(b"\r\n", 1)[0])
        connection.missing = length - (len(connection.head) - end - len(_END_OF_HEAD))
        if connection.status != wanted_status:
            load.refusal = connection.head[end + len(_END_OF_HEAD) :][:500]
    else:
        connection.missing -= len(read)
    return connection.missing <= 0
