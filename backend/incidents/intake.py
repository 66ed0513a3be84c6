"""Keeps deliveries as they come, and works them in afterwards, in their order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import alert_repository, on_call_repository, repository
from backend.incidents.doorways import alertmanager, cloudevents, grafana, pagerduty
from backend.incidents.doorways.reading import Acknowledged, Delivery, Fault, Reading
from backend.incidents.models import EventRow
from backend.incidents.schemas import AlertIn
from backend.incidents.taking import Told, take
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.errors import DomainError, FieldError, Invalid, reason
from backend.platform.ids import uuid7
from backend.platform.scopes import covers
from backend.platform.telemetry import current_trace_id, get_logger
from backend.regions import service as regions

Doorway = Literal["alertmanager", "grafana", "pagerduty", "cloudevents"]
WRITE = "alerts:write"
READERS: dict[Doorway, Callable[[Delivery], Reading]] = {
    "alertmanager": alertmanager.read,
    "grafana": grafana.read,
    "pagerduty": pagerduty.read,
    "cloudevents": cloudevents.read,
}
_REPEATED_WITHIN = timedelta(seconds=60)
"""So soon the same bytes are a sender's retry; later they say that it fires yet."""
_AT_ONCE = 200
_KEPT_HEADERS = ("user-agent", "content-type", "ce-specversion", "ce-type", "ce-source", "ce-id",
                 "ce-subject", "ce-time", "traceparent")  # fmt: skip

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery as it reached a doorway."""

    doorway: Doorway
    body: bytes
    content_type: str
    headers: dict[str, str]
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a delivery was read into, and whether it had come before."""

    event_id: UUID
    reading: Reading
    repeated: bool


async def keep(session: AsyncSession, principal: Principal, sent: Sent) -> Kept:
    """Keep a delivery if any of it can be read; it is worked in after the answer.

    Raises Invalid where nothing of it can, Denied for a region that the sender may not speak of.
    """
    event_id, now = uuid7(), clock.now()
    home = identity.scopes(principal, WRITE)[0]
    integration = _integration(sent.doorway, principal)
    codes = await regions.region_codes(session)
    reading = READERS[sent.doorway](
        Delivery(integration, sent.body, now, home, event_id.hex, codes)
    )
    places = _places(principal, reading, home)
    faults = [item for item in reading.items if isinstance(item, Fault)]
    if faults and len(faults) == len(reading.items):
        raise Invalid(
            faults[0].detail,
            errors=[
                FieldError(f"/alerts/{number}", fault.code, fault.detail)
                for number, fault in enumerate(faults)
            ],
        )
    body = sent.body
    if sent.doorway == "pagerduty":
        # What opens this door is not for those who look at what came through it.
        body = pagerduty.masked(body)
    digest = hashlib.sha256(f"{integration}\0".encode() + body).digest()
    repeats = sent.doorway in ("alertmanager", "grafana")
    if repeats and await alert_repository.was_delivered(session, digest, now - _REPEATED_WITHIN):
        return Kept(event_id, reading, repeated=True)
    new = await alert_repository.add_event(
        session,
        EventRow(
            id=event_id,
            doorway=sent.doorway,
            integration=integration,
            delivery=sent.delivery,
            digest=digest,
            home=home,
            regions=places,
            content_type=sent.content_type[:200],
            headers={
                name: sent.headers[name][:500] for name in _KEPT_HEADERS if name in sent.headers
            },
            body=body,
            state="waiting",
            trace_id=current_trace_id(),
            received_at=now,
        ),
    )
    return Kept(event_id, reading, repeated=not new)


def _integration(doorway: Doorway, principal: Principal) -> str:
    """Who speaks, `alertmanager/prometheus#1a2b3c4d`: a token's name may be another's too.

    What one token told of, another one of the same name neither ends nor adds to.
    """
    mark = f"#{principal.token_id.hex[-8:]}" if principal.token_id is not None else ""
    return f"{doorway}/{principal.name}"[: 80 - len(mark)] + mark


async def keep_events(
    session: AsyncSession, principal: Principal, sent: Sent, events: Sequence[bytes]
) -> list[Kept | DomainError]:
    """Keep each CloudEvent by itself, so that one of a batch that came before is known again.

    Raises the refusal where none could be kept.
    """
    found: list[Kept | DomainError] = []
    for event in events:
        try:
            one = replace(sent, body=event, delivery=cloudevents.identity_of(event))
            found.append(await keep(session, principal, one))
        except DomainError as error:
            found.append(error)
    if all(isinstance(each, DomainError) for each in found):
        assert isinstance(found[0], DomainError)
        raise found[0]
    return found


def _places(principal: Principal, reading: Reading, home: str) -> list[str]:
    """The regions that a delivery is about, each one that the sender may speak of."""
    found = sorted({item.region for item in reading.items if isinstance(item, AlertIn)})
    held = identity.scopes(principal, WRITE)
    for region in found:
        if not any(covers(scope, region) for scope in held):
            raise identity.Denied(principal, WRITE, region)
    return found or [home]


async def work_in(database: Database) -> int:
    """Work in the oldest waiting deliveries; answers how many.

    All go into one unit of work. Where the database refuses, each has one of its own, so that the
    one it refuses holds up no other.
    """
    try:
        async with database.unit_of_work() as session:
            return await _work(session, _AT_ONCE)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        _log.warning("deliveries_refused_together", why=reason(error))
    done = 0
    for _ in range(_AT_ONCE):
        if not await _work_one(database):
            break
        done += 1
    return done


async def _work_one(database: Database) -> bool:
    try:
        async with database.unit_of_work() as session:
            return bool(await _work(session, 1))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        why = reason(error)
    async with database.unit_of_work() as session:
        for row in await alert_repository.waiting(session, 1):
            _settle(row, clock.now(), why)
    return True


async def _work(session: AsyncSession, limit: int) -> int:
    await repository.await_turn(session)
    rows = await alert_repository.waiting(session, limit)
    codes = await regions.region_codes(session) if rows else frozenset()
    batch: list[Told] = []
    heard: dict[str, datetime] = {}
    acknowledged: list[tuple[EventRow, str]] = []
    for row in rows:
        heard[row.integration] = row.received_at
        why = _read_again(row, codes, batch, acknowledged)
        _settle(row, clock.now(), why)
    if batch:
        await take(session, batch)
    for row, key in acknowledged:
        await alert_repository.acknowledge_key(session, row.integration, key, row.received_at)
    for integration, at in sorted(heard.items()):
        await on_call_repository.heard(session, integration, at)
    return len(rows)


def _read_again(
    row: EventRow,
    codes: frozenset[str],
    batch: list[Told],
    acknowledged: list[tuple[EventRow, str]],
) -> str | None:
    """Add what a kept delivery says to what is taken in; why not, or None."""
    delivery = Delivery(row.integration, row.body, row.received_at, row.home, row.id.hex, codes)
    try:
        reading = READERS[row.doorway](delivery)  # type: ignore[index]
    except DomainError as error:
        return error.detail
    for item in reading.items:
        if isinstance(item, AlertIn):
            batch.append(Told(item, row.received_at, row.id, row.trace_id, ordered=reading.ordered))
        elif isinstance(item, Acknowledged):
            acknowledged.append((row, item.key))
    return _faults(reading.items)


def _faults(items: Sequence[object]) -> str | None:
    found = [
        f"{number}: {item.detail}" for number, item in enumerate(items) if isinstance(item, Fault)
    ]
    return "; ".join(found)[:2000] or None


def _settle(row: EventRow, now: datetime, why: str | None) -> None:
    row.state, row.why, row.settled_at = "refused" if why else "done", why, now
