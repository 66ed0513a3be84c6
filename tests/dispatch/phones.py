"""A driver's phone as the tests of the doorway need it: it numbers its events and sends them."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
from sqlalchemy import select, text

from backend.dispatch import service
from backend.dispatch.otp import PURPOSE
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import OutboxRow
from backend.platform.resources import Resources
from backend.platform.sealing import unseal
from tests.dispatch.orders import LUMPINI, SIAM, advance, marketplace, order_in, seeded
from tests.tracking.fleet import Phone, hire

A = Action
TO_DOOR = ["order.reach_pickup", "order.pick_up", "order.depart", "order.arrive"]


@dataclass
class App:
    """The app on one phone."""

    client: httpx.AsyncClient
    phone: Phone
    seq: int = 0
    boot_id: str = "boot-1"
    started_at: datetime = field(default_factory=clock.now)
    cursor: str | None = None

    def event(self, what: str, order: OrderOut | None = None, /, **more: Any) -> dict[str, Any]:
        """The next event, as the phone keeps it until the server has answered for it."""
        self.seq += 1
        payload = {name: more.pop(name) for name in list(more) if name not in _ENVELOPE}
        body = {
            "event_id": str(uuid7()),
            "device_seq": self.seq,
            "captured_at": clock.now().isoformat(),
            "monotonic_ms": self.ticks(),
            "boot_id": self.boot_id,
            "type": what,
            "payload": payload,
        }
        if order is not None:
            body["order_id"] = str(order.id)
        return body | more

    def ticks(self) -> int:
        """Milliseconds since the phone was switched on."""
        return round((clock.now() - self.started_at).total_seconds() * 1000)

    async def post(self, *events: Any, **device: Any) -> httpx.Response:
        """What the server answers to a sync."""
        about = {"boot_id": self.boot_id, "app_version": "7.1", "platform": "android", **device}
        body = {"device": about, "cursor": self.cursor, "events": events}
        return await self.client.post("/api/driver/v1/sync", json=body, headers=self.phone.headers)

    async def sync(self, *events: Any, **device: Any) -> dict[str, Any]:
        """The answer to a sync that is taken."""
        answer = await self.post(*events, **device)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def results(self, *events: Any, **device: Any) -> list[str]:
        """What became of each event, with the code after a space where there is one."""
        done = await self.sync(*events, **device)
        return [said(result) for result in done["results"]]

    async def tell(self, what: str, order: OrderOut | None = None, /, **more: Any) -> str:
        """What became of one new event."""
        return (await self.results(self.event(what, order, **more)))[0]


_ENVELOPE = {"event_id", "device_seq", "captured_at", "monotonic_ms", "boot_id"}


def said(result: dict[str, Any]) -> str:
    """A result in one or two words."""
    words = [result["status"], result["first"], result["code"]]
    return " ".join(word for word in words if word)


async def app(client: httpx.AsyncClient, resources: Resources) -> App:
    """A phone of a new driver in Bangkok who is on shift."""
    phone = await hire(resources)
    headers = phone.headers
    await client.post("/api/driver/v1/shift", json={"state": "on"}, headers=headers)
    return App(client, phone)


async def order_of(resources: Resources, driver: UUID, *actions: Action, **more: Any) -> OrderOut:
    """An order of a marketplace, given to the driver and taken by them, then moved on."""
    await seeded(resources)
    principal, _ = await marketplace(resources)
    async with resources.database.unit_of_work() as session:
        made = await service.create_order(session, principal, order_in(**more))
    return await advance(resources, made.id, A.ASSIGN, A.ACCEPT, *actions, driver=driver)


def steps(phone: App, order: OrderOut, *kinds: str) -> list[dict[str, Any]]:
    """One event of each kind, done where the order wants it done."""
    found = []
    for kind in kinds:
        at_drop = kind in ("order.arrive", "order.deliver", "order.fail")
        more: dict[str, Any] = {"position": LUMPINI if at_drop else SIAM}
        if kind == "order.pick_up":
            more["barcodes"] = [parcel["barcode"] for parcel in order.parcels]
        if kind == "order.fail":
            more["reason"] = "nobody_there"
        found.append(phone.event(kind, order, **more))
    return found


async def at_door(phone: App, order: OrderOut) -> None:
    """Bring an accepted order to its door through the doorway."""
    done = await phone.results(*steps(phone, order, *TO_DOOR))
    assert done == ["accepted"] * len(TO_DOOR)


async def state_of(resources: Resources, order: OrderOut) -> str:
    """Where the order stands."""
    async with resources.database.unit_of_work() as session:
        return str(
            await session.scalar(
                text("SELECT state FROM dispatch_order WHERE id = :id"), {"id": order.id}
            )
        )


async def story(resources: Resources, order: OrderOut) -> list[str]:
    """The types of the order's steps, oldest first."""
    query = text("SELECT type FROM dispatch_order_event WHERE order_id = :id ORDER BY seq")
    async with resources.database.unit_of_work() as session:
        return [str(kind) for kind in await session.scalars(query, {"id": order.id})]


async def column(resources: Resources, query: str, **values: Any) -> list[Any]:
    """The first column of a query's rows."""
    async with resources.database.unit_of_work() as session:
        return list(await session.scalars(text(query), values))


async def codes_sent(resources: Resources, order: OrderOut) -> list[str]:
    """The plain codes sent for an order, as the messaging outbox opens them."""
    found = []
    async with resources.database.unit_of_work() as session:
        for row in await session.scalars(select(OutboxRow).order_by(OutboxRow.seq)):  # type: ignore[arg-type]
            event = orjson.loads(row.value)
            if event["type"] == "otp.issued" and event["key"] == str(order.id):
                found.append(unseal(resources.settings, PURPOSE, event["data"]["sealed_code"]))
    return found


def png(size: int = 0) -> bytes:
    """A small picture, with a comment of `size` bytes inside."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0\xff\0\xff\0")
    comment = chunk(b"tEXt", b"Comment\0" + b"x" * size) if size else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head) + comment + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )  # fmt: skip


def digest(content: bytes) -> str:
    """The name of a picture."""
    return hashlib.sha256(content).hexdigest()


async def announce(phone: App, name: str, size: int) -> httpx.Response:
    """Begin an upload."""
    metadata = "sha256 " + base64.b64encode(name.encode()).decode()
    headers = {**phone.phone.headers, "Upload-Length": str(size), "Upload-Metadata": metadata}
    return await phone.client.post("/api/driver/v1/evidence", headers=headers)


async def piece(phone: App, name: str, offset: int, content: bytes) -> httpx.Response:
    """Send the next piece of an upload."""
    headers = {
        **phone.phone.headers,
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    address = f"/api/driver/v1/evidence/{name}"
    return await phone.client.patch(address, headers=headers, content=content)


async def far(phone: App, name: str) -> httpx.Response:
    """Ask how far an upload is."""
    return await phone.client.head(f"/api/driver/v1/evidence/{name}", headers=phone.phone.headers)


async def act(resources: Resources, order: OrderOut, action: Action, **more: Any) -> None:
    """Have the system do something to the order meanwhile."""
    async with resources.database.unit_of_work() as session:
        row = await service.order_to_change(session, SYSTEM, "orders:write", order.id)
        await service.move(session, SYSTEM, row, action, **more)
