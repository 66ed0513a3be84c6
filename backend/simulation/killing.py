"""Kills the embedded Valkey of a demo, again whenever its supervisor has brought it back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

_PROGRAM = "valkey-server"


class Killer:
    """Knows the hot store of one data folder by what it was started with."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = str(data_dir.resolve())

    def kill(self) -> int:
        """Kill what runs of it now, without a warning; answers how many processes it was."""
        killed = 0
        for process in psutil.process_iter(["name", "cmdline", "cwd"]):
            words = " ".join(process.info["cmdline"] or ())
            if _PROGRAM not in words or not self._is_ours(process, words):
                continue
            with suppress(psutil.Error):
                process.kill()
                killed += 1
        return killed

    def _is_ours(self, process: psutil.Process, words: str) -> bool:
        return self._folder in words or (process.info["cwd"] or "").startswith(self._folder)
