"""What a person does to an order by hand: assign, take back, hold, release, cancel, end, flag."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import lifecycle
from backend.dispatch.fitness import Candidate, driver_for
from backend.dispatch.lifecycle import Circumstances, order_to_change
from backend.dispatch.models import OrderRow
from backend.dispatch.order_views import order_out
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal


async def assign_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    driver_id: UUID,
    *,
    seen_version: int | None = None,
    reason: str | None = None,
    force: bool = False,
) -> OrderOut:
    """Give a ready order to a driver.

    Raises DriverUnfit naming what speaks against the driver; `force` with a reason overrides a
    driver who is full or whose shift ends soon, and nothing else.
    """
    candidate = await driver_for(session, principal, driver_id)
    order = await give(
        session, principal, Action.ASSIGN, candidate, order_id, seen_version, reason, force=force
    )
    return await order_out(session, principal, order)


async def reassign_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    driver_id: UUID,
    *,
    seen_version: int | None = None,
    reason: str | None = None,
    force: bool = False,
) -> OrderOut:
    """Take an order that is not picked up yet from its driver and give it to another.

    Needs `orders:reassign` or `dispatch:write` where it is delivered.
    """
    permission = _giving(principal, Action.REASSIGN)
    candidate = await driver_for(session, principal, driver_id, permission)
    order = await give(
        session, principal, Action.REASSIGN, candidate, order_id, seen_version, reason, force=force
    )
    return await order_out(session, principal, order)


async def give(
    session: AsyncSession,
    principal: Principal,
    action: Action,
    candidate: Candidate,
    order_id: UUID,
    seen_version: int | None,
    reason: str | None,
    *,
    force: bool,
) -> OrderRow:
    """Assign or reassign one order to a driver who is held as a candidate."""
    order = await order_to_change(
        session, principal, _giving(principal, action), order_id, seen_version=seen_version
    )
    lifecycle.permitted_step(order, action)
    overridden = candidate.judge(order, force=force and reason is not None)
    data = {"overridden": overridden} if overridden else {}
    circumstances = Circumstances(reason=reason, data=data)
    driver_id = candidate.driver.id
    await lifecycle.move(session, principal, order, action, circumstances, driver_id=driver_id)
    candidate.take(order)
    return order


def _giving(principal: Principal, action: Action) -> str:
    """What giving an order away asks for; support may pass on what was assigned before."""
    passes_on = action is Action.REASSIGN and identity.may(principal, "orders:reassign")
    return "orders:reassign" if passes_on else "dispatch:write"


async def unassign_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str,
    seen_version: int | None = None,
) -> OrderOut:
    """Take an order that is not picked up yet from its driver; it is matched anew."""
    order = await carry_out(
        session, principal, Action.UNASSIGN, "dispatch:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def hold_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str,
    seen_version: int | None = None,
) -> OrderOut:
    """Stop an order where it is; before pick-up it loses its driver."""
    order = await carry_out(
        session, principal, Action.HOLD, "orders:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def release_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str | None = None,
    seen_version: int | None = None,
) -> OrderOut:
    """Let a held order go on: where it was if it is on board, else to be matched anew."""
    order = await carry_out(
        session, principal, Action.RELEASE, "orders:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def cancel_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str,
    seen_version: int | None = None,
) -> OrderOut:
    """Call an order off that is not picked up yet."""
    order = await carry_out(
        session, principal, Action.CANCEL, "orders:cancel", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def fail_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str,
    seen_version: int | None = None,
) -> OrderOut:
    """Record that an order on board could not be delivered."""
    order = await carry_out(
        session, principal, Action.FAIL, "orders:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def send_back_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str | None = None,
    seen_version: int | None = None,
) -> OrderOut:
    """Send a failed order back to where it came from."""
    order = await carry_out(
        session, principal, Action.SEND_BACK, "orders:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def give_back_order(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str | None = None,
    seen_version: int | None = None,
) -> OrderOut:
    """Record that a returning order is back at its sender."""
    order = await carry_out(
        session, principal, Action.GIVE_BACK, "orders:write", order_id, reason, seen_version
    )
    return await order_out(session, principal, order)


async def carry_out(
    session: AsyncSession,
    principal: Principal,
    action: Action,
    permission: str,
    order_id: UUID,
    reason: str | None,
    seen_version: int | None,
) -> OrderRow:
    """Any action that needs no more than its reason."""
    order = await order_to_change(
        session, principal, permission, order_id, seen_version=seen_version
    )
    await lifecycle.move(session, principal, order, action, Circumstances(reason=reason))
    return order


async def flag_order(
    session: AsyncSession, principal: Principal, order_id: UUID, text: str
) -> OrderOut:
    """Mark an order for support, for evidence that contradicts how it stands; its state stays."""
    order = await order_to_change(session, principal, "orders:write", order_id)
    order.flagged = text
    await lifecycle.note(session, principal, order, "order.flagged", Circumstances(reason=text))
    return await order_out(session, principal, order)


async def settle_flag(
    session: AsyncSession,
    principal: Principal,
    order_id: UUID,
    *,
    reason: str,
    seen_version: int | None = None,
) -> OrderOut:
    """Take the mark away, with what was found; an order without one stays as it is."""
    order = await order_to_change(
        session, principal, "orders:write", order_id, seen_version=seen_version
    )
    if order.flagged is not None:
        order.flagged = None
        settled = Circumstances(reason=reason)
        await lifecycle.note(session, principal, order, "order.flag_settled", settled)
    return await order_out(session, principal, order)
