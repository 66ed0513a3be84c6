"""Sessions as Redis holds them: one hash each, an index per person, and the rules in Lua."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from redis.asyncio import Redis

from backend.identity.schemas import SessionInfo

_PREFIX = "identity:session:"
_ALL = "identity:sessions"
_OF_PERSON = "identity:sessions:"
_OF_SID = "identity:sid:"

# Reads a session; an activity moves its idle end, never past its absolute end. It is written down
# at most every ten seconds: a busy console is a read for each event, not a write to the log.
_READ = """
local s = redis.call('HGETALL', KEYS[1])
if #s == 0 then return s end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = tonumber(redis.call('HGET', KEYS[1], 'ends'))
if now >= ends then redis.call('DEL', KEYS[1]) return {} end
local life = math.min(tonumber(ARGV[1]), ends - now)
if life - redis.call('PTTL', KEYS[1]) >= 10000 then
  redis.call('HSET', KEYS[1], 'seen', now)
  redis.call('PEXPIRE', KEYS[1], life)
end
return s
"""

# Adds a session and answers the ids of the oldest ones that had to go for it.
_CREATE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local id, person, sid = ARGV[1], ARGV[2], ARGV[3]
local idle, absolute, cap = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key, mine = 'identity:session:' .. id, 'identity:sessions:' .. person
redis.call('HSET', key, 'person', person, 'created', now, 'seen', now, 'ends', now + absolute,
           unpack(ARGV, 7))
redis.call('PEXPIRE', key, math.min(idle, absolute))
for _, old in ipairs(redis.call('ZRANGE', mine, 0, -1)) do
  if redis.call('EXISTS', 'identity:session:' .. old) == 0 then
    redis.call('ZREM', mine, old)
    redis.call('ZREM', 'identity:sessions', old)
  end
end
redis.call('ZADD', mine, now, id)
redis.call('ZADD', 'identity:sessions', now, id)
redis.call('PEXPIRE', mine, absolute)
if sid ~= '' then
  redis.call('SADD', 'identity:sid:' .. sid, id)
  redis.call('PEXPIRE', 'identity:sid:' .. sid, absolute)
end
local evicted = {}
while redis.call('ZCARD', mine) > cap do
  local old = redis.call('ZPOPMIN', mine)[1]
  redis.call('DEL', 'identity:session:' .. old)
  redis.call('ZREM', 'identity:sessions', old)
  table.insert(evicted, old)
end
return evicted
"""


async def create(
    redis: Redis,
    session_id: str,
    person_id: UUID,
    sid: str,
    fields: Mapping[str, str],
    *,
    idle_s: int,
    absolute_s: int,
    cap: int,
) -> list[str]:
    """Store a session; the ids of the person's oldest sessions that were evicted over the cap."""
    flat = [part for pair in {**fields, "sid": sid}.items() for part in pair]
    arguments: list[str | int] = [
        session_id,
        str(person_id),
        sid,
        idle_s * 1000,
        absolute_s * 1000,
        cap,
        *flat,
    ]
    evicted = await redis.register_script(_CREATE)(keys=[], args=arguments)
    return [old.decode() for old in evicted]


async def read(redis: Redis, session_id: str, touch_idle_s: int | None) -> dict[str, str]:
    """The session's fields, empty if it has ended; a touch starts its idle time anew."""
    touch_ms = (touch_idle_s or 0) * 1000
    flat = await redis.register_script(_READ)(keys=[_PREFIX + session_id], args=[touch_ms])
    texts = [part.decode() for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


async def remove(redis: Redis, session_id: str, person_id: str, sid: str) -> bool:
    """End a session; whether it was still there."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.delete(_PREFIX + session_id)
        pipe.zrem(_OF_PERSON + person_id, session_id)
        pipe.zrem(_ALL, session_id)
        if sid:
            pipe.srem(_OF_SID + sid, session_id)
        removed, *_ = await pipe.execute()
    return bool(removed)


async def alive(redis: Redis, session_ids: list[str]) -> set[str]:
    """Of `session_ids`, those that have not ended."""
    async with redis.pipeline(transaction=False) as pipe:
        for session_id in session_ids:
            pipe.exists(_PREFIX + session_id)
        found = await pipe.execute()
    return {session_id for session_id, there in zip(session_ids, found, strict=True) if there}


async def of_person(redis: Redis, person_id: UUID) -> list[SessionInfo]:
    """A person's sessions, newest first."""
    return await _read_all(redis, _OF_PERSON + str(person_id), 200)


async def everyone(redis: Redis, limit: int) -> list[SessionInfo]:
    """Every session, newest first."""
    return await _read_all(redis, _ALL, limit)


async def of_sid(redis: Redis, sid: str) -> list[str]:
    """The ids of the sessions that began in the provider's session `sid`."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.smembers(_OF_SID + sid)
        (members,) = await pipe.execute()
    return [member.decode() for member in members]


async def _read_all(redis: Redis, index: str, limit: int) -> list[SessionInfo]:
    ids = [raw.decode() for raw in await redis.zrevrange(index, 0, limit - 1)]
    async with redis.pipeline(transaction=False) as pipe:
        for session_id in ids:
            pipe.hgetall(_PREFIX + session_id)
        found = await pipe.execute()
    ended = [session_id for session_id, raw in zip(ids, found, strict=True) if not raw]
    if ended:
        await redis.zrem(index, *ended)
    return [
        describe(session_id, {key.decode(): value.decode() for key, value in raw.items()})
        for session_id, raw in zip(ids, found, strict=True)
        if raw
    ]


def describe(session_id: str, fields: Mapping[str, str]) -> SessionInfo:
    """The stored fields as they are shown."""
    return SessionInfo(
        id=session_id,
        person_id=UUID(fields["person"]),
        name=fields["name"],
        email=fields["email"] or None,
        address=fields["address"],
        agent=fields["agent"],
        created_at=_moment(fields["created"]),
        seen_at=_moment(fields["seen"]),
        ends_at=_moment(fields["ends"]),
    )


def _moment(ms: str) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)
