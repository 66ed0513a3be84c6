"""The region tree: who sees which part, what is inherited, and which city a point lies in."""

import httpx
import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from backend.regions.rules import contains, polygons_of
from backend.regions.sample import sample
from backend.regions.service import city_of_point, directory, seed
from tests.regions.conftest import CallerOf

CITIES = sample()["cities"]


async def test_seeding_twice_changes_nothing_and_keeps_an_operators_edits(
    resources: Resources,
) -> None:
    async with resources.database.unit_of_work() as session:
        added = await seed(session, SYSTEM)
        assert added == 10 + 12 + sum(len(city["hubs"]) for city in CITIES)
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE regions_region SET name = 'BKK' WHERE code = 'TH-10'"))
        await session.execute(text("DELETE FROM regions_geofence WHERE region = 'TH-10'"))
    async with resources.database.unit_of_work() as session:
        assert await seed(session, SYSTEM) == 0
        found = await directory(session, SYSTEM)
        assert found.get("TH-10").name == "BKK"
        left = await session.scalar(
            text("SELECT count(*) FROM regions_geofence WHERE region = 'TH-10'")
        )
        assert left == 0


async def test_a_hub_inherits_zone_currency_and_thresholds(seeded: Resources) -> None:
    async with seeded.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE regions_region SET live_after_s = 45 WHERE code = 'TH-10'")
        )
        found = await directory(session, SYSTEM)
    siam = found.get("TH-10.siam")
    assert (siam.time_zone, siam.currency) == ("Asia/Bangkok", "THB")
    assert (siam.live_after_s, siam.offline_after_s) == (45, 300)
    assert found.get("IN-KA").live_after_s == 30
    assert found.city_of("TH-10.siam").code == "TH-10"
    assert found.city_of("TH") is None


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city["code"])
async def test_a_point_lies_in_the_city_whose_outline_holds_it(
    seeded: Resources, city: dict
) -> None:
    async with seeded.database.unit_of_work() as session:
        found = await directory(session, SYSTEM)
    shape = polygons_of({"type": "Polygon", "coordinates": [city["outline"]]})
    lons, lats = zip(*city["outline"], strict=True)
    inside = 0
    for row in range(41):
        for column in range(41):
            lat = min(lats) - 0.02 + (max(lats) - min(lats) + 0.04) * row / 40
            lon = min(lons) - 0.02 + (max(lons) - min(lons) + 0.04) * column / 40
            expected = city["code"] if contains(shape, lat, lon) else None
            assert found.city_of_point(lat, lon) == expected
            inside += expected is not None
    assert inside > 300


async def test_a_point_elsewhere_lies_in_no_city(seeded: Resources) -> None:
    async with seeded.database.unit_of_work() as session:
        assert await city_of_point(session, SYSTEM, 39.98, 116.31) is None
        assert await city_of_point(session, SYSTEM, 13.7456, 100.5341) == "TH-10"


async def test_a_manager_sees_only_their_part_of_the_tree(
    api: httpx.AsyncClient, caller: CallerOf
) -> None:
    everyone = (await api.get("/api/v1/regions", headers=await caller("viewer"))).json()["items"]
    assert [c["code"] for c in everyone] == [
        "BD", "ID", "IN", "LK", "MY", "NP", "PH", "SG", "TH", "VN",
    ]  # fmt: skip
    assert [c["code"] for c in everyone[2]["children"]] == ["IN-DL", "IN-KA", "IN-MH"]
    own = await caller("fleet_manager", "TH-10", "IN-KA.hebbal")
    tree = (await api.get("/api/v1/regions", headers=own)).json()["items"]
    assert [c["code"] for c in tree] == ["IN-KA.hebbal", "TH-10"]
    assert "TH-10.siam" in [hub["code"] for hub in tree[1]["children"]]
    west, south, east, north = tree[1]["bbox"]
    assert west < 100.5 < east
    assert south < 13.7 < north


async def test_a_region_that_is_not_yours_looks_like_one_that_is_not_there(
    api: httpx.AsyncClient, caller: CallerOf, problem_of
) -> None:
    own = await caller("viewer", "TH-10")
    mine = await api.get("/api/v1/regions/TH-10", headers=own)
    assert mine.json()["outline"]["type"] == "Polygon"
    assert mine.json()["local_name"] == "กรุงเทพมหานคร"
    not_mine = await api.get("/api/v1/regions/VN-SG", headers=own)
    not_there = await api.get("/api/v1/regions/XX-YY", headers=own)
    assert not_mine.status_code == not_there.status_code == 404
    assert problem_of(not_mine) == problem_of(not_there)


async def test_geojson_holds_outlines_and_hubs(api: httpx.AsyncClient, caller: CallerOf) -> None:
    own = await caller("viewer", "SG")
    found = (await api.get("/api/v1/regions?geometry=1", headers=own)).json()
    assert found["type"] == "FeatureCollection"
    kinds = [(f["properties"]["kind"], f["geometry"]["type"]) for f in found["features"]]
    assert kinds[0] == ("city", "Polygon")
    assert set(kinds[1:]) == {("hub", "Point")}
    assert len(kinds) == 8


async def test_strangers_and_the_unentitled_are_turned_away(
    api: httpx.AsyncClient, caller: CallerOf
) -> None:
    assert (await api.get("/api/v1/regions")).status_code == 401
    auditor = await caller("auditor")
    assert (await api.get("/api/v1/regions", headers=auditor)).status_code == 403


async def test_a_person_without_any_region_sees_none(seeded: Resources) -> None:
    manager = Principal("user", "user:x", "X", (GrantScope("viewer", "XX"),))
    async with seeded.database.unit_of_work() as session:
        assert len(await directory(session, manager)) == 0
