"""Flags put into an environment as a publish leaves them, for tests of what is delivered."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import text

from backend.flags.schemas import PUBLISHED_CHANNEL
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform import clock
from backend.platform.resources import Resources

ON_OFF = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def on_in(country: str) -> dict[str, Any]:
    """A flag that is on in a country."""
    return {**ON_OFF, "targeting": {"if": [{"==": [{"var": "country"}, country]}, "on"]}}


def shared(percent: int) -> dict[str, Any]:
    """A flag that is on for a share of users."""
    return {**ON_OFF, "targeting": {"fractional": [["on", percent], ["off", 100 - percent]]}}


async def publish(
    resources: Resources,
    flags: dict[str, dict[str, Any] | None],
    environment: str = "production",
    *,
    tell: bool = True,
) -> int:
    """Publish definitions, gone where None; answers the environment's new version."""
    now = clock.now()
    async with resources.database.unit_of_work() as session:
        version = await session.scalar(
            text(
                "INSERT INTO flags_environment (name, version, evaluators, published_at)"
                " VALUES (:name, 1, '{}', :now) ON CONFLICT (name) DO UPDATE"
                " SET version = flags_environment.version + 1, published_at = :now"
                " RETURNING version"
            ),
            {"name": environment, "now": now},
        )
        for key, definition in flags.items():
            await session.execute(
                text(
                    "INSERT INTO flags_flag (environment, key, version, spec, definition,"
                    " published, published_version, bucketing, archived, created_at, updated_at,"
                    " changed_by, changed_by_name)"
                    " VALUES (:environment, :key, 1, '{}', '{}', CAST(:published AS jsonb),"
                    " :version, 3, false, :now, :now, 'test', 'test')"
                    " ON CONFLICT (environment, key) DO UPDATE SET"
                    " published = excluded.published,"
                    " published_version = excluded.published_version"
                ),
                {
                    "environment": environment,
                    "key": key,
                    "published": None if definition is None else orjson.dumps(definition).decode(),
                    "version": version,
                    "now": now,
                },
            )
    if tell:
        await resources.redis.publish(PUBLISHED_CHANNEL, f"{environment} {version}")
    assert isinstance(version, int)
    return version


async def key_for(resources: Resources, permission: str = "flags:evaluate") -> str:
    """A token that may read flags."""
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "phones", permissions=frozenset({permission})
        )
    return issued.secret
