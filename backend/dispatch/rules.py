"""The life of an order: its states, and which action leads from where to where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo


class OrderState(StrEnum):
    """Where an order stands."""

    CREATED = "created"
    READY = "ready"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    AT_PICKUP = "at_pickup"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    ON_HOLD = "on_hold"


class Action(StrEnum):
    """What can be done to an order; each success is one row of its history."""

    PREPARE = "prepare"
    ASSIGN = "assign"
    ACCEPT = "accept"
    REASSIGN = "reassign"
    UNASSIGN = "unassign"
    REACH_PICKUP = "reach_pickup"
    PICK_UP = "pick_up"
    DEPART = "depart"
    ARRIVE = "arrive"
    DELIVER = "deliver"
    FAIL = "fail"
    SEND_BACK = "send_back"
    GIVE_BACK = "give_back"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"


S = OrderState
TERMINAL = frozenset({S.DELIVERED, S.RETURNED, S.CANCELLED})
BEFORE_PICKUP = frozenset({S.CREATED, S.READY, S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP})
ON_BOARD = frozenset({S.PICKED_UP, S.IN_TRANSIT, S.ARRIVED, S.FAILED, S.RETURNING})
"""The parcels are with the driver."""
WITH_DRIVER = ON_BOARD | {S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP}
"""The order takes up room of its driver."""
OPEN = frozenset(S) - TERMINAL

_TO: dict[Action, tuple[frozenset[OrderState], OrderState]] = {
    Action.PREPARE: (frozenset({S.CREATED}), S.READY),
    Action.ASSIGN: (frozenset({S.READY}), S.ASSIGNED),
    Action.ACCEPT: (frozenset({S.ASSIGNED}), S.ACCEPTED),
    Action.REASSIGN: (frozenset({S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP}), S.ASSIGNED),
    Action.UNASSIGN: (frozenset({S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP}), S.READY),
    Action.REACH_PICKUP: (frozenset({S.ACCEPTED}), S.AT_PICKUP),
    Action.PICK_UP: (frozenset({S.AT_PICKUP}), S.PICKED_UP),
    Action.DEPART: (frozenset({S.PICKED_UP}), S.IN_TRANSIT),
    Action.ARRIVE: (frozenset({S.IN_TRANSIT}), S.ARRIVED),
    Action.DELIVER: (frozenset({S.ARRIVED}), S.DELIVERED),
    Action.FAIL: (frozenset({S.PICKED_UP, S.IN_TRANSIT, S.ARRIVED}), S.FAILED),
    Action.SEND_BACK: (frozenset({S.FAILED}), S.RETURNING),
    Action.GIVE_BACK: (frozenset({S.RETURNING}), S.RETURNED),
    Action.HOLD: (frozenset(OPEN - {S.ON_HOLD}), S.ON_HOLD),
    Action.CANCEL: (BEFORE_PICKUP | {S.ON_HOLD}, S.CANCELLED),
}
EVENT_TYPES: dict[Action, str] = {
    Action.PREPARE: "order.ready",
    Action.ASSIGN: "order.assigned",
    Action.ACCEPT: "order.accepted",
    Action.REASSIGN: "order.reassigned",
    Action.UNASSIGN: "order.unassigned",
    Action.REACH_PICKUP: "order.at_pickup",
    Action.PICK_UP: "order.picked_up",
    Action.DEPART: "order.in_transit",
    Action.ARRIVE: "order.arrived",
    Action.DELIVER: "order.delivered",
    Action.FAIL: "order.failed",
    Action.SEND_BACK: "order.returning",
    Action.GIVE_BACK: "order.returned",
    Action.HOLD: "order.held",
    Action.RELEASE: "order.released",
    Action.CANCEL: "order.cancelled",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A permitted move."""

    to: OrderState
    keeps_driver: bool


def step(state: OrderState, action: Action, held_from: OrderState | None = None) -> Step | None:
    """What `action` does to an order in `state`, None where it may not be done.

    An order held before pick-up has lost its driver and is released to `ready`; one held on board
    goes on where it was, and can no longer be cancelled.
    """
    if action is Action.RELEASE:
        if state is not S.ON_HOLD or held_from is None:
            return None
        on_board = held_from in ON_BOARD
        return Step(held_from if on_board else S.READY, keeps_driver=on_board)
    sources, target = _TO[action]
    if state not in sources:
        return None
    if action is Action.CANCEL and state is S.ON_HOLD and held_from not in BEFORE_PICKUP:
        return None
    if action is Action.HOLD:
        return Step(target, keeps_driver=state in ON_BOARD)
    return Step(target, keeps_driver=target in WITH_DRIVER | TERMINAL - {S.CANCELLED})


def actions_from(state: OrderState, held_from: OrderState | None = None) -> frozenset[Action]:
    """Every action that may be done in `state`."""
    return frozenset(action for action in Action if step(state, action, held_from))


AT_RISK_WITHIN = timedelta(minutes=30)
PREPARED_BEFORE = timedelta(minutes=60)
"""How long before its pickup window an order becomes ready to be matched."""
_PROMISES = {"express": timedelta(hours=2)}
_SAME_DAY_UNTIL = time(21)
_LATEST_ENTRY = time(17)


def lateness(
    state: OrderState,
    promised_at: datetime,
    ended_at: datetime | None,
    eta_high: datetime | None,
    now: datetime,
) -> Literal["late", "at_risk", "on_time"] | None:
    """How an order keeps its promise; None for one that ended without a delivery.

    An open order is late once its promise is past, and at risk while its expected span reaches
    beyond the promise or, where nothing is expected yet, half an hour before it.
    """
    if state in (S.RETURNED, S.CANCELLED):
        return None
    if state is S.DELIVERED:
        return "late" if ended_at is not None and ended_at > promised_at else "on_time"
    if promised_at < now:
        return "late"
    expected = now + AT_RISK_WITHIN if eta_high is None else eta_high
    return "at_risk" if expected > promised_at else "on_time"


def default_promise(
    service: str,
    now: datetime,
    zone: str,
    pickup_from: datetime | None = None,
    drop_until: datetime | None = None,
) -> datetime:
    """When an order without a promise of its own is due: when the drop's window closes.

    Without one, express is due two hours from now, or from the opening of the pickup's window, and
    standard the same evening in the city's zone, the next for what can only be taken after 17:00.
    """
    if drop_until is not None:
        return drop_until
    start = max(now, pickup_from) if pickup_from else now
    if service in _PROMISES:
        return start + _PROMISES[service]
    local = start.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=int(local.time() >= _LATEST_ENTRY))
    return datetime.combine(day, _SAME_DAY_UNTIL, ZoneInfo(zone)).astimezone(now.tzinfo)


def prepares_at_once(pickup_from: datetime | None, now: datetime) -> bool:
    """Whether an order is ready to be matched, its pickup window open or close."""
    return pickup_from is None or pickup_from <= now + PREPARED_BEFORE
