"""What can change of an order on its way: the drop, windows, the promise and tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import lifecycle
from backend.dispatch.checks import point_faults, promise_faults, window_faults
from backend.dispatch.city_tree import city_tree
from backend.dispatch.errors import WrongState
from backend.dispatch.lifecycle import Circumstances, order_to_change, place_of
from backend.dispatch.models import OrderRow
from backend.dispatch.order_schemas import OrderChange
from backend.dispatch.order_views import order_out
from backend.dispatch.rules import BEFORE_PICKUP, TERMINAL, OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid


async def change_order(
    session: AsyncSession, principal: Principal, order_id: UUID, wanted: OrderChange
) -> OrderOut:
    """The order with what was sent changed, and the change in its history.

    Raises Invalid with pointers, WrongState for an order that has ended and for the pickup's window
    of one that is picked up. Needs `orders:write` where the order is delivered before and after.
    """
    order = await order_to_change(
        session, principal, "orders:write", order_id, seen_version=wanted.seen_version
    )
    _check_state(order, wanted)
    new = _values(wanted)
    faults = _window_and_promise_faults(wanted)
    if wanted.drop_point is not None:
        faults += await _move_drop(session, order, wanted.drop_point, new)
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    before = {name: getattr(order, name) for name in new}
    changed = {name: value for name, value in new.items() if value != before[name]}
    if not changed:
        return await order_out(session, principal, order)
    for name, value in changed.items():
        setattr(order, name, value)
    identity.authorize(principal, "orders:write", place_of(order))
    data = {
        "changed": sorted(changed),
        "before": {name: _plain(before[name]) for name in changed},
        "after": {name: _plain(value) for name, value in changed.items()},
    }
    told = Circumstances(reason=wanted.reason, data=data)
    await lifecycle.note(session, principal, order, "order.changed", told)
    return await order_out(session, principal, order)


def _check_state(order: OrderRow, wanted: OrderChange) -> None:
    state = OrderState(order.state)
    stands = order.state.replace("_", " ")
    if state in TERMINAL:
        raise WrongState(f"{order.number} is {stands}: nothing of it can change.")
    picked_up = OrderState(order.held_from or order.state) not in BEFORE_PICKUP
    if picked_up and "pickup_window" in wanted.model_fields_set:
        raise WrongState(f"{order.number} is {stands}: its pickup is past.")


def _values(wanted: OrderChange) -> dict[str, Any]:
    """The new values by column."""
    values: dict[str, Any] = {}
    for name in ("drop_address", "promised_at", "tags"):
        if name in wanted.model_fields_set:
            values[name] = getattr(wanted, name)
    for end in ("pickup", "drop"):
        if f"{end}_window" in wanted.model_fields_set:
            window = getattr(wanted, f"{end}_window") or (None, None)
            values[f"{end}_from"], values[f"{end}_until"] = window
    return values


def _window_and_promise_faults(wanted: OrderChange) -> list[FieldError]:
    now = clock.now()
    return [
        *window_faults("/pickup_window", wanted.pickup_window, now),
        *window_faults("/drop_window", wanted.drop_window, now),
        *promise_faults(wanted.promised_at, now),
    ]


async def _move_drop(
    session: AsyncSession, order: OrderRow, point: tuple[float, float], new: dict[str, Any]
) -> list[FieldError]:
    directory = await city_tree(session, [order.region])
    city = directory.get(order.region)
    if city is None:
        return [FieldError("/drop_point", "unknown", f"{order.region} is no city any more.")]
    faults = point_faults(directory, city, "/drop_point/0", *point)
    hub = directory.nearest_hub(order.region, *point)
    new |= {"drop_lat": point[0], "drop_lon": point[1], "hub": hub.code if hub else None}
    return faults


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
