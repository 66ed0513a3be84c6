"""What a phone's events do: each is done, or refused with a code and a sentence."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import doorstep_repository, offers, order_repository
from backend.dispatch.doorstep_rules import EventType
from backend.dispatch.doorstep_schemas import EvidenceTaken, Noted, OfferAnswered
from backend.dispatch.evidence import Taken, add_evidence
from backend.dispatch.lifecycle import move, note, permitted_step
from backend.dispatch.models import OrderRow
from backend.dispatch.order_steps import STEPS, Refused, Told, flag
from backend.dispatch.rules import EVENT_TYPES, TERMINAL, Action
from backend.identity.schemas import Principal
from backend.platform.errors import DomainError
from backend.tracking import service as tracking

_NO_REASON = "no reason given"


class NotYours(Refused):
    """The order is not this driver's, or there is none: the phone is told no more."""

    def __init__(self) -> None:
        super().__init__("not_yours", "This order is not yours, or no longer.")


async def apply(session: AsyncSession, caller: Principal, told: Told) -> DomainError | None:
    """Do what a phone tells; the refusal where it cannot be done.

    A step raises before it changes anything, so that a refusal leaves nothing half done; only the
    attempt that a wrong code costs stays taken. Raises what may go well at a second try.
    """
    try:
        await _do(session, caller, told)
    except DomainError as refusal:
        if refusal.status >= 500 or refusal.status == 429:
            raise
        return refusal
    return None


async def _do(session: AsyncSession, caller: Principal, told: Told) -> None:
    match told.type:
        case EventType.SHIFT_BEGIN | EventType.SHIFT_END:
            await tracking.set_shift(session, caller, on=told.type is EventType.SHIFT_BEGIN)
        case EventType.ACCEPT | EventType.REJECT:
            await _answer(session, caller, told)
        case EventType.EVIDENCE_ADDED:
            await _keep_picture(session, caller, told)
        case EventType.NOTE:
            await _keep_note(session, caller, told)
        case _:
            order = await _order_of(session, caller, told)
            action, take = STEPS[told.type]
            if order.state in TERMINAL:
                await _contradict(session, caller, order, told)
            permitted_step(order, action)
            await take(session, caller, order, told)


async def _answer(session: AsyncSession, caller: Principal, told: Told) -> None:
    """Take or leave an offer, or an order that was given to the driver by hand."""
    payload = told.payload
    assert isinstance(payload, OfferAnswered)
    takes = told.type is EventType.ACCEPT
    if payload.offer_id is not None:
        async with session.begin_nested():
            if takes:
                await offers.accept_offer(session, caller, payload.offer_id)
            else:
                why = payload.reason or _NO_REASON
                await offers.reject_offer(session, caller, payload.offer_id, why)
        return
    order = await _order_of(session, caller, told)
    action = Action.ACCEPT if takes else Action.UNASSIGN
    await move(session, caller, order, action, told.circumstances(payload.reason))


async def _order_of(session: AsyncSession, caller: Principal, told: Told) -> OrderRow:
    """The order, locked, if it is the driver's now; what is told of one that was is not lost."""
    order, mine = await _known(session, caller, told)
    if not mine:
        if order.state in TERMINAL:
            await _contradict(session, caller, order, told)
        raise NotYours
    return order


async def _known(session: AsyncSession, caller: Principal, told: Told) -> tuple[OrderRow, bool]:
    """An order that is the driver's or once was, locked, and whether it is now."""
    assert told.order_id is not None
    assert caller.driver_id is not None
    order = await order_repository.locked(session, told.order_id)
    if order is None:
        raise NotYours
    mine = order.driver_id == caller.driver_id
    if not mine and not await doorstep_repository.was_with(session, order.id, caller.driver_id):
        raise NotYours
    return order, mine


async def _contradict(
    session: AsyncSession, caller: Principal, order: OrderRow, told: Told
) -> None:
    """Append to an ended order what came too late and does not fit, for people to look at.

    The order stays as it ended; saying again what ended it is no contradiction.
    """
    ended_so = await order_repository.history(session, order.id)
    action = STEPS[told.type][0] if told.type in STEPS else None
    if any(step.type == EVENT_TYPES.get(action) for step in ended_so if action):
        return
    why = f"The driver's phone said {told.type.value} after the order ended."
    flag(order, why)
    circumstances = told.circumstances(
        why,
        told=told.type.value,
        payload=told.payload.model_dump(mode="json", exclude_none=True, exclude={"otp"}),
    )
    await note(session, caller, order, "order.flagged", circumstances)


async def _keep_picture(session: AsyncSession, caller: Principal, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, EvidenceTaken)
    order, mine = await _known(session, caller, told)
    place = payload.position
    taken = Taken(
        payload.step,
        payload.kind,
        payload.sha256,
        told.happened_at,
        place.lat if place else None,
        place.lon if place else None,
    )
    ended = order.state in TERMINAL
    flags = (*(() if mine else ("not_yours",)), *(("late",) if ended else ()))
    new = await add_evidence(session, caller, order, taken, flags=flags)
    if new and ended and not mine:
        await _contradict(session, caller, order, told)
    if not mine:
        raise NotYours


async def _keep_note(session: AsyncSession, caller: Principal, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, Noted)
    if told.order_id is None:
        return
    order, mine = await _known(session, caller, told)
    if mine:
        await note(session, caller, order, "order.driver_note", told.circumstances(payload.text))
        return
    if order.state in TERMINAL:
        await _contradict(session, caller, order, told)
    raise NotYours
