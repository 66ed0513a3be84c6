"""The `waypost` command: parse, call, print."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from redis.exceptions import RedisError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from backend import installation
from backend.platform.errors import DomainError, reason
from backend.platform.processes import StartError
from backend.platform.resources import Resources, open_resources
from backend.settings import Settings, SettingsError, adopt, get_settings

app = typer.Typer(
    name="waypost", help="Run and operate Waypost.", no_args_is_help=True,
    pretty_exceptions_enable=False, add_completion=False,
)  # fmt: skip
audit = typer.Typer(help="The audit trail.", no_args_is_help=True)
app.add_typer(audit, name="audit")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DataDir = Annotated[Path, typer.Option("--data", help="The folder of the running system.")]
Url = Annotated[str | None, typer.Option("--url", help="The system's address, instead of --data.")]
Token = Annotated[str | None, typer.Option("--token", help="An operator's token, with --url.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
T = TypeVar("T")

_DEFAULT_DATA = Path(".waypost")


class Doorway(StrEnum):
    """The formats in which a trace can be sent."""

    native = "native"
    osmand = "osmand"
    owntracks = "owntracks"


@contextmanager
def _plain_errors() -> Iterator[None]:
    """End with one sentence and code 1 where something is wrong that a person can mend."""
    try:
        yield
    except (SettingsError, StartError, DomainError) as error:
        err.print(f"[red]waypost:[/] {error}", soft_wrap=True)
        raise typer.Exit(1) from error


def _join(data_dir: Path) -> Settings:
    """Settings of the system to speak to: the environment's, or those of the folder's system."""
    settings = get_settings()
    if settings.database_url and settings.redis_url:
        return settings
    return adopt(installation.find(data_dir).environment())


def _with_resources(data_dir: Path, work: Callable[[Resources], Awaitable[T]]) -> T:
    """Run `work` on the stores of the system to speak to."""

    async def opened() -> T:
        async with open_resources(_join(data_dir)) as resources:
            return await work(resources)

    with _plain_errors():
        try:
            return asyncio.run(opened())
        except (SQLAlchemyError, RedisError, OSError) as error:
            raise StartError(f"a store does not answer: {reason(error)}") from error


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Sample data and people.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    data: DataDir = _DEFAULT_DATA,
    drivers: Annotated[int, typer.Option(min=0, help="Drivers of the demo fleet.")] = 400,
    orders_per_hour: Annotated[int, typer.Option(min=0, help="Orders of the demo.")] = 600,
    browser_build: Annotated[bool, typer.Option("--browser-build/--no-browser-build")] = True,
) -> None:
    """Start the whole system on this machine."""
    from backend.up import Options, run

    with _plain_errors():
        run(Options(demo, port, host, data, drivers, orders_per_hour, browser_build), out)


@app.command()
def web(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
) -> None:
    """Serve the console and the API against the configured services."""
    from backend.serve import command, environment
    from backend.up import PROJECT

    with _plain_errors():
        settings = get_settings()
        _refuse_missing_stores(settings)
        os.chdir(PROJECT)
        argv = command(settings, host, port)
        os.execve(argv[0], argv, environment())  # noqa: S606


@app.command()
def worker(
    roles: Annotated[list[str] | None, typer.Argument(help="All roles when none is named.")] = None,
) -> None:
    """Run background roles against the configured services."""
    import uvloop

    with _plain_errors():
        settings = get_settings()
        _refuse_missing_stores(settings)
        # What has been refused above needed none of it, and it takes seconds.
        from backend import worker as workers
        from backend.platform import telemetry

        unknown = [role for role in roles or [] if role not in workers.ROLES]
        if unknown:
            raise SettingsError(
                f"there is no role {', '.join(unknown)}; the roles are {', '.join(workers.ROLES)}"
            )
        telemetry.configure("worker", settings)
        uvloop.run(workers.run(settings, roles or []))


@app.command()
def migrate() -> None:
    """Bring the database's schema to the newest version."""
    from backend.migrations import schema

    with _plain_errors():
        settings = get_settings()
        if not settings.database_url:
            raise SettingsError("WAYPOST_DATABASE_URL is not set")
        try:
            schema.upgrade(settings.database_url)
        except (SQLAlchemyError, OSError) as error:
            raise SettingsError(f"WAYPOST_DATABASE_URL: {reason(error)}") from error
    out.print("the schema is at its newest version")


@app.command()
def check(data: DataDir = _DEFAULT_DATA) -> None:
    """Check every setting, service and version; exit non-zero where `web` could not run."""
    from backend.preflight import examine

    with _plain_errors():
        settings = get_settings()
        if not settings.database_url and (data / "running.json").exists():
            settings = _join(data)
        findings = asyncio.run(examine(settings))
    for finding in findings:
        mark = "[green]ok  [/]" if finding.ok else "[red]FAIL[/]"
        out.print(f"{mark} {finding.name:<14} {finding.detail}", soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def token(
    role: Annotated[str | None, typer.Option(help="Role of an operator or service.")] = None,
    region: Annotated[str, typer.Option(help="Region code; everywhere when absent.")] = "*",
    ttl: Annotated[str, typer.Option(help="How long it is valid: 30m, 8h, 7d.")] = "8h",
    driver: Annotated[UUID | None, typer.Option(help="Driver whose phone it is for.")] = None,
    data: DataDir = _DEFAULT_DATA,
) -> None:
    """Print an API token of a role, or a device token of a driver."""
    from backend.tokens import mint_device_token, mint_role_token

    with _plain_errors():
        if (role is None) == (driver is None):
            raise SettingsError("give either --role or --driver")
        life = duration(ttl)
    if driver is not None:
        device = driver
        print(_with_resources(data, lambda res: mint_device_token(res, device)))  # noqa: T201
    else:
        wanted = role or ""
        print(_with_resources(data, lambda res: mint_role_token(res, wanted, region, life)))  # noqa: T201


def duration(text: str) -> timedelta:
    """`30m`, `8h`, `7d` or `90s` as a time span; raises SettingsError otherwise."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units or int(number) == 0:
        raise SettingsError(f"--ttl: {text!r} is not a duration like 30m, 8h or 7d")
    return timedelta(**{units[unit]: int(number)})


def _doorstep(
    url: str | None, token_value: str | None, data: Path, role: str, life: timedelta
) -> tuple[str, str]:
    """Address and token of the system to send to; mints a token on a system of this machine."""
    from backend.tokens import mint_role_token

    if url is not None:
        if token_value is None:
            raise SettingsError("--url needs --token (see `waypost token`)")
        return url.rstrip("/"), token_value
    if token_value is None:
        token_value = _with_resources(data, lambda res: mint_role_token(res, role, "*", life))
    return _join(data).public_url, token_value


@app.command()
def replay(
    paths: Annotated[list[Path], typer.Argument(help="GPX, .plt or CSV files, or folders.")],
    url: Url = None,
    token_value: Token = None,
    doorway: Annotated[Doorway, typer.Option("--as", help="How phones speak.")] = Doorway.native,
    speed: Annotated[str, typer.Option(help="1x, 10x, ... or max.")] = "1x",
    driver: Annotated[str | None, typer.Option(help="Send as this driver (code or id).")] = None,
    data: DataDir = _DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Send recorded GPS traces through the public doorway, as phones would."""
    from backend.simulation.commands import replay_traces

    with _plain_errors():
        address, bearer = _doorstep(url, token_value, data, "fleet_manager", timedelta(days=2))
        report = replay_traces(paths, address, bearer, doorway.value, speed, driver, err)
    if as_json:
        print(json.dumps(report.as_dict()))  # noqa: T201
    else:
        out.print(report.in_words())
    if report.failed:
        raise typer.Exit(1)


@app.command()
def simulate(
    drivers: Annotated[int, typer.Option(min=0)] = 400,
    orders_per_hour: Annotated[int, typer.Option(min=0, help="None by default.")] = 0,
    url: Url = None,
    token_value: Token = None,
    data: DataDir = _DEFAULT_DATA,
) -> None:
    """Drive the demo fleet through the public doorways until stopped."""
    from backend.simulation.commands import simulate_fleet

    with _plain_errors():
        address, bearer = _doorstep(url, token_value, data, "admin", timedelta(days=30))
        simulate_fleet(address, bearer, drivers, orders_per_hour, data)


@app.command()
def drill(
    name: Annotated[str, typer.Argument(help="gateway, phones, valkey, log or web.")],
    region: Annotated[str, typer.Option(help="The city, where a drill is of one.")] = "IN-KA",
    data: DataDir = _DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Break something of a running demo on purpose, and time how it is found and mended."""
    from backend.simulation.drills import run_drill

    def say(words: str) -> None:
        (err if as_json else out).print(words, soft_wrap=True)

    times = _with_resources(data, lambda res: run_drill(res, data, name, region, say))
    if as_json:
        print(json.dumps(times.as_dict()))  # noqa: T201
    else:
        for moment, seconds in times.as_dict().items():
            words = f"{seconds:8.1f} s" if isinstance(seconds, float) else seconds
            out.print(f"{moment.removesuffix('_s'):<14} {words}", soft_wrap=True)


@audit.command()
def verify(data: DataDir = _DEFAULT_DATA) -> None:
    """Walk the audit chain and name the first broken row."""
    from backend.identity.service import verify_audit

    found = _with_resources(data, verify_audit)
    if found.broken_seq is not None:
        err.print(f"[red]broken:[/] {found.why}; the {found.checked} rows before it are whole")
        raise typer.Exit(1)
    out.print(f"whole: {found.checked} rows checked")


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="ingest, live, console, dispatch, ledger, flags, incidents or support."
        ),
    ],
    as_json: AsJson = False,
    seconds: Annotated[int, typer.Option(min=1, help="How long each part is measured.")] = 60,
    instances: Annotated[
        Path | None, typer.Option(help="For dispatch: a folder of public routing instances.")
    ] = None,
) -> None:
    """Measure, and print what was measured, what it was compared with, and the machine."""
    from backend.bench.report import measure

    with _plain_errors():
        report = measure(name, seconds, instances)
    print(json.dumps(report.as_dict())) if as_json else out.print(report.in_words())  # noqa: T201


def _refuse_missing_stores(settings: Settings) -> None:
    missing = [
        f"WAYPOST_{name}"
        for name, value in (
            ("DATABASE_URL", settings.database_url),
            ("REDIS_URL", settings.redis_url),
        )
        if not value
    ]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} not set; `waypost up` starts stores of its own"
        )


if __name__ == "__main__":
    sys.exit(app())
