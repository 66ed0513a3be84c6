"""A system of its own for a measurement: stores, one web process, one worker."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.migrations import schema
from backend.platform import embedded
from backend.platform.processes import Child, Spec
from backend.settings import Settings, adopt, child_environment


@dataclass(frozen=True, slots=True)
class System:
    """A running system's settings, and the port of its web process."""

    settings: Settings
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def running_system(*roles: str) -> AsyncIterator[System]:
    """Stores, one web process and one worker with these roles, gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waypost-bench-")))
        # PostgreSQL runs as another user where we are root.
        os.chmod(folder, 0o755)  # noqa: PTH101, S103
        stores = stack.enter_context(embedded.running_stores(folder))
        await asyncio.to_thread(schema.upgrade, stores.database_url)
        values = {
            "WAYPOST_ENV": "development",
            "WAYPOST_DATABASE_URL": stores.database_url,
            "WAYPOST_REDIS_URL": stores.redis_url,
            "WAYPOST_DATA_DIR": str(folder),
            "WAYPOST_LOG_LEVEL": "warning",
        }
        settings = adopt(values)
        port = _free_port()
        for spec in _specs(folder, child_environment(**values), port, roles):
            child = Child(spec)
            stack.callback(child.stop)
            child.wait_ready()
        yield System(settings, port)


def _specs(
    folder: Path, environment: dict[str, str], port: int, roles: Sequence[str]
) -> list[Spec]:
    web = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--loop", "uvloop",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--http", "1",
        "--log-level", "warning", "backend.bench.ingest:application",
    ]  # fmt: skip
    worker = [sys.executable, "-m", "backend.cli", "worker", *roles]
    url = f"http://127.0.0.1:{port}/api/health/ready"
    return [
        Spec("worker", worker, lambda: True, folder / "logs" / "worker.log", environment),
        Spec("web", web, lambda: _answers(url), folder / "logs" / "web.log", environment),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
