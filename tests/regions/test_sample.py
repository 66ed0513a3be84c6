"""The demo cities: codes, zones, currencies and outlines that hold together."""

import re
from zoneinfo import ZoneInfo

import pytest

from backend.regions.rules import (
    contains,
    edge_distance_m,
    geometry_faults,
    haversine_m,
    polygons_of,
)
from backend.regions.sample import sample

CITIES = {city["code"]: city for city in sample()["cities"]}

EXPECTED = {
    "IN-KA": ("Bengaluru", "Asia/Kolkata", "INR"),
    "IN-MH": ("Mumbai", "Asia/Kolkata", "INR"),
    "IN-DL": ("Delhi", "Asia/Kolkata", "INR"),
    "BD-13": ("Dhaka", "Asia/Dhaka", "BDT"),
    "LK-1": ("Colombo", "Asia/Colombo", "LKR"),
    "NP-P3": ("Kathmandu", "Asia/Kathmandu", "NPR"),
    "TH-10": ("Bangkok", "Asia/Bangkok", "THB"),
    "VN-SG": ("Ho Chi Minh City", "Asia/Ho_Chi_Minh", "VND"),
    "ID-JK": ("Jakarta", "Asia/Jakarta", "IDR"),
    "MY-14": ("Kuala Lumpur", "Asia/Kuala_Lumpur", "MYR"),
    "PH-00": ("Manila", "Asia/Manila", "PHP"),
    "SG-01": ("Singapore", "Asia/Singapore", "SGD"),
}


def outline(city: dict) -> dict:
    return {"type": "Polygon", "coordinates": [city["outline"]]}


def test_the_twelve_cities_have_the_published_codes_zones_and_currencies() -> None:
    found = {c["code"]: (c["name"], c["time_zone"], c["currency"]) for c in CITIES.values()}
    assert found == EXPECTED
    countries = {c["code"]: c["currency"] for c in sample()["countries"]}
    assert {code: zone[2] for code, zone in EXPECTED.items()} == {
        code: countries[code[:2]] for code in EXPECTED
    }


@pytest.mark.parametrize("code", EXPECTED)
def test_city_is_whole(code: str) -> None:
    city = CITIES[code]
    ZoneInfo(city["time_zone"])
    assert geometry_faults(outline(city)) == []
    assert len(city["outline"]) > 12
    polygons = polygons_of(outline(city))
    assert contains(polygons, city["lat"], city["lon"])
    assert len(city["hubs"]) >= 4
    for hub in city["hubs"]:
        assert re.fullmatch(rf"{code}\.[a-z][a-z-]+", hub["code"])
        assert contains(polygons, hub["lat"], hub["lon"]), hub["name"]
        # The whole yard, not only its middle, lies in the city.
        assert edge_distance_m(polygons, hub["lat"], hub["lon"]) > hub["radius_m"], hub["name"]


@pytest.mark.parametrize("code", EXPECTED)
def test_sample_geofences_are_valid_and_inside_their_city(code: str) -> None:
    city = CITIES[code]
    assert {fence["kind"] for fence in city["geofences"]} == {"zone", "no_go"}
    for fence in city["geofences"]:
        assert geometry_faults({"type": "Polygon", "coordinates": [fence["ring"]]}) == []
        for lon, lat in fence["ring"]:
            assert contains(polygons_of(outline(city)), lat, lon), (fence["name"], lon, lat)


def test_outlines_do_not_overlap_and_hubs_are_apart() -> None:
    for code, city in CITIES.items():
        for other in CITIES.values():
            if other["code"] != code:
                assert not contains(polygons_of(outline(other)), city["lat"], city["lon"])
        hubs = city["hubs"]
        for at, hub in enumerate(hubs):
            for another in hubs[at + 1 :]:
                away = haversine_m(hub["lat"], hub["lon"], another["lat"], another["lon"])
                assert away > 1500, (hub["name"], another["name"])
