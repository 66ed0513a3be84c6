"""Pure decisions about messages to people: what may be muted, when to send, when to try again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class MessageState(StrEnum):
    """Where a message stands; `failed` waits for another try, `waiting` for its hour."""

    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


class Channel(StrEnum):
    """The way a message takes to a person."""

    PUSH = "push"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    EMAIL = "email"


CHANNEL_WORDS: Mapping[str, str] = {
    Channel.PUSH: "push",
    Channel.WHATSAPP: "WhatsApp",
    Channel.SMS: "SMS",
    Channel.EMAIL: "e-mail",
}
"""The ways as they stand within a sentence."""


class Kind(StrEnum):
    """What a message is about: the key of its template, `note` for words of one's own."""

    ORDER_RECEIVED = "order_received"
    ON_ITS_WAY = "on_its_way"
    ARRIVED = "arrived"
    DELIVERED = "delivered"
    FAILED = "failed"
    DELAYED = "delayed"
    OTP = "otp"
    INCIDENT_NOTICE = "incident_notice"
    SUPPORT_REPLY = "support_reply"
    REFUNDED = "refunded"
    NOTE = "note"


UNSENT = (MessageState.WAITING, MessageState.QUEUED, MessageState.FAILED)
"""The states from which a message is still to be sent."""
MUTABLE = frozenset(
    {
        Kind.ORDER_RECEIVED,
        Kind.ON_ITS_WAY,
        Kind.DELIVERED,
        Kind.FAILED,
        Kind.DELAYED,
        Kind.INCIDENT_NOTICE,
        Kind.REFUNDED,
    }
)
"""What a person may do without; codes and answers to what they asked always come."""
URGENT = frozenset({Kind.OTP, Kind.ARRIVED})
"""Somebody stands at the door: these pass quiet hours."""
WITH_CODE = frozenset({Kind.OTP, Kind.ARRIVED})
"""Messages that hold a one-time code, which nobody but their reader is shown."""
OVERTAKES: dict[Kind, frozenset[Kind]] = {
    Kind.ON_ITS_WAY: frozenset({Kind.ORDER_RECEIVED}),
    Kind.ARRIVED: frozenset({Kind.ORDER_RECEIVED, Kind.ON_ITS_WAY, Kind.DELAYED}),
    Kind.OTP: frozenset({Kind.ARRIVED, Kind.OTP}),
    Kind.DELIVERED: frozenset(
        {Kind.ORDER_RECEIVED, Kind.ON_ITS_WAY, Kind.ARRIVED, Kind.OTP, Kind.DELAYED}
    ),
    Kind.FAILED: frozenset({Kind.ON_ITS_WAY, Kind.ARRIVED, Kind.OTP, Kind.DELAYED}),
    Kind.DELAYED: frozenset({Kind.DELAYED}),
}
"""Which unsent messages of the same order say nothing true any more after a newer one."""
OVERTAKEN = "A newer message about the order says more."
OVERTAKEN_BY: dict[Kind, frozenset[Kind]] = {
    kind: frozenset(newer for newer, older in OVERTAKES.items() if kind in older) for kind in Kind
}
_LIVES: dict[Kind, timedelta] = {
    Kind.OTP: timedelta(minutes=10),
    Kind.ARRIVED: timedelta(minutes=30),
    Kind.ON_ITS_WAY: timedelta(hours=3),
    Kind.DELAYED: timedelta(hours=2),
}
_USUAL_LIFE = timedelta(days=2)

MOST_ATTEMPTS = 6
"""On one channel; with the delays below the last comes about an hour after the first."""
_FIRST_DELAY_S = 10.0
_LONGEST_DELAY_S = 1800.0
_JITTER = 0.2


def life_of(kind: str) -> timedelta:
    """How long a message of this kind is worth sending."""
    return _LIVES.get(Kind(kind), _USUAL_LIFE)


def delay_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failed attempts: three times longer each, up to half an hour.

    `chance` in 0..1 spreads it by a fifth to both sides.
    """
    plain_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 3.0 ** min(attempts - 1, 10))
    return timedelta(seconds=plain_s * (1 + _JITTER * (2 * chance - 1)))


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nothing wakes a person, by their clock; over midnight where it ends first.

    The same hour twice means that none are quiet.
    """

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Whether it is quiet at this time of day."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


def send_after(now: datetime, quiet: Quiet, zone: str) -> datetime:
    """When something may be sent that does not pass quiet hours: now, or where they end."""
    local = now.astimezone(ZoneInfo(zone))
    if not quiet.holds(local.time()):
        return now
    day = local.date() + timedelta(days=local.time() >= quiet.ends)
    return datetime.combine(day, quiet.ends, ZoneInfo(zone)).astimezone(UTC)


def ways(
    wished: Sequence[str], usual: Sequence[str], reachable: Collection[str]
) -> tuple[str, ...]:
    """The channels to try, in order: those wished for, else the usual ones, if they reach one."""
    return tuple(dict.fromkeys(way for way in wished or usual if way in reachable))


_BY_COUNTRY = {"BD": "bn", "ID": "id", "MY": "ms", "PH": "fil", "TH": "th", "VN": "vi"}
_BY_CITY = {"IN-DL": "hi", "IN-TN": "ta", "IN-UP": "hi", "IN-WB": "bn"}
FALLBACK = "en"


def language_of(region: str) -> str:
    """The language in which people of a region are written to, where they chose none."""
    city = region.partition(".")[0]
    return _BY_CITY.get(city) or _BY_COUNTRY.get(city.partition("-")[0], FALLBACK)


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a failure: the state, the channel to try, how often it was, and the wait."""

    state: MessageState
    channel: str
    tried_here: int
    wait: timedelta


def after_failure(
    ways: Sequence[str], channel: str, tried_here: int, *, final: bool, chance: float
) -> Next:
    """What to do after `tried_here` failures on a channel, the last of which may have been final.

    The next channel is tried at once; on the last one that fails for good the message is given up.
    """
    if not final and tried_here < MOST_ATTEMPTS:
        return Next(MessageState.FAILED, channel, tried_here, delay_after(tried_here, chance))
    later = ways[ways.index(channel) + 1 :]
    if later:
        return Next(MessageState.QUEUED, later[0], 0, timedelta(0))
    return Next(MessageState.GIVEN_UP, channel, tried_here, timedelta(0))
