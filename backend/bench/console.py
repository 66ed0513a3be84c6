"""`waypost bench console`: two hundred open consoles, an event a second each, checks on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backend import serve
from backend.bench.report import Figure
from backend.bench.running import free_port, fresh_stores, settings_for
from backend.identity.access import DirectoryPerson, enrol
from backend.identity.schemas import GrantScope
from backend.identity.service import Visitor, begin_session
from backend.platform.processes import Child, Spec, answers
from backend.platform.resources import Resources, open_resources
from backend.settings import Settings

CONSOLES = 200
WORKERS = 2
_WARM_UP_S = 5.0
_SECRET = "only for the length of one measurement"  # noqa: S105


async def bench_console(seconds: int = 30) -> list[Figure]:
    """Measure events at the socket, against a bare echo over the same sockets."""
    async with fresh_stores() as (data_dir, stores):
        port = free_port()
        settings = settings_for(
            data_dir,
            stores,
            public_url=f"http://localhost:{port}",
            web_workers=WORKERS,
            secret_key=_SECRET,
        )
        async with open_resources(settings) as resources:
            cookies = [await _signed_in(resources, number) for number in range(CONSOLES)]
            async with _served(settings, port):
                seen = await _measured(settings, port, cookies, seconds)
    return _figures(seen)


async def _signed_in(resources: Resources, number: int) -> str:
    name = f"Viewer {number}"
    person = DirectoryPerson("bench", name, name, None, (GrantScope("viewer", "TH"),))
    async with resources.database.unit_of_work() as session:
        person_id, _ = await enrol(session, person)
    return await begin_session(resources, Visitor(person_id, name, None, "127.0.0.1", "bench"))


@asynccontextmanager
async def _served(settings: Settings, port: int) -> AsyncIterator[None]:
    environment = {
        **serve.environment(),
        # No page is asked for, so none need be built.
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "false",
        "WAYPOST_ENV": settings.env,
        "WAYPOST_DATA_DIR": str(settings.data_dir),
        "WAYPOST_DATABASE_URL": settings.database_url,
        "WAYPOST_REDIS_URL": settings.redis_url,
        "WAYPOST_PUBLIC_URL": settings.public_url,
        "WAYPOST_SECRET_KEY": _SECRET,
    }
    argv = serve.command(settings, "127.0.0.1", port)
    log = settings.data_dir / "web.log"
    url = f"http://127.0.0.1:{port}/ping"
    spec = Spec("web", argv, lambda: answers(url), log, environment=environment)
    child = Child(spec)
    try:
        await asyncio.to_thread(child.wait_ready)
        yield
    finally:
        await asyncio.to_thread(child.stop)


async def _measured(
    settings: Settings, port: int, cookies: list[str], seconds: int
) -> dict[str, Any]:
    clients = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.bench.console_clients",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    asked = {
        "address": f"127.0.0.1:{port}",
        "origin": settings.public_url,
        "cookies": cookies,
        "warm_up_s": _WARM_UP_S,
        "seconds": seconds,
    }
    answer, _ = await clients.communicate(json.dumps(asked).encode())
    if clients.returncode != 0:
        raise RuntimeError("the consoles failed; see above")
    found: dict[str, Any] = json.loads(answer)
    return found


def _figures(seen: dict[str, Any]) -> list[Figure]:
    events, echoes = sorted(seen["events"]), sorted(seen["echoes"])

    def at(values: list[float], share: float) -> float:
        return 1000 * values[min(len(values) - 1, int(share * len(values)))]

    return [
        Figure("consoles open", CONSOLES, "", "", f"{WORKERS} web processes, 1 event/s each"),
        Figure("event, p50", at(events, 0.50), "ms", "", f"bare echo {at(echoes, 0.50):.1f}"),
        Figure("event, p95", at(events, 0.95), "ms", "< 100", f"bare echo {at(echoes, 0.95):.1f}"),
        Figure("event, p99", at(events, 0.99), "ms", "", f"bare echo {at(echoes, 0.99):.1f}"),
        Figure("events answered", len(events), "", "", f"echoes {len(echoes)}"),
        Figure("events not answered", seen["lost"], "", "0"),
        Figure("all consoles open after", seen["open_s"], "s"),
    ]
