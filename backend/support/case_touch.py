"""Which of the incidents around an order touched it, and how, by what its timeline tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.dispatch.schemas import OrderOut
from backend.incidents.schemas import IncidentRow
from backend.payments.rules import UNDER_WAY, State
from backend.payments.schemas import OrderPayments
from backend.support.case_schemas import CaseDriver, Moment

_NOT_OUT = frozenset({"warning", "critical"})
_UNHEARD = frozenset({"stale", "offline"})


@dataclass(frozen=True, slots=True)
class Course:
    """How an order went, as far as the caller may see it."""

    order: OrderOut
    moments: Sequence[Moment]
    driver: CaseDriver | None
    payments: OrderPayments | None
    now: datetime


@dataclass(frozen=True, slots=True)
class _Span:
    """While an incident hurt; `going_on` while it does yet."""

    since: datetime
    until: datetime
    going_on: bool

    def meets(self, since: datetime, until: datetime) -> bool:
        return since <= self.until and until >= self.since


def how_it_touched(incident: IncidentRow, course: Course) -> str | None:
    """How an incident at the order's place and time touched the order, in words, or None.

    Judged is what a blast radius counts: payments that failed or were under way, orders that waited
    for their pickup or were late, drivers who were not heard of; and messages that did not go out.
    A service of which none of these tells touches every order that was open.
    """
    ended = incident.resolved_at or incident.closed_at
    span = _Span(incident.impact_started_at, ended or course.now, ended is None)
    judged = (_JUDGES.get(service, _open_then)(course, span) for service in incident.services)
    return next((words for words in judged if words), None)


def _payments(course: Course, span: _Span) -> str | None:
    if any(
        each.source == "payment" and each.tone == "critical" and span.meets(each.at, each.at)
        for each in course.moments
    ):
        return "its payment failed then"
    for each in course.payments.payments if course.payments else ():
        if span.meets(each.created_at, each.updated_at):
            state = State(each.state)
            if state is State.FAILED:
                return "its payment failed then"
            if state in UNDER_WAY:
                return "its payment was under way then"
    return None


def _dispatch(course: Course, span: _Span) -> str | None:
    order = course.order
    ended = order.ended_at or course.now
    taken = (each.at for each in course.moments if each.kind == "order.picked_up")
    if span.meets(order.created_at, next(taken, ended)):
        return "it waited for its pickup then"
    if ended > order.promised_at and span.meets(order.promised_at, ended):
        return "it was late then"
    return None


def _tracking(course: Course, span: _Span) -> str | None:
    unheard = course.driver is not None and course.driver.status in _UNHEARD
    if (span.going_on and unheard and course.order.ended_at is None) or any(
        each.kind == "silent" and span.meets(each.at, each.until or course.now)
        for each in course.moments
    ):
        return "its driver was not heard of then"
    return None


def _notifications(course: Course, span: _Span) -> str | None:
    if any(
        each.source == "message" and each.tone in _NOT_OUT and span.meets(each.at, each.at)
        for each in course.moments
    ):
        return "a message about it did not go out then"
    return None


def _open_then(course: Course, span: _Span) -> str | None:
    if span.meets(course.order.created_at, course.order.ended_at or course.now):
        return "it was open there then"
    return None


_JUDGES: Mapping[str, Callable[[Course, _Span], str | None]] = {
    "payments": _payments,
    "dispatch": _dispatch,
    "tracking": _tracking,
    "notifications": _notifications,
}
