"""What a measurement has of its own: stores, or a system with a web process and a worker."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.migrations import schema
from backend.platform import embedded
from backend.platform.processes import Child, Spec, answers
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
async def fresh_stores() -> AsyncIterator[tuple[Path, embedded.Stores]]:
    """An empty data folder and stores in it with the newest schema, gone afterwards."""
    with _open_folder() as folder, embedded.running_stores(folder) as stores:
        await asyncio.to_thread(schema.upgrade, stores.database_url)
        yield folder, stores


def settings_for(folder: Path, stores: embedded.Stores, **more: Any) -> Settings:
    """What a process that works with these stores is told, and `more`."""
    return Settings(
        env="development",
        data_dir=folder,
        database_url=stores.database_url,
        redis_url=stores.redis_url,
        **more,
    )


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder for the stores: PostgreSQL runs as another user where we are root."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def running_system(*roles: str) -> AsyncIterator[System]:
    """Stores, one web process and one worker with these roles, gone afterwards."""
    async with fresh_stores() as (folder, stores):
        values = {
            "WAYPOST_ENV": "development",
            "WAYPOST_DATABASE_URL": stores.database_url,
            "WAYPOST_REDIS_URL": stores.redis_url,
            "WAYPOST_DATA_DIR": str(folder),
            "WAYPOST_LOG_LEVEL": "warning",
        }
        settings = adopt(values)
        port = free_port()
        with ExitStack() as stack:
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
        Spec("web", web, lambda: answers(url), folder / "logs" / "web.log", environment),
    ]


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
