"""Which environment an API token reads flags of, also while the stores are away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.flags import disk
from backend.flags.schemas import Environment
from backend.identity.policy import Policy
from backend.identity.schemas import Principal
from backend.identity.service import current_policy, may, principal_of_bearer
from backend.platform import clock
from backend.platform.errors import Forbidden, RateLimited, Unavailable
from backend.platform.resources import Resources

PERMISSIONS: dict[str, Environment] = {
    "flags:evaluate": "production",
    "flags:evaluate_staging": "staging",
}
"""The environment that each permission opens; who holds both reads the first."""

_ANSWER_WITHIN_S = 0.5
_AWAY_FOR_S = 1.0
# A token whose end the stores cannot tell any more is believed for no longer than this.
_BELIEVED_FOR_S = 24 * 3600
_MOST_KEYS = 10_000


@dataclass(slots=True)
class Key:
    """A token as it was known last, and what it may still ask for in this process."""

    digest: str
    environment: Environment
    holder: str
    known_at: datetime
    level: float
    filled_at: float
    judged: tuple[Principal, Policy] | None = None
    """For whom and by which policy the environment was found."""

    def take(self, rate_per_s: float) -> None:
        """Take one request; raises RateLimited with the wait where the key asks too often."""
        now, burst = monotonic(), 2 * rate_per_s
        self.level = min(burst, self.level + (now - self.filled_at) * rate_per_s)
        self.filled_at = now
        if self.level < 1:
            raise RateLimited(retry_after_s=max(1.0, (1 - self.level) / rate_per_s))
        self.level -= 1


class KnownKeys:
    """The keys that this process has met; identity is asked each time, as long as it can answer."""

    def __init__(self, resources: Resources, folder: Path) -> None:
        self._resources = resources
        self._folder = folder
        self._rate = float(resources.settings.flags_requests_per_s)
        self._keys: dict[str, Key] = {}
        self._changed: dict[str, dict[str, Any] | None] = {}
        self._away_until = 0.0

    def load_from_disk(self) -> None:
        """Know the keys that were known last."""
        for digest, kept in disk.read_keys(self._folder).items():
            try:
                known_at = datetime.fromisoformat(kept["known_at"])
                environment, holder = kept["environment"], str(kept["holder"])
            except (KeyError, TypeError, ValueError):
                continue
            if environment in PERMISSIONS.values():
                self._keys[digest] = self._new(digest, environment, holder, known_at)

    async def open(self, token: str) -> Key | None:
        """The key that a token is, None for one that is none; it has asked once more then.

        Raises Forbidden for a token that may not read flags, Unavailable for one not met before
        while the stores are away, RateLimited.
        """
        digest = sha256(token.encode()).hexdigest()
        try:
            principal = await self._ask(token)
        except (RedisError, SQLAlchemyError, OSError, TimeoutError, Unavailable) as error:
            self._away_until = max(self._away_until, monotonic() + _AWAY_FOR_S)
            key = self._believed(digest)
            if key is None:
                raise Unavailable("The stores do not answer, and this key is not known.") from error
        else:
            key = self._known(digest, principal)
        if key is not None:
            key.take(self._rate)
        return key

    async def _ask(self, token: str) -> Principal | None:
        if monotonic() < self._away_until:
            raise Unavailable
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            return await principal_of_bearer(self._resources, token)

    def _believed(self, digest: str) -> Key | None:
        key = self._keys.get(digest)
        if key is None or (clock.now() - key.known_at).total_seconds() > _BELIEVED_FOR_S:
            return None
        return key

    def _known(self, digest: str, principal: Principal | None) -> Key | None:
        key = self._keys.get(digest)
        if key is not None and principal is not None and key.judged is not None:
            known, policy = key.judged
            if known is principal and policy is current_policy():
                return key
        environment = None if principal is None else _environment_of(principal)
        if principal is None or environment is None:
            if self._keys.pop(digest, None) is not None:
                self._changed[digest] = None
            if principal is not None:
                raise Forbidden("This token may not read flags.")
            return None
        now = clock.now()
        if key is None or key.environment != environment:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            key = self._keys[digest] = self._new(digest, environment, principal.id, now)
            self._changed[digest] = _kept(key)
        elif (now - key.known_at).total_seconds() > _BELIEVED_FOR_S / 24:
            key.known_at = now
            self._changed[digest] = _kept(key)
        key.judged = (principal, current_policy())
        return key

    async def hand_over(self, _: Resources) -> None:
        """Keep on disk what has changed; raises OSError."""
        changed, self._changed = self._changed, {}
        if changed:
            await asyncio.to_thread(disk.write_keys, self._folder, changed)

    def _new(self, digest: str, environment: Environment, holder: str, known_at: datetime) -> Key:
        return Key(digest, environment, holder, known_at, 2 * self._rate, monotonic())


def _environment_of(principal: Principal) -> Environment | None:
    return next(
        (name for permission, name in PERMISSIONS.items() if may(principal, permission)), None
    )


def _kept(key: Key) -> dict[str, Any]:
    return {"environment": key.environment, "holder": key.holder, "known_at": key.known_at}
