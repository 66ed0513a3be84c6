"""Waypost's own switches, which its contexts read through OpenFeature."""

from __future__ import annotations

from typing import Any

import pytest

from backend.dispatch.dispatcher_role import MATCHING_FLAG, dispatch_once
from backend.flags.delivery import Delivery, delivering
from backend.payments import actions
from backend.payments.gateways.registry import GATEWAYS_FLAG, gateway_of, takes_new
from backend.platform.resources import Resources
from backend.platform.switches import number, switched_on
from backend.tracking.live_frames import FrameKind
from backend.tracking.live_viewer import DENSITY_FLAG
from tests.dispatch.city import CITY, NEAR, driver, offers_made, open_city, order, turn
from tests.flags.delivery.publishing import ON_OFF, publish
from tests.payments.world import World
from tests.tracking.live_support import MANAGER, on_the_map, running_feed


def off_where(**about: str) -> dict[str, Any]:
    """A switch that is off for what is described, and on for everything else."""
    conditions = [{"==": [{"var": name}, value]} for name, value in about.items()]
    targeting = {"if": [{"and": conditions}, "off"]}
    return {**ON_OFF, "defaultVariant": "on", "targeting": targeting}


async def published(resources: Resources, delivery: Delivery, key: str, flag: Any) -> None:
    """Publish a switch and wait until this process goes by it."""
    await publish(resources, {key: flag})
    await delivery.refresh()


async def test_without_flags_or_a_provider_everything_is_on(resources: Resources) -> None:
    assert switched_on(MATCHING_FLAG, country="TH", city=CITY)
    assert number(DENSITY_FLAG, 10_000) == 10_000
    async with delivering(resources) as delivery:
        assert switched_on(MATCHING_FLAG, country="TH", city=CITY)
        odd = {"state": "ENABLED", "variants": {"a": "words"}, "defaultVariant": "a"}
        await published(resources, delivery, MATCHING_FLAG, odd)
        await published(resources, delivery, DENSITY_FLAG, odd)
        assert switched_on(MATCHING_FLAG, country="TH", city=CITY)
        assert number(DENSITY_FLAG, 10_000) == 10_000


async def test_matching_of_a_city_stops_and_goes_on_by_the_flag(resources: Resources) -> None:
    await open_city(resources)
    async with delivering(resources) as delivery:
        await published(resources, delivery, MATCHING_FLAG, off_where(city=CITY))
        near = await driver(resources, NEAR)
        await order(resources)
        assert await dispatch_once(resources) == []
        assert await offers_made(resources) == []
        await published(resources, delivery, MATCHING_FLAG, off_where(city="VN-SG"))
        await turn(resources)
        assert [offer.driver_id for offer in await offers_made(resources)] == [near]


async def test_a_gateway_that_is_off_in_a_country_gets_no_new_payments_there(
    resources: Resources,
) -> None:
    world = World(resources)
    async with delivering(resources) as delivery:
        off = off_where(gateway="sandbox", country="TH")
        await published(resources, delivery, GATEWAYS_FLAG, off)
        waiting = await world.order()
        await world.hurry()
        await actions.run_due(resources.database, world.gateways)
        assert (await world.payment(waiting)).state == "processing"
        assert takes_new("sandbox", "VN")
        named = resources.settings.model_copy(
            update={"gateways": {"TH": "sandbox", "*": "stripe", "VN": "sandbox"}}
        )
        assert gateway_of(named, "TH") == "stripe"
        assert gateway_of(named, "VN") == "sandbox"
        await published(resources, delivery, GATEWAYS_FLAG, {**ON_OFF, "defaultVariant": "on"})
        await world.settle()
        assert (await world.payment(waiting)).state == "authorised"


@pytest.mark.parametrize(("most", "kind"), [(2, FrameKind.CELLS), (3, FrameKind.SNAPSHOT)])
async def test_the_live_map_shows_cells_above_the_flags_number_of_drivers(
    resources: Resources, most: int, kind: FrameKind
) -> None:
    density = {"state": "ENABLED", "variants": {"n": most}, "defaultVariant": "n"}
    async with delivering(resources) as delivery, running_feed(resources) as feed:
        await published(resources, delivery, DENSITY_FLAG, density)
        for number_ in range(3):
            feed.add(f"DRV-{number_}", 13.75, 100.5)
        await feed.ticks()
        async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
            await shown.look(zoom=12)
            assert shown.header.kind is kind
