"""Each tab's state under its lock, which nobody keeps who was cancelled while taking it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from reflex.istate.manager import StateModificationContext
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import TOKEN_TYPE, StateToken
from typing_extensions import Unpack


class TabStates(StateManagerRedis):
    """Reflex's states in Valkey, where a cancelled event gives back what it was about to take.

    Going on to the next page cancels what loads the one before. Where that was just asking for the
    tab's lock, the store granted it to nobody, and the tab stood still until the lock expired.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._abandoned: set[asyncio.Task[None]] = set()

    @classmethod
    def after(cls, states: StateManagerRedis) -> TabStates:
        """One that takes over from Reflex's own before it was used."""
        return cls(
            redis=states.redis,
            token_expiration=states.token_expiration,
            lock_expiration=states.lock_expiration,
            lock_warning_threshold=states.lock_warning_threshold,
        )

    @asynccontextmanager
    async def modify_state(  # type: ignore[override] # Reflex's older spelling of tokens aside
        self, token: StateToken[TOKEN_TYPE], **context: Unpack[StateModificationContext]
    ) -> AsyncIterator[TOKEN_TYPE]:
        """The state of a token, held alone and written back at the end."""
        change = super().modify_state(token, **context)
        taking = asyncio.ensure_future(change.__aenter__())
        try:
            state = await asyncio.shield(taking)
        except asyncio.CancelledError:
            giving_back = asyncio.create_task(_give_back(taking, change))
            self._abandoned.add(giving_back)
            giving_back.add_done_callback(self._abandoned.discard)
            raise
        async with AsyncExitStack() as held:
            held.push_async_exit(change)
            yield state


async def _give_back(
    taking: asyncio.Future[TOKEN_TYPE], change: AbstractAsyncContextManager[TOKEN_TYPE]
) -> None:
    await taking
    await change.__aexit__(None, None, None)
