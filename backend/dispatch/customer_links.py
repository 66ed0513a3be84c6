"""Customers' links: what is behind one, and how it is taken back."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import customer_repository, order_repository
from backend.dispatch.customer_rules import (
    AREA_RADIUS_M,
    CARRIED,
    TONES,
    area_around,
    first_name,
    leads_until,
    new_token,
    shows_position,
    steps_of,
)
from backend.dispatch.customer_schemas import Area, Near, ProofOut, StepOut, Tracking
from backend.dispatch.customer_words import FALLBACK, Words, words_in
from backend.dispatch.lifecycle import Circumstances, note, order_to_change, place_of
from backend.dispatch.models import OrderEventRow, OrderRow
from backend.dispatch.order_views import eta_of, tracking_url
from backend.dispatch.orders import order_row
from backend.dispatch.rules import OrderState
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.resources import current
from backend.regions import service as regions
from backend.regions.rules import haversine_m
from backend.tracking import service as tracking

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_FRESH = frozenset({"live", "stale"})
_ZONE_KEPT_S = 600.0
_zones: dict[str, tuple[str, float]] = {}


class NoSuchLink(NotFound):
    """The link was never given out, is over, or was taken back: nobody can tell which."""

    title = "This link leads nowhere"


async def row_of_link(session: AsyncSession, token: str) -> OrderRow:
    """The order behind a customer's link; raises NoSuchLink for one unknown, over or replaced."""
    row = await customer_repository.by_token(session, token) if _TOKEN.fullmatch(token) else None
    if row is None or clock.now() >= _ends_at(row):
        raise NoSuchLink
    return row


def _ends_at(row: OrderRow) -> datetime:
    settings = current().settings
    return leads_until(
        row.ended_at,
        row.promised_at,
        row.tracking_renewed_at,
        after_end=timedelta(days=settings.tracking_link_days),
        unfinished=timedelta(days=settings.tracking_open_days),
    )


async def follow_order(session: AsyncSession, token: str, language: str = FALLBACK) -> Tracking:
    """The order behind a customer's link, whose token is all the right that is asked for.

    It is told in one of the page's languages. Raises NoSuchLink as above.
    """
    row = await row_of_link(session, token)
    history = await order_repository.history(session, row.id)
    near = await _near(session, row)
    return await _told(session, row, history, near, words_in(language))


async def seen_by_customer(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> Tracking | None:
    """What the customer's link shows now, for who may see the order; None where it is over."""
    row = await order_row(session, principal, order_id)
    try:
        return await follow_order(session, row.tracking_token)
    except NoSuchLink:
        return None


async def revoke_tracking(
    session: AsyncSession, principal: Principal, order_id: UUID, reason: str
) -> str:
    """Replace the customer's link, which works anew; the one before leads nowhere at once."""
    order = await order_to_change(session, principal, "orders:write", order_id)
    order.tracking_token, order.tracking_renewed_at = new_token(), clock.now()
    await note(session, principal, order, "order.link_replaced", Circumstances(reason=reason))
    await session.flush()
    await identity.record(
        session,
        principal,
        "order.tracking_revoked",
        f"order:{order.id}",
        region=place_of(order),
        after={"number": order.number},
        reason=reason,
    )
    return tracking_url(order)


async def _driver(session: AsyncSession, row: OrderRow) -> str | None:
    """The first name of who brings it, or brought it."""
    if row.driver_id is None or row.state not in CARRIED | {OrderState.DELIVERED}:
        return None
    named = await tracking.name_drivers(session, SYSTEM, [row.driver_id])
    return first_name(named[row.driver_id].name) if row.driver_id in named else None


async def _near(session: AsyncSession, row: OrderRow) -> Near | None:
    if row.driver_id is None or row.state not in CARRIED:
        return None
    driver = await tracking.get_driver(session, SYSTEM, row.driver_id)
    at = driver.position
    if at is None or driver.status not in _FRESH:
        return None
    distance_m = haversine_m(at.lat, at.lon, row.drop_lat, row.drop_lon)
    next_stop = await customer_repository.next_stop_of(session, driver.id) == row.id
    if not shows_position(OrderState(row.state), distance_m, next_stop=next_stop):
        return None
    return Near(lat=at.lat, lon=at.lon, recorded_at=at.recorded_at, bearing=at.bearing)


async def _told(
    session: AsyncSession,
    row: OrderRow,
    history: list[OrderEventRow],
    near: Near | None,
    words: Words,
) -> Tracking:
    state = OrderState(row.state)
    detail = words.find(f"detail.{state}")
    last = {event.type: event for event in history}
    if state is OrderState.FAILED and "order.failed" in last:
        # What is no reason for a customer to read has no words.
        detail = words.find(f"failure.{last['order.failed'].reason}")
    lat, lon = area_around(row.drop_lat, row.drop_lon)
    expected = row.eta_at or row.promised_at
    over = row.ended_at or (clock.now() if clock.now() > row.promised_at else expected)
    told = Tracking(
        number=row.number,
        region=row.region,
        state=state,
        headline=words.say(f"headline.{state}"),
        detail=detail,
        tone=TONES[state],
        steps=[
            StepOut(key=step.key, label=words.say(f"step.{step.key}"), at=step.at, mark=step.mark)
            for step in steps_of(state, {kind: event.at for kind, event in last.items()})
        ],
        eta=None if row.ended_at or state is OrderState.ARRIVED else eta_of(row),
        promised_at=row.promised_at,
        late=over > row.promised_at,
        driver=await _driver(session, row),
        position=near,
        area=Area(lat=lat, lon=lon, radius_m=AREA_RADIUS_M) if near else None,
        proof=_proof(state, last, words),
        time_zone=await _zone(session, row.region),
        ended_at=row.ended_at,
        revision="",
    )
    digest = hashlib.sha256(told.model_dump_json().encode()).hexdigest()
    return told.model_copy(update={"revision": digest[:16]})


def _proof(state: OrderState, last: dict[str, OrderEventRow], words: Words) -> ProofOut | None:
    handed_over = last.get("order.delivered")
    if state is not OrderState.DELIVERED or handed_over is None:
        return None
    return ProofOut(at=handed_over.at, by=words.find(f"proof.{handed_over.data.get('proof')}"))


async def _zone(session: AsyncSession, city: str) -> str:
    """The city's time zone, asked for anew every ten minutes: pages look far more often."""
    known, until = _zones.get(city, ("", 0.0))
    if monotonic() > until:
        region = (await regions.directory(session, SYSTEM)).get(city)
        known = (region.time_zone if region else None) or "UTC"
        _zones[city] = known, monotonic() + _ZONE_KEPT_S
    return known
