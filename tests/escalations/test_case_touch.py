"""How an incident touched an order: judged by the order's own course, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.incidents.rules import IncidentState, Kind, Severity
from backend.incidents.schemas import IncidentRow
from backend.payments.schemas import OrderPayments, PaymentOut
from backend.platform.ids import uuid7
from backend.support.case_schemas import CaseDriver, Moment
from backend.support.case_touch import Course, how_it_touched
from tests.dashboard.test_order_pages import order

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after the order was taken in, two hours ago."""
    return NOW + timedelta(minutes=minutes - 120)


def incident(since: float, until: float | None, *services: str) -> IncidentRow:
    values: dict[str, Any] = dict.fromkeys(IncidentRow.model_fields)
    values |= {
        "id": uuid7(), "number": "INC-1", "title": "Trouble", "severity": Severity.SEV2,
        "state": IncidentState.ACKNOWLEDGED, "kind": Kind.REAL, "region": "TH-10",
        "regions": ["TH-10"], "services": list(services), "impact_started_at": at(since),
        "detected_at": at(since), "resolved_at": None if until is None else at(until),
        "firing": 1, "alerts_count": 1, "reopened": 0, "running_s": 0, "version": 1,
    }  # fmt: skip
    return IncidentRow.model_validate(values)


def moment(source: Any, kind: str, since: float, tone: Any = "info", until: float = 0) -> Moment:
    return Moment(
        id=f"{kind}-{since}", at=at(since), until=at(until) if until else None, source=source,
        kind=kind, words=kind, tone=tone,
    )  # fmt: skip


def course(*moments: Moment, **more: Any) -> Course:
    """An order that was taken in two hours ago and promised within one."""
    facts: dict[str, Any] = {"driver": None, "payments": None, **more}
    ended = facts.pop("ended", None)
    taken_in = order(
        created_at=at(0), promised_at=at(60), ended_at=None if ended is None else at(ended)
    )
    return Course(taken_in, moments, now=NOW, **facts)


def driver(status: str) -> CaseDriver:
    return CaseDriver(id=uuid7(), code="D-1", name="Somchai", phone=None, status=status)


def paid(state: str, created: float, updated: float) -> OrderPayments:
    values: dict[str, Any] = {"state": state, "created_at": at(created), "updated_at": at(updated)}
    payment = PaymentOut.model_construct(**values)
    return OrderPayments.model_construct(payments=[payment])


PAYMENT_FAILED, UNHEARD = "its payment failed then", "its driver was not heard of then"
PICKED_UP = moment("dispatch", "order.picked_up", 30)
SILENT = moment("position", "silent", 35, "warning", 45)
FAILED = moment("payment", "attempt", 5, "critical")
GIVEN_UP = moment("message", "delivered", 50, "critical")


@pytest.mark.parametrize(
    ("hurt", "went", "how"),
    [
        (incident(4, 6, "payments"), course(FAILED), PAYMENT_FAILED),
        (incident(6, 9, "payments"), course(FAILED), None),
        (incident(4, 6, "payments"), course(), None),
        (incident(4, 6, "payments"), course(payments=paid("captured", 1, 9)), None),
        (incident(4, 6, "payments"), course(payments=paid("failed", 1, 5)), PAYMENT_FAILED),
        (incident(4, 6, "payments"), course(payments=paid("failed", 1, 3)), None),
        (
            incident(4, None, "payments"),
            course(payments=paid("processing", 1, 9)),
            "its payment was under way then",
        ),
        (incident(10, 20, "dispatch"), course(PICKED_UP), "it waited for its pickup then"),
        (incident(31, 59, "dispatch"), course(PICKED_UP, ended=90), None),
        (incident(31, 61, "dispatch"), course(PICKED_UP, ended=90), "it was late then"),
        (incident(31, 61, "dispatch"), course(PICKED_UP, ended=60), None),
        (incident(91, None, "dispatch"), course(PICKED_UP, ended=90), None),
        (incident(44, None, "tracking"), course(SILENT), UNHEARD),
        (incident(46, 70, "tracking"), course(SILENT, driver=driver("offline")), None),
        (
            incident(46, None, "tracking"),
            course(driver=driver("offline")),
            UNHEARD,
        ),
        (incident(46, None, "tracking"), course(driver=driver("live")), None),
        (incident(46, None, "tracking"), course(driver=driver("offline"), ended=50), None),
        (
            incident(49, 51, "notifications"),
            course(GIVEN_UP),
            "a message about it did not go out then",
        ),
        (incident(49, 51, "notifications"), course(FAILED), None),
        (incident(10, 20, "checkout"), course(), "it was open there then"),
        (incident(121, None, "checkout"), course(ended=100), None),
        (incident(40, 50, "payments", "tracking"), course(FAILED, SILENT), UNHEARD),
    ],
)  # fmt: skip
def test_an_incident_touched_what_it_hurt_while_it_went_on(
    hurt: IncidentRow, went: Course, how: str | None
) -> None:
    assert how_it_touched(hurt, went) == how
