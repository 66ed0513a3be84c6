"""What a drill breaks is broken for its time, in the demo alone, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest

from backend import worker
from backend.payments.gateways.protocol import Call
from backend.payments.gateways.sandbox import Sandbox
from backend.payments.rules import State
from backend.platform import clock, drills
from backend.platform.drills import Breakage
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.settings import Settings


@pytest.fixture
def folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder that is looked at each time."""
    monkeypatch.setattr(drills, "_LOOK_EVERY_S", 0.0)
    yield settings.data_dir
    drills.end(settings.data_dir)
    drills.broken("nothing")


def test_a_breakage_is_of_its_part_and_ends_by_itself(folder: Path) -> None:
    assert drills.broken("web") is None
    drills.begin(folder, Breakage("web", time() + 60))
    assert drills.broken("web") is not None
    assert drills.broken("gateway") is None
    drills.end(folder)
    assert drills.broken("web") is None
    drills.begin(folder, Breakage("web", time() - 1))
    assert drills.broken("web") is None


def test_outside_the_demo_nothing_is_broken(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drills.begin(folder, Breakage("web", time() + 60))
    real = settings.model_copy(update={"env": "development"})
    monkeypatch.setattr(drills, "get_settings", lambda: real)
    assert drills.broken("web") is None


def test_a_file_that_cannot_be_read_breaks_nothing(folder: Path) -> None:
    for content in ("", "[]", "{}", '{"part": 1}'):
        (folder / "drill.json").write_text(content)
        assert drills.broken("web") is None


async def test_a_failing_gateway_declines_every_payment(folder: Path, resources: Resources) -> None:
    sandbox = Sandbox(resources.database)

    async def pay() -> tuple[State, str | None]:
        call = Call(uuid7(), uuid7(), 100, "THB", clock.now(), "sandbox:ok")
        report = await sandbox.authorise(call)
        return report.state, report.code

    assert await pay() == (State.AUTHORISED, None)
    drills.begin(folder, Breakage("gateway", time() + 60))
    assert await pay() == (State.FAILED, "gateway_error")
    drills.end(folder)
    assert await pay() == (State.AUTHORISED, None)


async def test_a_role_stands_still_while_a_drill_holds_it(
    folder: Path, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    running = asyncio.Event()

    async def role(_: Resources, stop: asyncio.Event) -> None:
        nonlocal turns
        turns += 1
        running.set()
        await stop.wait()
        running.clear()

    monkeypatch.setitem(worker.ROLES, "projector", role)
    monkeypatch.setattr(worker, "_LOOK_FOR_DRILLS_S", 0.02)
    stop = asyncio.Event()
    kept = asyncio.create_task(worker._keep_running("projector", resources, stop))
    async with asyncio.timeout(30):
        await running.wait()
        drills.begin(folder, Breakage("role:projector", time() + 60))
        while running.is_set():
            await asyncio.sleep(0.01)
        drills.end(folder)
        await running.wait()
        stop.set()
        await kept
    assert turns == 2
