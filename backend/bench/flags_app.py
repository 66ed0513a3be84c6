"""The web process that `waypost bench flags` measures: OFREP, and the same by flagd's library."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from backend.api import create_api
from backend.flags.delivery import delivering
from backend.flags.ofrep import context_of, entered
from backend.platform.plain_route import PlainRoute
from backend.platform.resources import open_resources
from backend.platform.telemetry import configure
from backend.settings import get_settings

RIVAL = "/bench/flags"

router = APIRouter(route_class=PlainRoute)
_cores: dict[int, FlagdCore] = {}


@asynccontextmanager
async def _serving(_: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    configure("bench-flags", settings)
    async with open_resources(settings) as resources, delivering(resources):
        yield


def create() -> FastAPI:
    """The application for Granian's `--factory`."""
    app = create_api()
    app.router.lifespan_context = _serving
    app.router.routes.extend(router.routes)
    return app


@router.post(RIVAL)
async def rival(request: Request) -> Response:
    """All flags for the context in the body, each asked of flagd's library, then put together."""
    _, environment, _ = await entered(request)
    context = await context_of(request)
    core = _core(environment.snapshot.flags.document, environment.version)
    attributes = {name: value for name, value in context.items() if name != "targetingKey"}
    asked = EvaluationContext(context.get("targetingKey"), attributes)
    flags = []
    for key in environment.snapshot.flags:
        found = core.resolve_boolean_value(key, False, asked)
        flags.append(
            {
                "key": key,
                "value": found.value,
                "reason": found.reason,
                "variant": found.variant,
                "metadata": found.flag_metadata,
            }
        )
    body = orjson.dumps({"flags": flags})
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    return Response(body, 200, {"etag": etag}, media_type="application/json")


def _core(document: Mapping[str, Any], version: int) -> FlagdCore:
    if version not in _cores:
        # It takes the definitions apart, so it gets its own.
        _cores[version] = FlagdCore()
        _cores[version].set_flags(copy.deepcopy(dict(document)))
    return _cores[version]
