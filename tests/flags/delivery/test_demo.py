"""The demo's flags and the phones that read them."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import text

from backend.dispatch.dispatcher_role import MATCHING_FLAG
from backend.flags import demo, service
from backend.flags.delivery import delivering
from backend.flags.schemas import FlagFilter
from backend.identity.schemas import SYSTEM
from backend.payments.gateways.registry import GATEWAYS_FLAG
from backend.platform.resources import Resources
from backend.platform.switches import number, switched_on
from backend.regions import service as regions
from backend.tracking.live_viewer import DENSITY_FLAG


async def seeded(resources: Resources) -> int:
    async with resources.database.unit_of_work() as session:
        await regions.seed(session, SYSTEM)
        return await demo.seed(session, SYSTEM)


async def test_the_demo_begins_with_flags_at_every_stage(resources: Resources) -> None:
    assert await seeded(resources) == 30
    async with resources.database.unit_of_work() as session:
        listed = await service.list_flags(session, SYSTEM, FlagFilter())
        waiting = await service.list_changes(session, SYSTEM)
    states = Counter(flag.state for flag in listed.items)
    assert set(states) == {"on", "partly", "killed"}
    assert states["partly"] >= 6
    assert [change.keys for change in waiting] == [["cod-cap"]]
    assert {flag.rollout for flag in listed.items} == {None, "running"}


async def test_a_second_start_leaves_what_was_changed(resources: Resources) -> None:
    await seeded(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE flags_environment SET version = version + 5"))
    assert await seeded(resources) == 0


async def test_the_demos_own_switches_are_those_that_are_read(resources: Resources) -> None:
    await seeded(resources)
    async with delivering(resources) as delivery:
        known = set(delivery.environments["production"].snapshot.flags)
        assert {MATCHING_FLAG, GATEWAYS_FLAG, DENSITY_FLAG} <= known
        assert switched_on(MATCHING_FLAG, default=False, city="TH-10")
        assert switched_on(GATEWAYS_FLAG, default=False, country="TH", gateway="sandbox")
        assert number(DENSITY_FLAG, 1) == 10_000
