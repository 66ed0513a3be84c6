"""One socket to a tab's token, however late a process learns of the socket before it."""

from __future__ import annotations

import pickle
from uuid import uuid4

from redis.exceptions import RedisError
from reflex.utils.token_manager import LocalTokenManager, RedisTokenManager, SocketRecord


class TabClaims(RedisTokenManager):
    """Which socket a tab's updates go to, claimed in one step.

    Reflex asks whether a token is taken and writes its socket down a moment later. A page left
    while it still connects could so be written down behind the page that follows it in the tab;
    the follower's updates then went to a socket that was gone, and it stayed empty for ever.
    """

    async def link_token_to_sid(self, token: str, sid: str) -> str | None:
        """Give the token to a socket; another token, which is answered, where it is taken."""
        held = self.token_to_socket.get(token)
        if held is not None and held.sid == sid:
            return None
        self._ensure_socket_record_task()
        record = SocketRecord(instance_id=self.instance_id, sid=sid)
        given = token
        try:
            if not await self._claim(given, record):
                given = str(uuid4())
                await self._claim(given, record)
        except RedisError:
            # Without the store, this process knows its own sockets at least.
            return await LocalTokenManager.link_token_to_sid(self, token, sid)
        self.token_to_socket[given] = record
        self.sid_to_token[sid] = given
        return None if given == token else given

    async def _claim(self, token: str, record: SocketRecord) -> bool:
        key, life_s = self._get_redis_key(token), self.token_expiration
        return bool(await self.redis.set(key, pickle.dumps(record), ex=life_s, nx=True))
