"""One payment: its facts, its timeline, and what may be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict
from uuid import UUID

import reflex as rx

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import service as payments
from backend.payments.formats import read_amount
from backend.payments.schemas import (
    CancelIn,
    CaptureIn,
    DecisionIn,
    PaymentDetail,
    RefundIn,
    RetryIn,
    TimelineItem,
    TransferOut,
)
from backend.platform.errors import Invalid
from backend.platform.money import Money
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.money import (
    PAYMENT_TONES,
    TERMS,
    RefundRow,
    money,
    order_link,
    refund_row,
    spoken,
)
from dashboard.states.paging import ListState, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import place_names, tell

_TRANSFER_TONES = {"posted": "good", "pending": "info", "voided": "off", "expired": "off"}
_BAD = {"failed": "critical", "rejected": "critical", "refused": "critical", "lost": "warning"}
_Act = Callable[[Session, Principal, UUID], Awaitable[Any]]


class Facts(TypedDict):
    """What stands beside the timeline."""

    id: str
    order: str
    order_link: str
    state: str
    tone: str
    amount: str
    captured: str
    refunded: str
    refundable: str
    currency: str
    gateway: str
    gateway_ref: str
    terms: str
    place: str
    merchant: str
    wallet_link: str
    failure: str
    outcome: str
    created_at: str
    authorised_at: str
    captured_at: str
    late: bool


class Moment(TypedDict):
    """One thing that happened."""

    at: str
    source: str
    title: str
    detail: str
    amount: str
    tone: str


class TransferRow(TypedDict):
    """One transfer of the ledger that belongs to the payment."""

    id: str
    at: str
    kind: str
    debit: str
    credit: str
    amount: str
    state: str
    tone: str


_NOTHING: Facts = {
    "id": "", "order": "", "order_link": "", "state": "", "tone": "off", "amount": "",
    "captured": "", "refunded": "", "refundable": "", "currency": "", "gateway": "",
    "gateway_ref": "", "terms": "", "place": "", "merchant": "", "wallet_link": "",
    "failure": "", "outcome": "", "created_at": "", "authorised_at": "", "captured_at": "",
    "late": False,
}  # fmt: skip


class PaymentDetailState(ListState, rx.State):
    """The page of one payment."""

    facts: Facts = _NOTHING
    moments: list[Moment] = []
    refunds: list[RefundRow] = []
    transfers: list[TransferRow] = []
    may_retry: bool = False
    may_capture: bool = False
    may_cancel: bool = False
    may_refund: bool = False
    may_approve: bool = False
    limit_words: str = ""
    asking: str = ""
    busy: bool = False

    @rx.event(background=True)
    @requires("payments:read")
    @loads
    async def load(self) -> None:
        """Show the payment that the address names."""
        async with self:
            self.fault, self.asking = "", ""
            self.facts = _NOTHING
            self.ready = False
        await self._look()

    @rx.event(background=True)
    @requires("payments:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            wanted, names = self._payment_id(), await place_names(self)
        if wanted is None:
            async with self:
                self.fault, self.ready = "This address names no payment.", True
            return
        async with gateway.open(self) as (session, principal):
            found = await payments.get_payment(session, principal, wanted)
            limit = payments.refund_limit(principal, found.region, found.amount.currency)
        async with self:
            self.facts = _facts(found, names)
            self.moments = [_moment(each) for each in found.timeline]
            self.refunds = [refund_row(each, names) for each in found.refunds]
            self.transfers = [_transfer(each) for each in found.transfers]
            writes = identity.may(principal, "payments:write", found.region)
            self.may_retry = found.may_retry and writes
            self.may_capture = found.may_capture and writes
            self.may_cancel = found.may_cancel and writes
            self.may_refund = found.may_refund
            self.may_approve = limit.may_approve
            self.limit_words = (
                f"above {money(limit.limit)} a second person approves" if limit.limit else ""
            )
            self.fault, self.ready = "", True

    @rx.event
    @requires("payments:read")
    async def ask(self, what: str) -> None:
        """Open the form of an action, or close it."""
        known = ("refund", "capture", "cancel", "retry")
        self.asking = "" if what == self.asking or what not in known else what

    @rx.event(background=True)
    @requires("payments:write")
    async def retry(self, form: dict[str, Any]) -> None:
        """Try the payment again, with another method where one is given."""
        method = form_text(form, "method") or None
        await self._act(
            lambda session, caller, payment: payments.retry_payment(
                session, caller, payment, RetryIn(method=method)
            ),
            "It is being tried again.",
        )

    @rx.event(background=True)
    @requires("payments:write")
    async def capture(self, form: dict[str, Any]) -> None:
        """Take all of what is authorised, or the part that is given."""
        text = form_text(form, "amount")
        await self._act(
            lambda session, caller, payment: payments.capture_payment(
                session, caller, payment,
                CaptureIn(amount=self._amount(text) if text else None),
            ),
            "The amount is being captured.",
        )  # fmt: skip

    @rx.event(background=True)
    @requires("payments:write")
    async def cancel(self, form: dict[str, Any]) -> None:
        """Give the payment up."""
        reason = reason_of(form)
        await self._act(
            lambda session, caller, payment: payments.cancel_payment(
                session, caller, payment, CancelIn(reason=reason)
            ),
            "The payment is given up.",
        )

    @rx.event(background=True)
    @requires("refunds:write")
    async def refund(self, form: dict[str, Any]) -> None:
        """Ask for money to be given back."""
        text, to_wallet = form_text(form, "amount"), form_text(form, "to") == "wallet"

        async def ask(session: Session, caller: Principal, payment: UUID) -> Any:
            wanted = RefundIn(
                payment_id=payment,
                amount=self._amount(text),
                reason=reason_of(form),
                destination="wallet" if to_wallet else "source",
            )
            return await payments.request_refund(session, caller, wanted)

        await self._act(ask, "The refund is asked for.")

    @rx.event(background=True)
    @requires("refunds:approve")
    async def decide(self, refund_id: str, approve: bool) -> None:
        """Approve a refund that somebody else asked for, or turn it down."""
        wanted = uuid_or_none(str(refund_id))
        if wanted is None:
            return

        async def decide(session: Session, caller: Principal, _: UUID) -> Any:
            verb = payments.approve_refund if approve is True else payments.reject_refund
            note = "approved on the payment's page" if approve is True else "turned down"
            return await verb(session, caller, wanted, DecisionIn(note=note))

        await self._act(decide, "Approved." if approve is True else "Turned down.")

    async def _act(self, act: _Act, done: str) -> None:
        """Carry out one action once, tell what came of it, and show the payment anew."""
        async with self:
            payment = self._payment_id()
            if self.busy or payment is None:
                return
            self.busy = True
        tone, words = "good", done
        try:
            async with gateway.open(self) as (session, principal):
                await act(session, principal, payment)
        except DomainError as error:
            tone, words = "critical", error.detail
        finally:
            async with self:
                self.busy = False
        async with self:
            if tone == "good":
                self.asking = ""
            await tell(self, tone, words)
        await self._look()

    def _payment_id(self) -> UUID | None:
        return uuid_or_none(self.router.url.path.rstrip("/").rpartition("/")[2])

    def _amount(self, text: str) -> Money:
        """What was typed, in the payment's currency; raises Invalid."""
        return read_amount(text, self.facts["currency"])


def reason_of(form: dict[str, Any]) -> str:
    """The reason that a form gives; raises Invalid where it gives none."""
    reason = form_text(form, "reason").replace("\0", "")[:500]
    if len(reason) < 3:
        raise Invalid("Say why, in a few words.")
    return reason


def _facts(found: PaymentDetail, names: Mapping[str, str]) -> Facts:
    failure = " · ".join(filter(None, (found.failure_code, found.failure_reason)))
    return {
        "id": str(found.id),
        "order": found.order or "",
        "order_link": order_link(found.order),
        "state": spoken(found.state),
        "tone": PAYMENT_TONES[found.state],
        "amount": money(found.amount),
        "captured": money(found.captured),
        "refunded": money(found.refunded),
        "refundable": money(found.refundable) if found.refundable.minor else "",
        "currency": found.amount.currency,
        "gateway": found.gateway,
        "gateway_ref": found.gateway_ref or "",
        "terms": TERMS[found.terms],
        "place": place_words([found.region], names),
        "merchant": found.merchant or "",
        "wallet_link": f"/payments/wallets/{found.wallet_id}" if found.wallet_id else "",
        "failure": failure,
        "outcome": spoken(found.order_outcome or ""),
        "created_at": iso(found.created_at),
        "authorised_at": iso(found.authorised_at),
        "captured_at": iso(found.captured_at),
        "late": found.late,
    }


def _moment(item: TimelineItem) -> Moment:
    state = item.state or ""
    tone = _BAD.get(state) or ("good" if state in ("succeeded", "captured", "posted") else "info")
    return {
        "at": iso(item.at),
        "source": item.source,
        "title": item.title,
        "detail": item.detail or "",
        "amount": money(item.amount) if item.amount else "",
        "tone": tone if state else "off",
    }


def _transfer(transfer: TransferOut) -> TransferRow:
    part = ""
    if transfer.state == "posted" and transfer.posted.minor != transfer.amount.minor:
        part = f"{money(transfer.posted)} of "
    return {
        "id": str(transfer.id),
        "at": iso(transfer.created_at),
        "kind": spoken(transfer.kind),
        "debit": f"{spoken(transfer.debit.kind)} {transfer.debit.owner}",
        "credit": f"{spoken(transfer.credit.kind)} {transfer.credit.owner}",
        "amount": part + money(transfer.amount),
        "state": transfer.state,
        "tone": _TRANSFER_TONES[transfer.state],
    }
