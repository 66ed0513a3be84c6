"""What a driver's phone may tell, when it happened, and which proof a delivery needs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum


class EventType(StrEnum):
    """What a phone tells."""

    ACCEPT = "order.accept"
    REJECT = "order.reject"
    REACH_PICKUP = "order.reach_pickup"
    PICK_UP = "order.pick_up"
    DEPART = "order.depart"
    ARRIVE = "order.arrive"
    DELIVER = "order.deliver"
    FAIL = "order.fail"
    RETURN_BEGUN = "order.return_begun"
    RETURNED = "order.returned"
    SHIFT_BEGIN = "shift.begin"
    SHIFT_END = "shift.end"
    EVIDENCE_ADDED = "evidence.added"
    NOTE = "note"


EVIDENCE = frozenset({EventType.EVIDENCE_ADDED, EventType.NOTE})
"""Taken whatever came before: the rest is done strictly in the phone's order."""


class FailReason(StrEnum):
    """Why a delivery failed."""

    NOBODY_THERE = "nobody_there"
    NOT_REACHABLE = "not_reachable"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"
    CANNOT_PAY = "cannot_pay"
    DAMAGED = "damaged"
    ACCESS_DENIED = "access_denied"
    ACCIDENT = "accident"
    OTHER = "other"


class Step(StrEnum):
    """Where proof is taken."""

    PICKUP = "pickup"
    DROP = "drop"
    RETURN = "return"


class EvidenceKind(StrEnum):
    """What a proof is."""

    PHOTO = "photo"
    SIGNATURE = "signature"
    SCAN = "scan"
    NOTE = "note"
    OVERRIDE = "override"


OTP_LIFE = timedelta(minutes=10)
OTP_ATTEMPTS = 5
OTP_OFFLINE_GRACE = timedelta(hours=24)
"""A code entered in time on a phone without network is still taken this long after."""
OTP_AT_PICKUP = "otp-pickup"
OTP_ONLY = "otp-only"
FAR_M = 400.0
_FIRST_WAIT_S = 30
_LONGEST_WAIT_S = 480


class CodeVerdict(StrEnum):
    """What became of an entered code."""

    VERIFIED = "verified"
    WRONG = "otp_wrong"
    EXPIRED = "otp_expired"
    SPENT = "otp_spent"
    NOT_SENT = "otp_not_sent"
    NOT_GIVEN = "proof_missing"


CODE_TROUBLE = {
    CodeVerdict.WRONG: "This is not the code that was sent.",
    CodeVerdict.EXPIRED: "The code is past its time; have a new one sent.",
    CodeVerdict.SPENT: "The code was guessed too often and opens nothing any more.",
    CodeVerdict.NOT_SENT: "No code was sent for this step.",
    CodeVerdict.NOT_GIVEN: "Give the recipient's code, or take what else proves the delivery.",
}


class Proof(StrEnum):
    """What a delivery was proven with."""

    OTP = "otp"
    PHOTO_SIGNATURE = "photo_signature"
    OVERRIDE = "override"


def resend_wait(sent: int) -> timedelta:
    """How long after the `sent`-th code the next may be asked for: doubling from half a minute."""
    return timedelta(seconds=min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (sent - 1)))


def other_proof(tags: Collection[str], kinds: Collection[str]) -> Proof | None:
    """What proves a delivery without a code: support's word, or photo and signature where allowed.

    An order tagged `otp-only` takes no pictures for an answer.
    """
    if EvidenceKind.OVERRIDE in kinds:
        return Proof.OVERRIDE
    pictured = {EvidenceKind.PHOTO, EvidenceKind.SIGNATURE} <= set(kinds)
    return Proof.PHOTO_SIGNATURE if pictured and OTP_ONLY not in tags else None


def happened_at(
    captured_at: datetime,
    received_at: datetime,
    *,
    offset: timedelta | None,
    since_boot: timedelta | None,
    same_boot: bool,
) -> datetime:
    """When something on a phone truly happened, as far as can be told, never after its receipt.

    Within one boot the phone's monotonic clock tells how long ago it was (`since_boot` is from the
    event to the sending). Else its wall clock is corrected by `offset`, what the server's was ahead
    at the sending; a phone that did not say gets its wall clock believed.
    """
    if same_boot and since_boot is not None and since_boot >= timedelta(0):
        return received_at - since_boot
    return min(received_at, captured_at + (offset or timedelta(0)))
