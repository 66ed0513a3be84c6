"""Cities as the simulation needs them: streets, hubs, bounds, radio shadows and people's names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from backend.regions.rules import Polygon, contains, polygons_of
from backend.simulation.streets import Point, Streets

_SHADOWS_PER_HUB = 2


@dataclass(frozen=True, slots=True)
class Hub:
    """Where drivers load."""

    code: str
    at: Point


@dataclass(frozen=True, slots=True)
class City:
    """A city that drivers work in."""

    code: str
    zone: ZoneInfo
    streets: Streets
    polygons: tuple[Polygon, ...]
    hubs: tuple[Hub, ...]
    altitude_m: float
    profile: dict[str, Any]
    shadows: tuple[tuple[float, float, float], ...]
    """Circles without mobile network: grid point and radius in metres."""

    def inside(self, point: Point) -> bool:
        """Whether a grid point is on the city's land."""
        return not self.polygons or contains(self.polygons, *self.streets.to_ground(*point))

    def shadowed(self, along: float, across: float) -> bool:
        """Whether a grid point has no mobile network."""
        return any(
            (along - x) * (along - x) + (across - y) * (across - y) < r * r
            for x, y, r in self.shadows
        )


@lru_cache
def profiles() -> dict[str, dict[str, Any]]:
    """Street pattern, vehicle mix, plates and names by city code."""
    text = files("backend.simulation").joinpath("samples/profiles.json").read_bytes()
    content: dict[str, dict[str, Any]] = orjson.loads(text)
    return content


def cities(features: list[dict[str, Any]]) -> list[City]:
    """The cities with a profile and a hub among the features of `/api/v1/regions?geometry=1`."""
    hubs: dict[str, list[tuple[str, float, float]]] = {}
    for feature in features:
        if feature["properties"]["kind"] == "hub":
            lon, lat = feature["geometry"]["coordinates"]
            hubs.setdefault(feature["properties"]["parent"], []).append(
                (feature["properties"]["code"], lat, lon)
            )
    known = profiles()
    return [
        _city(feature, hubs[code], known[code])
        for feature in features
        if feature["properties"]["kind"] == "city"
        and (code := feature["properties"]["code"]) in known
        and code in hubs
    ]


def _city(
    feature: dict[str, Any], hubs: list[tuple[str, float, float]], profile: dict[str, Any]
) -> City:
    properties = feature["properties"]
    rng = Random(properties["code"])
    middle_lat = sum(lat for _, lat, _ in hubs) / len(hubs)
    middle_lon = sum(lon for _, _, lon in hubs) / len(hubs)
    streets = Streets(middle_lat, middle_lon, phase=rng.uniform(0, 6), **profile["streets"])
    placed = tuple(Hub(code, streets.to_grid(lat, lon)) for code, lat, lon in hubs)
    shadows = tuple(
        (hub.at[0] + rng.gauss(0, 1800), hub.at[1] + rng.gauss(0, 1800), rng.uniform(180, 420))
        for hub in placed
        for _ in range(_SHADOWS_PER_HUB)
    )
    return City(
        code=properties["code"],
        zone=ZoneInfo(properties["time_zone"]),
        streets=streets,
        polygons=polygons_of(feature["geometry"]),
        hubs=placed,
        altitude_m=profile["altitude_m"],
        profile=profile,
        shadows=shadows,
    )


def person(city: City, rng: Random) -> str:
    """A name that is heard in the city."""
    return f"{rng.choice(city.profile['first'])} {rng.choice(city.profile['last'])}"


def plate(city: City, rng: Random) -> str:
    """A number plate of the city's pattern: `#` a digit, `@` a letter."""
    letters = {"#": "0123456789", "@": "ABCDEFGHJKLMNPRSTUVWXYZ"}
    pattern = rng.choice(city.profile["plates"])
    return "".join(rng.choice(letters[c]) if c in letters else c for c in pattern)


def vehicle(city: City, rng: Random) -> str:
    """A vehicle by the city's mix."""
    mix = city.profile["vehicles"]
    return str(rng.choices(list(mix), list(mix.values()))[0])
