"""What is told about the system never stands in its way."""

from __future__ import annotations

import io
import logging
from errno import ENOSPC

import structlog

from backend.platform.telemetry import LogFile


class FullDisk(io.StringIO):
    """A log on a disk that takes nothing more."""

    def write(self, text: str) -> int:
        raise OSError(ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise OSError(ENOSPC, "No space left on device")


def test_a_full_disk_stops_the_log_and_nothing_else() -> None:
    sink = LogFile(FullDisk())
    structlog.PrintLogger(sink).msg("this is lost")  # type: ignore[arg-type]
    logging.StreamHandler(sink).emit(logging.makeLogRecord({"msg": "and this"}))  # type: ignore[type-var]


def test_lines_reach_a_log_that_can_be_written() -> None:
    kept = io.StringIO()
    structlog.PrintLogger(LogFile(kept)).msg("this is kept")  # type: ignore[arg-type]
    assert kept.getvalue() == "this is kept\n"
