"""Clients that listen for publishes and read a flag anew as soon as they are told."""

from __future__ import annotations

import asyncio
from time import perf_counter

import orjson

from backend.flags.streams import PATH

_GIVE_UP_AFTER_S = 30.0
_ASK_AGAIN_S = 0.01


class Listener:
    """One open event stream, on a bare socket: five hundred share two cores with the server."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self.heard_at = 0.0
        self.seen_at = 0.0

    async def open(self) -> None:
        """Connect, and wait for the server's first word."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = f"GET {PATH} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._key}\r\n\r\n"
        self._writer.write(head.encode())
        await self._until(b"id: ")

    async def see(self, flag: str, variant: str, gate: asyncio.Semaphore) -> None:
        """Wait for the notice, then ask until the flag serves the variant."""
        await self._until(b"data: ")
        self.heard_at = perf_counter()
        async with gate:
            while await self._variant(flag) != variant:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(_ASK_AGAIN_S)
        self.seen_at = perf_counter()

    def close(self) -> None:
        """Let go of the stream."""
        self._writer.close()

    async def _until(self, start: bytes) -> None:
        async with asyncio.timeout(_GIVE_UP_AFTER_S):
            while not (await self._reader.readline()).startswith(start):
                pass

    async def _variant(self, flag: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = orjson.dumps({"context": {"targetingKey": "listener"}})
        writer.write(
            f"POST /ofrep/v1/evaluate/flags/{flag} HTTP/1.1\r\nhost: bench\r\n"
            f"authorization: Bearer {self._key}\r\nconnection: close\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        answer = await reader.read()
        writer.close()
        found: str = orjson.loads(answer.partition(b"\r\n\r\n")[2])["variant"]
        return found
