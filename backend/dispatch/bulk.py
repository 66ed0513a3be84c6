"""One action on many orders, each carried out or refused by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import acts
from backend.dispatch.fitness import driver_for
from backend.dispatch.models import OrderRow
from backend.dispatch.order_schemas import BulkAction, BulkIn, BulkItem, BulkResult, BulkResults
from backend.dispatch.order_views import order_outs
from backend.dispatch.rules import Action
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import DomainError
from backend.platform.resources import current

_STEPS: dict[BulkAction, tuple[Action, str]] = {
    "unassign": (Action.UNASSIGN, "dispatch:write"),
    "hold": (Action.HOLD, "orders:write"),
    "release": (Action.RELEASE, "orders:write"),
    "cancel": (Action.CANCEL, "orders:cancel"),
    "fail": (Action.FAIL, "orders:write"),
    "send_back": (Action.SEND_BACK, "orders:write"),
    "give_back": (Action.GIVE_BACK, "orders:write"),
}
Act = Callable[[BulkItem], Awaitable[OrderRow]]


async def act_on_orders(session: AsyncSession, principal: Principal, wanted: BulkIn) -> BulkResults:
    """One result for each order, in the order sent; what is refused leaves the others done.

    Raises what concerns them all: a permission that the caller holds nowhere, or a driver whom
    they may not give orders to.
    """
    act = await _act_of(session, principal, wanted)
    results: dict[int, BulkResult] = {}
    changed: dict[int, OrderRow] = {}
    denied: identity.Denied | None = None
    # By id, so that two who lock the same orders never wait for each other in a circle.
    for index, item in sorted(enumerate(wanted.items), key=lambda pair: pair[1].order_id):
        try:
            async with session.begin_nested():
                changed[index] = await act(item)
        except DomainError as error:
            results[index] = _refused(index, item.order_id, error)
            if isinstance(error, identity.Denied):
                denied = error
    if denied is not None:
        await identity.record_denied(current(), denied, f"bulk {wanted.action}")
    outs = await order_outs(session, principal, list(changed.values()))
    for index, order in zip(changed, outs, strict=True):
        results[index] = BulkResult(
            index=index, order_id=order.id, status="done", number=order.number, order=order
        )
    ordered = [results[index] for index in range(len(wanted.items))]
    return BulkResults(done=len(changed), results=ordered)


async def _act_of(session: AsyncSession, principal: Principal, wanted: BulkIn) -> Act:
    if wanted.action in ("assign", "reassign") and wanted.driver_id is not None:
        action = Action(wanted.action)
        identity.authorize(principal, "dispatch:write")
        candidate = await driver_for(session, principal, wanted.driver_id)

        async def give(item: BulkItem) -> OrderRow:
            return await acts.give(
                session, principal, action, candidate, item.order_id,
                item.seen_version, wanted.reason, force=wanted.force,
            )  # fmt: skip

        return give
    action, permission = _STEPS[wanted.action]
    identity.authorize(principal, permission)

    async def carry_out(item: BulkItem) -> OrderRow:
        return await acts.carry_out(
            session, principal, action, permission, item.order_id, wanted.reason, item.seen_version
        )

    return carry_out


def _refused(index: int, order_id: UUID, error: DomainError) -> BulkResult:
    return BulkResult(
        index=index, order_id=order_id, status="refused", code=error.code, detail=error.detail
    )
