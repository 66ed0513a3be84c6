"""What support does about an order: the owning context's verb, once for each key."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.doorstep_rules import Step
from backend.dispatch.order_schemas import OrderChange
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageIn
from backend.payments import service as payments
from backend.payments.schemas import RefundIn
from backend.payments.wallet_schemas import CreditIn
from backend.platform.errors import Conflict, FieldError, Invalid
from backend.platform.idempotency import Idempotency
from backend.platform.ids import uuid7
from backend.platform.money import plain
from backend.support import linking
from backend.support.case_options import refundable, unsolved
from backend.support.case_schemas import ActKind, CaseActionDone, CaseActionIn
from backend.support.cases import facts_of

Did = tuple[str, dict[str, Any]]
"""What an action did, in words and in figures."""


async def act_on_case(
    session: AsyncSession, principal: Principal, number: str, wanted: CaseActionIn
) -> CaseActionDone:
    """Do it, or answer what the key did before; raises what the owning verb raises.

    The same key with another request is Invalid, one in flight a Conflict. Every action is recorded
    with its reason.
    """
    order = await dispatch.get_order(session, principal, number)
    asked = f"{order.id} {wanted.model_dump_json()}".encode()
    once = Idempotency(f"case:{wanted.key}", hashlib.sha256(asked).digest())

    async def act() -> CaseActionDone:
        return await _act(session, principal, order, wanted)

    answer = await once.answer(session, principal.id, act, status=200)
    done = CaseActionDone.model_validate_json(bytes(answer.body))
    repeated = "idempotent-replayed" in answer.headers
    return done.model_copy(update={"repeated": repeated})


async def _act(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> CaseActionDone:
    summary, data = await _DO[wanted.kind](session, principal, order, wanted)
    await session.flush()
    await identity.record(
        session,
        principal,
        f"case.{wanted.kind}",
        f"order:{order.id}",
        region=order.hub or order.region,
        after={"number": order.number, "summary": summary, **data},
        reason=wanted.reason,
    )
    return CaseActionDone(kind=wanted.kind, summary=summary, data=data)


async def _reassign(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    driver_id = _given(wanted, "driver_id", "Name the driver.")
    after = await dispatch.reassign_order(
        session, principal, order.id, driver_id,
        seen_version=wanted.seen_version, reason=wanted.reason, force=wanted.force,
    )  # fmt: skip
    codes = await dispatch.carriers(session, principal, [after])
    return f"Given to {codes[order.id].code}.", {"driver_id": str(driver_id)}


async def _hold(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    await dispatch.hold_order(
        session, principal, order.id, reason=wanted.reason, seen_version=wanted.seen_version
    )
    return "Put on hold.", {}


async def _release(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    after = await dispatch.release_order(
        session, principal, order.id, reason=wanted.reason, seen_version=wanted.seen_version
    )
    return f"Released; it is {after.state.replace('_', ' ')} now.", {}


async def _cancel(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    await dispatch.cancel_order(
        session, principal, order.id, reason=wanted.reason, seen_version=wanted.seen_version
    )
    return "Cancelled.", {}


async def _resend_otp(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    step = Step.PICKUP if order.state is OrderState.AT_PICKUP else Step.DROP
    code = await dispatch.resend_otp(session, principal, order.id, step)
    return f"A new code is on its way; it holds until {code.expires_at:%H:%M} UTC.", {
        "step": step.value
    }


async def _change_drop(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    asked: dict[str, Any] = {}
    if wanted.address is not None:
        asked["drop_address"] = wanted.address
    if wanted.point is not None:
        asked["drop_point"] = wanted.point
    if not asked:
        raise _missing("address", "Give the new address, its point or both.")
    await _change(session, principal, order, wanted, asked)
    return "Drop changed.", {"changed": sorted(asked)}


async def _change_window(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    window = _given(wanted, "window", "Give the new window.")
    await _change(session, principal, order, wanted, {"drop_window": window})
    since, until = window
    return f"Delivery between {since:%d %b %H:%M} and {until:%d %b %H:%M} UTC.", {
        "window": [since.isoformat(), until.isoformat()]
    }


async def _change(
    session: AsyncSession,
    principal: Principal,
    order: OrderOut,
    wanted: CaseActionIn,
    asked: dict[str, Any],
) -> None:
    change = OrderChange(reason=wanted.reason, seen_version=wanted.seen_version, **asked)
    await dispatch.change_order(session, principal, order.id, change)


async def _refund(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    amount = _given(wanted, "amount", "Say how much.")
    facts = await facts_of(session, principal, order)
    possible = refundable(facts)
    payment_id = wanted.payment_id or (UUID(possible[0]) if len(possible) == 1 else None)
    known = {each.id for each in facts.payments.payments} if facts.payments else set()
    if payment_id is None or payment_id not in known:
        raise _invalid("payment_id", "unknown", "Name one of the order's payments.")
    made = await payments.request_refund(
        session,
        principal,
        RefundIn(
            payment_id=payment_id,
            amount=amount,
            reason=wanted.reason,
            destination=wanted.destination,
            wallet_id=wanted.wallet_id,
        ),
    )
    said = plain(amount.minor, amount.currency)
    waits = made.state == "requested"
    words = f"Refund of {said} waits for approval." if waits else f"Refund of {said} is on its way."
    return words, {"refund_id": str(made.id), "state": made.state}


async def _credit_wallet(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    amount = _given(wanted, "amount", "Say how much.")
    wallet_id = wanted.wallet_id or order.payment.wallet_id
    if wallet_id is None:
        raise _missing("wallet_id", "The customer did not pay from a wallet; name one.")
    made = await payments.credit_wallet(
        session,
        principal,
        wallet_id,
        CreditIn(
            id=uuid7(),
            order=order.number,
            region=order.region,
            amount=amount,
            reason=wanted.reason,
        ),
    )
    return f"{plain(amount.minor, amount.currency)} put into the customer's wallet.", {
        "wallet_id": str(wallet_id),
        "transfer_id": str(made.transfer_id),
    }


async def _message_customer(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    return await _message(session, principal, order, wanted, "customer")


async def _message_driver(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    if order.driver_id is None:
        raise Conflict("Nobody has the order.")
    return await _message(session, principal, order, wanted, "driver")


async def _message(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn, to: str
) -> Did:
    if wanted.text is None and wanted.template is None:
        raise _missing("text", "Say what to write.")
    message = MessageIn.model_validate(
        {
            "order_id": order.id,
            "to": to,
            "template": wanted.template,
            "params": wanted.params,
            "text": None if wanted.template else wanted.text,
            "channel": wanted.channel,
            "urgent": wanted.urgent,
            "escalation_id": wanted.escalation_id,
            "reason": wanted.reason,
        }
    )
    made = await notifications.queue_message(session, principal, message)
    how = f" by {notifications.CHANNEL_WORDS[made.channel]}" if made.channel else ""
    state = made.state.replace("_", " ")
    return f"Message to the {to}{how}: {state}.", {"message_id": str(made.id)}


async def _link_incident(
    session: AsyncSession, principal: Principal, order: OrderOut, wanted: CaseActionIn
) -> Did:
    incident = _given(wanted, "incident", "Name the incident.")
    open_ones = unsolved(await facts_of(session, principal, order))
    if wanted.escalation_id is not None:
        open_ones = [each for each in open_ones if each.id == wanted.escalation_id]
    if not open_ones:
        raise Conflict("There is no unsolved ticket about the order to link.")
    ticket = open_ones[0]
    linked = await linking.link_incident(
        session, principal, ticket.id, incident, seen_version=ticket.version
    )
    return f"{linked.number} linked to {linked.incident_number}.", {
        "escalation": linked.number,
        "incident": linked.incident_number,
    }


_DO: dict[ActKind, Callable[[AsyncSession, Principal, OrderOut, CaseActionIn], Awaitable[Did]]] = {
    "reassign": _reassign,
    "hold": _hold,
    "release": _release,
    "cancel": _cancel,
    "resend_otp": _resend_otp,
    "change_drop": _change_drop,
    "change_window": _change_window,
    "refund": _refund,
    "credit_wallet": _credit_wallet,
    "message_customer": _message_customer,
    "message_driver": _message_driver,
    "link_incident": _link_incident,
}


def _given(wanted: CaseActionIn, field: str, sentence: str) -> Any:
    value = getattr(wanted, field)
    if value is None:
        raise _missing(field, sentence)
    return value


def _missing(field: str, detail: str) -> Invalid:
    return _invalid(field, "missing", detail)


def _invalid(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"/{field}", code, detail)])
