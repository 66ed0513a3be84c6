"""Asks gateways what was written down to be asked, and takes in what they answer.

Nothing is asked inside a unit of work. An action is marked as sent, then asked, then its answer is
taken in; whoever is killed in between leaves an action that was sent, and the next one to hold it
first asks the gateway what became of it.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import refund_repository, repository
from backend.payments.accounts import country
from backend.payments.asking import ask_once
from backend.payments.gateways.protocol import (
    Call,
    Gateway,
    LeftAlone,
    RefundReport,
    Refused,
    Report,
    Unknown,
    Unreachable,
)
from backend.payments.gateways.registry import Gateways, takes_new
from backend.payments.models import AttemptRow, PaymentRow
from backend.payments.progress import apply_report, failed
from backend.payments.refunding import apply_refund_report, refused
from backend.payments.rules import MOST_TRIES, Action, State, wait_s
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.telemetry import get_logger

ACTOR = "system"
_AT_ONCE = 20
_LEASE = timedelta(seconds=60)
_LEFT_ALONE_FOR = timedelta(seconds=15)
# A customer does not wait longer than that; what is owed to somebody is asked for ever.
_CUSTOMERS_WAIT = timedelta(minutes=15)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt that is ours to make; `sent_before` if nobody knows what became of it."""

    attempt_id: UUID
    gateway: str
    action: Action
    call: Call
    sent_before: bool
    country: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How the gateway answered: a report, a refusal, or the silence that was met."""

    report: Report | RefundReport | None = None
    refusal: Refused | None = None
    silence: Unknown | Unreachable | None = None


async def run_due(database: Database, gateways: Gateways) -> int:
    """Make the attempts whose time has come; answers how many."""
    claimed = await claim(database)
    answers = await asyncio.gather(*(put(gateways, each) for each in claimed))
    for each, answer in zip(claimed, answers, strict=True):
        await take_in(database, each.attempt_id, answer)
    return len(claimed)


async def claim(database: Database) -> list[Claimed]:
    """Take due attempts and mark them as sent; nobody else asks before the lease is over."""
    claimed = []
    async with database.unit_of_work() as session:
        now = clock.now()
        for attempt in await repository.due_attempts(session, now, _AT_ONCE):
            payment = await repository.payment(session, attempt.payment_id)
            assert payment is not None
            call = Call(
                key=attempt.id,
                payment_id=payment.id,
                amount=attempt.amount,
                currency=attempt.currency,
                asked_at=attempt.created_at,
                method=payment.method,
                ref=attempt.gateway_ref,
                order_number=payment.order_number,
            )
            sent_before = attempt.state == "sent"
            claimed.append(
                Claimed(
                    attempt.id,
                    attempt.gateway,
                    Action(attempt.action),
                    call,
                    sent_before,
                    country(payment.region),
                )
            )
            attempt.state, attempt.tries = "sent", attempt.tries + 1
            attempt.due_at = now + _LEASE
    return claimed


async def put(gateways: Gateways, claimed: Claimed) -> Answered:
    """Ask the gateway; where it was asked before, first what it knows of that."""
    new = claimed.action is Action.AUTHORISE and not claimed.sent_before
    if new and not takes_new(claimed.gateway, claimed.country):
        where = f"{claimed.gateway} is switched off in {claimed.country}"
        return Answered(silence=Unreachable(where))
    try:
        return Answered(report=await gateways.ask(claimed.gateway, lambda g: _question(g, claimed)))
    except Refused as refusal:
        return Answered(refusal=refusal)
    except (Unknown, Unreachable) as silence:
        return Answered(silence=silence)


async def _question(gateway: Gateway, claimed: Claimed) -> Report | RefundReport:
    call, action = claimed.call, claimed.action
    if claimed.sent_before:
        known = await _known(gateway, call, action)
        if known is not None:
            return known
    if action is Action.REFUND:
        return await gateway.refund(call)
    if action is Action.AUTHORISE:
        return await gateway.authorise(call)
    try:
        ask = gateway.capture if action is Action.CAPTURE else gateway.cancel
        return await ask(call)
    except Refused:
        # It may be refused because it was done before, by somebody at the gateway's own console.
        known = await _known(gateway, call, action)
        if known is None:
            raise
        return known


async def _known(gateway: Gateway, call: Call, action: Action) -> Report | RefundReport | None:
    if action is Action.AUTHORISE:
        return await gateway.find(call)
    if action is Action.REFUND:
        return await gateway.find_refund(call)
    report = await gateway.inquire(call.ref or "")
    wanted = State.CAPTURED if action is Action.CAPTURE else State.CANCELLED
    return report if report.state is wanted else None


async def take_in(database: Database, attempt_id: UUID, answered: Answered) -> None:
    """Write down an answer with all that follows from it, once, in one unit of work."""
    async with database.unit_of_work() as session:
        seen = await session.get(AttemptRow, attempt_id)
        assert seen is not None
        # The payment is locked first by everyone, then what belongs to it.
        payment = await repository.payment_for_update(session, seen.payment_id)
        attempt = await repository.attempt_for_update(session, attempt_id)
        assert payment is not None
        assert attempt is not None
        if attempt.state == "sent":
            await _settle(session, payment, attempt, answered)


async def _settle(
    session: AsyncSession, payment: PaymentRow, attempt: AttemptRow, answered: Answered
) -> None:
    now = clock.now()
    if answered.silence is not None:
        if _try_again(attempt, answered.silence, now):
            return
        answered = Answered(refusal=Refused("unreachable", str(answered.silence)))
    attempt.finished_at = now
    if answered.refusal is not None:
        refusal = answered.refusal
        attempt.state, attempt.code, attempt.message = "failed", refusal.code, refusal.message
        await session.flush()
        await _refused(session, payment, attempt, refusal)
        return
    report = answered.report
    attempt.state = "failed" if report is not None and report.state == "failed" else "succeeded"
    attempt.code = report.code if report else None
    attempt.message = report.message if report else None
    await session.flush()
    if isinstance(report, RefundReport):
        refund = await refund_repository.refund_for_update(session, _refund_of(attempt))
        assert refund is not None
        await apply_refund_report(session, payment, refund, report, ACTOR)
    elif isinstance(report, Report):
        attempt.gateway_ref = report.ref
        await _reported(session, payment, attempt.round, report)


async def _reported(session: AsyncSession, payment: PaymentRow, turn: int, report: Report) -> None:
    """Take in a report of this round; money that an earlier round brought after all goes back."""
    if turn == payment.round and payment.gateway_ref in (None, report.ref):
        await apply_report(session, payment, report, ACTOR)
    elif report.state is State.AUTHORISED:
        await ask_once(session, payment, Action.CANCEL, ACTOR, ref=report.ref)


def _refund_of(attempt: AttemptRow) -> UUID:
    assert attempt.refund_id is not None
    return attempt.refund_id


def _try_again(attempt: AttemptRow, silence: Exception, now: datetime) -> bool:
    """Whether another try follows; what may have been done is asked about until it is known."""
    unsure = isinstance(silence, Unknown) or attempt.code == "unknown"
    untried = isinstance(silence, LeftAlone)
    waited = attempt.action == Action.AUTHORISE and now - attempt.created_at > _CUSTOMERS_WAIT
    if not unsure and (waited or (attempt.tries >= MOST_TRIES and not untried)):
        return False
    if untried:
        attempt.tries -= 1
        attempt.due_at = now + _LEFT_ALONE_FOR * (0.5 + random.random())  # noqa: S311 - jitter, no secret
        attempt.state = "sent" if unsure else "queued"
        return True
    attempt.state = "sent" if unsure else "queued"
    attempt.code = "unknown" if unsure else "unreachable"
    attempt.message = str(silence)
    attempt.due_at = now + timedelta(seconds=wait_s(attempt.tries, random.random()))  # noqa: S311 - jitter, no secret
    _log.warning(
        "gateway_silent",
        gateway=attempt.gateway,
        action=attempt.action,
        payment=str(attempt.payment_id),
        tries=attempt.tries,
        unsure=unsure,
    )
    return True


async def _refused(
    session: AsyncSession, payment: PaymentRow, attempt: AttemptRow, refusal: Refused
) -> None:
    action = Action(attempt.action)
    if action is Action.REFUND:
        refund = await refund_repository.refund_for_update(session, _refund_of(attempt))
        assert refund is not None
        await refused(session, payment, refund, refusal.code, refusal.message, ACTOR)
        return
    if attempt.round != payment.round or payment.state in (State.CAPTURED, State.CANCELLED):
        return
    if action is Action.AUTHORISE or (action is Action.CAPTURE and refusal.code != "unreachable"):
        await failed(session, payment, refusal.code, refusal.message, ACTOR)
        return
    # Still authorised, and what the order wants is still wanted: it is asked again when looked at.
    payment.ask_at = clock.now() + timedelta(seconds=wait_s(MOST_TRIES + 2, 0.5))


async def ask_about(database: Database, gateways: Gateways, payment_id: UUID, ref: str) -> bool:
    """Ask a gateway how its payment `ref` stands and take that in; False where it kept silent."""
    async with database.unit_of_work() as session:
        payment = await repository.payment(session, payment_id)
        assert payment is not None
        gateway = payment.gateway
    try:
        report = await gateways.ask(gateway, lambda asked: asked.inquire(ref))
    except Refused as refusal:
        _log.warning("gateway_knows_nothing", payment=str(payment_id), why=refusal.message)
        report = None
    except (Unknown, Unreachable):
        return False
    async with database.unit_of_work() as session:
        payment = await repository.payment_for_update(session, payment_id)
        assert payment is not None
        if report is None:
            payment.ask_at = None
        else:
            turn = await repository.round_of_ref(session, payment_id, ref)
            await _reported(session, payment, turn or payment.round, report)
    return True


async def poll(database: Database, gateways: Gateways) -> int:
    """Ask about payments that nobody told of for a while; answers how many."""
    async with database.unit_of_work() as session:
        now = clock.now()
        due = await repository.due_questions(session, now, _AT_ONCE)
        for payment in due:
            payment.ask_at = now + _LEASE
        asked = [(payment.id, payment.gateway_ref) for payment in due]
    for payment_id, ref in asked:
        if ref is not None:
            await ask_about(database, gateways, payment_id, ref)
    return len(asked)
