"""What load balancers and Prometheus ask: is this process alive, ready, and how does it fare."""

from __future__ import annotations

import asyncio
import hmac
from time import perf_counter
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.platform import metrics_board
from backend.platform.errors import NotFound, Unauthenticated
from backend.platform.http import Res
from backend.platform.outbox import TOPIC

router = APIRouter()

_ANSWER_WITHIN_S = 2.0


class Part(BaseModel):
    """One part of the system as this process sees it."""

    name: str
    ready: bool
    took_ms: float
    detail: str = ""


class Health(BaseModel):
    """The answer to a readiness question."""

    status: Literal["ready", "degraded"]
    parts: list[Part]


@router.get("/api/health/live")
async def live() -> dict[str, str]:
    """Answer as long as the process turns."""
    return {"status": "live"}


@router.get("/api/health/ready", response_model=Health)
async def ready(resources: Res, response: Response) -> Health:
    """Ask every store; 503 where one does not answer, so that no traffic is sent here."""
    parts = await asyncio.gather(
        _ask("postgresql", resources.database.ping()),
        _ask("valkey", resources.redis.ping()),
        _ask("event_log", resources.events.length(TOPIC)),
    )
    if not all(part.ready for part in parts):
        response.status_code = 503
        return Health(status="degraded", parts=list(parts))
    return Health(status="ready", parts=list(parts))


async def _ask(name: str, question: object) -> Part:
    started = perf_counter()
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            await question  # type: ignore[misc]
    except (SQLAlchemyError, RedisError, OSError, TimeoutError) as error:
        took = (perf_counter() - started) * 1000
        return Part(name=name, ready=False, took_ms=round(took, 1), detail=type(error).__name__)
    return Part(name=name, ready=True, took_ms=round((perf_counter() - started) * 1000, 1))


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, resources: Res) -> Response:
    """Prometheus text of every process; with `WAYPOST_METRICS_TOKEN` set, only for its bearer."""
    expected = resources.settings.metrics_token
    if expected is None and resources.settings.production:
        raise NotFound
    if expected is not None:
        given = request.headers.get("authorization", "")
        wanted = f"Bearer {expected.get_secret_value()}"
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Unauthenticated
    name = metrics_board.process_name("web")
    told = await metrics_board.everybodys(resources.redis, name)
    return Response(told, media_type=CONTENT_TYPE_LATEST)
