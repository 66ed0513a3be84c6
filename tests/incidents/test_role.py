"""The worker's role as it runs: from a delivery at a doorway to a call, and after a fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import orjson
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.identity.tokens import issue_api_token
from backend.incidents import intake, role, service
from backend.incidents.intake import Sent
from backend.platform.resources import Resources
from backend.regions.service import seed

from .payloads import alertmanager, firing, pagerduty
from .test_on_call import schedule
from .world import ADMIN, do, incidents, look


@asynccontextmanager
async def running(resources: Resources) -> AsyncIterator[None]:
    """The role in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(resources, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(found: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Return once it is so."""
    async with asyncio.timeout(within_s):
        while not await found():
            await asyncio.sleep(0.05)


async def test_a_delivery_becomes_an_incident_and_a_call(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await schedule(resources)
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "prometheus", permissions=frozenset({"alerts:write"}), regions=("TH",)
        )
    answer = await client.post(
        "/api/hooks/alertmanager", json=alertmanager(firing()),
        headers={"authorization": f"Bearer {issued.secret}"},
    )  # fmt: skip
    assert answer.status_code == 202

    async def called() -> bool:
        return bool([row for row in await incidents(resources) if await _calls(row.id)])

    async def _calls(incident: object) -> object:
        return await do(resources, service.list_pages, ADMIN, incident_id=incident)

    async with running(resources):
        await until(called)
    [one] = await incidents(resources)
    kinds = [entry.kind for entry in (await look(resources, one.id)).timeline]
    assert kinds == ["impact", "detected", "alert", "called"]


async def test_a_delivery_that_cannot_be_worked_in_holds_up_no_other(
    resources: Resources,
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        for key in ("before", "spoilt", "after"):
            body = orjson.dumps(pagerduty(dedup_key=key))
            await intake.keep(session, ADMIN, Sent("pagerduty", body, "application/json", {}))
    async with resources.database.unit_of_work() as session:
        # As a later version would leave it, that reads less than this one kept.
        await session.execute(
            text("UPDATE incidents_event SET body = '{}' WHERE body LIKE '%spoilt%'")
        )
    assert await intake.work_in(resources.database) == 3
    assert await intake.work_in(resources.database) == 0
    async with resources.database.unit_of_work() as session:
        states = list(await session.scalars(text("SELECT state FROM incidents_event ORDER BY id")))
        keys = list(await session.scalars(text("SELECT key FROM incidents_alert ORDER BY id")))
    assert states == ["done", "refused", "done"]
    assert keys == ["before", "after"]


async def test_two_workers_open_one_incident_for_one_thing(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        for n in range(40):
            body = orjson.dumps(alertmanager(firing(f"f{n % 10}", ago_s=60 - n)))
            sent = Sent("alertmanager", body, "application/json", {})
            await intake.keep(session, ADMIN, sent)
    await asyncio.gather(*(intake.work_in(resources.database) for _ in range(4)))
    [one] = await incidents(resources)
    assert (one.alerts_count, one.firing) == (10, 10)
