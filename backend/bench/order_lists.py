"""How soon lists of orders come with their counts, of a million, to five callers at once."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from backend.bench.report import Figure
from backend.dispatch import service
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import OPEN, TERMINAL, OrderState
from backend.identity.schemas import GrantScope, Principal
from backend.platform import clock
from backend.platform.resources import Resources

WANTED_MS = 310
_CALLERS = ("*", "*", "IN", "TH-10", "VN-SG")
_ROUNDS = 4


def _asked() -> dict[str, dict[str, Any]]:
    """What people look for in a list of orders, by what it is called."""
    now = clock.now()
    delivered, open_ones = (OrderState.DELIVERED,), tuple(sorted(OPEN))
    return {
        "nothing asked": {},
        "open": {"states": open_ones},
        "ended": {"states": tuple(sorted(TERMINAL))},
        "on the way": {"states": (OrderState.IN_TRANSIT, OrderState.ARRIVED)},
        "delivered": {"states": delivered},
        "cancelled": {"states": (OrderState.CANCELLED,)},
        "returned": {"states": (OrderState.RETURNED,)},
        "late": {"lateness": "late"},
        "at risk": {"lateness": "at_risk"},
        "on time": {"lateness": "on_time"},
        "delivered late": {"states": delivered, "lateness": "late"},
        "open and late": {"states": open_ones, "lateness": "late"},
        "of a country": {"region": "IN"},
        "of a city": {"region": "TH-10"},
        "open, of a city": {"region": "TH-10", "states": open_ones},
        "late, of a city": {"region": "VN-SG", "lateness": "late"},
        "of a marketplace": {"merchant": "service:lotus-mart"},
        "open, of a marketplace": {"merchant": "service:lotus-mart", "states": open_ones},
        "express": {"service": "express"},
        "cash, delivered": {"terms": "cod", "states": delivered},
        "cash, open, express": {"terms": "cod", "service": "express", "states": open_ones},
        "with a tag": {"tag": "fragile"},
        "with a tag that none has": {"tag": "never-given"},
        "flagged": {"flagged": True},
        "a day a month ago": {
            "created_from": now - timedelta(days=31), "created_until": now - timedelta(days=30),
        },
        "by what is promised": {"sort": "promised", "descending": False},
        "by a name": {"q": "an"},
    }  # fmt: skip


async def listed(resources: Resources) -> list[Figure]:
    """Have callers of everywhere, a country and cities ask for all of it, all at once."""
    asked = _asked()
    took: dict[str, list[float]] = {name: [] for name in asked}

    async def ask(place: int, region: str) -> None:
        viewer = Principal("user", f"user:{place}", "Bench", (GrantScope("viewer", region),))
        for name in _turns(list(asked), place):
            began = time.perf_counter()
            async with resources.database.unit_of_work() as session:
                wanted = OrderFilter(**asked[name])
                await service.list_orders(session, viewer, wanted)
                await service.count_orders(session, viewer, wanted)
            took[name].append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(ask(place, region) for place, region in enumerate(_CALLERS)))
    every = [each for times in took.values() for each in times]
    slowest = max(took, key=lambda name: statistics.median(took[name]))
    against = f"{len(asked)} filters, {len(_CALLERS)} callers at once"
    return [
        Figure("orders with counts, 95th percentile", statistics.quantiles(every, n=20)[-1], "ms",
               f"< {WANTED_MS}", against),
        Figure("orders with counts, median", statistics.median(every), "ms"),
        Figure("  the slowest of them, median", statistics.median(took[slowest]), "ms", "",
               slowest),
    ]  # fmt: skip


def _turns(names: list[str], place: int) -> Iterator[str]:
    """All of them several times, each caller beginning elsewhere."""
    first = place * len(names) // len(_CALLERS)
    for _ in range(_ROUNDS):
        yield from names[first:] + names[:first]
