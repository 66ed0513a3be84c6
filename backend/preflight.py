"""`waypost check`: is everything here that the web process needs."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from importlib.metadata import version

import httpx
from alembic.script import ScriptDirectory
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.migrations import schema
from backend.platform.db import Database
from backend.platform.errors import reason
from backend.platform.redis import connect
from backend.settings import DEVELOPMENT_SECRET, Settings, SettingsError

_LEAST_POSTGRES = 150000
_LEAST_REDIS = 7
_PACKAGES = ("reflex", "sqlmodel", "authlib", "pycasbin", "fastapi", "redis", "granian")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    name: str
    ok: bool
    detail: str


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which they are worth mending."""
    stores = await asyncio.gather(
        _database(settings), _schema(settings), _redis(settings), _provider(settings)
    )
    return [_python(), _packages(), _secret(settings), *stores]


async def refuse_unusable_stores(settings: Settings) -> None:
    """Raise SettingsError where a store that is named does not answer or is too old."""
    found = [await _database(settings)] if settings.database_url else []
    found += [await _redis(settings)] if settings.redis_url else []
    for finding in found:
        if not finding.ok:
            raise SettingsError(f"{finding.name}: {finding.detail}")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), found)


def _packages() -> Finding:
    return Finding("packages", True, ", ".join(f"{name} {version(name)}" for name in _PACKAGES))


def _secret(settings: Settings) -> Finding:
    if settings.secret_key.get_secret_value() == DEVELOPMENT_SECRET:
        return Finding("secret", True, "WAYPOST_SECRET_KEY is not set: good for development only")
    return Finding("secret", True, "WAYPOST_SECRET_KEY is set")


async def _database(settings: Settings) -> Finding:
    if not settings.database_url:
        return Finding("postgresql", False, "WAYPOST_DATABASE_URL is not set")
    try:
        database = Database(settings.database_url)
    except SettingsError as error:
        return Finding("postgresql", False, str(error))
    try:
        async with database.engine.connect() as connection:
            found = await connection.scalar(text("SHOW server_version_num"))
        return Finding(
            "postgresql", int(found) >= _LEAST_POSTGRES, f"version {int(found) // 10000}"
        )
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return Finding("postgresql", False, f"WAYPOST_DATABASE_URL: {reason(error)}")
    finally:
        await database.dispose()


async def _schema(settings: Settings) -> Finding:
    if not settings.database_url:
        return Finding("schema", False, "no database to look at")
    head = ScriptDirectory.from_config(
        schema.configuration(settings.database_url)
    ).get_current_head()
    try:
        database = Database(settings.database_url)
        async with database.engine.connect() as connection:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        await database.dispose()
    except (SQLAlchemyError, OSError, TimeoutError, SettingsError) as error:
        return Finding("schema", False, f"run `waypost migrate` ({reason(error)})")
    if found != head:
        return Finding("schema", False, f"at {found}, newest is {head}: run `waypost migrate`")
    return Finding("schema", True, f"at {found}, the newest")


async def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("valkey", False, "WAYPOST_REDIS_URL is not set")
    try:
        redis = connect(settings.redis_url)
    except ValueError as error:
        return Finding("valkey", False, f"WAYPOST_REDIS_URL: {error}")
    try:
        info = await redis.info("server")
        found = str(info.get("valkey_version") or info["redis_version"])
        return Finding("valkey", int(found.partition(".")[0]) >= _LEAST_REDIS, f"version {found}")
    except (RedisError, OSError) as error:
        return Finding("valkey", False, f"WAYPOST_REDIS_URL: {reason(error)}")
    finally:
        await redis.aclose()


async def _provider(settings: Settings) -> Finding:
    if settings.demo:
        return Finding("sign-in", True, "demo identity provider")
    if not settings.oidc_tenant_id:
        return Finding("sign-in", False, "WAYPOST_OIDC_TENANT_ID is not set")
    url = (
        f"{settings.oidc_authority}/{settings.oidc_tenant_id}/v2.0/.well-known/openid-configuration"
    )
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            (await client.get(url)).raise_for_status()
    except httpx.HTTPError as error:
        return Finding("sign-in", False, f"{url} does not answer: {reason(error)}")
    return Finding("sign-in", True, f"tenant {settings.oidc_tenant_id}")
