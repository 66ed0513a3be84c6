"""`waypost bench dispatch`: matching a city, order to offer, routes on public instances."""

from __future__ import annotations

import asyncio
from pathlib import Path

from backend.bench.dispatch_flow import bench_order_to_offer
from backend.bench.dispatch_matching import bench_matching
from backend.bench.dispatch_routes import bench_routes
from backend.bench.report import Figure


async def bench_dispatch(seconds: int = 60, *, instances: Path | None = None) -> list[Figure]:
    """Measure each part; orders come in for `seconds`. Without `instances` no routes are measured.

    Large instances get 60 s and small ones 10 s, whatever `seconds` is.
    """
    figures = bench_matching()
    figures += await bench_order_to_offer(seconds)
    if instances is not None:
        figures += await asyncio.to_thread(bench_routes, instances)
    return figures
