"""The one search: orders, drivers, tickets, incidents and payments by what people say of them."""

from __future__ import annotations

import re

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.search_schemas import OrderFound
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.rules import IncidentState
from backend.incidents.schemas import IncidentFilter, IncidentRow
from backend.payments import service as payments
from backend.payments.schemas import PaymentOut
from backend.platform.errors import Forbidden, NotFound
from backend.support import listing
from backend.support.rules import State
from backend.support.schemas import EscalationFilter, EscalationRow
from backend.support.search_schemas import Hit
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverFound

SHORTEST = 2
LONGEST = 100
_WORDS = 0.6
_ANY_STATE = [state for state in IncidentState if state is not IncidentState.MERGED]
_TICKET = re.compile(r"(ESC|INC)[- ]?(\d{1,15})", re.IGNORECASE)


async def search(session: AsyncSession, principal: Principal, q: str, limit: int = 20) -> list[Hit]:
    """What the caller may see of what `q` may mean, the surest first; needs `orders:read`.

    Orders by number, reference, barcode, end of the recipient's phone or words of the name;
    drivers by code, plate, phone or name; tickets and incidents by number or words; payments by
    what their gateway calls them.
    """
    identity.authorize(principal, "orders:read")
    asked = " ".join(q.replace("\x00", " ").split())[:LONGEST]
    if len(asked) < SHORTEST:
        return []
    if named := _TICKET.fullmatch(asked):
        return await _ticket(session, principal, f"{named[1].upper()}-{int(named[2])}")
    hits = [_order(each) for each in await dispatch.search_orders(session, principal, asked, limit)]
    if identity.may(principal, "drivers:read"):
        drivers = await tracking.search_drivers(session, principal, asked, limit)
        hits += [_driver(each) for each in drivers]
    if identity.may(principal, "payments:read"):
        found = await payments.search_payments(session, principal, asked, limit)
        hits += [_payment(each) for each in found]
    hits += await _by_words(session, principal, asked, limit)
    return sorted(hits, key=lambda hit: hit.score, reverse=True)[:limit]


async def _ticket(session: AsyncSession, principal: Principal, number: str) -> list[Hit]:
    """The ticket or incident of a number that was written out."""
    try:
        if number.startswith("ESC"):
            return [_escalation(await listing.get_escalation(session, principal, number), 1.0)]
        return [_incident(await incidents.get_incident(session, principal, number), 1.0)]
    except (NotFound, Forbidden):
        return []


async def _by_words(
    session: AsyncSession, principal: Principal, asked: str, limit: int
) -> list[Hit]:
    """Tickets and incidents that have the words in their titles."""
    hits: list[Hit] = []
    if identity.may(principal, "escalations:read"):
        tickets = EscalationFilter(q=asked, states=list(State), sort="newest")
        page = await listing.list_escalations(session, principal, tickets, limit=limit)
        hits += [_escalation(each, _WORDS) for each in page.items]
    if identity.may(principal, "incidents:read"):
        troubles = IncidentFilter(q=asked, states=_ANY_STATE)
        found = await incidents.list_incidents(session, principal, troubles, limit=limit)
        hits += [_incident(each, _WORDS) for each in found.items]
    return hits


def _order(found: OrderFound) -> Hit:
    whose = f"{found.drop_name}, {found.drop_phone}"
    return Hit(
        kind="order",
        title=f"{found.number} {found.reference}",
        detail=f"{whose}, {found.state.replace('_', ' ')}",
        link=f"/orders/{found.number}",
        region=found.hub or found.region,
        matched_by=found.matched_by,
        score=found.score,
    )


def _driver(found: DriverFound) -> Hit:
    return Hit(
        kind="driver",
        title=f"{found.code} {found.name}",
        detail=", ".join(filter(None, (found.vehicle, found.plate))),
        link=f"/drivers/{found.id}",
        region=found.hub or found.region,
        matched_by=found.matched_by,
        score=found.score,
    )


def _payment(found: PaymentOut) -> Hit:
    return Hit(
        kind="payment",
        title=f"Payment {found.gateway_ref or found.id}",
        detail=", ".join(filter(None, (found.order, found.gateway, found.state.replace("_", " ")))),
        link=f"/payments/{found.id}",
        region=found.region,
        matched_by="gateway_ref",
        score=1.0,
    )


def _escalation(found: EscalationRow, score: float) -> Hit:
    return Hit(
        kind="escalation",
        title=f"{found.number} {found.subject}",
        detail=", ".join(filter(None, (found.kind, found.state, found.order_number))),
        link=f"/support/{found.number}",
        region=found.region,
        matched_by="number" if score == 1 else "words",
        score=score,
    )


def _incident(found: IncidentRow, score: float) -> Hit:
    return Hit(
        kind="incident",
        title=f"{found.number} {found.title}",
        detail=f"{found.severity}, {found.state}",
        link=f"/incidents/{found.number}",
        region=found.region,
        matched_by="number" if score == 1 else "words",
        score=score,
    )
