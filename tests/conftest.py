"""Real stores for the tests: one PostgreSQL a run with a database, and a Valkey, per worker."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import fasteners
import httpx
import hypothesis
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from xdist.scheduler import LoadFileScheduling

from backend.migrations import schema
from backend.platform import embedded, ratelimit
from backend.platform.db import Database
from backend.platform.embedded import Stores
from backend.platform.processes import Child, Spec
from backend.platform.resources import Resources, open_resources
from backend.settings import Settings, get_settings
from tests.support.in_process import shared_api

_TEMPLATE = "waypost_template"

# No test here cuts the power, so no server need wait for the disk. Those that kill servers start a
# system of their own, with the settings that it ships with.
_POSTGRES_UNSYNCED = [*("-c", "fsync=off"), *("-c", "full_page_writes=off"),
                      *("-c", "synchronous_commit=off")]  # fmt: skip
_VALKEY_UNSYNCED = ["--appendfsync", "no"]

# How busy the machine is says nothing of an example.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

_TEST_SECRET = "a secret that only the tests use, long enough"


_CHILDREN = pytest.StashKey[list[Child]]()
_TOGETHER = ("tests/browser", "tests/faults")


class FolderScheduling(LoadFileScheduling):
    """A file's tests run on one worker, and so do those of a folder that shares one system."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((folder for folder in _TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FolderScheduling:
    """How tests are dealt to workers; pytest 9 and xdist's own groups do not go together."""
    return FolderScheduling(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start PostgreSQL once, in the controlling process, before any worker asks for it."""
    if hasattr(session.config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="waypost-tests-"))
    os.environ["WAYPOST_TEST_STORES"] = str(folder)
    child = Child(_hurried(embedded.postgres(folder), _POSTGRES_UNSYNCED))
    child.wait_ready()
    sockets = embedded.socket_folder(folder)
    embedded.create_database(sockets, _TEMPLATE)
    schema.upgrade(embedded.database_url(sockets, _TEMPLATE))
    session.config.stash[_CHILDREN] = [child]


def _hurried(server: Spec, settings: list[str]) -> Spec:
    """The same server with these settings behind its own."""
    return replace(server, argv=[*server.argv, *settings])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop PostgreSQL after the last worker."""
    for child in reversed(session.config.stash.get(_CHILDREN, [])):
        child.stop()


def pytest_collection_finish() -> None:
    """Leave what the modules hold out of garbage collections: going over it took a second each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0, 1, ... by xdist worker; 0 without xdist."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def stores(worker_number: int) -> Iterator[Stores]:
    """This worker's own database, copied from the migrated template, and its own Valkey.

    One Valkey for all would not do: its channels are not parted by database.
    """
    folder = Path(os.environ["WAYPOST_TEST_STORES"])
    sockets = embedded.socket_folder(folder)
    name = f"waypost_{worker_number}"
    with fasteners.InterProcessLock(folder / "template.lock"):
        asyncio.run(_copy_template(embedded.database_url(sockets, "postgres"), name))
    own = folder / name
    valkey = Child(_hurried(embedded.valkey(own), _VALKEY_UNSYNCED))
    try:
        valkey.wait_ready()
        redis_url = embedded.redis_url(embedded.socket_folder(own))
        yield Stores(embedded.database_url(sockets, name), redis_url)
    finally:
        valkey.stop()


async def _copy_template(url: str, name: str) -> None:
    database = Database(url)
    async with database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}'))
    await database.dispose()


@pytest.fixture(scope="session")
def settings(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Demo settings on this worker's stores, also what `get_settings` answers."""
    values = {
        "WAYPOST_ENV": "demo",
        "WAYPOST_DATABASE_URL": stores.database_url,
        "WAYPOST_REDIS_URL": stores.redis_url,
        "WAYPOST_SECRET_KEY": _TEST_SECRET,
        "WAYPOST_DATA_DIR": str(tmp_path_factory.mktemp("waypost")),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open stores with nothing in them."""
    async with open_resources(settings) as opened:
        await opened.redis.flushdb()
        await _empty(opened.database)
        yield opened


async def _empty(database: Database) -> None:
    """Empty every table; who still reads for the test before may stand in the way for a moment."""
    for _ in range(2):
        with suppress(DBAPIError):
            await _truncate(database)
            return
    await _truncate(database)


async def _truncate(database: Database) -> None:
    """Empty every table that was written to, whatever triggers protect it.

    A table that nothing was written to since it was last emptied has no bytes; emptying it again
    would cost as much as one that is full, and there are some hundred.
    """
    async with database.unit_of_work() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        tables = await session.scalars(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0"
                " AND c.relname <> 'alembic_version'"
            )
        )
        if names := ", ".join(f'"{name}"' for name in tables):
            await session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
async def uow(resources: Resources) -> AsyncIterator[AsyncSession]:
    """A unit of work that is committed when the test ends."""
    async with resources.database.unit_of_work() as session:
        yield session


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client on the API, in this process."""
    transport = httpx.ASGITransport(shared_api(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as opened:
        yield opened


@pytest.fixture
def problem_of() -> object:
    """A function that answers the problem details of a response, checking their media type."""

    def read(response: httpx.Response) -> dict[str, object]:
        assert response.headers["content-type"] == "application/problem+json"
        return json.loads(response.content)

    return read


@pytest.fixture
def no_refill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing flows into any bucket of requests, however long those of the test take."""
    still = ratelimit._TAKE.replace("(t - at) * rate", "0")
    assert still != ratelimit._TAKE
    monkeypatch.setattr(ratelimit, "_TAKE", still)
