"""The refunds page: what was asked for, and deciding what waits for a second person."""

from __future__ import annotations

from typing import Any, cast, get_args

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.payments import service as payments
from backend.payments.schemas import DecisionIn, RefundFilter, RefundState
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow
from dashboard.gateway import DomainError, requires
from dashboard.states.money import REFUNDS, RefundRow, refund_row
from dashboard.states.paging import PAGE_ROWS, ListState, address, form_text, loads, uuids
from dashboard.states.shell import place_names, tell

FIELDS = ("q", "state")
STATES = (("", "Any state"), *((name, name) for name in get_args(RefundState)))
_CSV = "/api/v1/refunds.csv"


class RefundsState(ListState, rx.State):
    """The refunds page."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    rows: list[RefundRow] = []
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    may_approve: bool = False

    @rx.event(background=True)
    @requires("refunds:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            after = self._asked("after")
            place, names = await self._place(), await place_names(self)
            self.fault = ""
        state = filters["state"] if filters["state"] in get_args(RefundState) else ""
        wanted = RefundFilter(
            region=place,
            states=[cast(RefundState, state)] if state else [],
            q=filters["q"][:200] or None,
        )
        async with gateway.open(self) as (session, principal):
            page = await payments.list_refunds(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            may_approve = identity.may(principal, "refunds:approve")
        async with self:
            self.filters = filters
            self.filters_key = address("", filters)
            self.csv_link = address(
                _CSV, {"region": wanted.region or "", "states": state, "q": wanted.q or ""}
            )
            self.rows = [refund_row(each, names) for each in page.items]
            self.may_approve = may_approve
            self._link_pages({**filters, "region": self._asked("region")}, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("refunds:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        return rx.redirect(
            address(REFUNDS, {**kept, "region": self._asked("region")}), replace=True
        )

    @rx.event(background=True)
    @requires("refunds:approve")
    async def act(self, action: str, refund_ids: list[str]) -> Any:
        """Approve the chosen refunds or turn them down, each for itself."""
        verbs = {"approve": payments.approve_refund, "reject": payments.reject_refund}
        verb = verbs.get(str(action))
        if verb is None:
            return None
        async with self:
            names = {row["id"]: f"{row['order']} {row['amount']}" for row in self.rows}
        results: list[OutcomeRow] = []
        note = DecisionIn(note="approved from the list" if action == "approve" else "turned down")
        for refund_id in uuids(refund_ids):
            name = names.get(str(refund_id), str(refund_id)[:8])
            try:
                async with gateway.open(self) as (session, principal):
                    decided = await verb(session, principal, refund_id, note)
            except DomainError as error:
                results.append(
                    {"name": name, "tone": "critical", "word": "refused", "detail": error.detail}
                )
            else:
                results.append({"name": name, "tone": "good", "word": decided.state, "detail": ""})
        async with self:
            done = sum(row["tone"] == "good" for row in results)
            self.outcome = results
            self.outcome_words = f"{done} of {len(results)} decided"
            if not results:
                await tell(self, "warning", "Choose refunds first.")
        return RefundsState.load

    @rx.event
    @requires("refunds:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""
