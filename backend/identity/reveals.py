"""Looks at personal details, counted for each person: nobody reads a customer list bit by bit."""

from __future__ import annotations

from uuid import uuid4

from backend.identity.audit import record_denial
from backend.identity.schemas import Principal, RevealCount
from backend.platform.errors import RateLimited
from backend.platform.resources import current

WINDOW_S = 3600

# The looks of the last hour as a sorted set by their time; one step, so that two never overspend.
_SPEND = """
local now = redis.call('TIME')
local t = now[1] + now[2] / 1000000
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', t - window)
local used = redis.call('ZCARD', KEYS[1])
if ARGV[3] == '' then return {used, '0'} end
if used >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], used - limit, used - limit, 'WITHSCORES')
  return {-1, tostring(oldest[2] + window - t)}
end
redis.call('ZADD', KEYS[1], t, ARGV[3])
redis.call('EXPIRE', KEYS[1], window)
return {used + 1, '0'}
"""


class TooManyReveals(RateLimited):
    """The person has looked at as many unmasked fields as an hour allows."""

    code = "reveal_limit"
    title = "You have looked at many personal details"


async def count_reveals(principal: Principal) -> RevealCount:
    """How many unmasked fields the caller has looked at in the last hour, and may."""
    used, _ = await _run(principal, "")
    return RevealCount(used=used, limit=_limit())


async def spend_reveal(principal: Principal, permission: str, region: str) -> RevealCount:
    """Count one more look, before the field is read.

    Raises TooManyReveals with the wait when the hour's are spent; that is recorded as a refusal.
    """
    used, wait = await _run(principal, str(uuid4()))
    if used < 0:
        await record_denial(current(), principal, permission, region, target="reveal limit")
        minutes = max(1, round(wait / 60))
        raise TooManyReveals(
            f"You have looked at {_limit()} personal details within an hour, which is as many as "
            f"one person may. The next is possible in {minutes} min.",
            retry_after_s=wait,
        )
    return RevealCount(used=used, limit=_limit())


async def _run(principal: Principal, look: str) -> tuple[int, float]:
    used, wait = await current().redis.eval(  # type: ignore[misc]
        _SPEND, 1, f"reveals:{principal.id}", str(WINDOW_S), str(_limit()), look
    )
    return int(used), float(wait)


def _limit() -> int:
    return current().settings.reveals_per_hour
