"""Orders for the board's tests, made and looked at through the API as a marketplace would."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.support.system import System

CITY = "TH-10"
_CITIES = {CITY: (13.7456, 100.5341, "THB"), "IN-KA": (12.9716, 77.5946, "INR")}


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody with every right, over HTTP."""

    url: str
    headers: dict[str, str]

    def orders(self, *changes: dict[str, Any], name: str) -> list[dict[str, Any]]:
        """A new order for each of the changes, all for a recipient of this name."""
        sent = [_order(name, each) for each in changes]
        answer = httpx.post(
            f"{self.url}/api/v1/orders/batch",
            json={"orders": sent},
            headers={**self.headers, "Idempotency-Key": str(uuid4())},
            timeout=30,
        )
        results = answer.raise_for_status().json()["results"]
        assert {each["status"] for each in results} == {"accepted"}, results
        return [self.order(each["number"]) for each in results]

    def order(self, number: str) -> dict[str, Any]:
        """The order as it stands."""
        return self._get(f"/api/v1/orders/{number}")

    def driver_code(self, number: str) -> str:
        """The code of the driver who has the order; empty for nobody."""
        driver = self.order(number)["driver_id"]
        return "" if driver is None else str(self._get(f"/api/v1/drivers/{driver}")["code"])

    def place_of(self, driver_id: str | None) -> tuple[float, float]:
        """Where the driver was heard last, as longitude and latitude."""
        position = self._get(f"/api/v1/drivers/{driver_id}")["position"]
        return position["lon"], position["lat"]

    def drivers(self, vehicle: str) -> list[dict[str, Any]]:
        """Live drivers of the city with this vehicle."""
        page = self._get(f"/api/v1/drivers?region={CITY}&vehicle={vehicle}&status=live")
        return list(page["items"])

    def act(self, number: str, verb: str, **body: Any) -> None:
        """Do something to the order."""
        answer = httpx.post(
            f"{self.url}/api/v1/orders/{number}/{verb}",
            json=body,
            headers={**self.headers, "Idempotency-Key": str(uuid4())},
            timeout=30,
        )
        answer.raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(self.url + path, headers=self.headers, timeout=30)
        return dict(answer.raise_for_status().json())


def desk_of(system: System) -> Desk:
    """A desk at this system."""
    token = system.waypost("token", "--role", "admin").stdout.split()[-1]
    return Desk(system.url, {"Authorization": f"Bearer {token}"})


def somebody() -> str:
    """A name that no other order's recipient has, to list a test's own orders by."""
    return f"Zz{uuid4().hex[:10]} Srisuk"


def _order(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    region = changes.get("region", CITY)
    lat, lon, currency = _CITIES[region]

    def place(who: str) -> dict[str, Any]:
        return {
            "name": who,
            "phone": "+66812345678",
            "address": f"{random.randrange(1, 99)} Rama IV Road",
            "lat": lat + random.uniform(-0.03, 0.03),
            "lon": lon + random.uniform(-0.03, 0.03),
        }

    return {
        "reference": f"B-{uuid4().hex[:12]}",
        "region": region,
        "service": "standard",
        "pickup": place("Siam Books"),
        "drop": place(name),
        "parcels": [{"barcode": uuid4().hex[:12], "weight_g": 900, "volume_cm3": 2000}],
        "payment": {"terms": "prepaid", "amount": {"minor": 12_500, "currency": currency}},
        "promised_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
        **changes,
    }
