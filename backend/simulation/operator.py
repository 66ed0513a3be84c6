"""What fleet, market and replays ask of the API as an operator: regions, drivers, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from backend.platform.errors import DomainError
from backend.platform.turns import pause
from backend.simulation.doorways import Device
from backend.simulation.transport import Answer, Request, Transport, Unreachable

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_TOKEN_LIFE_S = 30 * 86_400


Amount = dict[str, Any]
"""Minor units and currency, as the API takes money."""


class Refused(DomainError):
    """The server will not do what the fleet or the replay needs; the sentence says why."""

    code = "refused"
    title = "The server refused"


@dataclass(frozen=True, slots=True)
class DriverWish:
    """A driver that should exist; `code` tells whether it does."""

    code: str
    name: str
    region: str
    vehicle: str
    plate: str | None = None
    hub: str | None = None


class Operator:
    """The API with an operator's rights. Every call waits for a server that is down or busy."""

    def __init__(
        self,
        transport: Transport,
        token: str,
        stop: asyncio.Event | None = None,
        *,
        patience: int | None = None,
    ) -> None:
        self._transport = transport
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stop = stop or asyncio.Event()
        self._patience = patience

    async def region_features(self) -> list[dict[str, Any]]:
        """The GeoJSON features of the regions this token sees."""
        answer = await self._ask("GET", "/api/v1/regions?geometry=1")
        features: list[dict[str, Any]] = answer.json()["features"]
        return features

    async def device(self, wish: DriverWish) -> Device:
        """A fresh device token for the driver, who is created unless the code is taken."""
        answer = await self._ask(
            "POST",
            "/api/v1/drivers",
            {
                "code": wish.code,
                "name": wish.name,
                "region": wish.region,
                "vehicle": wish.vehicle,
                **({"plate": wish.plate} if wish.plate else {}),
                **({"hub": wish.hub} if wish.hub else {}),
            },
            accept=409,
        )
        driver = await self.driver(wish.code) if answer.status == 409 else answer.json()
        return await self.mint(driver["id"], driver["code"])

    async def driver(self, named: str) -> dict[str, Any]:
        """The driver with this id or code; raises Refused where there is none."""
        if len(named) == 36:
            answer = await self._ask("GET", f"/api/v1/drivers/{quote(named)}", accept=404)
            if answer.ok:
                found: dict[str, Any] = answer.json()
                return found
        answer = await self._ask("GET", f"/api/v1/drivers?{urlencode({'q': named, 'limit': 200})}")
        for item in answer.json()["items"]:
            if item["code"] == named:
                match: dict[str, Any] = item
                return match
        raise Refused(f"There is no driver {named} that this token may see.")

    async def mint(self, driver_id: str, code: str) -> Device:
        """A fresh device token for a driver."""
        answer = await self._ask("POST", f"/api/v1/drivers/{driver_id}/device-token", {})
        return Device(driver_id, code, answer.json()["token"])

    async def service_token(self, name: str, permissions: Sequence[str]) -> str:
        """A fresh token of an integration with these permissions everywhere."""
        body = {
            "name": name,
            "permissions": list(permissions),
            "regions": ["*"],
            "ttl_s": _TOKEN_LIFE_S,
        }
        answer = await self._ask("POST", "/api/v1/tokens", body)
        return str(answer.json()["token"])

    async def filled_wallet(self, holder: str, name: str, region: str, amount: Amount) -> str:
        """A customer's new wallet with so much on its way into it."""
        body = {"holder": holder, "name": name, "region": region}
        answer = await self._ask("POST", "/api/v1/wallets", body)
        wallet_id = str(answer.json()["id"])
        paid = {"amount": amount, "method": "sandbox:ok", "gateway": "sandbox"}
        await self._ask("POST", f"/api/v1/wallets/{wallet_id}/top-up", paid)
        return wallet_id

    async def try_order(self, target: str, body: dict[str, Any]) -> None:
        """Ask something of an order, whose state may not allow it by now."""
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request("POST", f"/api/v1/orders{target}", headers, orjson.dumps(body))
        with suppress(Unreachable):
            await self._transport.send(request)

    async def _ask(
        self, method: str, target: str, body: dict[str, Any] | None = None, accept: int = 200
    ) -> Answer:
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = orjson.dumps(body)
        wait_s, tries = _FIRST_PAUSE_S, 0
        while True:
            answer, trouble = None, "stopped"
            try:
                answer = await self._transport.send(Request(method, target, headers, content))
            except Unreachable as error:
                trouble = str(error)
            if answer is not None and not answer.later:
                if answer.ok or answer.status == accept:
                    return answer
                code, detail = answer.reason()
                path = target.partition("?")[0]
                raise Refused(f"{method} {path} was answered {answer.status} {code}: {detail}")
            tries += 1
            if answer is not None:
                trouble = f"answered {answer.status}"
            if self._patience is not None and tries > self._patience:
                raise Refused(f"The server cannot be reached ({trouble}).")
            if self._stop.is_set():
                raise Refused("Stopped.")
            asked_s = answer.retry_after_s if answer else None
            await pause(self._stop, max(wait_s, asked_s or 0.0))
            wait_s = min(_LONGEST_PAUSE_S, wait_s * 2)
