"""The last known definitions and keys on disk, for a start without database and Redis."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as it was served, and when it was written."""

    version: int
    published_at: datetime
    written_at: datetime
    document: Mapping[str, Any]


def folder_of(data_dir: Path) -> Path:
    """Where in a data folder this is kept."""
    return data_dir / "flags"


def read_environment(folder: Path, name: str) -> Kept | None:
    """What was kept last, None where there is nothing that can be read."""
    found = _read(folder / f"{name}.json")
    try:
        return Kept(
            int(found["version"]),
            datetime.fromisoformat(found["published_at"]),
            datetime.fromisoformat(found["written_at"]),
            dict(found["document"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def write_environment(folder: Path, name: str, kept: Kept, *, whatever_is_there: bool) -> None:
    """Keep a document, unless another process has kept a newer one; raises OSError.

    `whatever_is_there` is for one that the database has just given whole: what is kept may be
    another database's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = None if whatever_is_there else read_environment(folder, name)
        if before is None or before.version < kept.version:
            _write(folder / f"{name}.json", asdict(kept))


def read_keys(folder: Path) -> dict[str, Any]:
    """The keys known last: by digest, what they open and until when."""
    return _read(folder / "keys.json")


def write_keys(folder: Path, changed: Mapping[str, Any | None]) -> None:
    """Keep keys, or forget those that are None; no secret is among them. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = {**read_keys(folder), **changed}
        _write(folder / "keys.json", {key: kept for key, kept in keys.items() if kept})


def _read(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, whatever happens to the process or the machine meanwhile."""
    temporary = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(orjson.dumps(content))
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
