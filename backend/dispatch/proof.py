"""Whether a delivery is proven, and support's word in place of proof."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import proof_repository
from backend.dispatch.doorstep_rules import (
    CodeVerdict,
    EvidenceKind,
    Proof,
    Step,
    other_proof,
)
from backend.dispatch.doorstep_schemas import OverrideIn
from backend.dispatch.errors import WrongState
from backend.dispatch.evidence import Taken, add_evidence
from backend.dispatch.evidence_store import name_of
from backend.dispatch.lifecycle import Circumstances, move, note, order_to_change, place_of
from backend.dispatch.models import OrderRow
from backend.dispatch.order_views import order_out
from backend.dispatch.otp import check_code
from backend.dispatch.rules import ON_BOARD, Action, OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock


async def proof_of_delivery(
    session: AsyncSession, order: OrderRow, code: str | None, entered_at: datetime
) -> Proof | CodeVerdict:
    """What proves the delivery: a code given now or verified before, or other proof at hand.

    A code that is not right is answered with what is wrong, whatever else there is.
    """
    if code is not None:
        verdict = await check_code(session, order, Step.DROP, code, entered_at)
        return Proof.OTP if verdict is CodeVerdict.VERIFIED else verdict
    row = await proof_repository.code_of(session, order.id, Step.DROP)
    if row is not None and row.verified_at is not None:
        return Proof.OTP
    taken = await proof_repository.kinds_at(session, [order.id], Step.DROP)
    kinds = {proof.kind for proof in taken}
    return other_proof(order.tags, kinds) or CodeVerdict.NOT_GIVEN


async def override_proof(
    session: AsyncSession, principal: Principal, order_id: UUID, wanted: OverrideIn
) -> OrderOut:
    """Waive the proof of an order on board, with a reason; the order as it stands.

    Needs `orders:override`, and is audited. The driver may then deliver without proof; `deliver`
    closes the order at once. Raises WrongState where the order is not on board, or not at the door.
    """
    order = await order_to_change(
        session, principal, "orders:override", order_id, seen_version=wanted.seen_version
    )
    state = OrderState(order.state)
    if state not in ON_BOARD or (wanted.deliver and state is not OrderState.ARRIVED):
        where = "at the door" if wanted.deliver else "on board"
        raise WrongState(f"{order.number} is {state.replace('_', ' ')}, not {where}.")
    words = f"{principal.id}: {wanted.reason}"
    taken = Taken(
        Step.DROP, EvidenceKind.OVERRIDE, name_of(words.encode()), clock.now(), words=wanted.reason
    )
    await add_evidence(session, principal, order, taken)
    why = Circumstances(reason=wanted.reason)
    await note(session, principal, order, "order.proof_overridden", why)
    if wanted.deliver:
        await proof_repository.mark_parcels(session, order.id, clock.now(), delivered=True)
        data = {"proof": Proof.OVERRIDE, "collected": None}
        why = Circumstances(reason=wanted.reason, data=data)
        await move(session, principal, order, Action.DELIVER, why)
    await identity.record(
        session,
        principal,
        "order.proof_overridden",
        f"order:{order.id}",
        region=place_of(order),
        after={"number": order.number, "delivered": wanted.deliver},
        reason=wanted.reason,
    )
    return await order_out(session, principal, order)
