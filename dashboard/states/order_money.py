"""What an order's page shows of money: its payments, its refunds and the cash at the door."""

from __future__ import annotations

import reflex as rx

from backend.identity import service as identity
from backend.payments import service as payments
from backend.payments.schemas import CodOrderOut
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.money import (
    PaymentRow,
    RefundRow,
    money,
    payment_row,
    refund_row,
    signed,
    spoken,
)
from dashboard.states.paging import ListState, loads
from dashboard.states.shell import place_names

_CASH_TONES = {"to_collect": "off", "with_driver": "info", "released": "off"}


class OrderMoneyState(ListState, rx.State):
    """The money of the order that the address names; nothing for whoever may not see payments."""

    shown: bool = False
    payments: list[PaymentRow] = []
    refunds: list[RefundRow] = []
    cash: str = ""
    cash_tone: str = "off"

    @rx.event(background=True)
    @requires("orders:read")
    @loads
    async def load(self) -> None:
        """Show the order's money."""
        async with self:
            self.shown, self.payments, self.refunds, self.cash = False, [], [], ""
        await self._look()

    @rx.event(background=True)
    @requires("orders:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            number = self.router.url.path.rstrip("/").rpartition("/")[2]
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            if not identity.may(principal, "payments:read"):
                return
            found = await payments.order_payments(session, principal, number)
        async with self:
            self.payments = [payment_row(each, names) for each in found.payments]
            self.refunds = [refund_row(each, names) for each in found.refunds]
            self.cash = cash_words(found.cod) if found.cod else ""
            self.cash_tone = _CASH_TONES.get(found.cod.state, "good") if found.cod else "off"
            self.fault, self.ready, self.shown = "", True, True


def cash_words(cash: CodOrderOut) -> str:
    """Where the cash of an order is, and whether it is what was expected."""
    words = f"{money(cash.collected or cash.expected)} {spoken(cash.state)}"
    if cash.difference:
        words += f", {signed(cash.difference, cash.expected.currency)} to what was expected"
    return words
