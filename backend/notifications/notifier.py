"""Sends what is due to the marketplaces, and reads the events that make it due."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM
from backend.notifications import repository, sending_repository, signing
from backend.notifications.consumers import GROUP, HANDLERS
from backend.notifications.outbound import Attempt, Outbound
from backend.notifications.rules import (
    GONE,
    MOST_ATTEMPTS,
    DeliveryState,
    delay_after,
    is_lost,
)
from backend.notifications.sending_repository import Claimed
from backend.platform import clock, indicators
from backend.platform.consumers import Consumer
from backend.platform.ids import uuid7
from backend.platform.in_flight import InFlight
from backend.platform.outbox import TOPIC, Event, emit
from backend.platform.resources import Resources
from backend.platform.sealing import unseal
from backend.platform.telemetry import get_logger, meter, tracer
from backend.platform.turns import pause
from backend.settings import Settings

LEASE = timedelta(seconds=60)
"""A claim outlives any sending; after it somebody else sends."""
MOST_AT_ONCE = 10
"""Requests in flight to one endpoint."""
_MOST_IN_FLIGHT = 100
_LOOK_EVERY_S = 0.25
_TRY_TO_READ_EVERY_S = 1.0
# After this long the log hands out again what a reader that died had in its hands.
_PREDECESSOR_S = 6.0
_LONGEST_WAIT_ASKED_S = 3600.0

_log = get_logger(__name__)
_sent = meter.create_counter("waypost.webhooks.sent", "1", "Webhook attempts, by outcome")
_took = meter.create_histogram("waypost.webhooks.duration", "s", "Time of a webhook attempt")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claimed delivery with what came of sending it."""

    claimed: Claimed
    attempt: Attempt
    sent_headers: dict[str, str]
    at: datetime

    @property
    def state(self) -> DeliveryState:
        """Where the delivery stands after this."""
        if self.attempt.succeeded:
            return DeliveryState.DELIVERED
        last = self.claimed.attempts + 1 >= MOST_ATTEMPTS or self.attempt.status == GONE
        return DeliveryState.GIVEN_UP if last else DeliveryState.FAILED

    def as_row(self) -> dict[str, Any]:
        """The outcome as it is written down."""
        state = self.state
        wait = delay_after(self.claimed.attempts + 1, random())  # noqa: S311 - spreads retries
        asked = min(self.attempt.retry_after_s or 0.0, _LONGEST_WAIT_ASKED_S)
        failed = state is DeliveryState.FAILED
        return {
            "id": self.claimed.id,
            "claim": self.claimed.claim,
            "state": state,
            "next_at": self.at + max(wait, timedelta(seconds=asked)) if failed else self.at,
            "attempted_at": self.at,
            "settled_at": None if failed else self.at,
            "status": self.attempt.status,
            "why": self.attempt.why,
            "sent_headers": self.sent_headers,
            "answer_headers": self.attempt.headers,
            "answer_excerpt": self.attempt.excerpt,
            "duration_ms": self.attempt.duration_ms,
        }


async def notify(resources: Resources, stop: asyncio.Event) -> None:
    """Read events and send deliveries until `stop`."""
    async with asyncio.TaskGroup() as group:
        group.create_task(read_events(resources, stop))
        group.create_task(send_due(resources, stop))


async def read_events(resources: Resources, stop: asyncio.Event) -> None:
    """Turn events into deliveries; one process at a time does, so that they keep their order."""
    async with resources.database.engine.connect() as connection:
        while not await sending_repository.become_reader(connection):
            await pause(stop, _TRY_TO_READ_EVERY_S)
            if stop.is_set():
                return
        consumer = Consumer(resources, GROUP, HANDLERS)
        await consumer.prepare()
        if await resources.events.lag(TOPIC, GROUP):
            await pause(stop, _PREDECESSOR_S)
        if stop.is_set():
            return
        await consumer.run(stop)


async def send_due(resources: Resources, stop: asyncio.Event) -> None:
    """Send what is due until `stop`, and then wait for what is on its way."""
    allow_loopback = not resources.settings.production
    async with Outbound(allow_loopback=allow_loopback) as outbound:
        sender = Sender(resources, outbound)
        try:
            while not stop.is_set():
                if not await sender.turn():
                    await sender.wait(stop)
            await sender.finish()
        finally:
            await sender.abandon()


class Sender:
    """One process's requests in flight."""

    def __init__(self, resources: Resources, outbound: Outbound) -> None:
        self.outbound = outbound
        self._resources = resources
        self._in_flight = InFlight[Claimed, Outcome](_MOST_IN_FLIGHT)

    async def turn(self) -> int:
        """Write down what came back and claim what is due, at once; answers how many were begun."""
        landed, room = self._in_flight.landed(), self._in_flight.room
        outcomes = [task.result() for task in landed]
        async with self._resources.database.unit_of_work() as session:
            if outcomes:
                await settle(session, outcomes)
            claimed = await sending_repository.claim(
                session, uuid7(), clock.now(), LEASE, most=MOST_AT_ONCE, limit=room
            )
        self._in_flight.forget(landed)
        for each in claimed:
            self._in_flight.begin(each, self._send(each))
        return len(claimed)

    @property
    def busy(self) -> bool:
        """Whether anything is in flight."""
        return len(self._in_flight) > 0

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait until something came back, or for a moment."""
        if self.busy:
            await self.settled()
        else:
            await pause(stop, _LOOK_EVERY_S)

    async def settled(self) -> None:
        """Return once something came back, or after a moment."""
        await self._in_flight.next_landing(_LOOK_EVERY_S)

    async def finish(self) -> None:
        """Wait for what is in flight and write it down; nothing new is begun."""
        await self._in_flight.all_landed()
        if landed := self._in_flight.landed():
            async with self._resources.database.unit_of_work() as session:
                await settle(session, [task.result() for task in landed])
            self._in_flight.forget(landed)

    async def abandon(self) -> None:
        """Drop what is in flight; its claims run out and it is sent again."""
        await self._in_flight.abandon()

    async def _send(self, claimed: Claimed) -> Outcome:
        at = clock.now()
        try:
            secrets = secrets_of(claimed, self._resources.settings, at)
        except ValueError:
            why = "The stored secret cannot be opened with this SECRET_KEY; rotate it."
            return Outcome(claimed, Attempt(why=why), {}, at)
        headers = {
            "content-type": "application/json",
            "user-agent": "Waypost-Webhooks/1",
            **signing.headers(str(claimed.event_id), claimed.payload, secrets, at),
        }
        with tracer.start_as_current_span(
            "send webhook",
            attributes={"endpoint": str(claimed.endpoint_id), "order": claimed.subject},
        ):
            attempt = await self.outbound.send(claimed.url, claimed.payload, headers)
        _sent.add(1, {"outcome": "delivered" if attempt.succeeded else "failed"})
        indicators.count("webhooks", claimed.region, good=int(attempt.succeeded))
        _took.record(attempt.duration_ms / 1000)
        return Outcome(claimed, attempt, headers, at)


def secrets_of(claimed: Claimed, settings: Settings, at: datetime) -> list[str]:
    """The secrets to sign with: the endpoint's, and the one before it while both are valid.

    Raises ValueError where they were sealed under another key.
    """
    sealed = [claimed.secret]
    if claimed.former_secret and claimed.former_until and claimed.former_until > at:
        sealed.append(claimed.former_secret)
    return [unseal(settings, signing.PURPOSE, each) for each in sealed]


async def settle(session: AsyncSession, outcomes: list[Outcome]) -> None:
    """Write outcomes down, count each endpoint's failures, and switch off those that are lost."""
    rows = {each.claimed.id: each.as_row() for each in outcomes}
    held = await sending_repository.settle(session, list(rows.values()))
    waited = [
        rows[each.claimed.id]
        for each in outcomes
        if each.claimed.id in held and (each.claimed.attempts or not each.attempt.succeeded)
    ]
    if waited:
        await sending_repository.move_lines(session, waited)
    by_endpoint: defaultdict[UUID, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        if each.claimed.id in held:
            by_endpoint[each.claimed.endpoint_id].append(each)
    taking = [key for key, some in by_endpoint.items() if any(o.attempt.succeeded for o in some)]
    if taking:
        await sending_repository.clear_failures(session, taking)
    for endpoint_id, some in sorted(by_endpoint.items()):
        why = await _why_lost(session, endpoint_id, some)
        if why is not None:
            await _switch_off(session, some[0].claimed, why)


async def _why_lost(
    session: AsyncSession, endpoint_id: UUID, outcomes: list[Outcome]
) -> str | None:
    if any(each.attempt.status == GONE for each in outcomes):
        return "The receiver answered 410 Gone."
    failed = [each for each in outcomes if not each.attempt.succeeded]
    if not failed or len(failed) < len(outcomes):
        return None
    now = clock.now()
    failures, since = await sending_repository.count_failures(
        session, endpoint_id, len(failed), now
    )
    if not is_lost(failures, since, now):
        return None
    return (
        f"{failures} attempts in a row failed, for more than a day. Last: {failed[-1].attempt.why}"
    )


async def _switch_off(session: AsyncSession, claimed: Claimed, why: str) -> None:
    now = clock.now()
    if not await sending_repository.disable(session, claimed.endpoint_id, why, now):
        return
    await repository.give_up_waiting(session, claimed.endpoint_id, "The endpoint is off.", now)
    _log.warning("webhook_disabled", endpoint=str(claimed.endpoint_id), why=why)
    data = {
        "endpoint_id": str(claimed.endpoint_id),
        "merchant": claimed.merchant,
        "url": claimed.url,
        "reason": why,
    }
    key = str(claimed.endpoint_id)
    await emit(session, Event("webhook.disabled", key, SYSTEM.id, data, claimed.region))
    await identity.record(
        session,
        SYSTEM,
        "webhook.disabled",
        f"webhook:{claimed.endpoint_id}",
        region=claimed.region,
        after={"merchant": claimed.merchant, "url": claimed.url, "active": False},
        reason=why,
    )
