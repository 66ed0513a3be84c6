"""What goes wrong with incidents, in words for those who work on them."""

from __future__ import annotations

from backend.platform.errors import Conflict, NotFound


class NoSuchIncident(NotFound):
    """There is no such incident, or it is none of the caller's regions."""

    title = "There is no such incident"


class NoSuchAlert(NotFound):
    """There is no such alert, or it is none of the caller's regions."""

    title = "There is no such alert"


class MovedOn(Conflict):
    """Somebody changed the incident after the caller looked."""

    code = "moved_on"
    title = "Somebody was quicker"


class NotNow(Conflict):
    """The incident is in a state from which this does not go."""

    code = "not_now"
    title = "This does not go from here"


class StillFiring(Conflict):
    """Alerts fire or the indicator is bad: nothing says that it is over."""

    code = "still_firing"
    title = "It is not over"
