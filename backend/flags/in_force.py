"""What every flag comes to for one context as it is published now, and what changed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import repository
from backend.flags.delivery_facts import published
from backend.flags.evaluation import FlagSet
from backend.flags.rules import complete
from backend.flags.schemas import Environment
from backend.identity import service as identity
from backend.identity.schemas import Principal

_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class FlagInForce:
    """A flag, what is served of it, and OpenFeature's reason; no variant is the program's own."""

    key: str
    variant: str | None
    reason: str
    value: Any


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A version that a flag got: what became different, in sentences, by whom and why."""

    key: str
    version: int
    cause: str
    words: list[str]
    reason: str
    by_name: str
    at: datetime


async def flags_in_force(
    session: AsyncSession,
    principal: Principal,
    context: Mapping[str, Any],
    environment: Environment = "production",
) -> list[FlagInForce]:
    """Every flag for the context, by key; nothing of it is counted. Needs `flags:read`.

    One that cannot be told, such as a share of people where the context names nobody, comes with
    the error's code for its reason.
    """
    identity.authorize(principal, "flags:read")
    news = await published(session, environment)
    flags = FlagSet({"flags": {}}).with_changes(news.flags, news.evaluators)
    return [
        FlagInForce(key, found.variant, found.error_code or found.reason, found.value)
        for key, found in flags.evaluate_all(complete(context), strict=True)
    ]


async def flags_changed(
    session: AsyncSession,
    principal: Principal,
    since: datetime,
    until: datetime,
    environment: Environment = "production",
) -> list[FlagChange]:
    """What changed of flags from `since` to `until`, oldest first, the last hundred at most."""
    identity.authorize(principal, "flags:read")
    rows = await repository.versions_between(session, environment, since, until, _MOST_CHANGES)
    return [
        FlagChange(row.key, row.version, row.cause, row.diff, row.reason, row.by_name, row.at)
        for row in rows
    ]
