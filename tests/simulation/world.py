"""The demo cities as the API would tell them, without a server."""

from __future__ import annotations

from typing import Any

from backend.regions.sample import sample
from backend.simulation import places
from backend.simulation.places import City


def features() -> list[dict[str, Any]]:
    """What `/api/v1/regions?geometry=1` answers to someone who sees everything."""
    found = []
    for city in sample()["cities"]:
        properties = {
            "code": city["code"],
            "kind": "city",
            "parent": city["code"].partition("-")[0],
            "time_zone": city["time_zone"],
        }
        geometry: dict[str, Any] = {"type": "Polygon", "coordinates": [city["outline"]]}
        found.append({"geometry": geometry, "properties": properties})
        for hub in city["hubs"]:
            point = {"type": "Point", "coordinates": [hub["lon"], hub["lat"]]}
            about = {"code": hub["code"], "kind": "hub", "parent": city["code"]}
            found.append({"geometry": point, "properties": about})
    return found


CITIES: list[City] = places.cities(features())
