"""`waypost up`: every part of the system on one machine, under one supervisor."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backend import installation
from backend.identity.schemas import SYSTEM
from backend.incidents import demo as demo_on_call
from backend.insights import demo as demo_costs
from backend.installation import Running
from backend.migrations import schema
from backend.platform import embedded
from backend.platform.processes import Spec, StartError, answers
from backend.platform.resources import open_resources
from backend.platform.supervisor import Stopping, Supervisor
from backend.preflight import refuse_unusable_stores
from backend.settings import Settings, SettingsError, adopt, child_environment, load_settings
from backend.support import demo as demo_support

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    demo: bool
    port: int
    host: str
    data_dir: Path
    drivers: int
    orders_per_hour: int
    browser_build: bool


def run(options: Options, console: Console) -> None:
    """Bring everything up, keep it up, take it down; raises SettingsError or StartError."""
    installation.prepare(options.data_dir)
    refuse_taken_port(options.host, options.port)
    with installation.locked(options.data_dir):
        supervisor = Supervisor(lambda name, what: console.print(f"  [yellow]{name}[/] {what}"))
        supervisor.listen_for_stop()
        try:
            _bring_up(options, supervisor, console)
            supervisor.keep()
        except Stopping:
            console.print("stopping")
        finally:
            supervisor.stop()
            installation.withdraw(options.data_dir)


def refuse_taken_port(host: str, port: int) -> None:
    """Raise SettingsError where nobody could listen on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                why = "is in use"
            else:
                why = f"cannot be used ({error.strerror})"
            raise SettingsError(
                f"port {port} on {host} {why}; choose another with --port"
            ) from error


def _bring_up(options: Options, supervisor: Supervisor, console: Console) -> None:
    started = time.monotonic()
    settings = _settings(options)
    asyncio.run(refuse_unusable_stores(settings))
    stores = _start_stores(options, settings, supervisor, console)
    running = Running(
        env=settings.env,
        public_url=settings.public_url,
        database_url=stores.database_url,
        redis_url=stores.redis_url,
        secret_key=settings.secret_key.get_secret_value(),
    )
    environment = child_environment(**running.environment())
    adopt(running.environment())
    with _part(console, "schema"):
        schema.upgrade(stores.database_url)
    if options.demo:
        with _part(console, "regions"):
            asyncio.run(_seed_regions(load_settings()))
        with _part(console, "flags"):
            asyncio.run(_seed_flags(load_settings()))
        with _part(console, "on call"):
            asyncio.run(_seed_on_call(load_settings()))
        with _part(console, "support"):
            asyncio.run(_seed_support(load_settings()))
    if options.browser_build:
        _build_console(options, environment, console)
    installation.announce(options.data_dir, running)
    _forget_beats(stores.redis_url)
    for name, took_s in supervisor.start_together(
        _processes(options, environment, stores.redis_url)
    ):
        _ready(console, name, took_s)
    if options.demo:
        _ready(console, "fleet", supervisor.start(_fleet(options, environment)))
    took = time.monotonic() - started
    console.print(f"\n[bold]Waypost is up[/] after {took:.1f} s: [bold]{settings.public_url}[/]")
    console.print(f"logs in {options.data_dir / 'logs'}, Ctrl-C stops everything\n")


def _settings(options: Options) -> Settings:
    """The settings of this machine's system: what is set, and the folder's own for the rest."""
    own = {
        "WAYPOST_PUBLIC_URL": f"http://localhost:{options.port}",
        "WAYPOST_SECRET_KEY": installation.secret_key(options.data_dir),
        "WAYPOST_DATA_DIR": str(options.data_dir.resolve()),
    }
    if options.demo:
        own["WAYPOST_ENV"] = "demo"
    adopt(own)
    settings = load_settings()
    if options.demo and not settings.demo:
        raise SettingsError(f"--demo cannot be used where WAYPOST_ENV is {settings.env}")
    if not settings.demo and not (settings.oidc_tenant_id and settings.oidc_client_id):
        raise SettingsError(
            "nobody could sign in: set WAYPOST_OIDC_TENANT_ID and WAYPOST_OIDC_CLIENT_ID, "
            "or start with --demo"
        )
    return settings


# What only a start that succeeds needs is imported where it does; all of it takes some seconds,
# and who named a taken port is told at once.


async def _seed_regions(settings: Settings) -> None:
    from backend.regions.service import seed

    async with open_resources(settings) as resources, resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)


async def _seed_flags(settings: Settings) -> None:
    from backend.flags import demo as demo_flags

    async with open_resources(settings) as resources, resources.database.unit_of_work() as session:
        await demo_flags.seed(session, SYSTEM)


async def _seed_on_call(settings: Settings) -> None:
    async with open_resources(settings) as resources, resources.database.unit_of_work() as session:
        await demo_on_call.seed(session, SYSTEM)
        await demo_costs.seed(session, SYSTEM)


async def _seed_support(settings: Settings) -> None:
    async with open_resources(settings) as resources, resources.database.unit_of_work() as session:
        await demo_support.seed(session, SYSTEM)


def _start_stores(
    options: Options, settings: Settings, supervisor: Supervisor, console: Console
) -> embedded.Stores:
    sockets = embedded.socket_folder(options.data_dir)
    database_url, redis_url = settings.database_url, settings.redis_url
    if not database_url:
        _ready(console, "PostgreSQL", supervisor.start(embedded.postgres(options.data_dir)))
        embedded.create_database(sockets)
        database_url = embedded.database_url(sockets)
    if not redis_url:
        _ready(console, "Valkey", supervisor.start(embedded.valkey(options.data_dir)))
        redis_url = embedded.redis_url(sockets)
    return embedded.Stores(database_url, redis_url)


def _build_console(options: Options, environment: Mapping[str, str], console: Console) -> None:
    """Build the front end where it is not built yet, showing how far it is."""
    columns = (TextColumn("  {task.description:<14}"), BarColumn(30), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("console", total=1.0)
        build = subprocess.Popen(
            [sys.executable, "-m", "dashboard.build", "--port", str(options.port)],
            cwd=PROJECT, env=dict(environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert build.stdout is not None
        assert build.stderr is not None
        started = time.monotonic()
        try:
            for line in build.stdout:
                with suppress(ValueError):
                    progress.update(bar, completed=json.loads(line)["done"])
            words = build.stderr.read().strip()
            code = build.wait()
        except Stopping:
            build.terminate()
            build.wait()
            raise
    if code != 0:
        raise StartError(f"the console could not be built: {words.splitlines()[-1:] or code}")
    _ready(console, "console", time.monotonic() - started)


def _processes(options: Options, environment: Mapping[str, str], redis_url: str) -> list[Spec]:
    """The worker and the web process."""
    address = f"http://{_loopback(options.host)}:{options.port}"
    web = ("web", "--host", options.host, "--port", str(options.port))
    return [
        _own(options, environment, "worker", "worker", ready=lambda: _worker_beats(redis_url)),
        _own(
            options, environment, *("web", *web),
            ready=lambda: answers(f"{address}/api/health/ready"),
        ),
    ]  # fmt: skip


def _fleet(options: Options, environment: Mapping[str, str]) -> Spec:
    """The demo's fleet, which speaks to the running system."""
    fleet = (
        "--data", str(options.data_dir), "--drivers", str(options.drivers),
        "--orders-per-hour", str(options.orders_per_hour),
    )  # fmt: skip
    return _own(options, environment, "fleet", "simulate", *fleet, ready=lambda: True)


def _own(
    options: Options,
    environment: Mapping[str, str],
    name: str,
    *arguments: str,
    ready: Callable[[], bool],
) -> Spec:
    return Spec(
        name=name,
        argv=[sys.executable, "-m", "backend.cli", *arguments],
        ready=ready,
        log=options.data_dir / "logs" / f"{name}.log",
        environment=environment,
        start_within_s=90,
    )


def _loopback(host: str) -> str:
    """An address at which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _worker_beats(redis_url: str) -> bool:
    from backend import worker

    try:
        with redis.Redis.from_url(redis_url) as connection:
            return bool(connection.exists(worker.beat_key("relay")))
    except RedisError:
        return False


def _forget_beats(redis_url: str) -> None:
    """A beat that an earlier worker left behind says nothing of the one that starts now."""
    from backend import worker

    with suppress(RedisError), redis.Redis.from_url(redis_url) as connection:
        connection.delete(worker.beat_key("relay"))


class _part:  # noqa: N801
    """Reports a step of the start once it is done."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            _ready(self._console, self._name, time.monotonic() - self._started)


def _ready(console: Console, name: str, took_s: float) -> None:
    console.print(f"  [green]ready[/] {name:<14} {took_s:5.1f} s")
