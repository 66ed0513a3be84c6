"""The driver app's talk with the server: syncs, codes asked for, pictures in pieces, pushes."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from random import Random

import orjson

from backend.simulation.courier import Courier, Picture
from backend.simulation.doorways import Device
from backend.simulation.inbox import Inbox
from backend.simulation.transport import Answer, Request

Send = Callable[[Request], Awaitable[Answer | None]]
AskCode = Callable[[str], Awaitable[dict[str, str]]]

_JSON = "application/json"
_PIECE = "application/offset+octet-stream"
_DOORWAY = "/api/driver/v1"
_PUSHES_GO_TO = "/api/v1/messages/device"
_ANSWERS_LOST = 0.01
_PIECES_BROKEN = 0.05


class Line:
    """What one app says over a mobile network, on which answers are lost now and then."""

    def __init__(self, courier: Courier, send: Send, ask_code: AskCode, seed: str) -> None:
        self._courier = courier
        self._send = send
        self._ask_code = ask_code
        self._inbox = Inbox(seed)
        self._rng = Random(f"{seed}:line")

    async def speak(self, device: Device, now: float) -> None:
        """Say all that is due; what fails stays with the courier for the next time."""
        courier = self._courier
        if courier.wants_to_sync(now) and not await self._sync(device, now):
            return
        number = courier.asks_code_of
        if number is not None:
            courier.heard_code(now, number, await self._ask_code(number))
        if courier.pictures and await self._upload(device, courier.pictures[0]):
            courier.pictures.popleft()
        if self._inbox.wants_to_look(now) and not await self._look(device, now):
            return
        await self._acknowledge(device)

    async def _sync(self, device: Device, now: float) -> bool:
        body = self._courier.sync_body(now)
        content = orjson.dumps(body)
        answer = await self._ask("POST", "/sync", device, content, **{"Content-Type": _JSON})
        if answer is None or not answer.ok or self._rng.random() < _ANSWERS_LOST:
            return False
        self._courier.synced(now, answer.json())
        return True

    async def _upload(self, device: Device, picture: Picture) -> bool:
        """Whether the whole picture is there; a broken piece is gone on with the next time."""
        address = f"/evidence/{picture.name}"
        if not picture.begun:
            announced = {
                "Upload-Length": str(len(picture.content)),
                "Upload-Metadata": "sha256 " + base64.b64encode(picture.name.encode()).decode(),
            }
            begun = await self._ask("POST", "/evidence", device, None, **announced)
            picture.begun = begun is not None and begun.ok
            if not picture.begun:
                return False
        elif picture.offset:
            asked = await self._ask("HEAD", address, device, None)
            if asked is None or not asked.ok or asked.offset is None:
                return False
            picture.offset = asked.offset
        rest = picture.content[picture.offset :]
        broken = len(rest) > 200 and self._rng.random() < _PIECES_BROKEN
        piece = rest[: len(rest) // 2] if broken else rest
        headers = {"Upload-Offset": str(picture.offset), "Content-Type": _PIECE}
        done = await self._ask("PATCH", address, device, piece, **headers)
        if done is None or not (done.ok or done.status == 409) or done.offset is None:
            return False
        picture.offset = done.offset
        return picture.offset == len(picture.content)

    async def _look(self, device: Device, now: float) -> bool:
        """Say once where pushes go, and see what was pushed."""
        if self._inbox.known_by != device.token:
            token = orjson.dumps({"token": f"drivemate:{device.driver_id}:sandbox"})
            known = {**_bearer(device), "Content-Type": _JSON}
            kept = await self._send(Request("PUT", _PUSHES_GO_TO, known, token))
            if kept is None or not kept.ok:
                return False
            self._inbox.known_by = device.token
        answer = await self._ask("GET", "/messages", device, None)
        if answer is None or not answer.ok:
            return False
        self._inbox.looked(now, answer.json()["items"])
        return True

    async def _acknowledge(self, device: Device) -> None:
        """Tell what has come; where the answer is lost it is told once more."""
        receipts = self._inbox.receipts()
        if not receipts:
            return
        body = orjson.dumps({"receipts": receipts})
        answer = await self._ask(
            "POST", "/messages/received", device, body, **{"Content-Type": _JSON}
        )
        if answer is not None and answer.ok and self._rng.random() >= _ANSWERS_LOST:
            self._inbox.acknowledged(receipts)

    async def _ask(
        self, method: str, path: str, device: Device, body: bytes | None, **headers: str
    ) -> Answer | None:
        known = {**_bearer(device), **headers}
        return await self._send(Request(method, _DOORWAY + path, known, body))


def _bearer(device: Device) -> dict[str, str]:
    return {"Authorization": f"Bearer {device.token}"}
