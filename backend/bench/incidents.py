"""How fast alerts come in, and how ten thousand open ones are listed, filtered and changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import count, cycle
from uuid import UUID

from sqlalchemy import text

from backend.bench.load import Load, send_for
from backend.bench.report import Figure
from backend.bench.running import running_system
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.incidents import service
from backend.incidents.rules import Severity
from backend.incidents.schemas import AlertBulkIn, AlertFilter, IncidentFilter
from backend.platform.processes import StartError
from backend.platform.resources import Resources, open_resources
from backend.regions.service import seed

WANTED_PER_S = 1_000
WANTED_S = 1.0
OPEN = 10_000
_TOKENS = 20
_TOGETHER = 10
_CITIES = ("TH-10", "IN-KA", "IN-MH", "VN-SG", "ID-JK", "SG-01")
_SERVICES = 40
_WORK_WITHIN_S = 180.0
_ROUNDS = 5


async def bench_incidents(seconds: float = 60.0) -> list[Figure]:
    """Measure on stores and processes of its own; `seconds` is how long alerts are sent."""
    async with (
        running_system("incidents", "relay") as system,
        open_resources(system.settings) as resources,
    ):
        tokens = await _tokens(resources)
        single = await _sent(resources, system.port, tokens, 1, min(seconds, 15.0), None)
        paced = await _sent(
            resources, system.port, tokens, _TOGETHER, seconds, WANTED_PER_S / _TOGETHER
        )
        flat_out = await _sent(resources, system.port, tokens, _TOGETHER, 10.0, None)
        await _fill(resources)
        listed = await _listed(resources)
        changed = await _changed(resources)
    return [*_intake_figures(single, paced, flat_out), *listed, *changed]


async def _tokens(resources: Resources) -> list[str]:
    """Tokens of as many monitoring systems, for one alone may not send so much."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        permissions = frozenset({"alerts:write"})
        return [
            (await issue_api_token(session, SYSTEM, f"bench-{n}", permissions=permissions)).secret
            for n in range(_TOKENS)
        ]


_ALERT = (
    '{"status":"firing","labels":{"alertname":"Bench","severity":"warning","service":"bench-%d",'
    '"region":"%s","instance":"host-%d"},"annotations":{"summary":"Bench alert %d"},'
    '"startsAt":"%s","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://localhost/graph",'
    '"fingerprint":"%016x"}'
)


def _body(first: int, n: int) -> bytes:
    at = datetime.now(UTC).isoformat()
    alerts = ",".join(
        _ALERT % (i % _SERVICES, _CITIES[i % len(_CITIES)], i, i, at, i)
        for i in range(first, first + n)
    )
    return f'{{"version":"4","groupKey":"{{}}","status":"firing","alerts":[{alerts}]}}'.encode()


class _Run:
    """What a load of alerts found, and how long it took to work them in."""

    def __init__(self, load: Load, together: int, worked_in_s: float) -> None:
        self.load = load
        self.alerts = load.statuses[202] * together
        self.accepted_per_s = self.alerts / load.seconds
        self.worked_in_s = worked_in_s
        self.end_to_end_per_s = self.alerts / (load.seconds + worked_in_s)


_numbers = count()


async def _sent(
    resources: Resources,
    port: int,
    tokens: Sequence[str],
    together: int,
    seconds: float,
    per_second: float | None,
) -> _Run:
    """Send alerts that nobody knows yet, wait until all are worked in, and see that all are."""
    before = await _known(resources)
    turns = cycle(tokens)

    def request() -> bytes:
        body = _body(next(_numbers) * 1_000, together)
        return (
            f"POST /api/hooks/alertmanager HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {next(turns)}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    load = await asyncio.to_thread(
        send_for, port, request, seconds=seconds, connections=16, per_second=per_second
    )
    if set(load.statuses) != {202}:
        raise StartError(f"refused: {dict(load.statuses)} {load.refusal[:300]!r}")
    began = time.perf_counter()
    await _worked_in(resources)
    run = _Run(load, together, time.perf_counter() - began)
    found = await _known(resources) - before
    if found != run.alerts:
        raise StartError(f"{run.alerts} alerts were accepted and {found} are known")
    return run


async def _known(resources: Resources) -> int:
    async with resources.database.unit_of_work() as session:
        return int(await session.scalar(text("SELECT count(*) FROM incidents_alert")) or 0)


async def _worked_in(resources: Resources) -> None:
    deadline = time.monotonic() + _WORK_WITHIN_S
    waiting = text("SELECT count(*) FROM incidents_event WHERE state = 'waiting'")
    while True:
        async with resources.database.unit_of_work() as session:
            if not await session.scalar(waiting):
                return
        if time.monotonic() > deadline:
            raise StartError("the alerts were not worked in in time")
        await asyncio.sleep(0.05)


async def _fill(resources: Resources) -> None:
    """Leave exactly so many open alerts: the newest."""
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "UPDATE incidents_alert SET status = 'resolved', ended_at = now() WHERE id NOT IN"
                " (SELECT id FROM incidents_alert ORDER BY id DESC LIMIT :most)"
            ),
            {"most": OPEN},
        )
        await session.execute(text("ANALYZE incidents_alert"))
    if await _open(resources) < OPEN:
        raise StartError(f"fewer than {OPEN} alerts were sent; measure for longer")


async def _open(resources: Resources) -> int:
    query = text("SELECT count(*) FROM incidents_alert WHERE status = 'firing'")
    async with resources.database.unit_of_work() as session:
        return int(await session.scalar(query) or 0)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """The longest of a few times that a piece of work took, in seconds."""
    took = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return max(took)


async def _listed(resources: Resources) -> list[Figure]:
    async def page(**wanted: object) -> None:
        async with resources.database.unit_of_work() as session:
            asked = AlertFilter.model_validate({"status": "firing", **wanted})
            found = await service.list_alerts(session, SYSTEM, asked, limit=200)
        if not found.items:
            raise StartError(f"nothing was found for {wanted}")

    async def incidents() -> None:
        async with resources.database.unit_of_work() as session:
            await service.list_incidents(session, SYSTEM, IncidentFilter(), limit=200)

    async def counts() -> None:
        async with resources.database.unit_of_work() as session:
            await service.count_open(session, SYSTEM)

    wanted = f"< {WANTED_S * 1000:.0f}"
    filtered = {"region": "IN", "severity": Severity.SEV3, "q": "alert"}
    against = f"{OPEN:,} open alerts, longest of {_ROUNDS}"
    return [
        Figure("a page of 200 alerts", await _timed(page) * 1000, "ms", wanted, against),
        Figure(
            "filtered by region, severity, words",
            await _timed(lambda: page(**filtered)) * 1000, "ms", wanted, against,
        ),
        Figure("their incidents", await _timed(incidents) * 1000, "ms", wanted, against),
        Figure("their incidents counted", await _timed(counts) * 1000, "ms", wanted, against),
    ]  # fmt: skip


async def _changed(resources: Resources) -> list[Figure]:
    async with resources.database.unit_of_work() as session:
        found = await session.scalars(
            text("SELECT id FROM incidents_alert WHERE status = 'firing' ORDER BY id")
        )
        ids = [UUID(str(each)) for each in found]
    figures = []
    for verb in ("acknowledge", "resolve"):
        began = time.perf_counter()
        async with resources.database.unit_of_work() as session:
            asked = AlertBulkIn.model_validate({"verb": verb, "ids": ids})
            done = (await service.act_on_alerts(session, SYSTEM, asked)).done
        took = time.perf_counter() - began
        if done != OPEN:
            raise StartError(f"{done} of {OPEN} alerts were changed")
        figures.append(
            Figure(
                f"{OPEN:,} alerts, {verb}", took * 1000, "ms", f"< {WANTED_S * 1000:.0f}",
                "one unit of work, a result for each",
            )
        )  # fmt: skip
    return figures


def _intake_figures(single: _Run, paced: _Run, flat_out: _Run) -> list[Figure]:
    return [
        Figure("alerts one a request, accepted", single.accepted_per_s, "1/s"),
        Figure("one a request, worked in", single.end_to_end_per_s, "1/s"),
        Figure(
            "alerts ten a request at 1,000/s, accepted", paced.accepted_per_s, "1/s",
            f">= {WANTED_PER_S * 0.99:.0f}",
        ),
        Figure("median answer at 1,000/s", paced.load.quantile_ms(0.5), "ms"),
        Figure("99th percentile at 1,000/s", paced.load.quantile_ms(0.99), "ms"),
        Figure("left to work in at the end", paced.worked_in_s, "s", "", "after the last answer"),
        Figure("ten a request, as fast as it goes, accepted", flat_out.accepted_per_s, "1/s"),
        Figure("ten a request, request to incident", flat_out.end_to_end_per_s, "1/s"),
    ]  # fmt: skip
