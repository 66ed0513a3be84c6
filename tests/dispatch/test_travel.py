"""Travel times come from the routing service, and from an estimate where it has none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from backend.dispatch.travel import (
    RoutedTravel,
    distance_m,
    estimated,
    local_hour,
    speed_m_s,
    straight,
)

from .routing_server import SPEED_M_S, RoutingServer, metres, routing_server

A, B, C = (13.75, 100.50), (13.76, 100.52), (13.70, 100.55)


@pytest.fixture
def server() -> Iterator[RoutingServer]:
    with routing_server() as running:
        yield running


@pytest.fixture
async def travel(server: RoutingServer) -> AsyncIterator[RoutedTravel]:
    routed = RoutedTravel(server.url)
    yield routed
    await routed.aclose()


def _flip(point: tuple[float, float]) -> tuple[float, float]:
    return point[1], point[0]


def test_great_circle_matches_a_known_distance() -> None:
    """A quarter of the equator; Bangkok to Singapore is about 1,430 km."""
    assert distance_m(0, 0, 0, 90) == pytest.approx(10_007_557, rel=1e-4)
    assert distance_m(13.7563, 100.5018, 1.3521, 103.8198) == pytest.approx(1_427_000, rel=0.01)


def test_rush_hours_are_slower_and_bikes_get_through() -> None:
    assert speed_m_s("bike", 18) < speed_m_s("bike", 3)
    assert speed_m_s("truck", 18) < speed_m_s("bike", 18)


def test_the_hour_is_the_citys_own() -> None:
    at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert local_hour(at, "Asia/Bangkok") == 8
    assert local_hour(at, "Asia/Kolkata") == 7
    assert local_hour(at, None) == 1


async def test_a_table_is_what_the_service_says(
    travel: RoutedTravel, server: RoutingServer
) -> None:
    table = await travel.table([A, B], [C], "bike", 8)
    wanted = [[metres(_flip(A), _flip(C))], [metres(_flip(B), _flip(C))]]
    assert table.metres == pytest.approx(np.array(wanted))
    assert table.seconds == pytest.approx(np.array(wanted) / SPEED_M_S)
    [asked] = server.asked
    assert asked.startswith("/table/v1/driving/100.500000,13.750000;100.520000,13.760000;")


async def test_a_large_table_is_asked_for_in_parts(
    travel: RoutedTravel, server: RoutingServer
) -> None:
    many = [(13.7 + n / 1000, 100.5) for n in range(120)]
    table = await travel.table(many, many, "bike", 8)
    assert table.metres[7, 113] == pytest.approx(metres(_flip(many[7]), _flip(many[113])))
    assert len(server.asked) == 9


async def test_a_way_follows_the_roads(travel: RoutedTravel) -> None:
    way = await travel.way([A, B, C], "bike", 8)
    assert way.metres[0] == pytest.approx(metres(_flip(A), _flip(B)))
    assert way.lines[0] == [_flip(A), (B[1], A[0]), _flip(B)]
    assert way.lines[1][-1] == _flip(C)


async def test_what_the_service_cannot_reach_is_estimated(
    travel: RoutedTravel, server: RoutingServer
) -> None:
    server.nulls = True
    table = await travel.table([A, B], [C], "van", 8)
    assert table.seconds[0, 0] == estimated([A], [C], "van", 8).seconds[0, 0]
    assert table.seconds[1, 0] == pytest.approx(metres(_flip(B), _flip(C)) / SPEED_M_S)


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (200, b"not json"), (200, b'{"code": "NoRoute"}'), (200, b"[]")],
)
async def test_a_failing_service_gives_way_to_the_estimate(
    travel: RoutedTravel, server: RoutingServer, status: int, body: bytes
) -> None:
    server.status, server.body = status, body
    table = await travel.table([A], [B], "bike", 8)
    assert table.seconds.tolist() == estimated([A], [B], "bike", 8).seconds.tolist()
    assert await travel.way([A, B], "bike", 8) == straight([A, B], "bike", 8)


async def test_a_broken_service_is_left_alone_for_a_while(
    travel: RoutedTravel, server: RoutingServer
) -> None:
    server.status = 503
    for _ in range(5):
        await travel.table([A], [B], "bike", 8)
    assert len(server.asked) == 1


async def test_a_service_that_is_not_there_costs_one_attempt() -> None:
    travel = RoutedTravel("http://127.0.0.1:1")
    table = await travel.table([A], [B], "bike", 8)
    assert table.metres.tolist() == estimated([A], [B], "bike", 8).metres.tolist()
    await travel.aclose()
