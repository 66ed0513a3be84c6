"""The verbs of webhook endpoints: who hears of which events, where, signed with what."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.schemas import ORDER_EVENTS
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.notifications import repository, signing
from backend.notifications.models import EndpointRow
from backend.notifications.reach import NoSuchEndpoint, authorize_change, owns, reach
from backend.notifications.rules import url_fault
from backend.notifications.schemas import (
    EndpointChange,
    EndpointIn,
    EndpointOut,
    EndpointPage,
    EndpointWithSecret,
)
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Forbidden, Invalid
from backend.platform.ids import uuid7
from backend.platform.resources import current
from backend.platform.scopes import EVERYWHERE
from backend.platform.sealing import seal
from backend.regions import service as regions

MOST_ENDPOINTS = 20
"""How many a marketplace may have."""


async def list_endpoints(
    session: AsyncSession, principal: Principal, *, after: UUID | None = None, limit: int = 50
) -> EndpointPage:
    """The caller's endpoints, newest first."""
    rows = await repository.endpoints(session, reach(principal, "read"), after, limit + 1)
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    return EndpointPage(items=[describe(row) for row in rows[:limit]], next_cursor=more)


async def get_endpoint(
    session: AsyncSession, principal: Principal, endpoint_id: UUID
) -> EndpointOut:
    """One endpoint; raises NoSuchEndpoint."""
    row = await repository.endpoint(session, endpoint_id, reach(principal, "read"))
    if row is None:
        raise NoSuchEndpoint
    return describe(row)


async def create_endpoint(
    session: AsyncSession, principal: Principal, wanted: EndpointIn, *, secret: str | None = None
) -> EndpointWithSecret:
    """Add an endpoint; its secret is in this answer and nowhere else.

    `secret` is for makers that must repeat an answer. Raises Invalid naming the field, Conflict
    where the marketplace has as many as it may.
    """
    reach(principal, "write")
    merchant = _merchant(principal, wanted)
    await _check(session, wanted.url, wanted.event_types, wanted.region)
    if await repository.count_of(session, merchant) >= MOST_ENDPOINTS:
        raise Conflict(f"{merchant} has {MOST_ENDPOINTS} endpoints already.")
    secret = secret or signing.new_secret()
    now = clock.now()
    row = EndpointRow(
        id=uuid7(),
        merchant=merchant,
        url=wanted.url,
        event_types=sorted(set(wanted.event_types)),
        region=wanted.region,
        active=True,
        secret=_sealed(secret),
        failures=0,
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    await _record(session, principal, "webhook.created", row, after=_told(row))
    return EndpointWithSecret(**describe(row).model_dump(), secret=secret)


async def change_endpoint(
    session: AsyncSession, principal: Principal, endpoint_id: UUID, wanted: EndpointChange
) -> EndpointOut:
    """The endpoint with what was sent; switching it off gives up what waits for it."""
    row = await _to_change(session, principal, endpoint_id)
    sent = {
        name: value
        for name, value in wanted.model_dump(exclude_unset=True).items()
        if value is not None and getattr(row, name) != value
    }
    await _check(session, sent.get("url"), sent.get("event_types", []), sent.get("region"))
    if not sent:
        return describe(row)
    before = {name: getattr(row, name) for name in sent}
    for name, value in sent.items():
        setattr(row, name, value)
    authorize_change(principal, row)
    row.updated_at = now = clock.now()
    if "active" in sent:
        row.failures, row.failing_since = 0, None
        row.disabled_because = None if row.active else f"Switched off by {principal.name}."
        if not row.active:
            await repository.give_up_waiting(session, row.id, "The endpoint is off.", now)
    await session.flush()
    await _record(session, principal, "webhook.changed", row, before=before, after=sent)
    return describe(row)


async def rotate_secret(
    session: AsyncSession, principal: Principal, endpoint_id: UUID, *, secret: str | None = None
) -> EndpointWithSecret:
    """A new secret for the endpoint; the one before it signs beside it for 24 hours more."""
    row = await _to_change(session, principal, endpoint_id)
    secret = secret or signing.new_secret()
    now = clock.now()
    row.former_secret, row.former_until = row.secret, now + signing.FORMER_FOR
    row.secret, row.updated_at = _sealed(secret), now
    await session.flush()
    await _record(session, principal, "webhook.secret_rotated", row)
    return EndpointWithSecret(**describe(row).model_dump(), secret=secret)


async def remove_endpoint(session: AsyncSession, principal: Principal, endpoint_id: UUID) -> None:
    """Remove an endpoint with its delivery log."""
    row = await _to_change(session, principal, endpoint_id)
    told = _told(row)
    await repository.remove(session, row.id)
    await _record(session, principal, "webhook.removed", row, before=told)


async def _to_change(session: AsyncSession, principal: Principal, endpoint_id: UUID) -> EndpointRow:
    """The endpoint, locked; raises NoSuchEndpoint, or Denied where the caller may only look."""
    row = await repository.endpoint(session, endpoint_id, reach(principal, "read"), lock=True)
    if row is None:
        raise NoSuchEndpoint
    authorize_change(principal, row)
    return row


def _merchant(principal: Principal, wanted: EndpointIn) -> str:
    if identity.may(principal, "integrations:write", wanted.region):
        if wanted.merchant is not None:
            return wanted.merchant
        if not owns(principal):
            detail = "Name the marketplace, as service:name."
            raise Invalid(detail, errors=[FieldError("/merchant", "missing", detail)])
    elif not owns(principal):
        identity.authorize(principal, "integrations:write", wanted.region)
    if wanted.merchant not in (None, principal.id):
        raise Forbidden("A marketplace has endpoints for itself alone.")
    return principal.id


async def _check(
    session: AsyncSession, url: str | None, event_types: list[str], region: str | None
) -> None:
    faults = []
    fault = url and url_fault(url, allow_loopback=not current().settings.production)
    if fault:
        faults.append(FieldError("/url", *fault))
    faults += [
        FieldError(f"/event_types/{index}", "unknown", f"{kind} is no event of orders.")
        for index, kind in enumerate(event_types)
        if kind not in ORDER_EVENTS
    ]
    if region not in (None, EVERYWHERE):
        directory = await regions.directory(session, SYSTEM)
        if directory.get(str(region)) is None:
            faults.append(FieldError("/region", "unknown", f"There is no region {region}."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


def _sealed(secret: str) -> str:
    return seal(current().settings, signing.PURPOSE, secret)


def _told(row: EndpointRow) -> dict[str, Any]:
    return {
        "merchant": row.merchant,
        "url": row.url,
        "event_types": row.event_types,
        "region": row.region,
    }


async def _record(
    session: AsyncSession,
    principal: Principal,
    action: str,
    row: EndpointRow,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await identity.record(
        session,
        principal,
        action,
        f"webhook:{row.id}",
        region=row.region,
        before=before,
        after=after,
    )


def describe(row: EndpointRow) -> EndpointOut:
    """What is shown of an endpoint; never a secret."""
    return EndpointOut(
        id=row.id,
        merchant=row.merchant,
        url=row.url,
        event_types=row.event_types,
        region=row.region,
        active=row.active,
        disabled_because=row.disabled_because,
        former_secret_until=_ahead(row.former_until),
        failing_since=row.failing_since,
        created_by=row.created_by,
        created_by_name=row.created_by_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _ahead(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment > clock.now() else None
