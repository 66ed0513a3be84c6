"""Acting on many things in one request, each carried out or refused by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.audit import record_denied
from backend.identity.policy import Denied
from backend.platform.errors import DomainError
from backend.platform.resources import current

Outcome = TypeVar("Outcome")


async def one_by_one(
    session: AsyncSession,
    ids: Sequence[UUID],
    act: Callable[[int], Awaitable[Outcome]],
    target: str,
) -> list[Outcome | DomainError]:
    """What `act` answers for each place in `ids`, or why it was refused; in the order sent.

    A refusal leaves the others done. That the caller lacks a right is recorded once, as `target`.
    """
    outcomes: dict[int, Outcome | DomainError] = {}
    denied: Denied | None = None
    # By id, so that two who lock the same rows never wait for each other in a circle.
    for index, _ in sorted(enumerate(ids), key=lambda pair: pair[1]):
        try:
            async with session.begin_nested():
                outcomes[index] = await act(index)
        except DomainError as error:
            outcomes[index] = error
            if isinstance(error, Denied):
                denied = error
    if denied is not None:
        await record_denied(current(), denied, target)
    return [outcomes[index] for index in range(len(ids))]
