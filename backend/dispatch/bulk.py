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
    ids = [item.order_id for item in wanted.items]
    outcomes = await identity.one_by_one(
        session, ids, lambda index: act(wanted.items[index]), f"bulk {wanted.action}"
    )
    changed = [each for each in outcomes if not isinstance(each, DomainError)]
    outs = {out.id: out for out in await order_outs(session, principal, changed)}
    results = [
        _refused(index, order_id, outcome)
        if isinstance(outcome, DomainError)
        else BulkResult(
            index=index, order_id=order_id, status="done", number=outcome.number,
            order=outs[outcome.id],
        )
        for index, (order_id, outcome) in enumerate(zip(ids, outcomes, strict=True))
    ]  # fmt: skip
    return BulkResults(done=len(changed), results=results)


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
