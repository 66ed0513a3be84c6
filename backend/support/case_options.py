"""What can be done about an order now, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.dispatch.rules import TERMINAL, Action, OrderState, actions_from
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents.schemas import IncidentRow
from backend.payments.schemas import OrderPayments
from backend.regions.service import in_place
from backend.support.case_schemas import ActKind, CaseAction
from backend.support.rules import UNSOLVED
from backend.support.schemas import EscalationRow

_LABELS: dict[ActKind, str] = {
    "reassign": "Give to another driver",
    "hold": "Put on hold",
    "release": "Release from hold",
    "cancel": "Cancel the order",
    "resend_otp": "Send a new code",
    "change_drop": "Change the drop",
    "change_window": "Change the delivery window",
    "refund": "Refund",
    "credit_wallet": "Credit the wallet",
    "message_customer": "Write to the customer",
    "message_driver": "Write to the driver",
    "link_incident": "Link to an incident",
}
PERMISSIONS: dict[ActKind, tuple[str, ...]] = {
    "reassign": ("orders:reassign", "dispatch:write"),
    "hold": ("orders:write",),
    "release": ("orders:write",),
    "cancel": ("orders:cancel",),
    "resend_otp": ("orders:write",),
    "change_drop": ("orders:write",),
    "change_window": ("orders:write",),
    "refund": ("refunds:write",),
    "credit_wallet": ("refunds:write",),
    "message_customer": ("messages:write",),
    "message_driver": ("messages:write",),
    "link_incident": ("escalations:write",),
}
"""What each action asks for, one of them, where the order is delivered."""
_STEPS: dict[ActKind, Action] = {
    "reassign": Action.REASSIGN,
    "hold": Action.HOLD,
    "release": Action.RELEASE,
    "cancel": Action.CANCEL,
}
_NEEDS: dict[ActKind, list[str]] = {
    "reassign": ["driver_id"],
    "change_drop": ["address", "point"],
    "change_window": ["window"],
    "refund": ["payment_id", "amount"],
    "credit_wallet": ["amount"],
    "message_customer": ["text"],
    "message_driver": ["text"],
    "link_incident": ["incident"],
}
_CODE_DUE = (OrderState.ARRIVED, OrderState.AT_PICKUP)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the choice of actions rests on; regions' names by code."""

    order: OrderOut
    names: Mapping[str, str]
    payments: OrderPayments | None
    escalations: Sequence[EscalationRow]
    incidents: Sequence[IncidentRow]


def options(principal: Principal, facts: Facts) -> list[CaseAction]:
    """Every action, those not allowed with the reason."""
    return [_option(principal, facts, kind) for kind in _LABELS]


def _option(principal: Principal, facts: Facts, kind: ActKind) -> CaseAction:
    why_not = _not_yours(principal, facts, kind) or _not_now(facts, kind)
    needs = list(_NEEDS.get(kind, []))
    if kind == "credit_wallet" and facts.order.payment.wallet_id is None:
        needs.append("wallet_id")
    return CaseAction(
        kind=kind,
        label=_LABELS[kind],
        allowed=why_not is None,
        why_not=why_not,
        needs=needs,
        choices=_choices(facts, kind),
    )


def _not_yours(principal: Principal, facts: Facts, kind: ActKind) -> str | None:
    place = facts.order.hub or facts.order.region
    if any(identity.may(principal, permission, place) for permission in PERMISSIONS[kind]):
        return None
    return f"You may not do this {in_place(place, facts.names)}; it takes {PERMISSIONS[kind][0]}."


def _not_now(facts: Facts, kind: ActKind) -> str | None:
    order = facts.order
    stands = f"The order is {order.state.replace('_', ' ')}"
    if kind in _STEPS:
        possible = _STEPS[kind] in actions_from(order.state, order.held_from)
        return None if possible else f"{stands}{_BECAUSE[kind]}."
    if kind == "resend_otp":
        return None if order.state in _CODE_DUE else f"{stands}: no code is due now."
    if kind in ("change_drop", "change_window"):
        return f"{stands}: nothing of it can change." if order.state in TERMINAL else None
    if kind == "refund":
        return None if refundable(facts) else "Nothing that was captured is left to refund."
    if kind == "message_driver":
        return None if order.driver_id else "Nobody has the order."
    if kind == "link_incident":
        return None if unsolved(facts) else "There is no unsolved ticket about the order to link."
    return None


_BECAUSE: dict[ActKind, str] = {
    "reassign": ": only one that waits for its pickup with a driver can be given to another",
    "hold": " and cannot be held",
    "release": " and not on hold",
    "cancel": ": only before pickup can it be cancelled",
}


def refundable(facts: Facts) -> list[str]:
    """The payments that a refund may name."""
    payments = facts.payments.payments if facts.payments else []
    return [str(each.id) for each in payments if each.refundable.minor > 0]


def unsolved(facts: Facts) -> list[EscalationRow]:
    """The tickets about the order that are still worked on, newest first."""
    return [each for each in facts.escalations if each.state in UNSOLVED]


def _choices(facts: Facts, kind: ActKind) -> dict[str, list[str]]:
    found: dict[str, Iterable[str]] = {}
    if kind == "refund":
        found = {"payment_id": refundable(facts)}
    if kind == "link_incident":
        found = {
            "incident": [each.number for each in facts.incidents],
            "escalation_id": [str(each.id) for each in unsolved(facts)],
        }
    return {name: list(values) for name, values in found.items() if values}
