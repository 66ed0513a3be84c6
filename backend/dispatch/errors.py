"""What dispatch refuses, and why."""

from __future__ import annotations

from backend.platform.errors import Conflict, NotFound


class NoSuchOrder(NotFound):
    """There is no such order, or it is in nobody's region that the caller may see."""

    title = "There is no such order"


class WrongState(Conflict):
    """The order's state does not allow this action."""

    code = "wrong_state"
    title = "The order's state does not allow this"


class Moved(Conflict):
    """Somebody changed the order since the caller looked at it."""

    code = "moved"
    title = "Somebody changed this order meanwhile"


class DriverUnfit(Conflict):
    """The driver cannot take the order: off shift, full, wrong vehicle, skill or region."""

    code = "driver_unfit"
    title = "This driver cannot take the order"


class OfferGone(Conflict):
    """The offer was answered, withdrawn or is past its time."""

    code = "offer_gone"
    title = "This offer is no longer open"


class ReferenceTaken(Conflict):
    """The merchant's reference belongs to an order with other content."""

    code = "reference_taken"
    title = "This reference belongs to another order"


class NoSuchShift(NotFound):
    """The driver has no such shift."""

    title = "There is no such shift"


class ShiftOverlaps(Conflict):
    """The driver has a shift at that time."""

    code = "shift_overlaps"
    title = "The driver has a shift at that time"


class ShiftBegun(Conflict):
    """The shift has begun, and can no longer be called off."""

    code = "shift_begun"
    title = "This shift has begun"
