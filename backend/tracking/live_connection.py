"""One open socket of the live feed: messages in, bounded; frames out, never queued."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from backend.tracking.live_cells import FINEST, ZOOM_PER_RESOLUTION
from backend.tracking.live_frames import VERSION
from backend.tracking.live_hub import LiveHub
from backend.tracking.live_messages import (
    MAX_MESSAGE_BYTES,
    Ack,
    BadMessage,
    CloseCode,
    Ping,
    View,
    dump,
    parse,
)
from backend.tracking.live_viewer import (
    CELLS_ABOVE_DRIVERS,
    CELLS_BELOW_ZOOM,
    WINDOW,
    Access,
    Viewer,
)

HEARTBEAT_S = 20.0
SILENT_S = 90.0
ACCESS_CHECK_S = 10.0
MESSAGES_PER_S = 20.0
MESSAGE_BURST = 40.0
BAD_MESSAGES = 20
DETAILS_PER_MESSAGE = 500
DRIVER_FIELDS = ("slot", "id", "code", "name", "plate", "vehicle", "hub", "region")
_CLOSE_WITHIN_S = 1.0
_RIGHTS_SETTLE_S = 0.55

CheckAccess = Callable[[bool], Awaitable[Access | None]]


class MessageRate:
    """A token bucket for the messages of one socket."""

    def __init__(self, per_s: float = MESSAGES_PER_S, burst: float = MESSAGE_BURST) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._at = burst, monotonic()

    def allows(self) -> bool:
        """Whether one more message may come now."""
        now = monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LiveConnection:
    """Serves one viewer over an accepted socket.

    `check_access` answers what the viewer may see now, None when its session or right has ended;
    its argument says whether the person was active since the last time.
    """

    def __init__(
        self, socket: WebSocket, hub: LiveHub, viewer: Viewer, check_access: CheckAccess
    ) -> None:
        self._socket = socket
        self._hub = hub
        self._viewer = viewer
        self._check_access = check_access
        self._rate = MessageRate()
        self._bad = 0
        self._active = False
        self._writing = asyncio.Lock()

    async def serve(self) -> None:
        """Serve until either side ends it; the reason is told before a close."""
        viewer = self._viewer
        viewer.heard_at = monotonic()
        await self._send(self._hello())
        parts: list[Coroutine[Any, Any, None]] = [
            self._read(), self._write(), self._watch_silence(), self._watch_access(),
        ]  # fmt: skip
        tasks = [asyncio.create_task(part) for part in parts]
        ending = asyncio.create_task(self._await_ending())
        try:
            done, _ = await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, ending):
                task.cancel()
            results = await asyncio.gather(*tasks, ending, return_exceptions=True)
        if ending in done:
            await self._close()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, _GONE):
                raise result

    async def _await_ending(self) -> None:
        await self._viewer.ending.wait()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            self._viewer.heard_at = monotonic()
            content: str | bytes = message.get("text") or message.get("bytes") or b""
            if len(content) > MAX_MESSAGE_BYTES:
                self._viewer.end(
                    CloseCode.TOO_LARGE,
                    "too_large",
                    f"A message may have {MAX_MESSAGE_BYTES} bytes.",
                )
                return
            if not self._rate.allows():
                self._refuse(BadMessage("too_fast", f"At most {MESSAGES_PER_S:.0f} messages a s."))
                continue
            try:
                await self._receive(content)
            except BadMessage as fault:
                self._refuse(fault)
                await self._send(dump("error", code=fault.code, detail=fault.detail))

    async def _receive(self, content: str | bytes) -> None:
        match parse(content):
            case View() as view:
                self._active = True
                self._viewer.look(view, self._hub.epoch(self._viewer.access))
            case Ack(tick=tick, seq=seq):
                self._viewer.acknowledge(tick, seq)
            case Ping():
                await self._send(dump("pong", server_ms=self._hub.now_ms()))

    def _refuse(self, fault: BadMessage) -> None:
        """Bear with a faulty client for a while, then close."""
        self._bad += 1
        if self._bad > BAD_MESSAGES:
            self._viewer.end(CloseCode.TOO_MANY, fault.code, fault.detail)

    async def _write(self) -> None:
        viewer, table = self._viewer, self._hub.table
        while True:
            await viewer.wake.wait()
            viewer.wake.clear()
            if not viewer.ready:
                continue
            await self._send(self._hub.frame(viewer))
            rows = viewer.details(table)
            for start in range(0, len(rows), DETAILS_PER_MESSAGE):
                await self._send(dump("drivers", rows=rows[start : start + DETAILS_PER_MESSAGE]))

    async def _watch_silence(self) -> None:
        while True:
            quiet_s = monotonic() - self._viewer.heard_at
            if quiet_s >= SILENT_S:
                self._viewer.end(CloseCode.SILENT, "timeout", "Nothing was heard from this map.")
                return
            await asyncio.sleep(SILENT_S - quiet_s)

    async def _watch_access(self) -> None:
        """End with the session or token, and follow its rights."""
        viewer = self._viewer
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ACCESS_CHECK_S):
                    await viewer.recheck.wait()
                    # What identity remembers of rights may be this old when the word comes.
                    await asyncio.sleep(_RIGHTS_SETTLE_S)
            viewer.recheck.clear()
            active, self._active = self._active, False
            access = await self._check_access(active)
            if access is None:
                viewer.end(
                    CloseCode.UNAUTHENTICATED, "session_ended", "The session or its rights ended."
                )
                return
            if access != viewer.access:
                viewer.rescope(access)
                await self._send(self._hello())

    async def _send(self, content: str | bytes) -> None:
        # One writer at a time: a pong must not overtake a frame that waits for a slow reader.
        async with self._writing:
            if isinstance(content, str):
                await self._socket.send_text(content)
            else:
                await self._socket.send_bytes(content)

    async def _close(self) -> None:
        viewer = self._viewer
        if self._socket.application_state is WebSocketState.DISCONNECTED:
            return
        code, detail = viewer.close_reason or ("going_away", "")
        # A reader that takes nothing more shall not keep its socket open.
        with suppress(*_GONE, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._socket.send_text(dump("error", code=code, detail=detail))
                await self._socket.close(viewer.close_code, detail)

    def _hello(self) -> str:
        hub, access = self._hub, self._viewer.access
        return dump(
            "hello",
            version=VERSION,
            epoch=hub.epoch(access),
            tick=hub.table.tick,
            tick_s=hub.tick_s,
            server_ms=hub.now_ms(),
            scopes=access.scopes,
            live_after_s=hub.thresholds.live_s,
            offline_after_s=hub.thresholds.offline_s,
            cells={
                "below_zoom": CELLS_BELOW_ZOOM,
                "above_drivers": CELLS_ABOVE_DRIVERS,
                "zoom_per_resolution": ZOOM_PER_RESOLUTION,
                "max_resolution": FINEST,
            },
            window=WINDOW,
            heartbeat_s=HEARTBEAT_S,
            timeout_s=SILENT_S,
            max_message_bytes=MAX_MESSAGE_BYTES,
            driver_fields=DRIVER_FIELDS,
        )


# What sending to or receiving from a socket raises once the other side has gone.
_GONE = (WebSocketDisconnect, OSError, RuntimeError)
