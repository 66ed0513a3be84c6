"""Orders leave drivers who will not bring them; rankings and figures tell how matching does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.dispatch import (
    service,
)
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_schemas import RedispatchIn
from backend.identity.schemas import SYSTEM
from backend.platform.errors import NotFound
from backend.platform.resources import Resources

from .city import (
    CENTRE,
    CITY,
    FAR,
    NEAR,
    driver,
    heard,
    offers_made,
    open_city,
    order,
    order_now,
    person,
    phone_of,
    time_passes,
    turn,
)


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


async def _given(resources: Resources) -> tuple[Any, Any]:
    """An order accepted by a near driver, three minutes ago."""
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)
    async with resources.database.unit_of_work() as session:
        await service.accept_offer(session, phone_of(near), offer.id)
    await time_passes(resources, 180)
    return near, waiting


async def test_an_order_of_a_driver_gone_offline_goes_to_another(resources: Resources) -> None:
    near, waiting = await _given(resources)
    far = await driver(resources, FAR)
    await heard(resources, near, NEAR, age_s=400)
    await turn(resources)
    back = await order_now(resources, waiting.id)
    assert (back.state, back.driver_id) == ("ready", None)
    first, second = await offers_made(resources, waiting.id)
    assert (first.state, first.reason) == ("taken_back", "the driver is offline")
    assert second.driver_id == far
    await heard(resources, near, NEAR)
    await time_passes(resources, 26)
    await turn(resources)
    states = [(o.driver_id, o.state) for o in await offers_made(resources, waiting.id)]
    assert states == [(near, "taken_back"), (far, "expired")], "the one who lost it cools down"


async def test_a_late_driver_loses_the_order_only_to_a_sooner_one(resources: Resources) -> None:
    near, waiting = await _given(resources)
    await heard(resources, near, (CENTRE[0] + 0.08, CENTRE[1]))
    async with resources.database.unit_of_work() as session:
        row = await session.merge(await order_now(resources, waiting.id))
        row.eta_at = row.promised_at + timedelta(minutes=40)
    await turn(resources)
    assert (await order_now(resources, waiting.id)).state == "accepted", "nobody else is there"
    await driver(resources, NEAR)
    await turn(resources)
    assert (await order_now(resources, waiting.id)).state == "ready"


async def test_an_incident_takes_back_what_is_in_its_area(resources: Resources) -> None:
    near, waiting = await _given(resources)
    await driver(resources, FAR)
    lat, lon = NEAR
    ring = [(lon - 0.01, lat - 0.01), (lon + 0.01, lat - 0.01), (lon, lat + 0.01)]
    elsewhere = [(x + 1, y) for x, y in ring]
    manager = person("fleet_manager", CITY)
    for polygon, taken in ((elsewhere, []), (ring, [waiting.number])):
        async with resources.database.unit_of_work() as session:
            done = await service.redispatch_area(
                session, manager, RedispatchIn(region=CITY, reason="flood", polygon=polygon)
            )
        assert done.taken_back == taken
    await turn(resources)
    last = (await offers_made(resources, waiting.id))[-1]
    assert (last.state, last.driver_id != near) == ("open", True)


async def test_ranked_drivers_are_fit_by_cost_and_then_the_unfit(resources: Resources) -> None:
    far, near = await driver(resources, FAR), await driver(resources, NEAR)
    van = await driver(resources, NEAR, vehicle="van")
    waiting = await order(resources, vehicle="bike")
    async with resources.database.unit_of_work() as session:
        ranked = await service.drivers_for_order(session, person("viewer"), waiting.id)
        assert [one.driver_id for one in ranked] == [near, far, van]
        assert [one.unfit for one in ranked] == [[], [], ["vehicle"]]
        assert ranked[0].status == "live"
        with pytest.raises(NotFound):
            await service.drivers_for_order(session, person("viewer", "IN-KA"), waiting.id)


async def test_figures_tell_the_wait_for_a_first_offer(resources: Resources) -> None:
    await driver(resources, NEAR)
    await order(resources)
    await time_passes(resources, 40)
    await turn(resources)
    async with resources.database.unit_of_work() as session:
        figures = await service.matching_figures(session, SYSTEM, "TH")
        count = await session.scalar(select(func.count()).select_from(OfferRow))
    [city] = [one for one in figures.cities if one.code == CITY]
    assert (city.queue, city.open_offers, city.offers_last_hour, count) == (1, 1, 1, 1)
    assert city.median_offer_s is not None
    assert 39 <= city.median_offer_s < 100
    assert city.last_run_at is not None
