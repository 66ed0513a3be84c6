"""Marketplaces of the demo: they send orders all day, call some off, and hear of their codes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

import orjson

from backend.platform import drills
from backend.platform.telemetry import get_logger
from backend.platform.turns import pause
from backend.simulation import trade
from backend.simulation.operator import Operator
from backend.simulation.places import City, person
from backend.simulation.streets import Point
from backend.simulation.transport import Answer, Request, Transport, Unreachable
from backend.simulation.wallet import Wallet

# Their wallets hold one, ten and a hundred of the dearest orders.
_CUSTOMERS = 3
_ROUND = 100
_TURN_S = 10.0
_LONGEST_TURN_S = 60.0
_AT_ONCE = 100
_KEPT = 500
_RUSH_PER_HOUR = 1800
_CALLED_OFF = 0.035
_HELD = 0.012
# A demo that begins has this share of an hour's orders waiting.
_BACKLOG = 0.22
_WHY_OFF = ("customer changed their mind", "ordered twice", "out of stock", "wrong size")
_WHY_HELD = ("recipient asks for another day", "address to be confirmed", "payment in question")
_PERMISSIONS = ("orders:create", "orders:read", "orders:cancel")

Drivers = Callable[[str], list[Point] | None]
Sold = Callable[[str, str, str], None]
"""Told of each order that was taken: its number, its region, and its seller's token."""

_log = get_logger(__name__)


@dataclass(slots=True)
class Seller:
    """One marketplace: its token's name, how its references begin, and its share of orders."""

    name: str
    prefix: str
    share: float
    token: str = ""
    unsent: list[dict[str, Any]] = field(default_factory=list)


def sellers() -> list[Seller]:
    """The marketplaces of the demo."""
    return [
        Seller("kaveri-bazaar", "KB", 0.5),
        Seller("lotus-mart", "LM", 0.3),
        Seller("tokoraya", "TR", 0.2),
    ]


class Market:
    """All marketplaces and the desk that holds an order now and then; one turn every ten seconds.

    `drivers` tells where a city's drivers are, once they are all there; None before.
    """

    def __init__(
        self,
        transport: Transport,
        operator: Operator,
        wallet: Wallet,
        cities: list[City],
        orders_per_hour: int,
        drivers: Drivers,
        clock: Callable[[], float] = time.time,
        seed: str = "market",
        sold: Sold | None = None,
    ) -> None:
        self._transport = transport
        self._operator = operator
        self._wallet = wallet
        self._cities = cities
        self._per_hour = orders_per_hour
        self._drivers = drivers
        self._clock = clock
        self._sold = sold
        self._begun = clock()
        self._rng = Random(f"{seed}:{int(self._begun)}")
        self._sellers = sellers()
        self._seller_of: dict[str, Seller] = {}
        self._made = 0
        self._turned = self._begun
        self._later: list[tuple[float, str, Seller | None, str, dict[str, str]]] = []
        self.sent = 0
        self.refused = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Trade until `stop`; raises Refused where the operator may not make tokens."""
        first = await self.open()
        while not stop.is_set() and self._drivers(self._cities[0].code) is None:
            await pause(stop, _TURN_S / 5)
        self._turned = self._clock()
        if first and not stop.is_set():
            await pause(stop, _TURN_S)
            self._begin_with_backlog()
        while not stop.is_set():
            await self.turn()
            await pause(stop, _TURN_S)

    async def open(self) -> bool:
        """Get each marketplace its token; whether this is the first time."""
        first = False
        for seller in self._sellers:
            kept = self._wallet.seller_token(seller.name)
            if kept is None:
                first = True
                kept = await self._operator.service_token(seller.name, _PERMISSIONS)
                self._wallet.keep_seller(seller.name, kept)
            seller.token = kept
        if first:
            await self._open_wallets()
        self._wallet.save()
        return first

    async def _open_wallets(self) -> None:
        """Give each city customers who pay from a wallet, some with little in it."""
        for city in self._cities:
            trade_of = trade.trades()[city.code]
            for number in range(1, _CUSTOMERS + 1):
                holder = f"{city.code.lower()}-{int(self._begun):x}-{number}"
                minor = trade_of["pays"][1] * 10 ** (number - 1) // _ROUND * _ROUND
                amount = {"minor": minor, "currency": trade_of["currency"]}
                name = person(city, self._rng)
                made = await self._operator.filled_wallet(holder, name, city.code, amount)
                self._wallet.keep_customer(city.code, made)

    async def turn(self) -> None:
        """Send what was ordered since the last turn, and do what is due to orders sent before."""
        now = self._clock()
        elapsed = min(_LONGEST_TURN_S, now - self._turned)
        self._turned = now
        weights = sum(city.profile["weight"] for city in self._cities)
        rush = drills.broken("gateway") is not None
        for city in self._cities:
            share = city.profile["weight"] / weights
            rate = self._per_hour * trade.rhythm(city, now)
            # A gateway that fails while nobody pays harms nobody: drills have it fail in a rush.
            expected = (max(rate, _RUSH_PER_HOUR) if rush else rate) / 3600 * elapsed * share
            for _ in range(_poisson(self._rng, expected)):
                self._order(city, now)
        for seller in self._sellers:
            await self._send(seller, now)
        await self._follow_up(now)

    def _begin_with_backlog(self) -> None:
        now = self._clock()
        weights = [city.profile["weight"] for city in self._cities]
        for number in range(round(self._per_hour * _BACKLOG)):
            city = self._rng.choices(self._cities, weights)[0]
            around = self._drivers(city.code) if number % 3 else None
            self._order(city, now, self._rng.choice(around) if around else None)

    def _order(self, city: City, now: float, near: Point | None = None) -> None:
        seller = self._rng.choices(self._sellers, [s.share for s in self._sellers])[0]
        self._made += 1
        reference = f"{seller.prefix}{int(self._begun):X}-{self._made:05d}"
        if len(seller.unsent) < _KEPT:
            seller.unsent.append(
                trade.order(
                    city, self._rng, now, reference, near, self._wallet.customers(city.code)
                )
            )

    async def _send(self, seller: Seller, now: float) -> None:
        """Send a seller's orders; unanswered ones are sent again, which makes none twice."""
        while seller.unsent:
            batch = seller.unsent[:_AT_ONCE]
            answer = await self._ask("POST", "/batch", seller.token, {"orders": batch})
            if answer is None or answer.later:
                return
            del seller.unsent[: len(batch)]
            if not answer.ok:
                _log.warning("orders_refused", seller=seller.name, reason=answer.reason())
                return
            for order, result in zip(batch, answer.json()["results"], strict=True):
                if result["status"] == "rejected":
                    self.refused += 1
                    _log.warning("order_refused", pointer=result["pointer"], why=result["detail"])
                else:
                    self.sent += 1
                    self._plan(seller, result["number"], now)
                    if self._sold is not None:
                        self._sold(result["number"], order["region"], seller.token)

    def _plan(self, seller: Seller, number: str, now: float) -> None:
        """Decide at once whether an order will be called off or held for a while."""
        rng = self._rng
        self._seller_of[number] = seller
        if rng.random() < _CALLED_OFF:
            reason = {"reason": rng.choice(_WHY_OFF)}
            self._later.append((now + rng.uniform(20, 420), number, seller, "cancel", reason))
        elif rng.random() < _HELD:
            reason = {"reason": rng.choice(_WHY_HELD)}
            held_at = now + rng.uniform(30, 600)
            self._later.append((held_at, number, None, "hold", reason))
            self._later.append((held_at + rng.uniform(400, 1500), number, None, "release", {}))

    async def _follow_up(self, now: float) -> None:
        due = [plan for plan in self._later if plan[0] <= now]
        self._later = [plan for plan in self._later if plan[0] > now]
        for _, number, seller, action, body in due:
            target = f"/{quote(number)}/{action}"
            if seller is None:
                await self._operator.try_order(target, body)
            else:
                # Refused where it is on board by now: nobody calls off what is on its way.
                await self._ask("POST", target, seller.token, body)

    async def ask_code(self, number: str) -> dict[str, str]:
        """The codes that an order's recipient has, by step; empty while there are none."""
        known = self._seller_of.get(number)
        for seller in [known] if known else self._sellers:
            target = f"/api/demo/orders/{quote(number)}/otp"
            answer = await self._reach(Request("GET", target, _bearer(seller.token)))
            if answer is not None and answer.ok:
                self._seller_of[number] = seller
                codes: dict[str, str] = answer.json()
                return codes
        return {}

    async def _ask(self, method: str, path: str, token: str, body: dict[str, Any]) -> Answer | None:
        headers = {**_bearer(token), "Content-Type": "application/json"}
        target = f"/api/v1/orders{path}"
        return await self._reach(Request(method, target, headers, orjson.dumps(body)))

    async def _reach(self, request: Request) -> Answer | None:
        try:
            return await self._transport.send(request)
        except Unreachable:
            return None


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _poisson(rng: Random, expected: float) -> int:
    """How many of something happened that happens `expected` times on the average."""
    count, left = 0, rng.expovariate(1.0)
    while left < expected:
        count += 1
        left += rng.expovariate(1.0)
    return count
