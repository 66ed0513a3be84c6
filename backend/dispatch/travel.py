"""How long it takes to get from point to point: asked of a routing service, or estimated.

The service is OSRM-shaped (https://project-osrm.org/docs/v5.24.0/api/): `/table/v1/driving` and
`/route/v1/driving`. Without one, or while it does not answer, a time is great circle x detour over
the vehicle's usual speed, slower in the rush hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from time import monotonic
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from backend.platform.telemetry import get_logger

VEHICLES = ("bike", "van", "truck")
Floats = NDArray[np.float64]
Point = tuple[float, float]
"""Latitude and longitude, in degrees."""
Line = list[tuple[float, float]]
"""Longitudes and latitudes, as GeoJSON has them."""

_log = get_logger(__name__)
_EARTH_M = 6_371_008.8
_DETOUR = 1.35
_FREE_KM_H = {"bike": 27.0, "van": 25.0, "truck": 21.0}
# How much of the free speed is left at each hour of the city's day.
_BY_HOUR = (
    1.00, 1.00, 1.00, 1.00, 1.00, 0.98, 0.90, 0.76, 0.70, 0.74, 0.80, 0.80,
    0.78, 0.80, 0.80, 0.78, 0.74, 0.66, 0.64, 0.70, 0.80, 0.88, 0.94, 1.00,
)  # fmt: skip
_TIMEOUT_S = 2.0
_SHUNNED_S = 20.0
_MOST_POINTS = 100
"""What an OSRM server takes in one table unless it is told otherwise."""


def distance_m(lat: ArrayLike, lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike) -> Floats:
    """Great-circle metres between points in degrees, by haversine; the arguments broadcast."""
    lat1, lon1, lat2, lon2 = (np.radians(np.asarray(part)) for part in (lat, lon, to_lat, to_lon))
    half = (
        np.sin((lat2 - lat1) / 2) ** 2
        + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    )
    return np.asarray(2 * _EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def road_m(lat: ArrayLike, lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike) -> Floats:
    """Metres to drive, estimated."""
    return distance_m(lat, lon, to_lat, to_lon) * _DETOUR


def local_hour(at: datetime, time_zone: str | None) -> int:
    """The hour on the city's clocks; UTC's where the city's are not known."""
    return at.astimezone(ZoneInfo(time_zone)).hour if time_zone else at.hour


def speed_m_s(vehicle: str, hour: int) -> float:
    """The usual speed of a vehicle at an hour of the city's day, stops at crossings included."""
    return _FREE_KM_H[vehicle] / 3.6 * _BY_HOUR[hour]


def speeds_m_s(hour: int) -> Floats:
    """The same for every vehicle, in the order of `VEHICLES`."""
    return np.array([speed_m_s(vehicle, hour) for vehicle in VEHICLES])


@dataclass(frozen=True, slots=True)
class Table:
    """Seconds and metres from each source (row) to each destination (column)."""

    seconds: Floats
    metres: Floats


@dataclass(frozen=True, slots=True)
class Way:
    """A way along points: for each leg to the next one seconds, metres and the line driven."""

    seconds: list[float]
    metres: list[float]
    lines: list[Line]


class Travel(Protocol):
    """A source of travel times; points are (latitude, longitude)."""

    async def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], vehicle: str, hour: int
    ) -> Table:
        """Times and distances between all sources and destinations."""
        ...

    async def way(self, points: Sequence[Point], vehicle: str, hour: int) -> Way:
        """Each leg of a way along the points."""
        ...


class EstimatedTravel:
    """Great circle x detour x speed."""

    async def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], vehicle: str, hour: int
    ) -> Table:
        """Estimated times and distances."""
        return estimated(sources, destinations, vehicle, hour)

    async def way(self, points: Sequence[Point], vehicle: str, hour: int) -> Way:
        """Estimated legs, drawn straight."""
        return straight(points, vehicle, hour)


def estimated(
    sources: Sequence[Point], destinations: Sequence[Point], vehicle: str, hour: int
) -> Table:
    """The table that holds without a routing service."""
    a = np.asarray(sources, dtype=float).reshape(-1, 2)
    b = np.asarray(destinations, dtype=float).reshape(-1, 2)
    metres = road_m(a[:, None, 0], a[:, None, 1], b[None, :, 0], b[None, :, 1])
    return Table(metres / speed_m_s(vehicle, hour), metres)


def straight(points: Sequence[Point], vehicle: str, hour: int) -> Way:
    """The way that holds without a routing service: a segment to each point."""
    at = np.asarray(points, dtype=float).reshape(-1, 2)
    metres = road_m(at[:-1, 0], at[:-1, 1], at[1:, 0], at[1:, 1])
    return Way(
        (metres / speed_m_s(vehicle, hour)).tolist(),
        metres.tolist(),
        [[(a[1], a[0]), (b[1], b[0])] for a, b in pairwise(points)],
    )


class RoutedTravel:
    """An OSRM-shaped service, with the estimate for what it does not answer.

    After a failure the service is left alone for some seconds, so that a dead one costs a timeout
    now and then and not one for each question.
    """

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"), timeout=_TIMEOUT_S, transport=transport
        )
        self._shunned_until = float("-inf")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], vehicle: str, hour: int
    ) -> Table:
        """The service's times and distances, in as many questions as its bound asks for."""
        told = estimated(sources, destinations, vehicle, hour)
        half = _MOST_POINTS // 2
        for row in range(0, len(sources), half):
            for column in range(0, len(destinations), half):
                rows, columns = sources[row : row + half], destinations[column : column + half]
                answer = await self._ask(
                    f"/table/v1/driving/{_spelled([*rows, *columns])}",
                    {
                        "sources": _numbers(0, len(rows)),
                        "destinations": _numbers(len(rows), len(columns)),
                        "annotations": "duration,distance",
                    },
                )
                if answer is not None:
                    part = np.s_[row : row + len(rows), column : column + len(columns)]
                    _take(told.seconds[part], answer.get("durations"))
                    _take(told.metres[part], answer.get("distances"))
        return told

    async def way(self, points: Sequence[Point], vehicle: str, hour: int) -> Way:
        """The service's way along the points, the estimate where it finds none."""
        plain = straight(points, vehicle, hour)
        if len(points) < 2 or len(points) > _MOST_POINTS:
            return plain
        answer = await self._ask(
            f"/route/v1/driving/{_spelled(points)}",
            {"overview": "false", "steps": "true", "geometries": "geojson"},
        )
        if answer is None:
            return plain
        try:
            legs = answer["routes"][0]["legs"]
            told = Way(
                [float(leg["duration"]) for leg in legs],
                [float(leg["distance"]) for leg in legs],
                [_drawn(leg) for leg in legs],
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self._shun(error)
            return plain
        return told if len(told.lines) == len(plain.lines) else plain

    async def _ask(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        if monotonic() < self._shunned_until:
            return None
        try:
            response = await self._client.get(path, params=dict(parameters))
            response.raise_for_status()
            body = orjson.loads(response.content)
        except (httpx.HTTPError, ValueError) as error:
            self._shun(error)
            return None
        return body if isinstance(body, dict) and body.get("code") == "Ok" else None

    def _shun(self, error: Exception) -> None:
        self._shunned_until = monotonic() + _SHUNNED_S
        _log.warning("routing_service_failed", error=repr(error), again_in_s=_SHUNNED_S)


def _drawn(leg: dict[str, Any]) -> Line:
    """A leg's steps as one line; each step begins where the one before ended."""
    line: Line = []
    for step in leg["steps"]:
        for lon, lat in step["geometry"]["coordinates"]:
            if not line or line[-1] != (lon, lat):
                line.append((lon, lat))
    return line


def _spelled(points: Sequence[Point]) -> str:
    return ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in points)


def _numbers(first: int, count: int) -> str:
    return ";".join(str(number) for number in range(first, first + count))


def _take(told: Floats, answered: Any) -> None:
    """Put the answered values over the estimates; the service says null where it has no way."""
    if not isinstance(answered, list):
        return
    values = np.array(answered, dtype=float)
    if values.shape == told.shape:
        np.copyto(told, values, where=np.isfinite(values))


_opened: dict[str, RoutedTravel] = {}


def travel_of(routing_url: str) -> Travel:
    """The travel times of an installation; one client a process for each service."""
    if not routing_url:
        return EstimatedTravel()
    return _opened.setdefault(routing_url, RoutedTravel(routing_url))
