"""When the state of a city or of the pipeline wants somebody's attention; pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.platform.shares import percent

LAG_WARNING = 2_000
LAG_CRITICAL = 20_000
REFUSED_SHARE = 0.05
REFUSED_LEAST = 20
STALE_SHARE = 0.2
STALE_LEAST = 3
_ORDER = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class CityFacts:
    """What is known of one city."""

    region: str
    name: str
    live: int
    stale: int
    offline: int
    low_battery: int
    newest_age_s: float | None
    longest_silent: tuple[str, ...] = ()
    accepted_last_hour: int = 0
    refused_last_hour: int = 0
    refused_mostly: str = ""

    @property
    def on_shift(self) -> int:
        """Drivers who should be heard of."""
        return self.live + self.stale + self.offline


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that wants a person."""

    kind: str
    severity: str
    title: str
    detail: str
    region: str | None = None
    status: str | None = None
    for_s: float | None = None
    weight: int = 0


def findings(cities: Sequence[CityFacts], lag: int) -> list[Finding]:
    """All that wants someone, the worst first and the largest of its kind before the others."""
    found = _pipeline(lag)
    for city in cities:
        silent = _silent(city)
        # In a city that is silent as a whole, each driver's silence is no news of its own.
        found += [silent] if silent else _drivers(city)
        found += _refusals(city)
    return sorted(found, key=lambda each: (_ORDER.index(each.severity), -each.weight))


def _pipeline(lag: int) -> list[Finding]:
    if lag < LAG_WARNING:
        return []
    severity = "critical" if lag >= LAG_CRITICAL else "warning"
    detail = f"{lag:,} records wait to be worked off; the map shows the past"
    return [Finding("behind", severity, "Positions are worked off late", detail, weight=lag)]


def _silent(city: CityFacts) -> Finding | None:
    if not city.on_shift or city.live or city.stale:
        return None
    detail = f"{_drivers_count(city.on_shift)} on shift, not one heard of"
    return Finding(
        "silent_city", "critical", f"{city.name} is silent", detail, city.region, "offline",
        city.newest_age_s, city.on_shift,
    )  # fmt: skip


def _drivers(city: CityFacts) -> list[Finding]:
    found = []
    if city.offline:
        named = ", ".join(city.longest_silent)
        more = city.offline - len(city.longest_silent)
        detail = f"{named} and {more} more" if named and more > 0 else named
        title = f"{_drivers_count(city.offline)} offline on shift in {city.name}"
        found.append(
            Finding("offline", "warning", title, detail, city.region, "offline",
                    weight=city.offline)
        )  # fmt: skip
    if city.stale >= STALE_LEAST and city.stale >= STALE_SHARE * city.on_shift:
        title = f"{_drivers_count(city.stale)} stale in {city.name}"
        detail = f"{percent(city.stale / city.on_shift, 0)} of those on shift"
        found.append(
            Finding("stale", "warning", title, detail, city.region, "stale", weight=city.stale)
        )
    if city.low_battery:
        title = f"{_drivers_count(city.low_battery)} low on battery in {city.name}"
        found.append(
            Finding("low_battery", "info", title, "15 % or less", city.region, None,
                    weight=city.low_battery)
        )  # fmt: skip
    return found


def _refusals(city: CityFacts) -> list[Finding]:
    sent = city.accepted_last_hour + city.refused_last_hour
    if city.refused_last_hour < max(REFUSED_LEAST, REFUSED_SHARE * sent):
        return []
    title = f"{city.refused_last_hour:,} fixes refused or flagged in {city.name}"
    detail = f"{percent(city.refused_last_hour / sent, 0)} of the last hour's"
    if city.refused_mostly:
        detail += f", mostly {city.refused_mostly.replace('_', ' ')}"
    return [
        Finding("refusals", "warning", title, detail, city.region, None, 3600.0,
                city.refused_last_hour)
    ]  # fmt: skip


def _drivers_count(count: int) -> str:
    return "1 driver" if count == 1 else f"{count:,} drivers"
