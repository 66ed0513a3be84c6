"""Geometry: distances, containment and what makes an outline valid."""

from itertools import pairwise
from math import cos, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.regions.rules import (
    bounding_box,
    circle,
    contains,
    edge_distance_m,
    geometry_faults,
    haversine_m,
    in_box,
    polygons_of,
)

SQUARE = [[100.0, 13.0], [101.0, 13.0], [101.0, 14.0], [100.0, 14.0], [100.0, 13.0]]
HOLE = [[100.4, 13.4], [100.4, 13.6], [100.6, 13.6], [100.6, 13.4], [100.4, 13.4]]


def polygon(*rings: object) -> dict:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_distances_agree_with_known_ones() -> None:
    # Bangkok to Singapore; one degree of latitude.
    assert haversine_m(13.7563, 100.5018, 1.3521, 103.8198) == pytest.approx(1_427_000, rel=0.005)
    assert haversine_m(0, 0, 1, 0) == pytest.approx(111_195, abs=1)
    assert haversine_m(0, 179.9, 0, -179.9) == pytest.approx(22_239, abs=1)


def test_a_hole_is_outside_and_a_second_polygon_inside() -> None:
    shape = polygons_of(polygon(SQUARE, HOLE))
    assert contains(shape, 13.2, 100.2)
    assert not contains(shape, 13.5, 100.5)
    assert not contains(shape, 12.9, 100.2)
    both = polygons_of({"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [HOLE]]})
    assert contains(both, 13.5, 100.5)


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(50, 5000), st.floats(0, 6.28))
def test_a_circle_holds_what_is_nearer_than_its_radius(
    lat: float, lon: float, radius: float, turn: float
) -> None:
    shape = ((circle(lat, lon, radius),),)
    assert geometry_faults({"type": "Polygon", "coordinates": shape[0]}) == []

    def away(metres: float) -> tuple[float, float]:
        step = metres / 111_195
        return lat + step * cos(turn), lon + step * sin(turn) / cos(radians(lat))

    assert contains(shape, *away(radius * 0.97))
    assert not contains(shape, *away(radius * 1.03))
    assert in_box(bounding_box(shape), lat, lon)
    assert edge_distance_m(shape, lat, lon) == pytest.approx(radius, rel=0.03, abs=0.5)


@pytest.mark.parametrize(
    ("geometry", "pointer", "code"),
    [
        (None, "", "not_an_object"),
        ({"type": "Point", "coordinates": [1, 2]}, "/type", "unsupported_type"),
        ({"type": "Polygon"}, "/coordinates", "not_an_array"),
        ({"type": "Polygon", "coordinates": "x"}, "/coordinates", "not_an_array"),
        (polygon("ring"), "/coordinates/0", "not_an_array"),
        (polygon(SQUARE[:3]), "/coordinates/0", "too_few_positions"),
        (polygon(SQUARE[:4]), "/coordinates/0", "ring_not_closed"),
        (polygon([*SQUARE[:2], [181, 13], SQUARE[0]]), "/coordinates/0/2",
         "longitude_out_of_range"),
        (polygon([*SQUARE[:2], [100, 91], SQUARE[0]]), "/coordinates/0/2",
         "latitude_out_of_range"),
        (polygon([*SQUARE[:2], [100, float("nan")], SQUARE[0]]), "/coordinates/0/2",
         "not_a_number"),
        (polygon([*SQUARE[:2], ["100", 13], SQUARE[0]]), "/coordinates/0/2", "not_a_number"),
        (polygon([*SQUARE[:2], [True, 13], SQUARE[0]]), "/coordinates/0/2", "not_a_number"),
        (polygon([*SQUARE[:2], [100], SQUARE[0]]), "/coordinates/0/2", "not_a_position"),
        (polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "/coordinates/0/0",
         "self_intersection"),
        (polygon([[0, 0], [2, 0], [2, 2], [2, 0], [0, 0]]), "/coordinates/0/0",
         "self_intersection"),
        (polygon([*SQUARE[:2], SQUARE[1], *SQUARE[2:]]), "/coordinates/0/2",
         "repeated_position"),
        (polygon(SQUARE, SQUARE[:4]), "/coordinates/1", "ring_not_closed"),
        (polygon([[100 + n * 1e-5, 13] for n in range(2001)]), "/coordinates",
         "too_many_positions"),
    ],
)  # fmt: skip
def test_a_wrong_geometry_names_its_place_and_reason(
    geometry: object, pointer: str, code: str
) -> None:
    fault = geometry_faults(geometry)[0]
    assert (fault.pointer, fault.code) == (pointer, code)
    assert fault.detail


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=5), max_leaves=30),
       st.sampled_from(["Polygon", "MultiPolygon"]))  # fmt: skip
def test_any_json_is_judged_without_an_exception(coordinates: object, kind: str) -> None:
    geometry_faults({"type": kind, "coordinates": coordinates})


@given(st.integers(5, 40), st.randoms(use_true_random=False))
def test_a_star_shaped_ring_never_crosses_itself_and_swapped_corners_do(corners, rng) -> None:  # type: ignore[no-untyped-def]
    turns = [(n + rng.uniform(0.1, 0.9)) / corners * 6.283 for n in range(corners)]
    ring = [[cos(t) * r, sin(t) * r] for t in turns for r in [rng.uniform(0.5, 1)]]
    closed = [*ring, ring[0]]
    assert geometry_faults(polygon(closed)) == []
    assert all(a != b for a, b in pairwise(closed))
    # A regular ring with two neighbours swapped crosses itself.
    even = [[cos(6.283 * n / corners), sin(6.283 * n / corners)] for n in range(corners)]
    even[1], even[2] = even[2], even[1]
    assert geometry_faults(polygon([*even, even[0]]))[0].code == "self_intersection"
