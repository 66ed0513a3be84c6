"""The demo's gateway: it remembers like a real one, and misbehaves on demand.

A method token says how it behaves, as words parted by commas after `sandbox:`: `ok`,
`decline=CODE`, `delay=S` (processing first), `action` (the customer must act), `late=S` (fails,
then is authorised after all), `lost`, `lost_capture`, `lost_refund` (done, but the answer is lost),
`unreachable=N` (the first N calls), `refuse_capture`, `refuse_refund`, and of its messages
`repeat`, `reorder`, `quiet`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments.gateways import sandbox_repository as repository
from backend.payments.gateways.protocol import (
    Call,
    RefundReport,
    Refused,
    Report,
    Unknown,
    Unreachable,
)
from backend.payments.gateways.sandbox_models import (
    SandboxNoticeRow,
    SandboxOperationRow,
    SandboxPaymentRow,
)
from backend.payments.rules import State
from backend.platform import clock, drills
from backend.platform.db import Database
from backend.platform.ids import uuid7

PREFIX = "sandbox:"
_REFUSALS = {
    "insufficient_funds": "The account has too little money.",
    "card_declined": "The bank declined the card.",
    "expired_card": "The card has expired.",
    "gateway_error": "The gateway has a fault.",
    "upi_timeout": "The customer did not confirm in time.",
}


def faults_of(method: str | None) -> dict[str, str]:
    """The words of a method token with their values."""
    words = (method or "").removeprefix(PREFIX).split(",")
    return {name: value for name, _, value in (word.partition("=") for word in words) if name}


class Sandbox:
    """A gateway in a few tables of its own, changed in units of work of its own."""

    name = "sandbox"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls: Counter[UUID] = Counter()

    async def authorise(self, call: Call) -> Report:
        """Set the amount aside, or whatever the method's words say."""
        faults = faults_of(call.method)
        self._reach(call, faults)
        async with self._database.unit_of_work() as session:
            known = await repository.operation(session, call.key)
            if known is None:
                known = await self._open(session, call, faults)
        if "lost" in faults and self._calls[call.key] == 1:
            raise Unknown("the answer was lost")
        return _report(known.answer)

    async def _open(
        self, session: AsyncSession, call: Call, faults: Mapping[str, str]
    ) -> SandboxOperationRow:
        now = clock.now()
        row = SandboxPaymentRow(
            ref=f"sbx_{call.key.hex}",
            method=call.method or "",
            amount=call.amount,
            currency=call.currency,
            state=State.AUTHORISED,
            created_at=now,
        )
        if drills.broken("gateway"):
            faults = {"decline": "gateway_error"}
        if "decline" in faults or "late" in faults:
            row.state, row.code = State.FAILED, faults.get("decline") or "card_declined"
        if "action" in faults:
            row.state = State.REQUIRES_ACTION
        if "delay" in faults:
            row.state, row.turns_to = State.PROCESSING, State.AUTHORISED
            row.turns_at = now + timedelta(seconds=float(faults["delay"]))
        if "late" in faults:
            row.turns_to = State.AUTHORISED
            row.turns_at = now + timedelta(seconds=float(faults["late"]))
        session.add(row)
        self._tell(session, row, now)
        if row.turns_at is not None:
            self._tell(session, row, row.turns_at, kind=f"payment.{row.turns_to}")
        return self._done(session, call, "authorise", row)

    async def capture(self, call: Call) -> Report:
        """Take the amount, once."""
        return await self._change(call, "capture", self._capture)

    def _capture(self, row: SandboxPaymentRow, call: Call) -> None:
        if row.state != State.AUTHORISED:
            raise Refused("not_capturable", f"The payment is {row.state}.")
        if call.amount > row.amount:
            raise Refused("amount_too_large", "More than was authorised cannot be captured.")
        if "refuse_capture" in faults_of(row.method):
            raise Refused("capture_refused", "The bank takes the authorisation back.")
        row.state, row.captured = State.CAPTURED, call.amount

    async def cancel(self, call: Call) -> Report:
        """Release what was set aside."""
        return await self._change(call, "cancel", self._cancel)

    def _cancel(self, row: SandboxPaymentRow, _: Call) -> None:
        if row.state == State.CAPTURED:
            raise Refused("already_captured", "What was captured can only be refunded.")
        row.state, row.turns_to, row.turns_at = State.CANCELLED, None, None

    async def _change(self, call: Call, action: str, change: Any) -> Report:
        async with self._database.unit_of_work() as session:
            known = await repository.operation(session, call.key)
            row = await self._payment(session, call.ref)
            faults = faults_of(row.method)
            self._reach(call, faults)
            if known is None:
                change(row, call)
                self._tell(session, row, clock.now())
                known = self._done(session, call, action, row)
        if f"lost_{action}" in faults and self._calls[call.key] == 1:
            raise Unknown("the answer was lost")
        return _report(known.answer)

    async def refund(self, call: Call) -> RefundReport:
        """Give back the amount, never more than was captured."""
        async with self._database.unit_of_work() as session:
            row = await self._payment(session, call.ref)
            faults = faults_of(row.method)
            self._reach(call, faults)
            known = await repository.operation(session, call.key)
            if known is None:
                if row.refunded + call.amount > row.captured:
                    raise Refused("over_refund", "More than was captured cannot be refunded.")
                if "refuse_refund" in faults:
                    raise Refused("refund_refused", "The bank does not take the money back.")
                row.refunded += call.amount
                self._tell(session, row, clock.now(), kind="refund.succeeded")
                answer = RefundReport(f"sbr_{call.key.hex}", "succeeded", call.amount)
                known = self._done(session, call, "refund", row, asdict(answer))
        if "lost_refund" in faults and self._calls[call.key] == 1:
            raise Unknown("the answer was lost")
        return RefundReport(**known.answer)

    async def inquire(self, ref: str) -> Report:
        """What stands here now."""
        async with self._database.unit_of_work() as session:
            return _report_of(await self._payment(session, ref))

    async def find(self, call: Call) -> Report | None:
        """The payment made under the key."""
        async with self._database.unit_of_work() as session:
            known = await repository.operation(session, call.key)
            return _report_of(await self._payment(session, known.ref)) if known else None

    async def find_refund(self, call: Call) -> RefundReport | None:
        """The refund made under the key."""
        async with self._database.unit_of_work() as session:
            known = await repository.operation(session, call.key)
            return RefundReport(**known.answer) if known else None

    async def close(self) -> None:
        """The database is not the sandbox's to close."""

    async def complete_action(self, ref: str) -> Report:
        """The customer did what was asked of them."""
        async with self._database.unit_of_work() as session:
            row = await self._payment(session, ref)
            if row.state == State.REQUIRES_ACTION:
                row.state = State.AUTHORISED
                self._tell(session, row, clock.now())
            return _report_of(row)

    async def _payment(self, session: AsyncSession, ref: str | None) -> SandboxPaymentRow:
        row = await repository.payment(session, ref or "")
        if row is None:
            raise Refused("unknown_payment", "The sandbox knows no such payment.")
        if row.turns_to and row.turns_at and row.turns_at <= clock.now():
            row.state, row.code, row.turns_to, row.turns_at = row.turns_to, None, None, None
        return row

    def _reach(self, call: Call, faults: Mapping[str, str]) -> None:
        self._calls[call.key] += 1
        if self._calls[call.key] <= int(faults.get("unreachable") or 0):
            raise Unreachable("the sandbox does not answer")

    def _done(
        self,
        session: AsyncSession,
        call: Call,
        action: str,
        row: SandboxPaymentRow,
        answer: dict[str, Any] | None = None,
    ) -> SandboxOperationRow:
        done = SandboxOperationRow(
            key=call.key,
            action=action,
            ref=row.ref,
            amount=call.amount,
            answer=answer or asdict(_report_of(row)),
            at=clock.now(),
        )
        session.add(done)
        return done

    def _tell(
        self, session: AsyncSession, row: SandboxPaymentRow, at: datetime, kind: str | None = None
    ) -> None:
        faults = faults_of(row.method)
        if "quiet" in faults:
            return
        event_id = uuid7()
        for _ in range(3 if "repeat" in faults else 1):
            session.add(
                SandboxNoticeRow(
                    id=uuid7(),
                    event_id=event_id,
                    due_at=at,
                    rank=-int(at.timestamp() * 1000) % 2**31 if "reorder" in faults else 0,
                    kind=kind or f"payment.{row.state}",
                    ref=row.ref,
                    body={"id": str(event_id), "type": kind or f"payment.{row.state}"},
                )
            )


def _report_of(row: SandboxPaymentRow) -> Report:
    failed = row.state == State.FAILED
    return Report(
        ref=row.ref,
        state=State(row.state),
        authorised=row.amount if row.state in (State.AUTHORISED, State.CAPTURED) else 0,
        captured=row.captured,
        code=row.code if failed else None,
        message=_REFUSALS.get(row.code or "", "The bank said no.") if failed else None,
        next_action="confirm" if row.state == State.REQUIRES_ACTION else None,
    )


def _report(answer: Mapping[str, Any]) -> Report:
    return Report(**{**answer, "state": State(answer["state"])})
