"""The only doorway from the console's states to backend services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from reflex.state import BaseState
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import DomainError, Unauthenticated
from backend.platform.resources import Resources, current
from backend.regions import service as regions
from dashboard.cookies import session_cookie_of

__all__ = [
    "DomainError",
    "Requirement",
    "Session",
    "Unauthenticated",
    "in_words",
    "open",
    "principal_of",
    "requirement_of",
    "requires",
    "resources",
]

Session = AsyncSession
"""A unit of work, for the signatures of states, which know no database."""
_MARK = "__waypost_requirement__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a handler asks of its caller, and whether calling it counts as activity."""

    permission: str
    activity: bool


def requires(permission: str, *, activity: bool = True) -> Callable[[F], F]:
    """Declare the permission an event handler needs; a handler without one is refused.

    `activity=False` is for timers: an unattended console does not keep its session alive.
    """

    def declare(handler: F) -> F:
        setattr(handler, _MARK, Requirement(permission, activity))
        return handler

    return declare


def requirement_of(handler: Callable[..., Any]) -> Requirement | None:
    """What `requires` declared on a handler."""
    return getattr(handler, _MARK, None)


def resources() -> Resources:
    """The open connections, for services that read hot state without a unit of work."""
    return current()


async def principal_of(state: BaseState, *, touch: bool = False) -> Principal:
    """Who is behind this console, verified now; raises Unauthenticated when the session is over."""
    cookie = session_cookie_of(state.router.headers.raw_headers.get("cookie", ""))
    found = await identity.principal_of_session(current(), cookie, touch=touch) if cookie else None
    if found is None:
        raise Unauthenticated("Your session is over; sign in again.")
    return found


@asynccontextmanager
async def open(  # noqa: A001 - read as gateway.open
    state: BaseState,
) -> AsyncIterator[tuple[AsyncSession, Principal]]:
    """A unit of work and the verified caller; commits once at the end or rolls back whole."""
    principal = await principal_of(state)
    async with in_words(), current().database.unit_of_work() as session:
        yield session, principal


@asynccontextmanager
async def in_words() -> AsyncIterator[None]:
    """Let what is refused within call its region by the name that people know it by."""
    try:
        yield
    except (identity.AlreadyHeld, identity.Denied) as refusal:
        async with current().database.unit_of_work() as session:
            names = await regions.region_names(session)
        raise refusal.told(names) from refusal
