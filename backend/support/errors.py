"""What goes wrong with escalations, in words for those who work on them."""

from __future__ import annotations

from backend.platform.errors import Conflict, NotFound


class NoSuchEscalation(NotFound):
    """There is no such ticket, or it is none of the caller's regions."""

    title = "There is no such ticket"


class NoSuchMacro(NotFound):
    """There is no such macro, or it is none of the caller's regions."""

    title = "There is no such macro"


class MovedOn(Conflict):
    """Somebody changed it after the caller looked."""

    code = "moved_on"
    title = "Somebody was quicker"


class NotNow(Conflict):
    """It is in a state from which this does not go."""

    code = "not_now"
    title = "This does not go from here"
