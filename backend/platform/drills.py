"""What a drill breaks on purpose in the demo, told to every process through a file.

The file names its own end, so that a drill whose process dies leaves nothing broken; outside the
demo nobody looks at it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, time

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.platform.scopes import EVERYWHERE
from backend.settings import get_settings

_FILE = "drill.json"
_LOOK_EVERY_S = 0.5
SLOW_S = 1.5


@dataclass(frozen=True, slots=True)
class Breakage:
    """What is broken until a moment, in seconds since 1970, and where.

    `part` is `gateway`, `phones`, `web` or `role:` with the name of a worker's role.
    """

    part: str
    until: float
    region: str = EVERYWHERE


@dataclass(slots=True)
class _Seen:
    at: float = float("-inf")
    breakage: Breakage | None = None


_seen = _Seen()


def begin(data_dir: Path, breakage: Breakage) -> None:
    """Break something in the system of a data folder."""
    temporary = data_dir / f"{_FILE}.new"
    temporary.write_text(json.dumps(asdict(breakage)))
    temporary.replace(data_dir / _FILE)


def end(data_dir: Path) -> None:
    """Break nothing any more."""
    (data_dir / _FILE).unlink(missing_ok=True)


def broken(part: str) -> Breakage | None:
    """How a part of this demo is broken now, known within half a second; None where it is not."""
    settings = get_settings()
    if not settings.demo:
        return None
    if monotonic() - _seen.at >= _LOOK_EVERY_S:
        _seen.at, _seen.breakage = monotonic(), _read(settings.data_dir / _FILE)
    found = _seen.breakage
    return found if found is not None and found.part == part and found.until > time() else None


def _read(path: Path) -> Breakage | None:
    try:
        return Breakage(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


class SlowedDown:
    """Keeps callers of the order API waiting while a drill has the web slow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/") and broken("web"):
            await asyncio.sleep(SLOW_S)
        await self._app(scope, receive, send)
