"""A server in memory that can be slow to have, forgetful or down."""

from __future__ import annotations

from typing import Any

import orjson

from backend.simulation.transport import Answer, Request, Unreachable
from tests.simulation.world import features


class PretendServer:
    """Knows drivers and their tokens, and keeps the times of the fixes it accepted."""

    def __init__(self) -> None:
        self.drivers: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.fixes: dict[str, list[str]] = {}
        self.shifts: dict[str, str] = {}
        self.requests: list[str] = []
        self.down = False
        self.lose_answers = False
        self.refuse_operator = False

    async def send(self, request: Request) -> Answer:
        """Answer as the API would."""
        if self.down:
            raise Unreachable("connection refused")
        path = request.target.partition("?")[0]
        self.requests.append(f"{request.method} {path}")
        answer = self._answer(request, path)
        if self.lose_answers:
            raise Unreachable("connection reset")
        return answer

    def _answer(self, request: Request, path: str) -> Answer:
        secret = request.headers.get("Authorization", "").partition(" ")[2]
        if path == "/api/v1/regions":
            return _json(200, {"features": features()})
        if path.startswith("/api/v1/drivers"):
            if self.refuse_operator:
                return _json(403, {"type": "urn:waypost:problem:forbidden", "detail": "No."})
            return self._roster(request, path)
        driver = self.tokens.get(secret)
        if driver is None:
            return _json(401, {"type": "urn:waypost:problem:unauthenticated"})
        if path == "/api/driver/v1/shift":
            self.shifts[driver] = orjson.loads(request.body or b"")["state"]
            return _json(200, {})
        results = []
        for fix in orjson.loads(request.body or b""):
            kept = self.fixes.setdefault(driver, [])
            again = fix["recorded_at"] in kept
            kept.append(fix["recorded_at"])
            results.append({"status": "duplicate" if again else "accepted"})
        return _json(202, {"results": results})

    def _roster(self, request: Request, path: str) -> Answer:
        if request.method == "GET":
            return _json(200, {"items": list(self.drivers.values())})
        if path.endswith("/device-token"):
            driver = path.split("/")[4]
            self.tokens = {k: v for k, v in self.tokens.items() if v != driver}
            secret = f"token-{len(self.requests)}"
            self.tokens[secret] = driver
            return _json(201, {"token": secret})
        wanted = orjson.loads(request.body or b"")
        if wanted["code"] in self.drivers:
            return _json(409, {"type": "urn:waypost:problem:conflict"})
        self.drivers[wanted["code"]] = {**wanted, "id": f"id-{wanted['code']}"}
        return _json(201, self.drivers[wanted["code"]])


def _json(status: int, content: Any) -> Answer:
    return Answer(status, orjson.dumps(content))
