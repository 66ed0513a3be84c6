"""The apps on the demo's phones as readers of flags: a few of them ask over OFREP each second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from backend.platform.telemetry import get_logger
from backend.platform.turns import pause
from backend.simulation.operator import Operator, Refused
from backend.simulation.places import City
from backend.simulation.transport import Request, Transport, Unreachable
from backend.simulation.wallet import Wallet

# All phones together: a phone asks when its app comes to the front, not on a rhythm.
_ASK_EVERY_S = 0.3
_CUSTOMERS_OF_A_CITY = 40
_NAME = "demo-phones"
_PERMISSION = "flags:evaluate"
_PLATFORMS = (("android", 0.82), ("ios", 0.18))
_VERSIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "drivemate": (("4.1.3", 0.25), ("4.2.0", 0.4), ("4.3.1", 0.35)),
    "shiptrack": (("4.9.2", 0.3), ("5.1.0", 0.45), ("5.2.0-rc.1", 0.05), ("5.2.0", 0.2)),
}
_SEGMENTS: dict[str, tuple[tuple[str, float], ...]] = {
    "drivemate": (("rookies", 0.15),),
    "shiptrack": (("beta", 0.08), ("key-accounts", 0.05)),
}

_log = get_logger(__name__)


@dataclass(slots=True)
class Reader:
    """An app on one phone: who it asks for, and the tag of the answer it holds."""

    context: dict[str, Any]
    etag: str | None = None


def reader(app: str, person: str, city: City, hub: str | None, role: str) -> Reader:
    """The app of a person, the same at every run."""
    rng = Random(f"flags:{person}")
    context: dict[str, Any] = {
        "targetingKey": person,
        "country": city.code.partition("-")[0],
        "city": city.code,
        "app": app,
        "app_version": _one_of(rng, _VERSIONS[app]),
        "platform": _one_of(rng, _PLATFORMS),
        "role": role,
        "segment": [name for name, share in _SEGMENTS[app] if rng.random() < share],
    }
    return Reader(context | ({"hub": hub} if hub else {}))


def customers(cities: Iterable[City]) -> list[Reader]:
    """The customers of each city who use the app."""
    return [
        reader("shiptrack", f"customer-{city.code}-{number}", city, None, "customer")
        for city in cities
        for number in range(1, _CUSTOMERS_OF_A_CITY + 1)
    ]


def _one_of(rng: Random, shares: tuple[tuple[str, float], ...]) -> str:
    names, weights = zip(*shares, strict=True)
    return str(rng.choices(names, weights)[0])


class Readers:
    """Phones that ask for their flags, one after the other in no order."""

    def __init__(
        self, transport: Transport, operator: Operator, wallet: Wallet, readers: list[Reader]
    ) -> None:
        self._transport = transport
        self._operator = operator
        self._wallet = wallet
        self._readers = readers
        self._rng = Random("flags")
        self.answered = 0
        self.unchanged = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until `stop`; where the operator may give no key, nobody asks."""
        while not stop.is_set():
            try:
                await self.ask(self._rng.choice(self._readers))
            except Unreachable:
                pass
            except Refused as error:
                _log.warning("flags_not_read", reason=str(error))
                return
            await pause(stop, _ASK_EVERY_S)

    async def ask(self, phone: Reader) -> None:
        """Have one phone ask for all of its flags; raises Unreachable, Refused."""
        headers = {
            "Authorization": f"Bearer {self._wallet.flags_key or await self._get_key()}",
            "Content-Type": "application/json",
        }
        if phone.etag is not None:
            headers["If-None-Match"] = phone.etag
        body = orjson.dumps({"context": phone.context})
        answer = await self._transport.send(
            Request("POST", "/ofrep/v1/evaluate/flags", headers, body)
        )
        if answer.status == 401:
            # The database is a new one, or somebody took the key back.
            self._wallet.flags_key = None
        elif answer.status == 304:
            self.unchanged += 1
        elif answer.ok:
            phone.etag = answer.etag
            self.answered += 1

    async def _get_key(self) -> str:
        key = self._wallet.flags_key
        if key is None:
            key = await self._operator.service_token(_NAME, (_PERMISSION,))
            self._wallet.flags_key = key
        return key
