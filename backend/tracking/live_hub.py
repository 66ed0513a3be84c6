"""The live hub: one table of the fleet in each web process, and a frame a second to each viewer."""

from __future__ import annotations

import asyncio
import secrets
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Protocol

from opentelemetry.metrics import CallbackOptions, Observation

from backend.identity import service as identity
from backend.identity.schemas import Revocation
from backend.platform import indicators
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter
from backend.tracking.live_cells import CellIndex
from backend.tracking.live_messages import CloseCode
from backend.tracking.live_table import DriverDetails, LiveTable, States, Thresholds
from backend.tracking.live_viewer import Access, Moment, Selections, Viewer

TICK_S = 1.0
VIEWERS_PER_PERSON = 8
VIEWERS = 2_000
# A viewer that has not been heard of for this long may give its place to a new one.
_LIKELY_GONE_S = 30.0

_log = get_logger(__name__)
_frames = meter.create_counter("waypost.live.frames", "1", "Frames sent to viewers")
_skipped = meter.create_counter("waypost.live.skipped", "1", "Frames skipped for slow viewers")
_bytes = meter.create_counter("waypost.live.bytes", "By", "Bytes of frames sent to viewers")
_tick_seconds = meter.create_histogram("waypost.live.tick", "s", "Time to take over a tick's news")


class TooManyViewers(Exception):
    """This person, or everybody together, has as many maps open as one process serves."""


@dataclass(slots=True)
class News:
    """What has come in since the last tick."""

    states: list[tuple[Sequence[bytes], States]] = field(default_factory=list)
    details: list[DriverDetails] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    thresholds: tuple[Thresholds, dict[str, Thresholds]] | None = None


class Source(Protocol):
    """Where a hub hears of drivers."""

    @property
    def lost(self) -> bool:
        """Whether news may be missing at the moment."""

    async def run(self, unknown: Callable[[], Sequence[bytes]]) -> None:
        """Keep hearing until cancelled; `unknown` names drivers whose details are wanted."""

    def take(self) -> News:
        """What came since the last call."""


class LiveHub:
    """Applies what its source hears once a tick, and tells each viewer what it lacks."""

    def __init__(
        self,
        source: Source,
        *,
        thresholds: Thresholds,
        tick_s: float = TICK_S,
        now_ms: Callable[[], int] = lambda: int(time() * 1000),
    ) -> None:
        self.table = LiveTable(thresholds)
        self.thresholds = thresholds
        self.tick_s = tick_s
        self.now_ms = now_ms
        self._source = source
        self._cells = CellIndex(self.table)
        self._selections = Selections(self.table)
        self._epoch = secrets.token_hex(6)
        self._viewers: set[Viewer] = set()
        self._started = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._source.run(self.table.unknown))
                tasks.create_task(self._tick_for_ever())
        finally:
            for viewer in self._viewers:
                viewer.end(CloseCode.GOING_AWAY, "going_away", "This server is stopping.")

    async def started(self) -> None:
        """Return once the first tick has been taken over."""
        await self._started.wait()

    @property
    def viewers(self) -> Sequence[Viewer]:
        """Everybody who is connected."""
        return tuple(self._viewers)

    def epoch(self, access: Access) -> str:
        """The name of this hub's slots as one set of rights sees them.

        A viewer whose rights changed gets another epoch, and so does not resume from what it saw
        by the old ones.
        """
        rights = repr((sorted(access.scopes), access.names)).encode()
        return f"{self._epoch}.{zlib.crc32(rights):08x}"

    def join(self, viewer: Viewer) -> None:
        """Take in a viewer; raises TooManyViewers when even those likely gone are counted out."""
        if len(self._viewers) >= VIEWERS:
            raise TooManyViewers
        own = [other for other in self._viewers if other.person == viewer.person]
        if len(own) >= VIEWERS_PER_PERSON:
            quietest = min(own, key=lambda other: other.heard_at)
            if monotonic() - quietest.heard_at < _LIKELY_GONE_S:
                raise TooManyViewers
            quietest.end(CloseCode.TOO_MANY, "too_many_viewers", "A newer map took this place.")
            self._viewers.discard(quietest)
        self._viewers.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._viewers.discard(viewer)

    async def revoke(self, revocation: Revocation) -> None:
        """Close the maps of an ended session; look up afresh what the person may still see."""
        for viewer in tuple(self._viewers):
            if revocation.session_id is not None:
                if viewer.session_id == revocation.session_id:
                    viewer.end(CloseCode.UNAUTHENTICATED, "session_ended", "The session was ended.")
            elif viewer.person == revocation.principal_id:
                viewer.recheck.set()

    def sessions(self) -> Iterable[str]:
        """The ids of the sessions with an open map."""
        return {viewer.session_id for viewer in self._viewers if viewer.session_id is not None}

    def frame(self, viewer: Viewer) -> bytes:
        """The frame that a viewer is owed."""
        moment = Moment(self.now_ms(), self._source.lost)
        skipped, viewer.skipped_since = viewer.skipped_since, 0
        packed = viewer.frame(self.table, self._cells, self._selections, moment)
        _frames.add(1)
        _bytes.add(len(packed))
        if skipped:
            _skipped.add(skipped)
        return packed

    def advance(self) -> None:
        """Take over the news and begin the next tick."""
        table, news = self.table, self._source.take()
        if news.thresholds is not None:
            table.set_thresholds(*news.thresholds)
        for details in news.details:
            table.put(details)
        for driver_id in news.gone:
            table.remove(driver_id)
        for ids, states in news.states:
            table.apply(ids, states)
        table.advance(self.now_ms())
        if self._source.lost and self._viewers:
            indicators.count("live_map", indicators.NOWHERE, valid=len(self._viewers), good=0)
        for viewer in self._viewers:
            viewer.tick()

    async def _tick_for_ever(self) -> None:
        due = monotonic()
        while True:
            begun = monotonic()
            self.advance()
            self._started.set()
            _tick_seconds.record(monotonic() - begun)
            # After a pause of the whole process the missed ticks are not made up for.
            due = max(due + self.tick_s, monotonic())
            await asyncio.sleep(due - monotonic())


_running: list[LiveHub] = []


def current() -> LiveHub | None:
    """This process's hub while it runs."""
    return _running[-1] if _running else None


@asynccontextmanager
async def running(hub: LiveHub) -> AsyncIterator[LiveHub]:
    """Run a hub as this process's own until the block ends."""
    task = asyncio.create_task(hub.run(), name="live hub")
    task.add_done_callback(_report)
    _running.append(hub)
    forget = identity.on_revoked(hub.revoke, hub.sessions)
    try:
        yield hub
    finally:
        forget()
        _running.remove(hub)
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def live_hub(resources: Resources) -> AsyncIterator[LiveHub]:
    """This process's hub, fed from its stores, until the block ends."""
    from backend.tracking.live_source import StoreSource

    settings = resources.settings
    hub = LiveHub(
        StoreSource(resources),
        thresholds=Thresholds(settings.live_after_s, settings.offline_after_s),
    )
    async with running(hub):
        yield hub


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("live_hub_failed", exc_info=error)


def _observe_viewers(_: CallbackOptions) -> list[Observation]:
    hub = current()
    return [Observation(len(hub.viewers))] if hub else []


def _observe_drivers(_: CallbackOptions) -> list[Observation]:
    hub = current()
    return [Observation(hub.table.size)] if hub else []


meter.create_observable_gauge("waypost.live.viewers", [_observe_viewers], "1", "Open live maps")
meter.create_observable_gauge("waypost.live.drivers", [_observe_drivers], "1", "Drivers held")
