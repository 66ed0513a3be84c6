"""The connection to Redis or Valkey."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from backend.platform.errors import Unavailable

__all__ = ["RedisError", "connect", "unavailable"]


def connect(url: str, *, max_connections: int = 64) -> Redis:
    """A client for `url` that answers bytes and reconnects by itself after a restart."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=5,
        socket_connect_timeout=3,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    return Redis.from_pool(pool)


def unavailable(error: RedisError) -> Unavailable:
    """The refusal to give when Redis fails under a request."""
    return Unavailable(
        f"The hot store does not answer ({type(error).__name__}); nothing was accepted."
    )
