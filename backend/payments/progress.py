"""Moves a payment on: its state, its money on the ledger, its event, and what to ask next."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments.accounts import clearing, receiver, revenue
from backend.payments.asking import OWN, ask_once, plain_money, tell
from backend.payments.booking import book, try_book
from backend.payments.gateways.protocol import Report
from backend.payments.ledger_rules import Item, hold, post, settle, void
from backend.payments.models import PaymentRow
from backend.payments.refunding import refund_unwanted
from backend.payments.rules import (
    GATEWAYS_FAULTS,
    Action,
    State,
    advance,
    commission,
    follow_up,
    may_move,
)
from backend.platform import clock, indicators
from backend.platform.errors import Conflict
from backend.settings import get_settings

_HELD_FOR = timedelta(days=14)
_ASK_AGAIN = {
    State.REQUIRES_ACTION: timedelta(seconds=30),
    State.PROCESSING: timedelta(seconds=10),
    State.AUTHORISED: timedelta(hours=6),
    State.FAILED: timedelta(minutes=10),
}
# Banks change their mind late, but not for ever.
_ASKED_AFTER_FAILURE_FOR = timedelta(hours=1)


class WrongState(Conflict):
    """The payment is not where this can be done."""

    code = "wrong_state"
    title = "The payment is not in a state for this"


async def apply_report(
    session: AsyncSession, payment: PaymentRow, report: Report, actor: str
) -> None:
    """Bring a locked payment to what its gateway says; what is old or known changes nothing."""
    payment.gateway_ref = payment.gateway_ref or report.ref
    payment.next_action = report.next_action
    given_up = payment.wanted == "cancel"
    step = advance(State(payment.state), report.state)
    if step.state is State.AUTHORISED:
        await authorised(session, payment, actor)
    elif step.state is State.CAPTURED:
        await captured(session, payment, report.captured, actor)
    elif step.state is State.FAILED:
        reason = report.message or "The gateway said no."
        await failed(session, payment, report.code or "declined", reason, actor)
    elif step.state is State.CANCELLED:
        await released(session, payment, actor, report.message)
    elif step.state is not None:
        move(payment, step.state)
    if step.undo is Action.CANCEL:
        await ask_once(session, payment, Action.CANCEL, actor)
    elif step.undo is Action.REFUND or (step.state is State.CAPTURED and given_up):
        await refund_unwanted(session, payment)
    await ask_next(session, payment, actor)


async def ask_next(session: AsyncSession, payment: PaymentRow, actor: str) -> None:
    """Queue what the order wants of the payment next, and when to ask how it stands."""
    action = follow_up(State(payment.state), payment.wanted)
    if action is not None and payment.gateway not in OWN:
        amount = payment.wanted_amount if action is Action.CAPTURE else None
        await ask_once(session, payment, action, actor, amount=amount)
    wait = _ASK_AGAIN.get(State(payment.state)) if payment.gateway_ref else None
    given_up = payment.state == State.FAILED and (
        clock.now() - payment.updated_at > _ASKED_AFTER_FAILURE_FOR
    )
    payment.ask_at = clock.now() + wait if wait and not given_up else None


def move(payment: PaymentRow, to: State) -> None:
    """Put a payment into its next state; raises WrongState where it cannot go there."""
    if not may_move(State(payment.state), to):
        raise WrongState(f"A payment that is {payment.state} cannot become {to}.")
    payment.state = to
    payment.updated_at = clock.now()


def _hold_of(payment: PaymentRow) -> Item:
    """The transfer that puts a payment's amount aside, one for each round of trying."""
    return hold(
        _hold_id(payment),
        clearing(payment),
        receiver(payment),
        payment.amount,
        "top_up" if payment.purpose == "top_up" else "payment",
        order_number=payment.order_number,
        reference=str(payment.id),
        expires_at=clock.now() + _HELD_FOR if payment.terms == "wallet" else None,
    )


def _hold_id(payment: PaymentRow) -> UUID:
    return uuid5(payment.id, f"hold {payment.round}")


async def authorised(session: AsyncSession, payment: PaymentRow, actor: str) -> bool:
    """Put the amount aside on the ledger; False where a wallet holds too little."""
    held = _hold_of(payment)
    [booked] = await try_book(session, [held])
    if booked.why == "insufficient":
        reason = "The wallet holds too little."
        await failed(session, payment, "insufficient_funds", reason, actor)
        return False
    if not booked.stands:
        await book(session, [held])
    payment.hold_id = held.id
    payment.authorised_at = clock.now()
    payment.failure_code = payment.failure_reason = None
    _count(payment)
    move(payment, State.AUTHORISED)
    await tell(session, payment, "payment.authorised", actor)
    return True


async def captured(session: AsyncSession, payment: PaymentRow, amount: int, actor: str) -> None:
    """Book what was taken, in whole or in part, and the platform's share of it."""
    amount = min(amount, payment.amount)
    items = []
    if payment.hold_id is None:
        # A later round, or one whose hold was released, must not meet the same id again.
        held = hold(
            uuid5(payment.id, "captured"), clearing(payment), receiver(payment), payment.amount,
            "top_up" if payment.purpose == "top_up" else "payment",
            order_number=payment.order_number, reference=str(payment.id),
        )  # fmt: skip
        items.append(held)
        payment.hold_id = held.id
    items.append(settle(payment.hold_id, amount))
    items += _share(payment, amount)
    await book(session, items)
    payment.captured = amount
    payment.captured_at = clock.now()
    if payment.authorised_at is None:
        _count(payment)
    payment.authorised_at = payment.authorised_at or payment.captured_at
    payment.failure_code = payment.failure_reason = payment.wanted = None
    move(payment, State.CAPTURED)
    taken = plain_money(amount, payment.currency)
    await tell(session, payment, "payment.captured", actor, captured=taken)
    if payment.purpose == "top_up":
        wallet = str(payment.wallet_id)
        await tell(session, payment, "wallet.credited", actor, wallet_id=wallet, credited=taken)


def _share(payment: PaymentRow, amount: int) -> list[Item]:
    share = commission(amount, get_settings().commission_bp)
    if payment.purpose == "top_up" or not share:
        return []
    return [
        post(
            uuid5(payment.id, "commission"),
            receiver(payment),
            revenue(payment.region, payment.currency),
            share,
            "commission",
            order_number=payment.order_number,
            reference=str(payment.id),
        )
    ]


async def released(
    session: AsyncSession, payment: PaymentRow, actor: str, why: str | None = None
) -> None:
    """Give the payment up: whatever was put aside is free again."""
    await _void_hold(session, payment)
    payment.wanted = None
    move(payment, State.CANCELLED)
    await tell(session, payment, "payment.cancelled", actor, reason=why)


async def failed(
    session: AsyncSession, payment: PaymentRow, code: str, reason: str, actor: str
) -> None:
    """The gateway said no; the order stays, and another try is open to whoever may make it."""
    await _void_hold(session, payment)
    payment.failure_code, payment.failure_reason = code, reason
    payment.next_action = None
    if payment.state != State.FAILED:
        _count(payment, code)
        move(payment, State.FAILED)
    await tell(session, payment, "payment.failed", actor, code=code, reason=reason)
    if payment.wanted == "cancel":
        await released(session, payment, actor, "The order was given up.")


def _count(payment: PaymentRow, failed_with: str | None = None) -> None:
    """Count what a gateway decided: all of it for the gateway, its own faults for the promise."""
    if payment.gateway in OWN:
        return
    indicators.count(f"payments.{payment.gateway}", payment.region, good=int(failed_with is None))
    good = failed_with is None or failed_with not in GATEWAYS_FAULTS
    indicators.count(f"gateways_own.{payment.gateway}", payment.region, good=int(good))
    indicators.count("payments", payment.region, good=int(good))


async def _void_hold(session: AsyncSession, payment: PaymentRow) -> None:
    if payment.hold_id is None:
        return
    [booked] = await try_book(session, [void(payment.hold_id)])
    # An expired hold is as free as a voided one.
    if not booked.stands and booked.why != "already_expired":
        await book(session, [void(payment.hold_id)])
    payment.hold_id = None
