"""The one way in which an order moves: locked, judged, written to its history, told to others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import changes, order_repository
from backend.dispatch.errors import Moved, NoSuchOrder, WrongState
from backend.dispatch.models import OrderEventRow, OrderRow
from backend.dispatch.rules import EVENT_TYPES, TERMINAL, Action, OrderState, Step, step
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock, indicators
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.telemetry import about


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Why, when and where something was done, as far as it is known."""

    reason: str | None = None
    device_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


NOTHING_MORE = Circumstances()


def place_of(order: OrderRow) -> str:
    """The most precise region code of an order."""
    return order.hub or order.region


def may(principal: Principal, permission: str, order: OrderRow) -> bool:
    """Whether the caller holds the permission where the order is delivered, and may know of it."""
    return identity.merchant_of(principal) in (None, order.merchant) and identity.may(
        principal, permission, place_of(order)
    )


async def order_to_change(
    session: AsyncSession,
    principal: Principal,
    permission: str,
    order_id: UUID,
    *,
    seen_version: int | None = None,
) -> OrderRow:
    """The order, locked, if the caller holds the permission where it is delivered.

    Raises NoSuchOrder for one that the caller may not see, Denied for one that they only may see,
    and Moved when it is no longer at `seen_version`, saying who did what since.
    """
    identity.authorize(principal, permission)
    order = await order_repository.locked(session, order_id)
    if order is None:
        raise NoSuchOrder
    if not may(principal, permission, order):
        if may(principal, "orders:read", order):
            identity.authorize(principal, permission, place_of(order))
        raise NoSuchOrder
    indicators.in_region(order.region)
    about(order=order.number)
    if seen_version is not None and seen_version != order.version:
        raise Moved(await _what_happened(session, order))
    return order


async def _what_happened(session: AsyncSession, order: OrderRow) -> str:
    last = (await order_repository.history(session, order.id))[-1]
    what = last.type.removeprefix("order.").replace("_", " ")
    age_s = max(0, round((clock.now() - last.at).total_seconds()))
    return f"{order.number} is {order.state} now: {last.actor_name}, {what}, {age_s} s ago."


def permitted_step(order: OrderRow, action: Action) -> Step:
    """Where the action leads the order; raises WrongState where its state does not allow it."""
    held_from = OrderState(order.held_from) if order.held_from else None
    permitted = step(OrderState(order.state), action, held_from)
    if permitted is None:
        raise WrongState(
            f"{order.number} is {order.state.replace('_', ' ')}: it cannot be "
            f"{_DONE.get(action, action.value.replace('_', ' '))}."
        )
    return permitted


async def move(
    session: AsyncSession,
    principal: Principal,
    order: OrderRow,
    action: Action,
    circumstances: Circumstances = NOTHING_MORE,
    *,
    driver_id: UUID | None = None,
) -> OrderEventRow:
    """Carry out `action` on a locked order; raises WrongState where its state does not allow it.

    `driver_id` names the driver for assign and reassign; other actions keep or drop theirs by the
    table of `rules`.
    """
    permitted = permitted_step(order, action)
    before_driver = order.driver_id
    order.held_from = order.state if action is Action.HOLD else None
    order.state = permitted.to
    if action in (Action.ASSIGN, Action.REASSIGN):
        order.driver_id = driver_id
    elif not permitted.keeps_driver:
        order.driver_id = None
    if permitted.to in TERMINAL:
        order.ended_at = clock.now()
    more = {"driver_id": order.driver_id, "former_driver_id": before_driver}
    changed = {key: str(value) for key, value in more.items() if value is not None}
    if before_driver == order.driver_id:
        changed.pop("former_driver_id", None)
    return await note(session, principal, order, EVENT_TYPES[action], circumstances, more=changed)


_DONE = {
    Action.ASSIGN: "assigned",
    Action.REASSIGN: "reassigned",
    Action.UNASSIGN: "unassigned",
    Action.ACCEPT: "accepted",
    Action.HOLD: "held",
    Action.RELEASE: "released",
    Action.CANCEL: "cancelled",
    Action.FAIL: "failed",
    Action.DELIVER: "delivered",
    Action.PICK_UP: "picked up",
}


async def note(
    session: AsyncSession,
    principal: Principal,
    order: OrderRow,
    kind: str,
    circumstances: Circumstances = NOTHING_MORE,
    *,
    more: dict[str, Any] | None = None,
) -> OrderEventRow:
    """Append a step to the history of a locked order and tell it to others; the state stays."""
    now = clock.now()
    about(order=order.number)
    order.version += 1
    order.updated_at = now
    row = OrderEventRow(
        id=uuid7(),
        order_id=order.id,
        seq=order.version,
        type=kind,
        state=order.state,
        actor=principal.id,
        actor_name=principal.name,
        reason=circumstances.reason,
        at=now,
        device_at=circumstances.device_at,
        lat=circumstances.lat,
        lon=circumstances.lon,
        data={**(more or {}), **circumstances.data},
    )
    session.add(row)
    changes.tell_after_commit(session, order.region)
    await emit(
        session,
        Event(
            type=kind,
            key=str(order.id),
            actor=principal.id,
            region=place_of(order),
            device_at=circumstances.device_at,
            at=now,
            id=row.id,
            data={
                "order_id": str(order.id),
                "number": order.number,
                "reference": order.reference,
                "merchant": order.merchant,
                "state": order.state,
                "version": order.version,
                "reason": circumstances.reason,
                "flagged": order.flagged,
                **row.data,
            },
        ),
    )
    return row
