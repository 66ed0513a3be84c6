"""The state machine of payments, limits of refunds and when to try again: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a payment is, in the words that the gateways share."""

    REQUIRES_METHOD = "requires_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can be asked of a gateway."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"


class RefundState(StrEnum):
    """Where a refund is; `requested` waits for a second person."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"


GATEWAYS_FAULTS = frozenset(
    {
        "api_error", "bank_technical_error", "gateway_error", "gateway_technical_error",
        "issuer_not_available", "processing_error", "server_error",
    }
)  # fmt: skip
"""Reasons of a failed payment that lie with the gateway or a bank, not with the customer."""

_S = State
UNDER_WAY = frozenset({_S.REQUIRES_METHOD, _S.REQUIRES_ACTION, _S.PROCESSING})
"""Nobody knows yet whether the money comes."""
# What is taken is taken: a gateway that reports money after we gave a payment up is believed.
_MOVES: dict[State, frozenset[State]] = {
    _S.REQUIRES_METHOD: frozenset(_S) - {_S.REQUIRES_METHOD},
    _S.REQUIRES_ACTION: frozenset(_S) - {_S.REQUIRES_ACTION},
    _S.PROCESSING: frozenset(_S) - {_S.PROCESSING},
    _S.AUTHORISED: frozenset({_S.CAPTURED, _S.CANCELLED, _S.FAILED}),
    _S.FAILED: frozenset(_S) - {_S.FAILED},
    _S.CANCELLED: frozenset({_S.CAPTURED}),
    _S.CAPTURED: frozenset(),
}


def may_move(now: State, to: State) -> bool:
    """Whether a payment may go from one state to another."""
    return to in _MOVES[now]


@dataclass(frozen=True, slots=True)
class Step:
    """What a gateway's report means here.

    `state` is the new state, None to stay; `undo` is what must be asked of the gateway because it
    holds or took money that nobody wants any more.
    """

    state: State | None = None
    undo: Action | None = None


def advance(now: State, reported: State) -> Step:
    """What follows from a report; an older one that comes late changes nothing."""
    if now is _S.CANCELLED and reported is _S.AUTHORISED:
        return Step(undo=Action.CANCEL)
    if now is _S.CANCELLED and reported is _S.CAPTURED:
        return Step(_S.CAPTURED, undo=Action.REFUND)
    if now is _S.FAILED and reported in UNDER_WAY:
        return Step()
    return Step(reported) if may_move(now, reported) else Step()


def follow_up(state: State, wanted: str | None) -> Action | None:
    """What to ask next of a gateway for what the order wants of the payment."""
    if wanted == "capture" and state is _S.AUTHORISED:
        return Action.CAPTURE
    if wanted == "cancel" and state in (_S.AUTHORISED, _S.REQUIRES_ACTION, _S.PROCESSING):
        return Action.CANCEL
    return None


def outcome_after(known: str | None, told: str) -> str:
    """How an order ended, when its events come in any order; only a failed try is not the end."""
    return told if known in (None, "failed") else known


# Alone, a person may refund this much of one payment, in minor units; above it a second one agrees.
_AGENT = {
    "BDT": 300_000, "IDR": 40_000_000, "INR": 200_000, "LAK": 50_000_000, "LKR": 800_000,
    "MMK": 5_000_000, "MYR": 10_000, "NPR": 350_000, "PHP": 150_000, "SGD": 3_500,
    "THB": 100_000, "USD": 2_500, "VND": 600_000,
}  # fmt: skip
_LEAD_TIMES = 10


def refund_limit(currency: str, *, lead: bool) -> int:
    """What a support agent, or a support lead, may refund of one payment alone."""
    return _AGENT[currency] * (_LEAD_TIMES if lead else 1)


MOST_TRIES = 6
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 300.0


def wait_s(tries: int, chance: float) -> float:
    """Seconds until the next try: doubled each time and scattered by half, `chance` in [0, 1)."""
    base = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(tries, 20))
    return base * (0.5 + chance)


def commission(amount: int, basis_points: int) -> int:
    """The platform's share of an amount, in whole minor units rounded down."""
    return amount * basis_points // 10_000
