"""The small map of a customer's page."""

from __future__ import annotations

import re

import pytest

from backend.dispatch.customer_map import draw
from backend.dispatch.customer_rules import AREA_RADIUS_M
from backend.dispatch.customer_schemas import Area, Near
from backend.dispatch.customer_words import words_in
from backend.platform import clock

AREA = Area(lat=12.9716, lon=77.5946, radius_m=AREA_RADIUS_M)


@pytest.mark.parametrize("north", [0.006, 0.002, 0.0, -0.002, -0.006])
def test_the_areas_name_is_never_under_the_driver(north: float) -> None:
    near = Near(lat=AREA.lat + north, lon=AREA.lon, recorded_at=clock.now(), bearing=90.0)
    picture = draw("IN-KA", AREA, near, words_in("en"))
    [(name_y, size)] = re.findall(r'class="area-name" y="(-?\d+)" font-size="(\d+)"', picture)
    [driver_y] = re.findall(r'translate\(\d+ (-?\d+)\)"><circle class="halo"', picture)
    [halo] = re.findall(r'class="halo" r="(\d+)"', picture)
    [view] = re.findall(r'viewBox="([^"]+)"', picture)
    _, top, _, height = map(int, view.split())
    assert abs(int(name_y) - int(driver_y)) > int(halo)
    assert top + int(size) < int(name_y) < top + height
