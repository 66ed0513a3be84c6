"""How fast the ledger posts transfers, against pgbench's TPC-B-like on the same server.

pgbench drives both, with the same clients: its built-in script, and one that posts as the services
do, in one round trip. What a unit of work of ours adds on top, in Python, is measured beside it.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from backend.bench.report import Figure
from backend.bench.running import fresh_stores
from backend.identity.schemas import SYSTEM
from backend.payments import booking, service
from backend.payments.ledger_rules import Account, AccountKind, post
from backend.platform import embedded
from backend.platform.db import Database
from backend.platform.ids import uuid7

CLIENTS = 16
WANTED_RATIO = 0.5
_THREADS = 2
_WALLETS = 10_000
_SCALE = 16
_ROUNDS = 3
_BATCH = 50
_TPS = re.compile(r"tps = ([0-9.]+)")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")
_FAILED = re.compile(r"number of failed transactions: ([0-9]+)")

# pgbench's variables are plain numbers: its wallets have ids that end in one.
_FIRST = 100_000_000_000
_ID = "00000000-0000-4000-8000-{}"
_FUND = 10**12
_AT_ONCE = 500

_OPEN = """
INSERT INTO payments_account (id, kind, owner, region, currency, floored, hot, opened_at)
SELECT CAST('00000000-0000-4000-8000-' || n AS uuid), 'wallet', n, 'TH', 'THB', true, false, now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""
_FILL = """
SELECT count(*) FROM payments_book('[]', (SELECT jsonb_agg(jsonb_build_object(
  'op', 'post', 'id', gen_random_uuid(), 'debit', CAST(:debit AS text),
  'credit', '00000000-0000-4000-8000-' || n, 'amount', CAST(:fund AS bigint),
  'currency', 'THB', 'kind', 'top_up'))
  FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n))
WHERE outcome = 'done'
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What pgbench says of one run."""

    tps: float
    latency_ms: float


class Bench:
    """A server with both sets of tables, and the programs to load it."""

    def __init__(self, database: Database, sockets: Path, folder: Path) -> None:
        self._database = database
        self._sockets = sockets
        self._folder = folder
        self._runs = 0

    async def prepare(self) -> None:
        """Fill pgbench's tables and open wallets with money in them."""
        await self._pgbench("-i", "-q", "-s", str(_SCALE))
        async with self._database.unit_of_work() as session:
            whole = {"first": _FIRST, "last": _FIRST + _WALLETS - 1}
            await session.execute(text(_OPEN), whole)
        top_ups = [post(uuid7(), CLEARING, purse, _FUND, "top_up") for purse in PURSES]
        async with self._database.unit_of_work() as session:
            await booking.book(session, top_ups)
        for first in range(_FIRST, _FIRST + _WALLETS, _AT_ONCE):
            values = {"debit": str(CLEARING.id), "fund": _FUND}
            values |= {"first": first, "last": first + _AT_ONCE - 1}
            async with self._database.unit_of_work() as session:
                assert await session.scalar(text(_FILL), values) == _AT_ONCE
        async with self._database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.execute(text("VACUUM ANALYZE"))
            await plain.execute(text("CHECKPOINT"))

    async def tpcb(self, seconds: int) -> Run:
        """pgbench's built-in TPC-B-like transactions."""
        return await self._load(seconds, "-b", "tpcb-like")

    async def transfers(self, seconds: int, credit: str) -> Run:
        """Transfers from any wallet to any (`:b`), or to the one account with this id."""
        self._runs += 1
        script = self._folder / f"transfers-{self._runs}.sql"
        script.write_text(transfer_script(credit, 7000 + self._runs))
        return await self._load(seconds, "-f", str(script), "-D", "n=10000000")

    async def _load(self, seconds: int, *arguments: str) -> Run:
        told = await self._pgbench(
            "-n", "-M", "simple", "-c", str(CLIENTS), "-j", str(_THREADS), "-T", str(seconds),
            *arguments,
        )  # fmt: skip
        tps, latency, failed = _TPS.search(told), _LATENCY.search(told), _FAILED.search(told)
        if tps is None or latency is None or (failed and failed[1] != "0"):
            raise RuntimeError(f"pgbench failed: {told}")
        return Run(float(tps[1]), float(latency[1]))

    async def _pgbench(self, *arguments: str) -> str:
        command = [
            str(embedded.program("pgbench")), "-h", str(self._sockets), "-U", "postgres",
            *arguments, "waypost",
        ]  # fmt: skip
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"pgbench failed: {done.stderr.strip()}")
        return done.stdout

    async def units_of_work(self, seconds: int, batch: int) -> float:
        """Transfers a second as the services book them, from one Python process."""
        return await _repeat(seconds, lambda: self._unit(batch)) * batch

    async def _unit(self, batch: int) -> None:
        pairs = [random.sample(PURSES, 2) for _ in range(batch)]
        items = [post(uuid7(), giver, taker, 1, "payment") for giver, taker in pairs]
        async with self._database.unit_of_work() as session:
            await booking.book(session, items)

    async def verdict(self) -> tuple[int, int, int]:
        """Deadlocks the server has seen, faults of the ledger, and its entries."""
        async with self._database.unit_of_work() as session:
            deadlocks = await session.scalar(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = 'waypost'")
            )
            found = await service.check_ledger(session, SYSTEM)
        return int(deadlocks or 0), len(found.faults), found.entries


CLEARING = Account(AccountKind.CLEARING, "bench", "TH", "THB")
SHOP = Account(AccountKind.MERCHANT, "bench", "TH", "THB")
PURSES = [Account(AccountKind.WALLET, f"bench {number}", "TH", "THB") for number in range(200)]


def transfer_script(credit: str, run: int) -> str:
    """A pgbench script of one transfer, said in full as the services say it."""
    debit = _ID.format(":a")
    named = ", ".join((_named(debit, hot=False), _named(credit, hot=credit == str(SHOP.id))))
    item = (
        f'{{"op": "post", "id": ":n-0000-{run}-8000-:c", "debit": "{debit}", '
        f'"credit": "{credit}", "amount": 1, "currency": "THB", "kind": "payment", '
        '"order_number": "WP-:n", "reference": "bench"}'
    )
    return (
        f"\\set n :n + 1\n"
        f"\\set c {_FIRST} + :client_id\n"
        f"\\set a random({_FIRST}, {_FIRST + _WALLETS // 2 - 1})\n"
        f"\\set b random({_FIRST + _WALLETS // 2}, {_FIRST + _WALLETS - 1})\n"
        f"SELECT outcome FROM payments_book('[{named}]', '[{item}]');\n"
    )


def _named(account_id: str, *, hot: bool) -> str:
    kind = "merchant_payable" if hot else "wallet"
    return (
        f'{{"id": "{account_id}", "kind": "{kind}", "owner": "bench", "region": "TH", '
        f'"currency": "THB", "floored": {str(not hot).lower()}, "hot": {str(hot).lower()}}}'
    )


async def _repeat(seconds: int, work: Callable[[], Awaitable[None]]) -> float:
    """How often a second the work was done by as many tasks as there are clients."""
    done = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await work()
            done += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


async def bench_ledger(seconds: int = 60) -> list[Figure]:
    """Measure each load in turns, so that a slow moment of the machine meets them all."""
    part = max(2, seconds // (_ROUNDS * 4))
    async with fresh_stores() as (folder, stores):
        database = Database(stores.database_url, pool_size=CLIENTS)
        try:
            bench = Bench(database, embedded.socket_folder(folder), folder)
            await bench.prepare()
            return await _measured(bench, part)
        finally:
            await database.dispose()


async def _measured(bench: Bench, part: int) -> list[Figure]:
    loads: dict[str, Callable[[], Awaitable[Run]]] = {
        "tpcb": lambda: bench.tpcb(part),
        "uniform": lambda: bench.transfers(part, _ID.format(":b")),
        "platform": lambda: bench.transfers(part, str(SHOP.id)),
        "wallet": lambda: bench.transfers(part, _ID.format(_FIRST + _WALLETS - 1)),
    }
    runs: dict[str, list[Run]] = {name: [] for name in loads}
    for _ in range(_ROUNDS):
        for name, load in loads.items():
            runs[name].append(await load())
    single = await bench.units_of_work(part, 1)
    batched = await bench.units_of_work(part, _BATCH)
    deadlocks, faults, entries = await bench.verdict()
    tps = {name: statistics.median(run.tps for run in found) for name, found in runs.items()}
    wait = {
        name: statistics.median(run.latency_ms for run in found) for name, found in runs.items()
    }
    against = f"pgbench TPC-B-like {tps['tpcb']:,.0f} /s, {CLIENTS} clients each"
    wanted = f">= {WANTED_RATIO}"
    return [
        Figure("transfers between wallets", tps["uniform"], "/s", "", against),
        Figure("ratio, uniform", tps["uniform"] / tps["tpcb"], "", wanted),
        Figure("transfers to one platform account", tps["platform"], "/s", "", against),
        Figure("ratio, hot account", tps["platform"] / tps["tpcb"], "", wanted),
        Figure(
            "transfers to one wallet", tps["wallet"], "/s", "",
            "a balance with a floor is one row, and is waited for",
        ),
        Figure("ratio, hot wallet", tps["wallet"] / tps["tpcb"], ""),
        Figure(
            "time of a transfer, uniform", wait["uniform"], "ms", "",
            f"TPC-B-like {wait['tpcb']:.2f}",
        ),
        Figure("units of work of the services", single, "/s", "", "one Python process"),
        Figure(f"the same in batches of {_BATCH}", batched, "/s"),
        Figure("deadlocks", deadlocks, "", "0"),
        Figure("broken promises of the ledger", faults, "", "0", f"{entries:,} entries walked"),
    ]  # fmt: skip
