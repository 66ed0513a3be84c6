"""Moments in the words of a customer's language and by the clock of their city."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from backend.dispatch.customer_words import Words
from backend.platform import clock


def time_of(moment: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes."""
    return moment.astimezone(zone).strftime("%H:%M")


def day_of(moment: datetime, zone: ZoneInfo, words: Words, *, named: str = "date.on_day") -> str:
    """The day as it stands in a sentence: today, tomorrow, on Friday."""
    local = moment.astimezone(zone).date()
    days = (local - clock.now().astimezone(zone).date()).days
    if days in (0, 1):
        return words.say(("date.today", "date.tomorrow")[days])
    weekday, month = words.days[local.weekday()], words.months[local.month - 1]
    return words.say(named, weekday=weekday, day=local.day, month=month)


def moment_of(moment: datetime, zone: ZoneInfo, words: Words) -> str:
    """Day and time, the time alone today."""
    local = moment.astimezone(zone).date()
    at = time_of(moment, zone)
    if local == clock.now().astimezone(zone).date():
        return at
    day = day_of(moment, zone, words, named="date.long")
    return words.say("date.at", day=day, time=at)


def city_of(zone: str, words: Words) -> str:
    """The place whose clock it is."""
    name = zone.rpartition("/")[2]
    return words.find(f"zone.{name}") or name.replace("_", " ")
