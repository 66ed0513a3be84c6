"""Child processes: how one is started, found ready, and stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.05


class StartError(Exception):
    """A part of the system did not come up; the message says which and why."""


def answers(url: str) -> bool:
    """Whether our own server there answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class Spec:
    """One kind of child: its command line, how to see that it is ready, and how to stop it."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    log: Path
    environment: Mapping[str, str] | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_within_s: float = 60.0
    stop_within_s: float = 15.0


class Child:
    """A running child in a process group of its own, so that Ctrl-C reaches only its parent."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with spec.log.open("ab") as log:
            self._process = subprocess.Popen(
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(spec.environment) if spec.environment is not None else None,
                user=spec.user,
                start_new_session=True,
                # Safe here: children are started from the main thread alone.
                preexec_fn=_die_with_parent(spec.stop_signal),  # noqa: PLW1509
                cwd="/" if spec.user else None,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code, None while it runs; minus the signal where one ended it."""
        return self._process.poll()

    def wait_ready(self) -> None:
        """Return once the part answers; raises StartError when it ends or takes too long."""
        deadline = time.monotonic() + self.spec.start_within_s
        while time.monotonic() < deadline:
            if (code := self.exit_code()) is not None:
                raise StartError(f"{self.spec.name} ended with {code}: {self.last_words()}")
            if self.spec.ready():
                return
            time.sleep(_POLL_S)
        self.stop()
        raise StartError(
            f"{self.spec.name} was not ready within {self.spec.start_within_s:.0f} s: "
            f"{self.last_words()}"
        )

    def stop(self) -> None:
        """Ask it to end, then insist; nothing of its group is left afterwards."""
        if self.exit_code() is None:
            self._signal(self.spec.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self.spec.stop_within_s)
        self._signal_group(signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """The end of what it logged, on one line."""
        try:
            lines = self.spec.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "no log"
        return lines[-1][:400] if lines else "it logged nothing"

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A hook that has Linux signal the child when its parent is gone, however it went."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))

    return ask
