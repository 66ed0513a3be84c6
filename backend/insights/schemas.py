"""What the overview says."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

NeedKind = Literal["behind", "silent_city", "refusals", "offline", "low_battery", "stale"]
Severity = Literal["critical", "warning", "info"]


class DriverCounts(BaseModel):
    """Drivers by status; `low_battery` are those of live and stale at 15 percent or less."""

    live: int = 0
    stale: int = 0
    offline: int = 0
    off_shift: int = 0
    low_battery: int = 0


class CityRow(BaseModel):
    """One city of the table."""

    region: str
    name: str
    country: str
    drivers: DriverCounts
    fixes_last_minute: int
    refused_last_hour: int
    newest_age_s: float | None


class Need(BaseModel):
    """Something that wants a person; `region` and `status` say which list or map shows it."""

    kind: NeedKind
    severity: Severity
    title: str
    detail: str
    region: str | None = None
    status: Literal["live", "stale", "offline"] | None = None
    for_s: float | None = None


class RefusalCount(BaseModel):
    """Fixes refused or flagged in the last hour for one reason."""

    code: str
    count: int


class Overview(BaseModel):
    """The state of the caller's regions at one moment.

    `fixes_per_minute` are the last 60 whole minutes, oldest first, from `first_minute` on.
    `log_lag` counts records of the whole system that are not yet worked off; `newest_age_s` is the
    age of the newest fix in the caller's regions, None before the first.
    """

    at: datetime
    drivers: DriverCounts
    first_minute: datetime
    fixes_per_minute: list[int]
    refusals: list[RefusalCount]
    refused_last_hour: int
    log_lag: int
    newest_age_s: float | None
    cities: list[CityRow]
    needs: list[Need]
