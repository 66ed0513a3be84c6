"""Drives the demo fleet: every phone on its own rhythm, through the public doorways."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from backend.platform import drills
from backend.platform.scopes import covers
from backend.platform.telemetry import get_logger
from backend.platform.turns import pause
from backend.simulation import places
from backend.simulation.courier import Courier
from backend.simulation.doorways import Device, Doorway, Tally, encode, understand
from backend.simulation.line import AskCode, Line
from backend.simulation.market import Market
from backend.simulation.motion import Journey
from backend.simulation.operator import DriverWish, Operator, Refused
from backend.simulation.phone import Phone
from backend.simulation.places import City, Hub
from backend.simulation.readers import Readers, customers, reader
from backend.simulation.recipients import Recipients
from backend.simulation.streets import Point
from backend.simulation.transport import Answer, Connections, Request, Transport, Unreachable
from backend.simulation.wallet import Wallet

_FEWEST_CONNECTIONS = 32
_MOST_CONNECTIONS = 128
_PHONES_PER_CONNECTION = 40
_ENROLLING_AT_ONCE = 8
# One phone's turn: then others may use the connection.
_REQUESTS_A_TURN = 20
_REFUSALS_TO_GIVE_UP = 5
_SAVE_EVERY_S = 10.0
_TICK_S = 0.1
_REPORT_S = 60.0
_GOLDEN = 0.6180339887498949

_DOORWAYS: tuple[tuple[Doorway, float], ...] = (
    ("native", 0.55),
    ("osmand", 0.17),
    ("osmand_json", 0.11),
    ("owntracks", 0.17),
)

_log = get_logger(__name__)


class Member:
    """A driver of the fleet: who, where and with which phone."""

    def __init__(
        self,
        number: int,
        cities: list[City],
        seed: str,
        start: float,
        wallet: Wallet,
        *,
        works: bool = False,
    ) -> None:
        self.code = f"DRV-{number:04d}"
        rng = Random(f"{seed}:{self.code}")
        self.city = city_for(number, cities)
        hub: Hub = self.city.hubs[rng.randrange(len(self.city.hubs))]
        vehicle = places.vehicle(self.city, rng)
        self.wish = DriverWish(
            code=self.code,
            name=places.person(self.city, rng),
            region=self.city.code,
            vehicle=vehicle,
            plate=places.plate(self.city, rng),
            hub=hub.code,
        )
        doorway = rng.choices([d for d, _ in _DOORWAYS], [w for _, w in _DOORWAYS])[0]
        day = f"{seed}:{self.code}:{int(start)}"
        # A restart goes on where the driver was: a leap would be flagged as impossible.
        last = wallet.place(self.code)
        place = self.city.streets.to_grid(*last) if last else None
        journey = Journey(self.city, hub, vehicle, day, start, place)
        self.phone = Phone(journey, doorway, day)
        self.app = reader("drivemate", self.code, self.city, hub.code, "driver")
        self.courier = Courier(self.city, journey, day, start) if works else None
        self.line: Line | None = None
        self.device: Device | None = wallet.get(self.code)
        self.refusals = 0

    def has_to_say(self, now: float) -> bool:
        """Whether the phone has anything to tell the server."""
        tracks = self.phone.unsent > 0 or self.phone.wants_to_tell_shift()
        return tracks or (self.courier is not None and self.courier.wants_to_sync(now))


def city_for(number: int, cities: list[City]) -> City:
    """The driver's city: by weight, and the same however many drivers there are."""
    share = (number * _GOLDEN) % 1.0 * sum(city.profile["weight"] for city in cities)
    for city in cities:
        share -= city.profile["weight"]
        if share < 0:
            return city
    return cities[-1]


def connections_for(drivers: int) -> int:
    """How many connections a fleet of this size may hold."""
    wanted = drivers // _PHONES_PER_CONNECTION
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, wanted))


class Fleet:
    """Phones by when they are next due, and the few requests that are under way."""

    def __init__(
        self,
        transport: Transport,
        operator: Operator,
        members: list[Member],
        wallet: Wallet,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._operator = operator
        self._wallet = wallet
        self._clock = clock
        self._queue: list[tuple[float, int, Member]] = []
        self._waiting: list[Member] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._down = False
        self.tally = Tally()
        for number, member in enumerate(members):
            if member.device is None:
                self._waiting.append(member)
            else:
                self._queue.append((member.phone.due(), number, member))
        self._waiting.reverse()
        self._enrolling = 0
        self._enrolled = len(self._queue)
        self._refused = 0
        self._stopping = False
        self._fatal: BaseException | None = None
        self._members = members
        self._connections = connections_for(len(members))
        heapq.heapify(self._queue)

    def connect(self, ask_code: AskCode) -> None:
        """Give every driver at work their app's line; recipients are asked for codes by this."""
        for member in self._members:
            if member.courier is not None:
                send = partial(self._send, member, app=True)
                member.line = Line(member.courier, send, ask_code, member.code)

    def drivers_of(self, city: str) -> list[Point] | None:
        """Where the drivers at work in a city are; None while some have no token yet."""
        if self._waiting or self._enrolling:
            return None
        at = [m.courier.at for m in self._members if m.courier and m.city.code == city]
        return [point for point in at if point is not None]

    @property
    def unsent(self) -> int:
        """Fixes that wait on all phones."""
        return sum(member.phone.unsent for _, _, member in self._queue)

    async def run(self, stop: asyncio.Event) -> None:
        """Drive until `stop`; what is under way then is finished.

        Raises Refused where the operator's token may not enrol a single driver.
        """
        report_at = self._clock() + _REPORT_S
        save_at = self._clock() + _SAVE_EVERY_S
        while not stop.is_set() and self._fatal is None:
            self.turn()
            if self._clock() >= save_at:
                save_at = self._clock() + _SAVE_EVERY_S
                self.save()
            if self._clock() >= report_at:
                report_at += _REPORT_S
                self._report()
            await pause(stop, _TICK_S)
        self._stopping = True
        if self._busy:
            await asyncio.wait(self._busy, timeout=5)
        self.save()
        self._report()
        if self._fatal is not None:
            raise self._fatal

    def save(self) -> None:
        """Write the tokens and places to come back to."""
        for member in self._members:
            if member.phone.place is not None:
                self._wallet.note(member.code, member.phone.place)
        self._wallet.save()

    def turn(self) -> None:
        """Live every phone that is due, and start what it has to say while there is room."""
        now = self._clock()
        while self._waiting and self._enrolling < _ENROLLING_AT_ONCE:
            self._enrolling += 1
            self._begin(self._enrol(self._waiting.pop()))
        # A server that is down is asked by a few, not by everyone at once.
        room = 2 if self._down else self._connections
        silenced = drills.broken("phones")
        while self._queue and self._queue[0][0] <= now and len(self._busy) < room:
            _, number, member = heapq.heappop(self._queue)
            phone = member.phone
            phone.live(now)
            if silenced and covers(silenced.region, member.city.code):
                phone.reachable = False
            if member.courier is not None:
                member.courier.live(now, phone.place, reachable=phone.reachable)
            if phone.reachable and member.has_to_say(now):
                self._begin(self._speak(number, member))
            else:
                heapq.heappush(self._queue, (member.phone.due(), number, member))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        if task.cancelled():
            return
        if error := task.exception():
            self._fatal = error
        elif not self._stopping:
            self.turn()

    async def _enrol(self, member: Member) -> None:
        try:
            member.device = await self._operator.device(member.wish)
        except Refused as error:
            _log.warning("driver_not_enrolled", driver=member.code, reason=str(error))
            self._refused += 1
            if self._refused >= _REFUSALS_TO_GIVE_UP and not self._enrolled:
                raise
            return
        finally:
            self._enrolling -= 1
        self._enrolled += 1
        self._wallet.keep(member.device)
        number = int(member.code.rpartition("-")[2])
        heapq.heappush(self._queue, (member.phone.due(), number, member))

    async def _speak(self, number: int, member: Member) -> None:
        """Tell the shift, then send waiting fixes oldest first until there are none."""
        phone, device = member.phone, member.device
        assert device is not None
        try:
            if phone.wants_to_tell_shift() and not await self._tell_shift(member, device):
                return
            for _ in range(_REQUESTS_A_TURN):
                batch = phone.batch()
                if not batch:
                    break
                answer = await self._send(member, encode(phone.doorway, device, batch))
                if answer is None:
                    return
                outcome = understand(answer, len(batch))
                self.tally.add(outcome)
                phone.sent(len(batch))
            if member.line is not None:
                await member.line.speak(device, self._clock())
        finally:
            if member.device is None:
                self._waiting.append(member)
            else:
                heapq.heappush(self._queue, (phone.due(), number, member))

    async def _tell_shift(self, member: Member, device: Device) -> bool:
        phone = member.phone
        on_shift = phone.on_shift
        headers = {"Authorization": f"Bearer {device.token}", "Content-Type": "application/json"}
        body = b'{"state":"on"}' if on_shift else b'{"state":"off"}'
        answer = await self._send(member, Request("POST", "/api/driver/v1/shift", headers, body))
        if answer is None:
            return False
        phone.told_shift = on_shift
        return True

    async def _send(self, member: Member, request: Request, *, app: bool = False) -> Answer | None:
        """The answer, or None where the phone must keep what it has and come back."""
        phone = member.phone
        try:
            answer = await self._transport.send(request)
        except Unreachable as error:
            if not self._down and not self._stopping:
                _log.warning("server_unreachable", reason=str(error))
            self._down = True
            phone.failed(self._clock())
            return None
        if answer.later:
            phone.failed(self._clock(), answer.retry_after_s)
            return None
        if self._down:
            _log.info("server_reachable_again", unsent=self.unsent)
        self._down = False
        # To the driver app, a thing that is not there says nothing of the token.
        unknown = answer.status == 401 if app else answer.unknown_caller
        if unknown and member.refusals < 3:
            # The token was revoked, or the database is a new one: enrol again, keep the fixes.
            member.refusals += 1
            member.device = None
            return None
        if answer.ok:
            member.refusals = 0
        return answer

    def _report(self) -> None:
        couriers = [member.courier for member in self._members if member.courier is not None]
        _log.info(
            "fleet",
            drivers=len(self._members),
            accepted=self.tally.accepted,
            duplicate=self.tally.duplicate,
            refused=dict(self.tally.refused),
            flagged=dict(self.tally.flagged),
            unsent=self.unsent,
            busy=sum(courier.busy for courier in couriers),
            orders_ended=sum(courier.done for courier in couriers),
        )


async def simulate(
    url: str,
    token: str,
    drivers: int,
    orders_per_hour: int,
    data_dir: Path,
    stop: asyncio.Event,
    *,
    seed: str = "waypost",
) -> Tally:
    """Drive `drivers` drivers until `stop`; answers what became of their fixes.

    `token` needs drivers:write and regions:read, and with orders tokens:write and orders:write.
    Drivers are found again by their code, and all tokens are kept in `data_dir`. Raises Refused
    where the token may not do this, and waits for a server that is down.
    """
    async with Connections(url, limit=connections_for(drivers)) as transport:
        operator = Operator(transport, token, stop)
        cities = places.cities(await operator.region_features())
        if not cities:
            raise Refused("The token sees none of the demo cities; is the sample data there?")
        start = time.time()
        wallet = Wallet(data_dir, url)
        works = orders_per_hour > 0 and drivers > 0
        members = [
            Member(n, cities, seed, start, wallet, works=works) for n in range(1, drivers + 1)
        ]
        fleet = Fleet(transport, operator, members, wallet)
        recipients = Recipients(transport)
        market = Market(
            transport, operator, wallet, cities, orders_per_hour, fleet.drivers_of,
            sold=recipients.expect,
        )  # fmt: skip
        fleet.connect(market.ask_code)
        _log.info("fleet_started", drivers=drivers, cities=len(cities), orders=orders_per_hour)
        apps = [member.app for member in members] + customers(cities)
        beside = [asyncio.create_task(Readers(transport, operator, wallet, apps).run(stop))]
        if works:
            beside.append(asyncio.create_task(_trade(market, stop)))
            beside.append(asyncio.create_task(recipients.run(stop)))
        try:
            await fleet.run(stop)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
        return fleet.tally


async def _trade(market: Market, stop: asyncio.Event) -> None:
    """Send orders; where the token may not, the fleet goes on without."""
    try:
        await market.run(stop)
    except Refused as error:
        _log.warning("orders_not_simulated", reason=str(error))
