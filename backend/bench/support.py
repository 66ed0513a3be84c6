"""How soon support finds an order of a million, reads its case, lists its queue and orders."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from sqlalchemy import text

from backend.bench import order_lists, support_cases, support_orders
from backend.bench.report import Figure
from backend.bench.running import fresh_stores, settings_for
from backend.bench.support_orders import Sample
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.memory import keep_what_is_loaded
from backend.platform.processes import StartError
from backend.platform.resources import Resources, open_resources
from backend.regions.service import seed
from backend.support import service
from backend.support.rules import State
from backend.support.schemas import EscalationFilter

WANTED_SEARCH_MS = 300
WANTED_CASE_MS = 200
WANTED_QUEUE_MS = 500
_SECRET = "only for the length of one measurement"  # noqa: S105
_SAMPLES = 400
_ROUNDS = 9
_CITIES = ("IN-KA", "VN-SG", "TH-10")
_NAIVE = """
SELECT id FROM dispatch_order WHERE drop_name ILIKE :q OR drop_phone LIKE :q OR reference ILIKE :q
ORDER BY created_at DESC LIMIT 20
"""
_READ_WHOLE = """
SELECT relname, seq_scan FROM pg_stat_user_tables
WHERE relname IN ('dispatch_order', 'dispatch_parcel', 'dispatch_recipient', 'payments_payment',
  'support_escalation')
"""
_ASKED: dict[str, dict[str, Any]] = {
    "a page of 200": {},
    "breached": {"sla": "breached"},
    "of a city": {"region": "TH-10"},
    "kind and priority": {"kinds": ["payment"], "priorities": ["urgent", "high"]},
    "nobody's": {"assignee": "nobody"},
    "by words": {"q": "Ticket 99"},
    "of all, by words": {"q": "Ticket 999", "states": list(State), "sort": "newest"},
    "closed": {"states": ["closed"]},
}


async def bench_support(seconds: int = 60) -> list[Figure]:
    """Measure on stores of its own; `seconds` is how long searches are asked, by three agents."""
    async with fresh_stores() as (folder, stores):
        settings = settings_for(folder, stores, secret_key=_SECRET)
        async with open_resources(settings) as resources:
            async with resources.database.unit_of_work() as session:
                await seed(session, SYSTEM)
            await support_orders.fill(resources.database)
            numbers = await support_cases.fill(resources)
            keep_what_is_loaded()
            return [
                *await searched(resources, seconds),
                *await read(resources, numbers),
                *await queued(resources),
                *await order_lists.listed(resources),
            ]


def agent(region: str) -> Principal:
    """A support agent of a region."""
    return Principal("user", f"user:{region}", "Bench", (GrantScope("support_agent", region),))


def typed(sample: Sample, chance: Random) -> Iterator[tuple[str, str]]:
    """What people type who look for an order, by the way they name it."""
    words = sample.name.split()
    yield "number", sample.number
    yield "number", slipped(sample.number, chance)
    yield "how a number begins", sample.number[:7]
    yield "reference, barcode", sample.reference
    yield "reference, barcode", slipped(sample.reference, chance)
    yield "reference, barcode", sample.barcode
    yield "end of a phone", sample.phone[-4:]
    yield "end of a phone", f"0{sample.phone[-9:]}"
    yield "name", sample.name
    yield "name", " ".join(reversed(words))
    yield "misspelled name", " ".join(slipped(word, chance) for word in words)
    yield "one name of many", words[0]
    yield "one name of many", words[-1][:3]
    yield "nothing there is", f"Zebulon {chance.randrange(1000)} Quixote"


def slipped(word: str, chance: Random) -> str:
    """The word with two neighbours swapped."""
    place = chance.randrange(1, max(2, len(word) - 1))
    return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


async def searched(resources: Resources, seconds: int) -> list[Figure]:
    """Search as agents of a city, of a country and of everywhere do."""
    samples = await support_orders.samples(resources.database, _SAMPLES, _CITIES)
    chance = Random(7)  # noqa: S311 - the same slips in every run
    agents = [agent("IN-KA"), agent("VN"), agent("*")]
    took: dict[str, list[float]] = defaultdict(list)
    before = await _read_whole(resources)
    ends = time.monotonic() + seconds
    for n, sample in enumerate(samples):
        for way, q in typed(sample, chance):
            took[way].append(await _search(resources, agents[n % len(agents)], q))
        if time.monotonic() > ends:
            break
    whole = await _read_whole(resources) - before
    naive = [await _naive(resources, sample) for sample in samples[:5]]
    every = [each for times in took.values() for each in times]
    wanted = f"< {WANTED_SEARCH_MS}"
    against = f"{statistics.median(naive):,.0f} ms by ILIKE over the same orders"
    return [
        Figure("search, 95th percentile", _p95(every), "ms", wanted, against),
        Figure("search, median", statistics.median(every), "ms", "", f"{len(every):,} searches"),
        *(Figure(f"  {way}, 95th percentile", _p95(times), "ms", wanted)
          for way, times in took.items()),
        Figure("tables read whole meanwhile", whole.total(), "", "0", ", ".join(whole)),
    ]  # fmt: skip


async def _search(resources: Resources, principal: Principal, q: str) -> float:
    began = time.perf_counter()
    async with resources.database.unit_of_work() as session:
        await service.search(session, principal, q)
    return (time.perf_counter() - began) * 1000


async def _naive(resources: Resources, sample: Sample) -> float:
    began = time.perf_counter()
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_NAIVE), {"q": f"%{sample.phone[-6:]}%"})
    return (time.perf_counter() - began) * 1000


async def _read_whole(resources: Resources) -> Counter[str]:
    """How often each table with a million rows, or their names, has been read from end to end."""
    # A connection tells of what it read when it likes, and when it ends.
    await resources.database.dispose()
    async with resources.database.unit_of_work() as session:
        return Counter(dict((await session.execute(text(_READ_WHOLE))).tuples().all()))


async def _count(resources: Resources, query: str) -> int:
    async with resources.database.unit_of_work() as session:
        return int(await session.scalar(text(query)) or 0)


async def read(resources: Resources, numbers: Sequence[str]) -> list[Figure]:
    """Read the cases of orders that went all the way."""
    principal = agent(support_cases.CITY)
    took, moments = [], []
    for number in [*numbers] * _ROUNDS:
        began = time.perf_counter()
        async with resources.database.unit_of_work() as session:
            case = await service.case_of(session, principal, number)
        took.append((time.perf_counter() - began) * 1000)
        moments.append(len(case.moments))
    against = f"{statistics.mean(moments):.0f} moments each, over {support_cases.FIXES} positions"
    return [
        Figure("an order's case, 95th percentile", _p95(took), "ms", f"< {WANTED_CASE_MS}",
               against),
        Figure("an order's case, median", statistics.median(took), "ms"),
    ]  # fmt: skip


async def queued(resources: Resources) -> list[Figure]:
    """List and filter the open tickets, with the counts that stand above the list."""
    open_ones = await _count(
        resources, "SELECT count(*) FROM support_escalation WHERE state IN ('open', 'pending')"
    )
    if open_ones < support_cases.OPEN:
        raise StartError(f"{open_ones} open tickets were made of {support_cases.OPEN}")
    principal = agent("*")
    figures = []
    for name, asked in _ASKED.items():
        wanted = EscalationFilter(**asked)
        longest = max([await _listed(resources, principal, wanted) for _ in range(_ROUNDS)])
        against = f"{open_ones:,} open, with counts, longest of {_ROUNDS}"
        figures.append(Figure(f"tickets, {name}", longest, "ms", f"< {WANTED_QUEUE_MS}", against))
    return figures


async def _listed(resources: Resources, principal: Principal, wanted: EscalationFilter) -> float:
    began = time.perf_counter()
    async with resources.database.unit_of_work() as session:
        page = await service.list_escalations(session, principal, wanted, limit=200)
        await service.count_escalations(session, principal, wanted)
    if not page.items:
        raise StartError(f"nothing was listed for {wanted}")
    return (time.perf_counter() - began) * 1000


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
