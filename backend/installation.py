"""A data folder on this machine: its lock, its secret, and where the system it holds is found."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.settings import SettingsError

_LEAST_FREE_BYTES = 300 * 1024 * 1024
_RUNNING = "running.json"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running system is reached; what the other commands need of it."""

    env: str
    public_url: str
    database_url: str
    redis_url: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        """The settings that join a process to this system."""
        return {f"WAYPOST_{name.upper()}": value for name, value in asdict(self).items()}


def prepare(data_dir: Path) -> None:
    """Make the folder; raises SettingsError where it cannot hold a database."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data_dir / ".probe"
        probe.write_bytes(b"waypost")
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"the data folder {data_dir} cannot be written to ({error.strerror}); "
            "free it or choose another with --data"
        ) from error
    free = shutil.disk_usage(data_dir).free
    if free < _LEAST_FREE_BYTES:
        raise SettingsError(
            f"the data folder {data_dir} has {free // 2**20} MB free and needs "
            f"{_LEAST_FREE_BYTES // 2**20}; free some or choose another with --data"
        )


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the folder alone; raises SettingsError where another system runs on it."""
    with (data_dir / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                f"another waypost is already running on {data_dir}; stop it or choose another "
                "folder with --data"
            ) from error
        yield


def secret_key(data_dir: Path) -> str:
    """The folder's own secret, made at its first use and readable by its owner alone."""
    path = data_dir / "secret"
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def announce(data_dir: Path, running: Running) -> None:
    """Tell the commands of this machine where the system is."""
    _write_private(data_dir / _RUNNING, json.dumps(asdict(running)))


def withdraw(data_dir: Path) -> None:
    """Take the announcement back."""
    (data_dir / _RUNNING).unlink(missing_ok=True)


def find(data_dir: Path) -> Running:
    """The system that runs on the folder; raises SettingsError where there is none."""
    try:
        return Running(**json.loads((data_dir / _RUNNING).read_text()))
    except FileNotFoundError as error:
        raise SettingsError(
            f"no waypost is running on {data_dir}; start one with `waypost up`, name its folder "
            "with --data, or set WAYPOST_DATABASE_URL and WAYPOST_REDIS_URL"
        ) from error
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{data_dir / _RUNNING} cannot be read; restart waypost up") from error


def _write_private(path: Path, content: str) -> None:
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(content)
    temporary.replace(path)
