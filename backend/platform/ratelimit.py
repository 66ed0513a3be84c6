"""Token buckets in Redis, one per key, shared by every process."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from redis.asyncio import Redis

from backend.platform.errors import RateLimited

# Refills by elapsed time and takes `cost` in one step, so that two processes never overspend.
_TAKE = """
local now = redis.call('TIME')
local t = now[1] + now[2] / 1000000
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(state[1]) or burst, tonumber(state[2]) or t
level = math.min(burst, level + (t - at) * rate)
local taken = 0
if level >= cost then level = level - cost; taken = 1 end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(t))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {taken, tostring(level)}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left in a bucket after a request took its share."""

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """The `RateLimit` header fields of the IETF draft."""
        return {
            "RateLimit": f'"default";r={self.remaining};t={self.reset_s}',
            "RateLimit-Policy": f'"default";q={self.limit};w={max(1, self.reset_s)}',
        }


async def take(
    redis: Redis, key: str, *, rate_per_s: float, burst: int, cost: int = 1
) -> Allowance:
    """Take `cost` from the bucket `key`; raises RateLimited with the wait when it is too empty."""
    taken, raw_level = await redis.eval(  # type: ignore[misc]
        _TAKE, 1, f"ratelimit:{key}", str(rate_per_s), str(burst), str(cost)
    )
    level = float(raw_level)
    if not taken:
        raise RateLimited(retry_after_s=ceil((cost - level) / rate_per_s))
    return Allowance(burst, int(level), ceil((burst - level) / rate_per_s))
