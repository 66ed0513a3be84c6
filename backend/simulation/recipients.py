"""Recipients of the demo's orders: a few ask for help, go on when answered, and rate what came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from backend.platform.turns import pause
from backend.simulation.transport import Request, Transport, Unreachable

_ASKS = 0.025
_RATES = 0.3
_COMMENTS = 0.3
_IN_ENGLISH = 0.45
_ASKS_AFTER_S = (60, 1500)
_LOOKS_EVERY_S = (70, 160)
_STAYS_S = 3 * 3600.0
_MOST = 400
_AT_ONCE = 12
_TURN_S = 5.0
_MOST_ANSWERS = 2
_CONTENT = 0.7
_STARS_IN_TIME = (1, 2, 7, 30, 60)
_STARS_LATE = (12, 20, 30, 24, 14)
_LANGUAGES = {"TH": "th", "VN": "vi", "ID": "id", "BD": "bn", "PH": "fil", "MY": "ms", "IN": "hi"}

Told = dict[str, Any]


@lru_cache
def phrases() -> dict[str, dict[str, list[str]]]:
    """What recipients write, by language and occasion."""
    text = files("backend.simulation").joinpath("samples/recipients.json").read_bytes()
    content: dict[str, dict[str, list[str]]] = orjson.loads(text)
    return content


@dataclass(slots=True)
class Recipient:
    """Somebody who waits for an order, and what they are going to do about it."""

    number: str
    bearer: str
    language: str
    asks: bool
    rates: bool
    due: float
    leaves: float
    link: str | None = None
    asked: bool = False
    said: int = 0
    heard: str | None = None

    @property
    def content(self) -> bool:
        """Whether there is nothing left that they would do."""
        return not self.rates and (not self.asks or self.said >= _MOST_ANSWERS)


class Recipients:
    """All who wait and will say something; they know their orders by their links alone.

    The shop tells each the link of their order, as a message to them would.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float] = time.time,
        seed: str = "recipients",
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._rng = Random(f"{seed}:{int(clock())}")
        self._waiting: list[Recipient] = []
        self.asked = 0
        self.rated = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Live until `stop`."""
        while not stop.is_set():
            await self.turn()
            await pause(stop, _TURN_S)

    def expect(self, number: str, region: str, bearer: str) -> None:
        """Somebody waits for an order from now on; most of them say nothing."""
        rng, now = self._rng, self._clock()
        asks, rates = rng.random() < _ASKS, rng.random() < _RATES
        if not (asks or rates) or len(self._waiting) >= _MOST:
            return
        spoken = _LANGUAGES.get(region.partition("-")[0], "en")
        language = "en" if rng.random() < _IN_ENGLISH else spoken
        due = now + rng.uniform(*(_ASKS_AFTER_S if asks else _LOOKS_EVERY_S))
        self._waiting.append(Recipient(number, bearer, language, asks, rates, due, now + _STAYS_S))

    async def turn(self) -> None:
        """Let those look who are due, a few at once."""
        now = self._clock()
        due = sorted((each for each in self._waiting if each.due <= now), key=lambda each: each.due)
        for each in due[:_AT_ONCE]:
            each.due = now + self._rng.uniform(*_LOOKS_EVERY_S)
            # What fails for now is tried when they look again.
            with suppress(Unreachable):
                await self._look(each)
        self._waiting = [each for each in self._waiting if each.leaves > now and not each.content]

    async def _look(self, who: Recipient) -> None:
        who.link = who.link or await self._link(who)
        if who.link is None:
            return
        told = await self._ask("GET", f"/api/track/{who.link}")
        if told is None:
            # The link was taken back: the message with the new one is not theirs to read.
            who.asks = who.rates = False
            return
        if who.asks:
            await self._talk(who, who.link, told)
        if told["state"] == "delivered" and who.rates:
            await self._rate(who, who.link, told)
        elif told["state"] in ("cancelled", "returned"):
            who.rates = False

    async def _link(self, who: Recipient) -> str | None:
        order = await self._ask("GET", f"/api/v1/orders/{quote(who.number)}", bearer=who.bearer)
        return urlsplit(order["tracking_url"]).path.rpartition("/")[2] if order else None

    async def _talk(self, who: Recipient, link: str, told: Told) -> None:
        conversation = await self._ask("GET", f"/api/track/{link}/help")
        if conversation is None:
            return
        if not who.asked:
            kind = self._worry(conversation["choices"], told)
            body = {"kind": kind, "text": self._phrase(who, kind), "key": who.number}
            who.asked = await self._ask("POST", f"/api/track/{link}/help", body) is not None
            self.asked += who.asked
            return
        last = conversation["items"][-1]
        if last["by"] == "us" and last["at"] != who.heard:
            text = self._phrase(who, "thanks" if self._rng.random() < _CONTENT else "still")
            body = {"text": text, "key": f"{who.number}-{who.said}"}
            await self._ask("POST", f"/api/track/{link}/help/words", body)
            who.heard = last["at"]
            who.said += 1

    def _worry(self, choices: list[str], told: Told) -> str:
        """What troubles them: that it is late where it is, else any of what can be asked about."""
        if told["late"] and "late" in choices:
            return "late"
        return self._rng.choice(choices)

    async def _rate(self, who: Recipient, link: str, told: Told) -> None:
        odds = _STARS_LATE if told["late"] else _STARS_IN_TIME
        stars = self._rng.choices(range(1, 6), odds)[0]
        comments = self._rng.random() < _COMMENTS
        words = self._phrase(who, "good" if stars > 3 else "bad") if comments else ""
        body = {"stars": stars, "words": words}
        if await self._ask("POST", f"/api/track/{link}/rating", body) is not None:
            who.rates = False
            self.rated += 1

    def _phrase(self, who: Recipient, occasion: str) -> str:
        return self._rng.choice(phrases()[who.language][occasion])

    async def _ask(
        self, method: str, target: str, body: Told | None = None, bearer: str | None = None
    ) -> Told | None:
        """The answer, None where the server refuses one; raises Unreachable where it is away."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = orjson.dumps(body) if body is not None else None
        answer = await self._transport.send(Request(method, target, headers, content))
        if answer.later:
            raise Unreachable(f"the server answers {answer.status}")
        found: Told | None = answer.json() if answer.ok else None
        return found
