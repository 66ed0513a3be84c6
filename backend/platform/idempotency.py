"""The same `Idempotency-Key` and body gives the same answer, and the change happens once."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Column, DateTime, LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid

Made = TypeVar("Made", bound=BaseModel)

KEPT_FOR = timedelta(hours=24)
_POINTER = "/headers/Idempotency-Key"


class IdempotencyRow(SQLModel, table=True):
    """The first answer given to one caller's key."""

    __tablename__ = "platform_idempotency"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Idempotency:
    """The key of one request, if it sent one, and the fingerprint of what it asked."""

    def __init__(self, key: str | None, fingerprint: bytes) -> None:
        self._key = key
        self._fingerprint = fingerprint

    def derive(self, secret: str, caller: str) -> str | None:
        """A secret that comes out the same for the same key and request, None without a key.

        So an answer that shows a fresh secret once can be repeated without the secret being kept.
        """
        if self._key is None:
            return None
        message = f"{caller}\0{self._key}\0".encode() + self._fingerprint
        digest = hmac.digest(secret.encode(), message, "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    async def answer(
        self,
        session: AsyncSession,
        caller: str,
        make: Callable[[], Awaitable[Made]],
        *,
        status: int | Callable[[Made], int] = 201,
    ) -> Response:
        """The stored answer to this key, or `make`'s, stored in the same transaction.

        Raises Conflict while another request with the key is in flight, and Invalid when the key
        came with another body before.
        """
        if self._key is None:
            made = await make()
            return _json(_status(status, made), made.model_dump_json().encode())
        if not await _lock(session, caller, self._key):
            raise Conflict("A request with this Idempotency-Key is still in flight.")
        row = await session.get(IdempotencyRow, (caller, self._key))
        if row is not None and row.created_at > clock.now() - KEPT_FOR:
            if row.fingerprint != self._fingerprint:
                detail = "This key was used with another request."
                raise Invalid(detail, errors=[FieldError(_POINTER, "key_reused", detail)])
            return _json(row.status, row.body, {"Idempotent-Replayed": "true"})
        if row is not None:
            await session.delete(row)
            await session.flush()
        made = await make()
        code, body = _status(status, made), made.model_dump_json().encode()
        session.add(
            IdempotencyRow(
                caller=caller,
                key=self._key,
                fingerprint=self._fingerprint,
                status=code,
                body=body,
                created_at=clock.now(),
            )
        )
        return _json(code, body)


def _status(status: int | Callable[[Made], int], made: Made) -> int:
    return status if isinstance(status, int) else status(made)


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type=JSONResponse.media_type)


async def _lock(session: AsyncSession, caller: str, key: str) -> bool:
    digest = hashlib.sha256(f"{caller}\0{key}".encode()).digest()[:8]
    taken = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:id)"),
        {"id": int.from_bytes(digest, signed=True)},
    )
    return bool(taken)


async def drop_expired(session: AsyncSession) -> None:
    """Forget the answers that are past their keeping time."""
    await session.execute(
        text("DELETE FROM platform_idempotency WHERE created_at < :limit"),
        {"limit": clock.now() - KEPT_FOR},
    )


async def _read(
    request: Request,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Idempotency:
    body = await request.body()
    head = f"{request.method} {request.url.path}\n".encode()
    return Idempotency(idempotency_key, hashlib.sha256(head + body).digest())


Once = Annotated[Idempotency, Depends(_read)]
