"""Closing what is open: tells this process's socket holders when a session or right has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from backend.identity import session_store
from backend.identity.changes import CHANNEL
from backend.identity.schemas import Revocation
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger

_LOOK_EVERY_S = 0.5

_log = get_logger(__name__)
Callback = Callable[[Revocation], Awaitable[None]]
Holding = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True, eq=False)
class _Listener:
    callback: Callback
    holding: Holding


_listeners: list[_Listener] = []


def on_revoked(callback: Callback, holding: Holding = tuple) -> Callable[[], None]:
    """Have `callback` awaited for every revocation; answers a function that ends this.

    `holding` names the ids of the sessions for which the caller has something open. They are
    looked up twice a second, so that a lost message, an idle or an absolute end closes them too.
    """
    listener = _Listener(callback, holding)
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


async def watch_revocations(resources: Resources, stop: asyncio.Event) -> None:
    """Listen until `stop`; run one of these in each process that holds sockets open."""
    while not stop.is_set():
        try:
            async with resources.redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                while not stop.is_set():
                    await _hear(channel)
                    await _look(resources)
        except RedisError as error:
            _log.warning("revocations_unheard", error=repr(error))
            await asyncio.sleep(_LOOK_EVERY_S)


async def _hear(channel: PubSub) -> None:
    """Pass on what is said within half a second."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _LOOK_EVERY_S
    while (left := until - loop.time()) > 0:
        message = await channel.get_message(timeout=left)
        if message is not None and (told := _parse(message["data"].decode())) is not None:
            await _tell(told)


def _parse(message: str) -> Revocation | None:
    kind, _, rest = message.partition(" ")
    if kind == "ended":
        principal_id, session_id, reason = rest.split(" ", 2)
        return Revocation(principal_id, session_id, reason)
    if rest.startswith("token:"):
        return None  # the holder's own id comes in the same announcement
    return Revocation(rest, None, "rights changed")


async def _look(resources: Resources) -> None:
    held = {session_id for listener in _listeners for session_id in listener.holding()}
    if not held:
        return
    alive = await session_store.alive(resources.redis, sorted(held))
    for session_id in held - alive:
        await _tell(Revocation("", session_id, "ended"))


async def _tell(revocation: Revocation) -> None:
    for listener in tuple(_listeners):
        try:
            await listener.callback(revocation)
        except Exception as error:  # noqa: BLE001 - one holder's fault must not keep others open
            _log.error("revocation_not_carried_out", error=repr(error))
