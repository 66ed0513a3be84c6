"""Takes fixes in: judges them, and answers once they are in the event log.

Requests that arrive together share their round trips (group commit): the anchors of their drivers
are read, the fixes judged, and one transaction appends to the log and stores the new anchors.

A fix newer than all of its driver's before is new. Any other may have been sent before, and is
looked up: first among those on their way (in the log, not yet in history), then in history. The
order matters, for the projector takes a fix off the first only after it is in the second.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time
from uuid import UUID
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.platform import indicators
from backend.platform.errors import Unavailable
from backend.platform.eventlog_streams import StreamEventLog
from backend.platform.redis import unavailable
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter
from backend.tracking import anchors, counters, fix_repository
from backend.tracking.positions import IN_FLIGHT_KEY, TOPIC, LoggedFix, encode, member
from backend.tracking.rules import (
    ACCEPTED,
    Anchor,
    Code,
    Fault,
    Fix,
    Status,
    Verdict,
    screen,
)

_MOST_PER_RECORD = 500
# A group beyond this waits for the next round trip, so that no answer waits for a huge one.
_MOST_PER_GROUP = 5_000
_MOST_WAITING = 50_000
_LOOK_AT_SIZE_EVERY_S = 0.5
# New fixes are refused before the bound is reached: what is on its way still has to fit.
_NEARLY_FULL = 0.9
_MEGABYTE = 2**20

_log = get_logger(__name__)
_taken = meter.create_counter("waypost.ingest.fixes", "1", "Fixes by what became of them")
_groups = meter.create_histogram("waypost.ingest.group", "1", "Fixes that shared a round trip")


class LogFull(Unavailable):
    """The event log is near its bound: its readers have fallen behind."""

    code = "log_full"
    title = "Too many positions are waiting to be worked off"


class Overloaded(Unavailable):
    """More fixes arrive than this process can hand on."""

    code = "overloaded"
    title = "Too many positions are arriving"


@dataclass(slots=True)
class _Waiting:
    driver: bytes
    region: str
    doorway: str
    items: Sequence[Fix | Fault]
    done: asyncio.Future[list[Verdict]]
    known: frozenset[int] | None = None


@dataclass(slots=True)
class _Group:
    """What one round trip writes."""

    now_ms: int
    logged: list[LoggedFix] = field(default_factory=list)
    members: set[bytes] = field(default_factory=set)
    anchors: dict[bytes, Anchor] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Intake:
    """The group commit of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._redis: Redis = resources.redis
        self._bound = resources.settings.event_log_max_mb * _MEGABYTE * _NEARLY_FULL
        self._waiting: list[_Waiting] = []
        self._fixes_waiting = 0
        self._refused: Counter[tuple[str, str, str]] = Counter()
        self._flushing: asyncio.Task[None] | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._full = False
        self._looked = float("-inf")

    async def take(
        self, driver: UUID, region: str, doorway: str, items: Sequence[Fix | Fault]
    ) -> list[Verdict]:
        """Judge a driver's items and answer once the accepted fixes are durable.

        Raises Unavailable, and has accepted nothing it knows of, where the log is full or down.
        """
        indicators.in_region(region)
        if self._full and monotonic() - self._looked < _LOOK_AT_SIZE_EVERY_S:
            raise LogFull(retry_after_s=5)
        if self._fixes_waiting > _MOST_WAITING:
            raise Overloaded(retry_after_s=2)
        done: asyncio.Future[list[Verdict]] = asyncio.get_running_loop().create_future()
        self._enqueue(_Waiting(driver.bytes, region, doorway, items, done))
        return await done

    def refuse(self, region: str, doorway: str, code: Code, count: int = 1) -> None:
        """Count what a doorway turned away by itself."""
        self._refused[region, doorway, code.value] += count
        self._wake()

    def _enqueue(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._fixes_waiting += len(waiting.items)
        self._wake()

    def _wake(self) -> None:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        while self._waiting or self._refused:
            group = self._next_group()
            try:
                await self._look_at_size()
                await self._commit(group)
            except RedisError as error:
                _fail(group, unavailable(error))
            except (OSError, Unavailable) as error:
                refusal = error if isinstance(error, Unavailable) else Unavailable()
                _fail(group, refusal)
            except BaseException:
                _fail(group, Unavailable())
                raise
            else:
                continue
            if not self._waiting:
                # Counts that could not be stored wait for the next request.
                return

    def _next_group(self) -> list[_Waiting]:
        fixes = count = 0
        for waiting in self._waiting:
            fixes += len(waiting.items)
            count += 1
            if fixes >= _MOST_PER_GROUP:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._fixes_waiting -= fixes
        return group

    async def _look_at_size(self) -> None:
        if monotonic() - self._looked >= _LOOK_AT_SIZE_EVERY_S:
            self._full = await self._resources.events.size_bytes(TOPIC) > self._bound
            self._looked = monotonic()
        if self._full:
            raise LogFull(retry_after_s=5)

    async def _commit(self, waiting: Sequence[_Waiting]) -> None:
        before = await anchors.load(self._redis, {one.driver for one in waiting})
        group = _Group(int(time() * 1000))
        answers: list[tuple[_Waiting, list[Verdict]]] = []
        for one in waiting:
            anchor = before.get(one.driver)
            if one.known is None and anchor is not None:
                old = [f for f in one.items if isinstance(f, Fix)
                       and f.recorded_ms <= anchor.newest_ms]  # fmt: skip
                if old:
                    self._look_up(one, old)
                    continue
            verdicts, after = screen(one.items, anchor, group.now_ms, one.known or frozenset())
            if after is not None and after is not anchor:
                before[one.driver] = group.anchors[one.driver] = after
            _gather(group, one, verdicts)
            answers.append((one, verdicts))
        await self._store(group)
        for one, verdicts in answers:
            if not one.done.done():
                one.done.set_result(verdicts)

    async def _store(self, group: _Group) -> None:
        counted, self._refused = self._refused, Counter()
        group.refused += counted
        records = [
            encode(group.logged[start : start + _MOST_PER_RECORD])
            for start in range(0, len(group.logged), _MOST_PER_RECORD)
        ]
        events = self._resources.events
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                if isinstance(events, StreamEventLog) and events.lives_on(self._redis):
                    events.queue(pipe, TOPIC, records)
                elif records:
                    # The log first: an anchor without its fix would have the phone's repetition
                    # taken for a duplicate, and lose it.
                    await events.append(TOPIC, records)
                if group.members:
                    pipe.sadd(IN_FLIGHT_KEY, *group.members)
                anchors.store(pipe, group.anchors)
                counters.count(pipe, group.now_ms, group.accepted, group.refused)
                if len(pipe):
                    await pipe.execute()
        except (RedisError, OSError):
            self._refused += counted
            raise
        _measure(group)

    def _look_up(self, waiting: _Waiting, old: Sequence[Fix]) -> None:
        task = asyncio.get_running_loop().create_task(self._find_known(waiting, old))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _find_known(self, waiting: _Waiting, old: Sequence[Fix]) -> None:
        """Find out which of the fixes were sent before, and have the request judged again."""
        times = {fix.recorded_ms for fix in old}
        try:
            waiting.known = frozenset(await self._known(waiting.driver, times))
        except RedisError as error:
            _fail([waiting], unavailable(error))
            return
        self._enqueue(waiting)

    async def _known(self, driver: bytes, times: Iterable[int]) -> set[int]:
        asked = list(times)
        members = [member(driver, ms) for ms in asked]
        flying = await self._redis.smismember(IN_FLIGHT_KEY, members)  # type: ignore[misc]
        known = {ms for ms, held in zip(asked, flying, strict=True) if held}
        left = [ms for ms in asked if ms not in known]
        if left:
            try:
                async with self._resources.database.unit_of_work() as session:
                    known |= await fix_repository.known_times(session, UUID(bytes=driver), left)
            except (SQLAlchemyError, OSError) as error:
                # Taking in goes on without history, which keeps each fix once by itself.
                _log.warning("history_not_asked_for_duplicates", error=repr(error))
        return known


def _fail(group: Sequence[_Waiting], refusal: Unavailable) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(refusal)


def _gather(group: _Group, waiting: _Waiting, verdicts: list[Verdict]) -> None:
    """Add a request's accepted fixes and its counts; a fix the group holds already is doubled."""
    driver, now_ms, accepted = waiting.driver, group.now_ms, 0
    logged, members = group.logged, group.members
    for index, verdict in enumerate(verdicts):
        if verdict.code is not None:
            group.refused[waiting.region, waiting.doorway, verdict.code.value] += 1
        if verdict.status is not Status.ACCEPTED:
            continue
        fix = waiting.items[index]
        key = member(driver, fix.recorded_ms)  # type: ignore[union-attr]
        if key in members:
            verdicts[index] = Verdict(Status.DUPLICATE)
            continue
        members.add(key)
        flags = 0 if verdict is ACCEPTED else verdict.flags
        logged.append(LoggedFix._make((driver, fix[0], now_ms, *fix[1:9], flags)))
        accepted += 1
    if accepted:
        group.accepted[waiting.region] += accepted


def _measure(group: _Group) -> None:
    _groups.record(len(group.logged))
    if group.logged:
        _taken.add(len(group.logged), {"code": "accepted"})
    by_code: Counter[str] = Counter()
    for (_, _, code), count in group.refused.items():
        by_code[code] += count
    for code, count in by_code.items():
        _taken.add(count, {"code": code})


_intakes: WeakKeyDictionary[Redis, Intake] = WeakKeyDictionary()


def intake_of(resources: Resources) -> Intake:
    """The intake of this process for the given stores."""
    found = _intakes.get(resources.redis)
    if found is None:
        found = _intakes[resources.redis] = Intake(resources)
    return found
