"""The worker's role `detector`: samples every indicator, and tells incidents what is bad."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.incidents import service as incidents
from backend.incidents.schemas import AlertIn
from backend.insights import signal_repository
from backend.insights.definitions import Detector, detectors
from backend.insights.detector_rules import Signal, advance
from backend.insights.models import SignalRow
from backend.insights.readings import READERS, Facts, Reading
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter, tracer
from backend.platform.turns import pause

INTEGRATION = "waypost"
_EVERY_S = 5.0
_READ_WITHIN_S = 10.0

_log = get_logger(__name__)
_told = meter.create_counter("waypost.detector.alerts", "1", "Alerts told, by detector and news")
_failed = meter.create_counter("waypost.detector.failures", "1", "Samples not taken, by detector")


async def detect(resources: Resources, stop: asyncio.Event) -> None:
    """Sample all indicators every few seconds until `stop`.

    A store that is away blinds the detectors that read it and no other one.
    """
    begun = clock.now()
    while not stop.is_set():
        await detect_once(resources, clock.now() - begun)
        await pause(stop, _EVERY_S)


async def detect_once(resources: Resources, watched_for: timedelta = timedelta.max) -> None:
    """One sample of every indicator that has had its time to settle, all detectors at once."""
    settled = [
        name for name in READERS if watched_for >= timedelta(seconds=detectors()[name].settle_s)
    ]
    with tracer.start_as_current_span("detect"):
        await asyncio.gather(*(_detect(resources, name) for name in settled))


async def _detect(resources: Resources, name: str) -> None:
    try:
        async with asyncio.timeout(_READ_WITHIN_S), resources.database.unit_of_work() as session:
            await sample(Facts(resources, session, clock.now()), name)
    except (RedisError, SQLAlchemyError, OSError) as error:
        _failed.add(1, {"detector": name})
        _log.warning("detector_blind", detector=name, error=repr(error))


async def sample(facts: Facts, name: str) -> None:
    """Take a detector's readings, and tell what is new of its signals."""
    if not await signal_repository.lock(facts.session, name):
        return
    detector = detectors()[name]
    rows = await signal_repository.signals(facts.session, name)
    readings = {reading.key: reading for reading in await READERS[name](facts)}
    for key, row in rows.items():
        # What is no longer read of is well: a city without drivers, a reader that went.
        readings.setdefault(key, Reading(key, row.region, 0.0, 0, row.title, "/"))
    for reading in readings.values():
        await _judge(facts.session, name, detector, reading, rows, facts.now)


async def _judge(
    session: AsyncSession,
    name: str,
    detector: Detector,
    reading: Reading,
    rows: Mapping[str, SignalRow],
    now: datetime,
) -> None:
    row = rows.get(reading.key)
    before = Signal(row.bad, row.since, row.firing, row.started_at) if row else None
    limits = detector.thresholds(reading.region)
    after, news = advance(before, reading.value, reading.count, limits, now)
    if before is None and not after.bad:
        return
    severity = reading.severity or detector.severity
    title = reading.title if after.bad or row is None else row.title
    kept = SignalRow(
        key=reading.key,
        detector=name,
        service=reading.service or detector.service,
        region=row.region if row and after.firing else reading.region,
        bad=after.bad,
        since=after.since,
        firing=after.firing,
        fired_at=now if news == "fired" else (row.fired_at if row else None),
        started_at=after.started_at,
        value=reading.value,
        title=title,
        severity=severity,
        seen_at=now,
    )
    if before is not None and not (before.bad or before.firing or after.bad):
        await signal_repository.remove(session, reading.key)
    else:
        await signal_repository.put(session, kept)
    if news is not None:
        await _tell(session, detector, kept, reading, cleared=news == "cleared")
        _told.add(1, {"detector": name, "news": news})
        _log.info("detector_news", key=reading.key, news=news, value=reading.value)


async def _tell(
    session: AsyncSession, detector: Detector, signal: SignalRow, reading: Reading, *, cleared: bool
) -> None:
    alert = AlertIn(
        integration=INTEGRATION,
        key=signal.key,
        title=signal.title,
        severity=signal.severity,
        status="resolved" if cleared else "firing",
        service=signal.service,
        region=signal.region,
        started_at=signal.started_at or signal.since,
        # The first good sample: when it was well again, not when that was sure.
        ended_at=signal.since if cleared else None,
        labels={"detector": signal.detector, "indicator": detector.title},
        url=reading.page,
        value=reading.value,
    )
    with suppress(NotFound):
        await incidents.raise_alert(session, alert)
