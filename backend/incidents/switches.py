"""How a feature flag is turned off from an incident, whoever keeps the flags."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.platform.errors import Unavailable


class FlagSwitch(Protocol):
    """Turns a flag off in an environment, in the caller's unit of work.

    Answers in words what is off now, such as `gateway-th v12 is off in production`. Raises
    NotFound for an unknown flag, Denied for who may not.
    """

    async def __call__(
        self, session: AsyncSession, principal: Principal, flag: str, environment: str, reason: str
    ) -> str: ...


_registered: list[FlagSwitch] = []


def register_switch(switch: FlagSwitch) -> None:
    """Have flags turned off through this from now on; called once at a process's start."""
    _registered[:] = [switch]


def known() -> bool:
    """Whether flags can be turned off from here."""
    return bool(_registered)


async def turn_off(
    session: AsyncSession, principal: Principal, flag: str, environment: str, reason: str
) -> str:
    """Turn a flag off; raises Unavailable where nobody keeps flags."""
    if not _registered:
        raise Unavailable("Nothing here turns flags off.")
    return await _registered[0](session, principal, flag, environment, reason)
