"""The demo's flags and the phones that read them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import time

import orjson
from sqlalchemy import text

from backend.dispatch.dispatcher_role import MATCHING_FLAG
from backend.flags import demo, service
from backend.flags.delivery import delivering
from backend.flags.samples import people_key, sample_key
from backend.flags.schemas import FlagFilter
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.payments.gateways.registry import GATEWAYS_FLAG
from backend.platform import clock
from backend.platform.resources import Resources
from backend.platform.switches import number, switched_on
from backend.regions import service as regions
from backend.simulation import places
from backend.simulation.operator import Operator
from backend.simulation.readers import Readers, customers
from backend.simulation.transport import Connections
from backend.simulation.wallet import Wallet
from backend.tracking.live_viewer import DENSITY_FLAG
from tests.flags.delivery.conftest import Phones


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


async def test_the_demos_phones_read_flags_and_are_counted(phones: Phones, tmp_path: Path) -> None:
    await seeded(phones.resources)
    await phones.delivery.refresh()
    async with phones.resources.database.unit_of_work() as session:
        admin = await issue_api_token(session, SYSTEM, "demo", role="admin")
    async with Connections(phones.url, limit=2) as transport:
        operator = Operator(transport, admin.secret)
        cities = places.cities(await operator.region_features())
        people = customers(cities)
        readers = Readers(transport, operator, Wallet(tmp_path, phones.url), people)
        for person in people[:30]:
            await readers.ask(person)
            await readers.ask(person)
    assert (readers.answered, readers.unchanged) == (30, 30)
    await phones.delivery.hand_over()
    async with phones.resources.database.unit_of_work() as session:
        served = await service.exposure(session, SYSTEM, "wallet-topup")
    assert sum(row.asked for row in served) == 60
    assert {row.region for row in served} == {
        city for person in people[:30] if (city := person.context["city"])
    }
    sample = await phones.resources.redis.hgetall(sample_key("production"))
    kept = [orjson.loads(context) for context in sample.values()]
    assert {context["targetingKey"] for context in kept} == {
        person.context["targetingKey"] for person in people[:30]
    }
    assert all(time() - 60 < context["at"] <= time() for context in kept)
    seen = people_key("production", "shiptrack", clock.now())
    assert await phones.resources.redis.pfcount(seen) == 30
