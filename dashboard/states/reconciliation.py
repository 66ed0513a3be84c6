"""Reconciliation: a gateway's report beside what Waypost knows, and every difference settled."""

from __future__ import annotations

from datetime import date
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.payments import service as payments
from backend.payments.formats import with_code
from backend.payments.schemas import (
    DifferenceOut,
    ReconciliationOut,
    ReportIn,
    SettleDifferenceIn,
)
from backend.platform.errors import Invalid
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.money import PAYMENTS, RECONCILIATION, spoken
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    form_text,
    iso,
    loads,
    uuid_or_none,
)
from dashboard.states.payment import reason_of
from dashboard.states.shell import ShellState, tell

GATEWAYS = (("stripe", "stripe"), ("razorpay", "razorpay"), ("sandbox", "sandbox"))


class ReportRow(TypedDict):
    """One report that was compared."""

    id: str
    link: str
    gateway: str
    day: str
    name: str
    lines: str
    matched: str
    open: str
    tone: str
    totals: str
    who: str
    at: str


class DifferenceRow(TypedDict):
    """One difference."""

    id: str
    kind: str
    tone: str
    line: str
    ref: str
    order: str
    link: str
    theirs: str
    ours: str
    detail: str
    settled: str


class ReconciliationState(ListState, rx.State):
    """The page of reconciliation."""

    rows: list[ReportRow] = []
    chosen: str = ""
    chosen_words: str = ""
    chosen_csv: str = ""
    differences: list[DifferenceRow] = []
    settling: str = ""
    busy: bool = False

    @rx.event(background=True)
    @requires("reconciliation:read")
    @loads
    async def load(self) -> None:
        """Show the reports, and the differences of the one that the address names."""
        async with self:
            after, wanted = self._asked("after"), uuid_or_none(self._asked("report"))
            place = await self._place()
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            page = await payments.list_reconciliations(
                session,
                principal,
                region=place,
                after=after or None,
                limit=PAGE_ROWS,
            )
            found = (
                await payments.get_reconciliation(session, principal, wanted) if wanted else None
            )
        async with self:
            self.rows = [_report(each) for each in page.items]
            self.chosen = str(found.id) if found else ""
            self.chosen_words = f"{found.gateway}, {found.day}: {found.name}" if found else ""
            self.chosen_csv = f"/api/v1/reconciliations/{found.id}/differences.csv" if found else ""
            self.differences = [_difference(each) for each in found.items] if found else []
            self._link_pages({"region": self._asked("region")}, page.next_cursor or "")
            self.ready = True

    @rx.event(background=True)
    @requires("reconciliation:write")
    async def compare(self, form: dict[str, Any]) -> Any:
        """Compare a pasted report with what Waypost knows."""
        async with self:
            if self.busy:
                return None
            self.busy = True
            shell = await self.get_state(ShellState)
            region = shell.region
        try:
            wanted = _report_in(form, region)
            async with gateway.open(self) as (session, principal):
                made = await payments.import_report(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        finally:
            async with self:
                self.busy = False
        async with self:
            tone = "warning" if made.differences else "good"
            await tell(self, tone, f"{made.matched:,} match, {made.differences:,} differ.")
        return rx.redirect(address(RECONCILIATION, {"report": str(made.id)}))

    @rx.event
    @requires("reconciliation:write")
    async def ask(self, difference_id: str) -> None:
        """Open the form that settles a difference, or close it."""
        self.settling = "" if self.settling == difference_id else str(difference_id)[:40]

    @rx.event(background=True)
    @requires("reconciliation:write")
    async def settle(self, form: dict[str, Any]) -> Any:
        """Keep what was found out about a difference."""
        async with self:
            wanted = uuid_or_none(self.settling)
        if wanted is None:
            return None
        try:
            note = SettleDifferenceIn(note=reason_of(form))
            async with gateway.open(self) as (session, principal):
                await payments.settle_difference(session, principal, wanted, note)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            self.settling = ""
        return ReconciliationState.load


def _report_in(form: dict[str, Any], region: str) -> ReportIn:
    try:
        return ReportIn(
            gateway=form_text(form, "gateway"),
            region=region,
            day=date.fromisoformat(form_text(form, "day")),
            name=form_text(form, "name") or f"{form_text(form, 'gateway')} report",
            content=form_text(form, "content"),
        )
    except (ValidationError, ValueError) as error:
        raise Invalid("Name the gateway and the day, and paste the report's lines.") from error


def _report(found: ReconciliationOut) -> ReportRow:
    totals = [
        f"{with_code(each.theirs, each.currency)} / {with_code(each.ours, each.currency)}"
        for each in found.totals
    ]
    return {
        "id": str(found.id),
        "link": address(RECONCILIATION, {"report": str(found.id)}),
        "gateway": found.gateway,
        "day": found.day.isoformat(),
        "name": found.name,
        "lines": f"{found.lines:,}",
        "matched": f"{found.matched:,}",
        "open": f"{found.open:,}",
        "tone": "warning" if found.open else "good",
        "totals": " · ".join(totals),
        "who": found.created_by_name,
        "at": iso(found.created_at),
    }


def _difference(found: DifferenceOut) -> DifferenceRow:
    def side(minor: int | None) -> str:
        if minor is None:
            return "nothing"
        return with_code(minor, found.currency) if found.currency else str(minor)

    settled = f"{found.settled_by}: {found.settled_note}" if found.settled_by else ""
    return {
        "id": str(found.id),
        "kind": spoken(found.kind),
        "tone": "good" if settled else "warning",
        "line": "" if found.line is None else str(found.line),
        "ref": found.gateway_ref,
        "order": found.order or "",
        "link": f"{PAYMENTS}/{found.payment_id}" if found.payment_id else "",
        "theirs": side(found.theirs),
        "ours": side(found.ours),
        "detail": found.detail,
        "settled": settled,
    }
