"""The verbs of tracking that other contexts, the console and the command line call."""

from backend.tracking.city_drivers import CityDrivers, drivers_of_city
from backend.tracking.counters import Refused, accepted_by_minute, refused_by_hour
from backend.tracking.drivers import (
    NoSuchDriver,
    change_driver,
    create_driver,
    driver_codes,
    driver_contact,
    find_driver,
    get_driver,
    issue_device_token,
    list_drivers,
    name_drivers,
    reveal_phone,
    set_shift,
)
from backend.tracking.history import keep_partitions
from backend.tracking.live_fleet import CityFleet, IngestHealth, fleet_by_city, ingest_health
from backend.tracking.live_hub import live_hub
from backend.tracking.positions import TOPIC as POSITIONS_TOPIC
from backend.tracking.tracks import get_track, playback, refusals, trail

__all__ = [
    "POSITIONS_TOPIC",
    "CityDrivers",
    "CityFleet",
    "IngestHealth",
    "NoSuchDriver",
    "Refused",
    "accepted_by_minute",
    "change_driver",
    "create_driver",
    "driver_codes",
    "driver_contact",
    "drivers_of_city",
    "find_driver",
    "fleet_by_city",
    "get_driver",
    "get_track",
    "ingest_health",
    "issue_device_token",
    "keep_partitions",
    "list_drivers",
    "live_hub",
    "name_drivers",
    "playback",
    "refusals",
    "refused_by_hour",
    "reveal_phone",
    "set_shift",
    "trail",
]
