"""A whole running Waypost, started as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_UP_WITHIN_S = 240
_DOWN_WITHIN_S = 60
_NOT_INHERITED = ("WAYPOST_", "OTEL_", "COV_", "PYTEST_")


@dataclass(frozen=True, slots=True)
class System:
    """Where a started system is, and the process that keeps it."""

    url: str
    data_dir: Path
    process: subprocess.Popen[str]
    output: Path

    def waypost(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the `waypost` tool against this system."""
        return waypost(*arguments, "--data", str(self.data_dir))


def clean_environment() -> dict[str, str]:
    """This process's environment without what the tests set for themselves."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }


def waypost(
    *arguments: str, environment: dict[str, str] | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the `waypost` tool to its end."""
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env={**clean_environment(), **(environment or {})},
    )


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_system(data_dir: Path, *options: str) -> Iterator[System]:
    """`waypost up --demo` on a free port until the block ends; nothing of it is left after."""
    port = free_port()
    output = data_dir.parent / f"{data_dir.name}.out"
    command = [sys.executable, "-m", "backend.cli", "up", "--demo", "--port", str(port),
               "--data", str(data_dir), *options]  # fmt: skip
    with output.open("w") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=subprocess.STDOUT, text=True, env=clean_environment()
        )
    try:
        _wait_until_up(process, output)
        yield System(f"http://localhost:{port}", data_dir, process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(_DOWN_WITHIN_S)


def _wait_until_up(process: subprocess.Popen[str], output: Path) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        text = output.read_text()
        if "Waypost is up" in text:
            return
        if process.poll() is not None:
            raise AssertionError(f"waypost up ended with {process.returncode}:\n{text}")
        time.sleep(0.2)
    raise AssertionError(f"waypost up was not up in time:\n{output.read_text()}")
