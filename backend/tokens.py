"""Tokens minted on the machine itself, by whoever may read its settings."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from backend.tracking.service import issue_device_token


async def mint_role_token(resources: Resources, role: str, region: str, ttl: timedelta) -> str:
    """The secret of a new token that acts by `role` in `region` and below."""
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, f"command-line-{role}", role=role, regions=(region,), ttl=ttl
        )
    return issued.secret


async def mint_device_token(resources: Resources, driver: UUID) -> str:
    """The secret of a new token for the driver's phone; the newest three keep working."""
    async with resources.database.unit_of_work() as session:
        issued = await issue_device_token(session, SYSTEM, driver)
    return issued.token
