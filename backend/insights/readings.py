"""What each detector reads of the system's own facts, now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM
from backend.insights import count_repository
from backend.insights.detector_rules import Severity
from backend.insights.slo_rules import Tally
from backend.insights.slos import burn_key, burning_now
from backend.platform import outbox
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE
from backend.regions.service import directory
from backend.tracking import service as tracking

# Of minutes begun within it: what is told is never older than this, and often younger.
_PAYMENTS_OVER = timedelta(minutes=2)
_CODES_OVER = timedelta(minutes=15)
_WEBHOOKS_OVER = timedelta(minutes=10)
_MESSAGES_OVER = timedelta(minutes=5)
_TOPICS = (tracking.POSITIONS_TOPIC, outbox.TOPIC)


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample of an indicator; `key` is the same as long as it is the same thing.

    `count` is how many things are bad. `service` and `severity` are the detector's own unless
    said here; `page` is the console's page that shows more.
    """

    key: str
    region: str
    value: float
    count: int
    title: str
    page: str
    service: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What detectors read from."""

    resources: Resources
    session: AsyncSession
    now: datetime

    async def names(self) -> Mapping[str, str]:
        """The regions' names by code."""
        return {region.code: region.name for region in await directory(self.session, SYSTEM)}


async def stale_drivers(facts: Facts) -> list[Reading]:
    """The share of each city's drivers on shift that are stale or offline.

    New ones who have yet to be heard of for the first time are neither.
    """
    names = await facts.names()
    found = []
    for city in await tracking.fleet_by_city(facts.resources, [EVERYWHERE]):
        silent = city.stale + city.offline - city.awaited
        on_shift = city.live + silent
        if not on_shift:
            continue
        where = names.get(city.region, city.region)
        title = f"{silent} of {on_shift} drivers in {where} are silent"
        found.append(
            Reading(f"stale-drivers:region={city.region}", city.region, silent / on_shift, silent,
                    title, f"/drivers?region={city.region}&status=stale")
        )  # fmt: skip
    return found


async def dispatch_backlog(facts: Facts) -> list[Reading]:
    """How many orders of each city have waited for a driver for minutes."""
    names = await facts.names()
    return [
        Reading(
            f"dispatch-backlog:region={each.city}", each.city, each.waiting, each.waiting,
            f"{each.waiting} orders wait for a driver in {names.get(each.city, each.city)}",
            f"/dispatch?region={each.city}",
        )
        for each in await dispatch.backlog(facts.session, SYSTEM, facts.now)
    ]  # fmt: skip


async def dispatch_lateness(facts: Facts) -> list[Reading]:
    """The share of each city's orders under way that are past their promised time."""
    names = await facts.names()
    return [
        Reading(
            f"dispatch-lateness:region={each.city}", each.city, each.late / each.open, each.late,
            f"{each.late} of {each.open} orders are late in {names.get(each.city, each.city)}",
            f"/orders?region={each.city}&late=1",
        )
        for each in await dispatch.backlog(facts.session, SYSTEM, facts.now)
    ]  # fmt: skip


async def payment_failures(facts: Facts) -> list[Reading]:
    """For each gateway the share of payments that failed, or of questions without an answer."""
    decided = await _counted(facts, "payments.", _PAYMENTS_OVER)
    asked = await _counted(facts, "gateway.", _PAYMENTS_OVER)
    own = await _counted(facts, "gateways_own.", _PAYMENTS_OVER)
    found = []
    for gateway in sorted(decided.keys() | asked.keys()):
        payments, questions = _sum(decided.get(gateway, {})), _sum(asked.get(gateway, {}))
        if _share(questions) >= _share(payments):
            worst, title = questions, f"{gateway} does not answer: {_of(questions)} questions"
        else:
            worst, title = payments, f"{gateway}: {_of(payments)} payments failed"
        hit = {region for region, tally in decided.get(gateway, {}).items() if tally.bad}
        region = hit.pop() if len(hit) == 1 and worst is payments else EVERYWHERE
        weight = worst.bad + (worst.bad if worst is questions else _sum(own.get(gateway, {})).bad)
        found.append(
            Reading(f"payment-failures:gateway={gateway}", region, _share(worst), weight,
                    title, f"/payments?gateway={gateway}&state=failed")
        )  # fmt: skip
    return found


async def otp_failures(facts: Facts) -> list[Reading]:
    """For each city the share of delivery codes given that were wrong, spent or expired."""
    return await _failures(facts, "otp", "otp-failures", "delivery codes failed", _CODES_OVER,
                           "/orders")  # fmt: skip


async def webhook_failures(facts: Facts) -> list[Reading]:
    """For each region of endpoints the share of attempts that failed."""
    return await _failures(facts, "webhooks", "webhook-failures", "webhook attempts failed",
                           _WEBHOOKS_OVER, "/admin/integrations")  # fmt: skip


async def message_failures(facts: Facts) -> list[Reading]:
    """For each city the share of messages that whoever carries them did not answer for."""
    return await _failures(facts, "messages", "message-failures", "messages found no carrier",
                           _MESSAGES_OVER, "/messages?state=failed")  # fmt: skip


async def _failures(
    facts: Facts, name: str, prefix: str, what: str, over: timedelta, page: str
) -> list[Reading]:
    names = await facts.names()
    found = []
    for region, tally in (await _counted(facts, name, over)).get("", {}).items():
        where = "" if region == EVERYWHERE else f" in {names.get(region, region)}"
        title = f"{_of(tally)} {what}{where}"
        found.append(
            Reading(f"{prefix}:region={region}", region, _share(tally), tally.bad, title, page)
        )
    return found


async def event_log_lag(facts: Facts) -> list[Reading]:
    """For each reader of the event log, and for the outbox, how long the oldest record waits."""
    waits = {"outbox": await outbox.waits(facts.session)}
    for topic in _TOPICS:
        for group, wait_s in (await facts.resources.events.waits(topic)).items():
            waits[f"{topic}/{group}"] = wait_s
    return [
        Reading(f"event-log-lag:reader={reader}", EVERYWHERE, wait_s, int(wait_s > 0),
                f"{reader} is {wait_s:.0f} s behind", "/")
        for reader, wait_s in waits.items()
    ]  # fmt: skip


async def hot_store(facts: Facts) -> list[Reading]:
    """1 while Valkey does not answer."""
    try:
        await facts.resources.redis.ping()  # type: ignore[misc]
        silent = 0
    except (RedisError, OSError):
        silent = 1
    title = "Valkey does not answer"
    return [Reading("hot-store:store=valkey", EVERYWHERE, silent, silent, title, "/")]


async def slo_burn(facts: Facts) -> list[Reading]:
    """How hard each objective that burns does so now, by city or as a whole."""
    names = await facts.names()
    return [
        Reading(
            burn_key(one.name, one.region),
            one.region,
            one.pressure,
            1,
            f"{one.objective.title} in {names.get(one.region, one.region)}: budget burns "
            f"{one.found.in_words}".replace(" in *", ""),
            "/scorecard",
            service=one.objective.service,
            severity="SEV2" if one.found.pair.alarm == "page" else "SEV4",
        )
        for one in await burning_now(facts.session, facts.now)
    ]


READERS: Mapping[str, Callable[[Facts], Awaitable[list[Reading]]]] = {
    reader.__name__: reader
    for reader in (
        stale_drivers,
        dispatch_backlog,
        dispatch_lateness,
        payment_failures,
        otp_failures,
        webhook_failures,
        message_failures,
        event_log_lag,
        hot_store,
        slo_burn,
    )
}


async def _counted(facts: Facts, prefix: str, over: timedelta) -> dict[str, dict[str, Tally]]:
    """Counts by what follows the prefix in the name, then by region."""
    found: dict[str, dict[str, Tally]] = defaultdict(dict)
    counted = await count_repository.recent(facts.session, prefix, facts.now, over)
    for (name, region), tally in counted.items():
        found[name.removeprefix(prefix)][region] = tally
    return found


def _sum(by_region: Mapping[str, Tally]) -> Tally:
    return sum(by_region.values(), Tally())


def _share(tally: Tally) -> float:
    return tally.bad / tally.valid if tally.valid else 0.0


def _of(tally: Tally) -> str:
    return f"{tally.bad} of {tally.valid}"
