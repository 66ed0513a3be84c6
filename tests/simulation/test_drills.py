"""A drill goes from what it breaks to the verified end, on the real parts, in quick time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from backend import worker
from backend.identity.schemas import SYSTEM
from backend.incidents import grouping_rules, sweeps
from backend.incidents import service as incidents
from backend.incidents.schemas import AlertFilter, AlertIn
from backend.insights import definitions, detecting
from backend.insights.counting import write_counts
from backend.insights.detecting import detect_once
from backend.insights.readings import READERS
from backend.platform import clock, drills, indicators
from backend.platform.outbox import relay_once
from backend.platform.resources import Resources
from backend.settings import SettingsError
from backend.simulation.drills import DRILLS, Times, run_drill
from backend.simulation.killing import Killer
from tests.payments.world import World
from tests.tracking.fleet import ago, fix, hire, send


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delays that are minutes in an operations room are moments here."""
    brief = {
        name: each.model_copy(update={"for_s": 0.0, "clear_for_s": 0.2, "fire": min(each.fire, 1)})
        for name, each in definitions.detectors().items()
    }
    brief["event_log_lag"] = brief["event_log_lag"].model_copy(update={"clear": 0.5})
    monkeypatch.setattr(detecting, "detectors", lambda: brief)
    monkeypatch.setattr(grouping_rules, "RESOLVE_DELAY", timedelta(seconds=0.2))
    monkeypatch.setattr(sweeps, "VERIFY_AFTER", timedelta(seconds=0.2))
    monkeypatch.setattr(drills, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(worker, "_LOOK_FOR_DRILLS_S", 0.05)
    monkeypatch.setattr("backend.simulation.drills._LOOK_EVERY_S", 0.1)
    # What else burns meanwhile has an end of its own, five minutes later.
    watched = {name: READERS[name] for name in ("payment_failures", "event_log_lag")}
    monkeypatch.setattr(detecting, "READERS", watched)
    indicators.drain()


@asynccontextmanager
async def over_and_over(*works: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Have things go on until the block ends."""

    async def repeat(work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await work()
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(repeat(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def watching(resources: Resources) -> tuple[Callable[[], Awaitable[object]], ...]:
    """The turns of the roles that find things and keep incidents."""

    async def detect() -> None:
        await write_counts(resources.database)
        await detect_once(resources)

    async def relay() -> None:
        await relay_once(resources.database, resources.events)

    return detect, relay, lambda: sweeps.sweep(resources.database)


async def run(resources: Resources, name: str, folder: Path) -> tuple[Times, list[str]]:
    """A drill, and what it said."""
    said: list[str] = []
    async with asyncio.timeout(100):
        times = await run_drill(resources, folder, name, "TH-10", said.append)
    return times, said


async def test_a_gateway_that_declines_is_found_and_its_recovery_verified(
    resources: Resources, quick: None
) -> None:
    world = World(resources)

    async def trade() -> None:
        for _ in range(5):
            await world.order()
        await world.settle()

    async with over_and_over(trade, *watching(resources)):
        times, said = await run(resources, "gateway", resources.settings.data_dir)
    assert drills.broken("gateway") is None
    told = times.as_dict()
    assert told["incident"].startswith("INC-")
    moments = [told[f"{name}_s"] for name in ("detect", "acknowledge", "mitigate", "resolve")]
    assert None not in moments, moments
    assert moments[0] <= moments[1] <= moments[2] <= told["verified_s"]
    assert said[0] == "broken: the payment gateway declines every payment"
    async with resources.database.unit_of_work() as session:
        found = await incidents.get_incident(session, SYSTEM, told["incident"])
    assert found.state == "resolved"
    kinds = [entry.kind for entry in found.timeline]
    assert {"acknowledge", "mitigate", "resolve"} <= set(kinds), kinds


async def test_what_else_happens_meanwhile_does_not_hold_a_drill_up(
    resources: Resources, quick: None
) -> None:
    world = World(resources)
    others = iter(range(4))

    async def trade() -> None:
        for _ in range(5):
            await world.order()
        await world.settle()
        if (number := next(others, None)) is not None:
            async with resources.database.unit_of_work() as session:
                await incidents.raise_alert(session, other(number))

    async with over_and_over(trade, *watching(resources)):
        times, said = await run(resources, "gateway", resources.settings.data_dir)
    assert times.resolved_at is not None
    assert times.mitigated_at is not None
    assert times.mitigated_at <= times.resolved_at
    async with resources.database.unit_of_work() as session:
        found = await incidents.get_incident(session, SYSTEM, times.incident)
        page = await incidents.list_alerts(session, SYSTEM, AlertFilter(status="firing"), limit=50)
    assert [each.key for each in found.alerts] == ["payment-failures:gateway=sandbox"]
    assert {each.incident_id for each in page.items} & {found.id} == set()
    waited_for = [words for words in said if words.startswith("not well yet")]
    assert not any("Bank queue" in words for words in waited_for)


def other(number: int) -> AlertIn:
    """Something else that is wrong with payments, and stays so."""
    return AlertIn(
        integration="grafana/bank", key=f"queue-{number}", title=f"Bank queue {number} is long",
        severity="SEV3", status="firing", service="payments", region="*", started_at=clock.now(),
    )  # fmt: skip


async def test_a_projector_that_stands_still_is_found_and_started_again(
    client: httpx.AsyncClient, resources: Resources, quick: None
) -> None:
    stop = asyncio.Event()
    projector = asyncio.create_task(worker._keep_running("projector", resources, stop))

    phone = await hire(resources)

    async def phones() -> None:
        await send(client, phone, fix(ago(0)))

    async with over_and_over(phones, *watching(resources)):
        times, _ = await run(resources, "log", resources.settings.data_dir)
    stop.set()
    await projector
    assert times.resolved_at is not None
    assert times.detected_at is not None
    assert times.resolved_at > times.detected_at


async def test_drills_that_cannot_be_run_say_why(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="the drills are gateway, phones, valkey, log, web"):
        await run(resources, "flood", tmp_path)
    monkeypatch.setattr(resources.settings, "env", "development")
    with pytest.raises(SettingsError, match="on a demo alone"):
        await run(resources, "web", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_killer_spares_the_stores_of_others(tmp_path: Path) -> None:
    assert Killer(tmp_path / "nobodys").kill() == 0


def test_every_drill_waits_for_an_alert_that_a_detector_tells() -> None:
    known = ("payment-failures:", "stale-drivers:", "hot-store:", "event-log-lag:", "slo-burn:")
    assert all(drill.alert.startswith(known) for drill in DRILLS.values())
