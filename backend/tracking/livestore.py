"""The newest state of every driver in the hot store, and the H3 cell each sits in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import h3.api.basic_int as h3
from redis.asyncio import Redis

from backend.tracking.livestate import DRIVERS_CHANNEL, LIVE_KEY, MOVED_CHANNEL, LiveState

CELL_RESOLUTION = 8
_CELL_OF = "tracking:cells"
_AT_ONCE = 1_000

# Moves a driver forward only, in effective and then in recorded time, and from one cell's set to
# another's; publishes the states that were taken. Answers the effective time that each driver had
# before, as text. A state's first 16 bytes are those two times. All of it in one script is one wait
# for the disk.
_ADVANCE = """
local taken, before = {}, {}
local count = (#ARGV - 1) / 3
local held = redis.call('HMGET', KEYS[1], unpack(ARGV, 1, count))
local cells = redis.call('HMGET', KEYS[2], unpack(ARGV, 1, count))
for i = 1, count do
  local id, state, cell = ARGV[i], ARGV[count + i], ARGV[2 * count + i]
  local effective, recorded = struct.unpack('<i8i8', state)
  local newer = true
  before[i] = '-1'
  if held[i] then
    local old_effective, old_recorded = struct.unpack('<i8i8', held[i])
    before[i] = string.format('%.0f', old_effective)
    newer = effective > old_effective or (effective == old_effective and recorded > old_recorded)
  end
  if newer then
    redis.call('HSET', KEYS[1], id, state)
    if cells[i] ~= cell then
      if cells[i] then redis.call('SREM', 'tracking:cell:' .. cells[i], id) end
      redis.call('SADD', 'tracking:cell:' .. cell, id)
      redis.call('HSET', KEYS[2], id, cell)
    end
    taken[#taken + 1] = id .. state
  end
end
if #taken > 0 then redis.call('PUBLISH', ARGV[#ARGV], table.concat(taken)) end
return before
"""


async def advance(redis: Redis, states: Mapping[bytes, LiveState]) -> dict[bytes, int]:
    """Keep the states that are newer than what is known and tell the maps.

    Answers the effective time in milliseconds at which each driver was held before, -1 for none.
    """
    before: dict[bytes, int] = {}
    ids = list(states)
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        packed = [states[driver].pack() for driver in part]
        cells = [
            b"%x" % h3.latlng_to_cell(states[driver].lat, states[driver].lon, CELL_RESOLUTION)
            for driver in part
        ]
        held = await redis.register_script(_ADVANCE)(
            keys=[LIVE_KEY, _CELL_OF], args=[*part, *packed, *cells, MOVED_CHANNEL]
        )
        before.update(zip(part, map(int, held), strict=True))
    return before


async def newest(redis: Redis, drivers: Sequence[UUID]) -> dict[UUID, LiveState]:
    """The newest state of each of these drivers that has one."""
    if not drivers:
        return {}
    stored = await redis.hmget(LIVE_KEY, [driver.bytes for driver in drivers])  # type: ignore[misc]
    return {
        driver: LiveState.unpack(value)
        for driver, value in zip(drivers, stored, strict=True)
        if value is not None
    }


async def tell_changed(redis: Redis, driver: UUID) -> None:
    """Have the maps read a driver's details anew."""
    await redis.publish(DRIVERS_CHANNEL, driver.bytes)
