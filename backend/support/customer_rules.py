"""What a customer may ask about, by where their order stands: pure decisions."""

from __future__ import annotations

from backend.dispatch.customer_rules import CARRIED
from backend.dispatch.rules import OrderState
from backend.support.rules import Kind

_BEFORE = (Kind.LATE, Kind.ADDRESS, Kind.PAYMENT, Kind.OTHER)
_ON_THE_WAY = (Kind.LATE, Kind.ADDRESS, Kind.OTP, Kind.DRIVER, Kind.PAYMENT, Kind.OTHER)
_ENDED = (Kind.REFUND, Kind.PAYMENT, Kind.OTHER)
_CHOICES = {
    OrderState.ARRIVED: (Kind.OTP, Kind.DRIVER, Kind.ADDRESS, Kind.PAYMENT, Kind.OTHER),
    OrderState.DELIVERED: (Kind.DAMAGED, Kind.REFUND, Kind.PAYMENT, Kind.DRIVER, Kind.OTHER),
    OrderState.FAILED: (Kind.ADDRESS, Kind.DRIVER, Kind.REFUND, Kind.OTHER),
    OrderState.RETURNING: (Kind.ADDRESS, Kind.REFUND, Kind.DRIVER, Kind.OTHER),
    OrderState.RETURNED: _ENDED,
    OrderState.CANCELLED: _ENDED,
}


def choices(state: OrderState) -> tuple[Kind, ...]:
    """What one may ask about, the likeliest first."""
    return _CHOICES.get(state, _ON_THE_WAY if state in CARRIED else _BEFORE)
