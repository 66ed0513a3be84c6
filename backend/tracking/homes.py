"""Which city each driver belongs to, for whoever counts what drivers do."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from backend.platform.resources import Resources
from backend.tracking import live_repository

_KEPT_S = 60.0


class Homes:
    """The city of every driver, at most a minute old."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._regions: Mapping[bytes, str] = {}
        self._read_at = float("-inf")

    async def regions(self) -> Mapping[bytes, str]:
        """Region codes by the bytes of drivers' ids; a driver new since the last look is not in."""
        if monotonic() - self._read_at > _KEPT_S:
            async with self._resources.database.unit_of_work() as session:
                self._regions = await live_repository.regions_of_drivers(session)
            self._read_at = monotonic()
        return self._regions
