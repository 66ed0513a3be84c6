"""Keeps a set of child processes running until it is told to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType

from backend.platform.processes import Child, Spec, StartError

_LOOK_EVERY_S = 0.2
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_STEADY_AFTER_S = 30.0

Report = Callable[[str, str], None]


@dataclass(slots=True)
class _Kept:
    child: Child
    started: float
    pause_s: float = _FIRST_PAUSE_S
    start_again_at: float | None = None


class Supervisor:
    """Starts parts in order, restarts those that crash with back-off, stops them in reverse."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._kept: list[_Kept] = []
        self._stop = threading.Event()

    def listen_for_stop(self) -> None:
        """Let Ctrl-C and SIGTERM end `keep`; a start in progress ends with StartError."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, _: int, __: FrameType | None) -> None:
        if self._stop.is_set():
            return
        self._stop.set()
        raise Stopping

    def start(self, spec: Spec) -> float:
        """Start one part and wait until it is ready; answers how long that took, in seconds."""
        [(_, took_s)] = self.start_together([spec])
        return took_s

    def start_together(self, specs: Iterable[Spec]) -> Iterator[tuple[str, float]]:
        """Start several parts at once; tells each one's name and seconds once it is ready."""
        begun = [_Kept(Child(spec), time.monotonic()) for spec in specs]
        self._kept += begun
        for kept in begun:
            kept.child.wait_ready()
            yield kept.child.spec.name, time.monotonic() - kept.started

    def keep(self) -> None:
        """Watch the parts and restart what ends, until asked to stop."""
        while not self._stop.is_set():
            for kept in self._kept:
                self._look_after(kept)
            time.sleep(_LOOK_EVERY_S)

    def _look_after(self, kept: _Kept) -> None:
        now = time.monotonic()
        name = kept.child.spec.name
        if kept.start_again_at is None:
            code = kept.child.exit_code()
            if code is None:
                return
            kept.child.stop()
            if now - kept.started > _STEADY_AFTER_S:
                kept.pause_s = _FIRST_PAUSE_S
            kept.start_again_at = now + kept.pause_s
            kept.pause_s = min(_LONGEST_PAUSE_S, kept.pause_s * 2)
            self._report(name, _why(code, kept.child))
        elif now >= kept.start_again_at:
            kept.child = Child(kept.child.spec)
            kept.started, kept.start_again_at = now, None
            self._report(name, f"started again, process {kept.child.pid}")

    def stop(self) -> None:
        """Stop every part, the last started first."""
        self._stop.set()
        for kept in reversed(self._kept):
            kept.child.stop()


def _why(code: int, child: Child) -> str:
    # Whoever is killed has no time for last words: what it logged before tells something else.
    if code == -signal.SIGKILL:
        return "was killed"
    return f"ended with {code}: {child.last_words()}"


class Stopping(BaseException):
    """Somebody asked for the end; raised in the main thread by the signal handler."""


__all__ = ["Report", "StartError", "Stopping", "Supervisor"]
