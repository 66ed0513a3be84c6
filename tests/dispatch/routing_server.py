"""A small OSRM-shaped server: what it answers is up to the test, what it was asked is kept."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SPEED_M_S = 5.0


@dataclass
class RoutingServer:
    """Answers tables at five metres a second over a metric of its own, and ways with a bend."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    nulls: bool = False


@contextmanager
def routing_server() -> Iterator[RoutingServer]:
    """The server while it runs."""
    told = RoutingServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            body = told.body if told.body is not None else json.dumps(_answer(self.path, told))
            content = body if isinstance(body, bytes) else body.encode()
            self.send_response(told.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """How far it is on this server's roads: round blocks, 100 km to a degree."""
    return (abs(a[0] - b[0]) + abs(a[1] - b[1])) * 100_000


def _answer(path: str, told: RoutingServer) -> dict[str, Any]:
    split = urlsplit(path)
    service, _, _, spelled = split.path.strip("/").split("/")
    query = parse_qs(split.query)
    points = [tuple(map(float, pair.split(","))) for pair in spelled.split(";")]
    if service == "table":
        sources = [points[int(n)] for n in query["sources"][0].split(";")]
        targets = [points[int(n)] for n in query["destinations"][0].split(";")]
        distances = [[metres(a, b) for b in targets] for a in sources]
        durations: list[list[float | None]] = [[d / SPEED_M_S for d in row] for row in distances]
        if told.nulls:
            durations[0][0] = None
        return {"code": "Ok", "durations": durations, "distances": distances}
    legs = [
        {
            "duration": metres(a, b) / SPEED_M_S,
            "distance": metres(a, b),
            "steps": [
                {"geometry": {"coordinates": [list(a), [b[0], a[1]]]}},
                {"geometry": {"coordinates": [[b[0], a[1]], list(b)]}},
            ],
        }
        for a, b in itertools.pairwise(points)
    ]
    return {"code": "Ok", "routes": [{"legs": legs}]}
