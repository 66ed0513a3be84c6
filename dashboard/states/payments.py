"""The payments page: figures, why payments fail, the list, and trying many again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict, cast, get_args

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.payments import service as payments
from backend.payments.schemas import (
    BulkResults,
    FailureGroup,
    GatewayName,
    PaymentFilter,
    PaymentState,
    PaymentTotals,
    Terms,
)
from backend.platform import clock
from backend.platform.shares import percent
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow
from dashboard.drawing import spoken_seconds
from dashboard.gateway import DomainError, requires
from dashboard.states.money import PAYMENTS, REFUNDS, TERMS, PaymentRow, payment_row, spoken, sums
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    form_text,
    iso,
    loads,
    uuids,
)
from dashboard.states.shell import place_names, tell

FIELDS = ("q", "state", "terms", "gateway", "code", "late", "from", "to")
STATES = (("", "Any state"), *((name, spoken(name)) for name in get_args(PaymentState)))
TERMS_CHOICES = (("", "Any terms"), *TERMS.items())
GATEWAYS = (("", "Any gateway"), *((name, name) for name in get_args(GatewayName)))
LATENESS = (("", "Late or not"), ("yes", "Late only"))
_CSV = "/api/v1/payments.csv"


class Figure(TypedDict):
    """One figure above the list, and the list it leads to."""

    name: str
    value: str
    note: str
    tone: str
    link: str


class GroupRow(TypedDict):
    """Payments that failed alike."""

    gateway: str
    reason: str
    count: str
    amounts: str
    oldest: str
    link: str


class PaymentsState(ListState, rx.State):
    """The payments page."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[PaymentRow] = []
    figures: list[Figure] = []
    groups: list[GroupRow] = []
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    may_retry: bool = False

    @rx.event(background=True)
    @requires("payments:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            after = self._asked("after")
            place, names = await self._place(), await place_names(self)
            self.fault = ""
        wanted = _wanted(filters, place)
        since = clock.now() - timedelta(days=1)
        async with gateway.open(self) as (session, principal):
            page = await payments.list_payments(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            totals = await payments.payment_totals(session, principal, since, place)
            groups = await payments.failure_groups(session, principal, place)
            may_retry = identity.may(principal, "payments:write")
        query = {**filters, "region": self._asked("region")}
        async with self:
            self.filters = filters
            self.filters_key = address("", filters)
            self.csv_link = address(_CSV, _query(wanted))
            self.rows = [payment_row(each, names) for each in page.items]
            self.figures = figures(totals)
            self.groups = [_group(each) for each in groups]
            self.may_retry = may_retry
            self._link_pages(query, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("payments:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        return rx.redirect(
            address(PAYMENTS, {**kept, "region": self._asked("region")}), replace=True
        )

    @rx.event(background=True)
    @requires("payments:write")
    async def act(self, action: str, payment_ids: list[str]) -> Any:
        """Try the chosen failed payments again, each for itself."""
        wanted = uuids(payment_ids)
        if action != "retry" or not wanted:
            return None
        try:
            async with gateway.open(self) as (session, principal):
                results = await payments.retry_payments(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            names = {row["id"]: row["order"] or row["id"][:8] for row in self.rows}
            self.outcome = outcome_rows(results, names)
            done = sum(each.status != "rejected" for each in results.results)
            self.outcome_words = f"{done} of {len(wanted)} are being tried again"
        return PaymentsState.load

    @rx.event
    @requires("payments:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""


def outcome_rows(results: BulkResults, names: dict[str, str]) -> list[OutcomeRow]:
    """One line for each result."""
    return [
        {
            "name": names.get(str(each.id), str(each.id)[:8]),
            "tone": "critical" if each.status == "rejected" else "good",
            "word": "refused" if each.status == "rejected" else "trying",
            "detail": each.detail or "",
        }
        for each in results.results
    ]


def _wanted(filters: dict[str, str], place: str | None) -> PaymentFilter:
    def one_of(name: str, known: Any) -> str | None:
        return filters[name] if filters[name] in get_args(known) else None

    state = one_of("state", PaymentState)
    return PaymentFilter(
        region=place,
        states=[cast(PaymentState, state)] if state else [],
        terms=cast(Terms | None, one_of("terms", Terms)),
        gateway=cast(GatewayName | None, one_of("gateway", GatewayName)),
        failure_code=filters["code"][:200] or None,
        late=True if filters["late"] == "yes" else None,
        since=day_start(filters["from"]),
        until=day_start(filters["to"], days=1),
        q=filters["q"][:200] or None,
    )


def _query(wanted: PaymentFilter) -> dict[str, str]:
    """The same question to the HTTP doorway."""
    return {
        "region": wanted.region or "",
        "states": wanted.states[0] if wanted.states else "",
        "terms": wanted.terms or "",
        "gateway": wanted.gateway or "",
        "failure_code": wanted.failure_code or "",
        "late": "true" if wanted.late else "",
        "since": iso(wanted.since),
        "until": iso(wanted.until),
        "q": wanted.q or "",
    }


def figures(totals: PaymentTotals) -> list[Figure]:
    """The figures of the last day, each leading to its rows."""
    failed = totals.counts.get("failed", 0)
    waiting = totals.counts.get("requires_action", 0) + totals.counts.get("processing", 0)
    success = totals.success
    return [
        {
            "name": "Succeeding", "value": "none" if success is None else percent(success),
            "note": "of those that ended in 24\u00a0h",
            "tone": "off" if success is None else "good" if success > 0.95 else "warning",
            "link": address(PAYMENTS, {"state": "captured"}),
        },
        {
            "name": "Captured", "value": f"{totals.counts.get('captured', 0):,}",
            "note": sums(totals.captured), "tone": "off",
            "link": address(PAYMENTS, {"state": "captured"}),
        },
        {
            "name": "Failed", "value": f"{failed:,}", "note": "wait for another try",
            "tone": "critical" if failed else "off", "link": address(PAYMENTS, {"state": "failed"}),
        },
        {
            "name": "Under way", "value": f"{waiting:,}", "note": "at a gateway or the customer",
            "tone": "off", "link": address(PAYMENTS, {"state": "processing"}),
        },
        {
            "name": "Refunds to approve", "value": f"{totals.awaiting_approval:,}",
            "note": f"{sums(totals.refunded)} given back",
            "tone": "warning" if totals.awaiting_approval else "off",
            "link": address(REFUNDS, {"state": "requested"}),
        },
        {
            "name": "Late", "value": f"{totals.late:,}", "note": "settle later than they should",
            "tone": "warning" if totals.late else "off", "link": address(PAYMENTS, {"late": "yes"}),
        },
    ]  # fmt: skip


def _group(group: FailureGroup) -> GroupRow:
    age_s = (clock.now() - group.oldest).total_seconds()
    return {
        "gateway": group.gateway,
        "reason": group.reason or spoken(group.code),
        "count": f"{group.count:,}",
        "amounts": sums(group.amounts),
        "oldest": spoken_seconds(age_s),
        "link": address(
            PAYMENTS, {"state": "failed", "gateway": group.gateway, "code": group.code}
        ),
    }
