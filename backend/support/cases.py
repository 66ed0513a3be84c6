"""An order's case: everything that support needs to know of it, from all contexts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.schemas import OrderEventOut, OrderOut
from backend.flags import service as flags
from backend.flags.service import FlagInForce
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentRow
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageOut
from backend.payments import service as payments
from backend.payments.schemas import OrderPayments
from backend.platform import clock
from backend.regions import service as regions
from backend.support import case_moments, listing
from backend.support.case_options import Facts, options
from backend.support.case_schemas import (
    Case,
    CaseDriver,
    CaseEscalation,
    CaseFlag,
    CaseIncident,
    CaseMessage,
    Moment,
)
from backend.support.case_touch import Course, how_it_touched
from backend.support.schemas import EscalationRow
from backend.tracking import service as tracking

_BEFORE = timedelta(minutes=5)
_CARRIED_FROM = frozenset({"order.assigned", "order.reassigned", "order.accepted"})
_PLACES = ("country", "city", "hub")


async def case_of(session: AsyncSession, principal: Principal, number: str) -> Case:
    """The order with this number or id and all that belongs to it; raises NoSuchOrder.

    Of other contexts the caller is told what they may see there. Needs `orders:read`.
    """
    order = await dispatch.get_order(session, principal, number)
    history = await dispatch.order_history(session, principal, order.id)
    facts = await facts_of(session, principal, order)
    messages = await _messages(session, principal, order)
    driver = await _driver(session, principal, order)
    moments = case_moments.merged(
        await _steps(session, history),
        await _positions(session, principal, order, history),
        await _payment_moments(session, principal, facts.payments),
        case_moments.of_messages(messages),
    )
    course = Course(order, moments, driver, facts.payments, clock.now())
    around = [_incident(each, facts.escalations, course) for each in facts.incidents]
    touched = {each.id for each in around if each.linked or each.how}
    return Case(
        order=order,
        driver=driver,
        moments=case_moments.merged(
            moments,
            case_moments.of_escalations(facts.escalations),
            case_moments.of_incidents(
                [each for each in facts.incidents if each.id in touched], facts.names
            ),
            await _flag_changes(session, principal, order),
        ),
        tracking=await dispatch.seen_by_customer(session, principal, order.id),
        payments=facts.payments,
        messages=[_message(each) for each in messages],
        flags=await _flags(session, principal, order),
        escalations=[_escalation(each) for each in facts.escalations],
        incidents=[each for each in around if each.id in touched],
        incidents_nearby=[each for each in around if each.id not in touched],
        actions=options(principal, facts),
        reveals=await identity.count_reveals(principal),
        seen_version=order.version,
    )


async def facts_of(session: AsyncSession, principal: Principal, order: OrderOut) -> Facts:
    """What the choice of actions rests on, as far as the caller may see it."""
    place = order.hub or order.region
    money, tickets, troubles = None, list[EscalationRow](), list[IncidentRow]()
    if identity.may(principal, "payments:read", place):
        money = await payments.order_payments(session, principal, order.number)
    if identity.may(principal, "escalations:read", place):
        tickets = await listing.escalations_of_order(session, principal, order.id)
    if identity.may(principal, "incidents:read", place):
        until = order.ended_at or clock.now()
        troubles = await incidents.incidents_touching(
            session,
            principal,
            place,
            order.created_at,
            until,
            [each.incident_id for each in tickets if each.incident_id],
        )
    names = await regions.region_names(session)
    return Facts(order, names, money, tickets, troubles)


async def _driver(
    session: AsyncSession, principal: Principal, order: OrderOut
) -> CaseDriver | None:
    if order.driver_id is None or not identity.may(principal, "drivers:read"):
        return None
    try:
        found = await tracking.get_driver(session, principal, order.driver_id)
    except tracking.NoSuchDriver:
        return None
    return CaseDriver(
        id=found.id, code=found.code, name=found.name, phone=found.phone, status=found.status
    )


async def _steps(session: AsyncSession, history: Sequence[OrderEventOut]) -> list[Moment]:
    named = [
        UUID(str(step.data[name]))
        for step in history
        for name in ("driver_id", "former_driver_id")
        if step.data.get(name)
    ]
    codes = await tracking.driver_codes(session, set(named))
    return case_moments.of_dispatch(history, {str(key): code for key, code in codes.items()})


async def _positions(
    session: AsyncSession, principal: Principal, order: OrderOut, history: Sequence[OrderEventOut]
) -> list[Moment]:
    """How the order's driver moved, from when they got it until it ended."""
    got = [step.at for step in history if step.type in _CARRIED_FROM]
    if order.driver_id is None or not got or not identity.may(principal, "positions:read"):
        return []
    until = order.ended_at or clock.now()
    try:
        driven = await tracking.journey(
            session, principal, order.driver_id, max(got) - _BEFORE, until
        )
    except tracking.NoSuchDriver:
        return []
    codes = await tracking.driver_codes(session, [order.driver_id])
    return case_moments.of_positions(driven, codes[order.driver_id])


async def _payment_moments(
    session: AsyncSession, principal: Principal, money: OrderPayments | None
) -> list[Moment]:
    told: list[Moment] = []
    for each in money.payments if money else []:
        told += case_moments.of_payment(await payments.get_payment(session, principal, each.id))
    return told


async def _messages(
    session: AsyncSession, principal: Principal, order: OrderOut
) -> list[MessageOut]:
    if not identity.may(principal, "messages:read", order.hub or order.region):
        return []
    return await notifications.messages_of_order(session, principal, order.id)


async def _flags(session: AsyncSession, principal: Principal, order: OrderOut) -> list[CaseFlag]:
    """What the flags come to where the order is delivered, for a customer nobody knows more of."""
    if not identity.may(principal, "flags:read"):
        return []
    place = order.hub or order.region
    codes = (place[:2], order.region, order.hub)
    about = {name: code for name, code in zip(_PLACES, codes, strict=True) if code}
    served = await flags.flags_in_force(session, principal, {**about, "app": "shiptrack"})
    return [CaseFlag(key=each.key, variant=_variant(each), reason=each.reason) for each in served]


async def _flag_changes(
    session: AsyncSession, principal: Principal, order: OrderOut
) -> list[Moment]:
    if not identity.may(principal, "flags:read"):
        return []
    until = order.ended_at or clock.now()
    return case_moments.of_flags(
        await flags.flags_changed(session, principal, order.created_at, until)
    )


def _variant(flag: FlagInForce) -> str:
    if flag.reason == "TARGETING_KEY_MISSING":
        return "differs by person"
    return flag.variant or "as the program says"


def _message(each: MessageOut) -> CaseMessage:
    return CaseMessage(
        id=each.id,
        to=each.to,
        channel=each.channel,
        template=each.template,
        state=each.state,
        why=each.why,
        at=each.sent_at or each.queued_at,
        by=each.by,
    )


def _escalation(each: EscalationRow) -> CaseEscalation:
    return CaseEscalation(
        id=each.id,
        number=each.number,
        kind=each.kind,
        priority=each.priority,
        state=each.state,
        subject=each.subject,
        opened_at=each.opened_at,
        sla=each.sla.state,
    )


def _incident(each: IncidentRow, tickets: Sequence[EscalationRow], course: Course) -> CaseIncident:
    return CaseIncident(
        id=each.id,
        number=each.number,
        title=each.title,
        severity=each.severity,
        state=each.state,
        started_at=each.impact_started_at,
        ended_at=each.resolved_at,
        linked=any(ticket.incident_id == each.id for ticket in tickets),
        how=how_it_touched(each, course),
    )
