"""The region tree in memory: inheritance resolved, and the city around a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from backend.platform.scopes import covers
from backend.regions.index import AreaIndex
from backend.regions.rules import contains, edge_distance_m, haversine_m
from backend.regions.schemas import Region

# Cells of about 3 km: a city is some dozens of them.
_CITY_RESOLUTION = 6


class Directory:
    """Regions by code. Building one costs some milliseconds; asking it, microseconds."""

    def __init__(self, regions: Iterable[Region], names: Mapping[str, str]) -> None:
        self.names = names
        """What every region is called, also those that are not in this directory."""
        self._by_code: Mapping[str, Region] = {region.code: region for region in regions}
        self._children: dict[str | None, list[Region]] = {}
        for region in self._by_code.values():
            above = region.parent if region.parent in self._by_code else None
            self._children.setdefault(above, []).append(region)
        cities = [r for r in self._by_code.values() if r.kind == "city" and r.polygons]
        self._cities = AreaIndex(cities, _CITY_RESOLUTION)

    def __iter__(self) -> Iterator[Region]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def get(self, code: str) -> Region | None:
        """The region, when it exists and may be seen."""
        return self._by_code.get(code)

    def tops(self) -> list[Region]:
        """The regions whose parent is not in this directory."""
        return list(self._children.get(None, ()))

    def children(self, code: str) -> list[Region]:
        """The regions directly below."""
        return list(self._children.get(code, ()))

    def city_of(self, code: str) -> Region | None:
        """The city that a hub or city code belongs to."""
        region = self._by_code.get(code)
        while region is not None and region.kind == "hub" and region.parent is not None:
            region = self._by_code.get(region.parent)
        return region if region is not None and region.kind == "city" else None

    def city_of_point(self, lat: float, lon: float) -> str | None:
        """The code of the city whose outline contains the point."""
        found = self._cities.at(lat, lon)
        return found[0].code if found else None

    def nearest_hub(self, city: str, lat: float, lon: float) -> Region | None:
        """The hub of the city that is closest to the point."""
        hubs = (region for region in self.children(city) if region.kind == "hub")
        return min(hubs, key=lambda hub: haversine_m(hub.lat, hub.lon, lat, lon), default=None)

    def reaches(self, code: str, lat: float, lon: float, tolerance_m: float = 0.0) -> bool:
        """Whether the point lies in the region's outline or no farther than that from its edge."""
        region = self._by_code[code]
        return (
            contains(region.polygons, lat, lon)
            or edge_distance_m(region.polygons, lat, lon) <= tolerance_m
        )

    def within(self, scopes: Sequence[str]) -> Directory:
        """The part of the tree that the scopes cover."""
        seen = (each for each in self if any(covers(scope, each.code) for scope in scopes))
        return Directory(seen, self.names)
