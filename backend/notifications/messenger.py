"""Sends what is due to customers and drivers: on the next channel where one fails for good."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import random
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.notifications import message_repository, messenger_repository
from backend.notifications.channels.protocol import Answer, Letter, Outcome
from backend.notifications.channels.registry import Carriers
from backend.notifications.given_up import tell_given_up
from backend.notifications.message_rules import OVERTAKEN, Channel, MessageState, after_failure
from backend.notifications.messenger_repository import Claimed
from backend.notifications.sealed import Unreadable, opened
from backend.platform import clock, indicators
from backend.platform.ids import uuid7
from backend.platform.in_flight import InFlight
from backend.platform.outages import LONGEST_PAUSE_S, STORES_FAILED, is_refused, outlast
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter, tracer
from backend.platform.turns import pause

LEASE = timedelta(seconds=60)
"""A claim outlives any sending; after it somebody else sends, and says that it is a repeat."""
GRACE = timedelta(seconds=3 * LONGEST_PAUSE_S)
"""For so long after the database was away what others claimed is theirs, though it has run out.

They could not write down what came of it, and do so now.
"""
_MOST_IN_FLIGHT = 50
_LOOK_EVERY_S = 0.25
_LAST_TRIES = 3
_LAST_TRIES_EVERY_S = 1.0
_TAKEN = (Outcome.SENT, Outcome.DELIVERED)
_TOO_LATE = "It would come too late now."
_CUT_OFF = "Sending was cut off twice; whether it arrived is not known."

_log = get_logger(__name__)
_sent = meter.create_counter("waypost.messages.sent", "1", "Messages tried, by channel and outcome")


@dataclass(frozen=True, slots=True)
class Result:
    """A claimed message with what came of sending it; no answer where it was not tried."""

    claimed: Claimed
    at: datetime
    via: str | None = None
    answer: Answer | None = None
    why: str | None = None

    def as_row(self) -> dict[str, Any]:
        """The result as it is written down."""
        claimed, answer = self.claimed, self.answer
        row: dict[str, Any] = {
            "id": claimed.id,
            "claim": claimed.claim,
            "channel": claimed.channel,
            "via": self.via,
            "attempts": claimed.attempts + (answer is not None),
            "tried_here": claimed.tried_here + (answer is not None),
            "next_at": self.at,
            "why": self.why,
            "tried": self._tried(),
        }
        if answer is None:
            begun = claimed.attempts or claimed.cut_off
            return row | {"state": MessageState.GIVEN_UP if begun else MessageState.SUPPRESSED}
        if answer.outcome in _TAKEN:
            delivered = answer.outcome is Outcome.DELIVERED
            state = MessageState.DELIVERED if delivered else MessageState.SENT
            arrived = {"delivered_at": self.at} if delivered else {}
            return row | arrived | {"state": state, "sent_at": self.at}
        then = after_failure(
            claimed.ways,
            claimed.channel,
            claimed.tried_here + 1,
            final=answer.outcome is not Outcome.LATER,
            chance=random(),  # noqa: S311 - spreads retries
        )
        wait = max(then.wait, timedelta(seconds=answer.wait_s if then.wait else 0.0))
        return row | {
            "state": then.state,
            "channel": then.channel,
            "tried_here": then.tried_here,
            "next_at": self.at + wait,
            "why": answer.why,
        }

    def _tried(self) -> list[dict[str, Any]]:
        claimed, tried = self.claimed, []
        if claimed.cut_off:
            tried.append(self._one("cut_off", "A process died while it sent this."))
        if self.answer is not None:
            outcomes = {Outcome.SENT: "sent", Outcome.DELIVERED: "delivered"}
            final = self.answer.outcome in (Outcome.NEVER, Outcome.GONE)
            outcome = outcomes.get(self.answer.outcome, "refused" if final else "failed")
            tried.append(self._one(outcome, self.answer.why))
        return tried

    def _one(self, outcome: str, why: str | None) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "channel": self.claimed.channel,
            "via": self.via or "",
            "outcome": outcome,
            "why": why,
            "repeat": self.claimed.cut_off and outcome != "cut_off",
        }


class Messenger:
    """One process's messages in flight; what came of them is kept while the database is away."""

    def __init__(self, resources: Resources, carriers: Carriers) -> None:
        self._resources = resources
        self._carriers = carriers
        self._in_flight = InFlight[Claimed, Result](_MOST_IN_FLIGHT)
        self._unsure: UUID | None = None
        self._takes_over_from = clock.now()

    async def work(self, stop: asyncio.Event) -> None:
        """Send what is due until `stop`; may be called again after the database failed."""
        while not stop.is_set():
            if await self.turn():
                continue
            if self.busy:
                await self.settled()
            else:
                await pause(stop, _LOOK_EVERY_S)

    async def turn(self) -> int:
        """Write down what came back and claim what is due, at once; answers how many were begun.

        Where the database fails, nothing in flight is lost: the next turn writes it down.
        """
        if self._unsure is not None:
            await self._catch_up()
        landed, room = self._in_flight.landed(), self._in_flight.room
        now, claim = clock.now(), uuid7()
        self._unsure = claim
        async with self._resources.database.unit_of_work() as session:
            await settle(session, [self._result_of(*each) for each in landed.items()])
            due = await messenger_repository.claim(
                session, claim, now, LEASE, room, take_over=now >= self._takes_over_from
            )
            claimed = await messenger_repository.drop_overtaken(session, due, OVERTAKEN)
        self._unsure = None
        self._in_flight.forget(landed)
        for each in claimed:
            self._in_flight.begin(each, self._send(each))
        return len(claimed)

    @property
    def busy(self) -> bool:
        """Whether anything is in flight."""
        return len(self._in_flight) > 0

    async def settled(self) -> None:
        """Return once something came back, or after a moment."""
        await self._in_flight.next_landing(_LOOK_EVERY_S)

    async def finish(self) -> None:
        """Wait for what is in flight and write it down; nothing new is begun.

        Where the database is away it is tried a few times more, and then the error gets out.
        """
        await self._in_flight.all_landed()
        for _ in range(_LAST_TRIES):
            with suppress(*STORES_FAILED):
                await self._catch_up()
                return
            await asyncio.sleep(_LAST_TRIES_EVERY_S)
        await self._catch_up()

    async def abandon(self) -> None:
        """Drop what is in flight; its claims run out, and it is sent again as a repeat."""
        await self._in_flight.abandon()

    async def _catch_up(self) -> None:
        """Write down what came back, each for itself: one that is refused holds up no other.

        What the last turn may have claimed before it failed is given back.
        """
        for task, claimed in self._in_flight.landed().items():
            try:
                async with self._resources.database.unit_of_work() as session:
                    await settle(session, [self._result_of(task, claimed)])
            except DBAPIError as error:
                if not is_refused(error):
                    raise
                _log.error("result_refused", message=str(claimed.id), exc_info=error)
            self._in_flight.forget([task])
        if self._unsure is not None:
            async with self._resources.database.unit_of_work() as session:
                await messenger_repository.release(session, self._unsure)
            self._unsure = None
            self._takes_over_from = clock.now() + GRACE

    def _result_of(self, task: asyncio.Task[Result], claimed: Claimed) -> Result:
        """What came of a sending; one that trips over itself takes no other message with it."""
        error = task.exception()
        if error is None:
            return task.result()
        _log.error("sending_faulted", message=str(claimed.id), exc_info=error)
        why = f"A fault of ours: {type(error).__name__}."
        via = self._carriers.name_of(Channel(claimed.channel))
        return Result(claimed, clock.now(), via, Answer(Outcome.LATER, why), why)

    async def _send(self, claimed: Claimed) -> Result:
        at = clock.now()
        if claimed.expires_at <= at:
            return Result(claimed, at, why=_TOO_LATE)
        if claimed.cut_off and claimed.repeated_before:
            return Result(claimed, at, why=_CUT_OFF)
        try:
            content = opened(self._resources.settings, claimed.sealed)
        except Unreadable as error:
            return Result(claimed, at, why=error.title)
        channel = Channel(claimed.channel)
        letter = Letter(
            id=claimed.id,
            attempt=claimed.attempts + 1,
            repeat=claimed.cut_off,
            channel=channel,
            address=content.addresses[channel],
            subject=content.subject,
            text=content.text,
            kind=claimed.template,
            params=content.params,
            language=claimed.language,
            expires_at=claimed.expires_at,
        )
        with tracer.start_as_current_span(
            "send message", attributes={"channel": channel, "order": claimed.order_number or ""}
        ):
            answer = await self._carriers.send(letter)
        _sent.add(1, {"channel": channel, "outcome": answer.outcome})
        # A number that nobody has is not the carrier's fault.
        answered = int(answer.outcome is not Outcome.LATER)
        indicators.count("messages", claimed.region.partition(".")[0], good=answered)
        return Result(claimed, clock.now(), self._carriers.name_of(channel), answer, answer.why)


async def settle(session: AsyncSession, results: list[Result]) -> None:
    """Write results down, forget devices that are no more, and tell of what was given up."""
    if not results:
        return
    rows = [each.as_row() for each in results]
    held = await messenger_repository.settle(session, rows)
    for each, row in zip(results, rows, strict=True):
        if each.answer is not None and each.answer.outcome is Outcome.GONE:
            await message_repository.forget_device(session, each.claimed.recipient)
        if row["state"] == MessageState.GIVEN_UP and each.claimed.id in held:
            await tell_given_up(session, each.claimed, str(row["why"]))


async def send_due(resources: Resources, stop: asyncio.Event) -> None:
    """Send what is due until `stop`, through outages, and then wait for what is on its way."""
    carriers = Carriers(resources.settings)
    messenger = Messenger(resources, carriers)
    try:
        await outlast("messenger.sending", partial(messenger.work, stop), stop)
        await messenger.finish()
    finally:
        await messenger.abandon()
        await carriers.close()
