"""A driver with a phone, on real stores, as the tests of positions need them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.tracking import service
from backend.tracking.projector import Projector
from backend.tracking.schemas import DriverIn

BANGKOK = (13.7456, 100.5341)


@dataclass(frozen=True, slots=True)
class Phone:
    """A driver's phone: whose it is, and what it sends with."""

    id: UUID
    code: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What proves that it is this phone."""
        return {"Authorization": f"Bearer {self.token}"}


async def hire(resources: Resources, region: str = "TH-10", **details: Any) -> Phone:
    """A new driver of the region with a phone; the regions are seeded where there are none."""
    wanted = {"name": "Somchai", "vehicle": "bike", "region": region, **details}
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        driver = await service.create_driver(session, SYSTEM, DriverIn(**wanted))
        token = await service.issue_device_token(session, SYSTEM, driver.id)
    return Phone(driver.id, driver.code, token.token)


async def somebody(resources: Resources, role: str, *regions: str) -> dict[str, str]:
    """The headers of a caller with a role in the regions."""
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, f"test-{role}", role=role, regions=regions or ("*",)
        )
    return {"Authorization": f"Bearer {issued.secret}"}


def ago(seconds: float) -> datetime:
    """The time so many seconds before now, to the millisecond."""
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def fix(at: datetime, lat: float = BANGKOK[0], lon: float = BANGKOK[1], **more: Any) -> Any:
    """One fix in the native format."""
    return {"recorded_at": at.isoformat(), "lat": lat, "lon": lon, **more}


async def send(client: httpx.AsyncClient, phone: Phone, body: Any) -> httpx.Response:
    """What the native doorway answers to the phone."""
    return await client.post("/api/v1/positions", json=body, headers=phone.headers)


async def statuses(client: httpx.AsyncClient, phone: Phone, body: Any) -> list[str]:
    """What became of each fix, with the code after a space where there is one."""
    answer = await send(client, phone, body)
    return [
        " ".join(filter(None, (result["status"], result.get("code"))))
        for result in answer.json()["results"]
    ]


async def work_off(resources: Resources) -> int:
    """Run the projector over all that is in the log; answers how many fixes it worked in."""
    projector = Projector(resources)
    await projector.prepare()
    total = 0
    while count := await projector.turn(wait_ms=10):
        total += count
    return total


async def history(resources: Resources, phone: Phone) -> list[Any]:
    """The driver's fixes in history from two days ago until now, oldest first."""
    async with resources.database.unit_of_work() as session:
        track = await service.get_track(
            session, SYSTEM, phone.id, ago(3 * 86400), ago(-600), limit=5000
        )
    return track.fixes


async def position(client: httpx.AsyncClient, phone: Phone, headers: dict[str, str]) -> Any:
    """The driver's newest position as operators see it."""
    answer = await client.get(f"/api/v1/drivers/{phone.id}", headers=headers)
    return answer.json()["position"]


def basic(phone: Phone) -> dict[str, str]:
    """The token as the password of Basic."""
    pair = b64encode(f"{phone.code}:{phone.token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


async def refused(client: httpx.AsyncClient, resources: Resources) -> dict[tuple[str, str], int]:
    """The counts by doorway and code that operators see."""
    admin = await somebody(resources, "admin")
    # Doorways count what they turn away by themselves in the background.
    await asyncio.sleep(0)
    answer = await client.get("/api/v1/positions/refusals", headers=admin)
    return {(row["doorway"], row["code"]): row["count"] for row in answer.json()}


async def owntracks(client: httpx.AsyncClient, phone: Phone, body: Any) -> httpx.Response:
    """What the OwnTracks doorway answers to the phone."""
    return await client.post("/api/owntracks", json=body, headers=basic(phone))
