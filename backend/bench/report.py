"""What a measurement found, with what it was compared with and on which machine."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from backend.settings import SettingsError

_MEASUREMENTS = {
    "flags": ("backend.bench.flags", "bench_flags"),
    "ingest": ("backend.bench.ingest", "bench_ingest"),
    "ledger": ("backend.bench.ledger", "bench_ledger"),
    "live": ("backend.bench.live", "bench_live"),
    "console": ("backend.bench.console", "bench_console"),
    "incidents": ("backend.bench.incidents", "bench_incidents"),
    "dispatch": ("backend.bench.dispatch", "bench_dispatch"),
    "support": ("backend.bench.support", "bench_support"),
}


def describe_machine() -> str:
    """Processor, cores, memory and system of this machine."""
    memory = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores of {platform.machine()}, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `wanted` says what was hoped for, `against` what it is compared with."""

    name: str
    value: float
    unit: str
    wanted: str = ""
    against: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run."""

    name: str
    figures: list[Figure]
    machine: str = field(default_factory=describe_machine)

    def as_dict(self) -> dict[str, Any]:
        """The report for `--json`."""
        return asdict(self)

    def in_words(self) -> str:
        """The report as lines to read."""
        width = max(len(figure.name) for figure in self.figures)
        lines = [f"{self.name}, on {self.machine}"]
        for figure in self.figures:
            line = f"  {figure.name:<{width}}  {figure.value:>12,.2f} {figure.unit:<10}"
            if figure.wanted:
                line += f" wanted {figure.wanted}"
            if figure.against:
                line += f" ({figure.against})"
            lines.append(line.rstrip())
        return "\n".join(lines)


def measure(name: str, seconds: int, instances: Path | None = None) -> Report:
    """Run the measurement `name`, each of its parts for `seconds`; `instances` is for dispatch."""
    if instances is not None and name != "dispatch":
        raise SettingsError("only `waypost bench dispatch` takes --instances")
    if name not in _MEASUREMENTS:
        raise SettingsError(f"there is no bench {name!r}; there are {', '.join(_MEASUREMENTS)}")
    module, function = _MEASUREMENTS[name]
    run = getattr(importlib.import_module(module), function)
    more = {} if instances is None else {"instances": instances}
    return Report(name, asyncio.run(run(seconds, **more)))
