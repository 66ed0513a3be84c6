"""What an escalation can be, and where each step leads it."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What it is about."""

    PAYMENT = "payment"
    LATE = "late"
    OTP = "otp"
    DAMAGED = "damaged"
    ADDRESS = "address"
    DRIVER = "driver"
    REFUND = "refund"
    OTHER = "other"


class Priority(StrEnum):
    """How soon somebody has to answer and to solve it."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class State(StrEnum):
    """Where it stands; `pending` waits on somebody who is not us."""

    OPEN = "open"
    PENDING = "pending"
    SOLVED = "solved"
    CLOSED = "closed"


class WaitingOn(StrEnum):
    """On whom a pending one waits; only the customer stops the clock."""

    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"


class SlaState(StrEnum):
    """How a clock stands."""

    MET = "met"
    RUNNING = "running"
    SOON = "soon"
    BREACHED = "breached"
    PAUSED = "paused"


UNSOLVED = (State.OPEN, State.PENDING)

_LEADS: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.PENDING, State.SOLVED, State.CLOSED}),
    State.PENDING: frozenset({State.OPEN, State.PENDING, State.SOLVED, State.CLOSED}),
    State.SOLVED: frozenset({State.OPEN, State.PENDING, State.CLOSED}),
    State.CLOSED: frozenset({State.OPEN}),
}


def may_become(state: State, wanted: State) -> bool:
    """Whether an escalation in a state can be put into another."""
    return wanted in _LEADS[state]
