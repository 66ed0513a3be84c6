"""What goes wrong with incidents, in words for those who work on them."""

from __future__ import annotations

from backend.platform.errors import Conflict, NotFound


class NoSuchIncident(NotFound):
    """There is no such incident, or it is none of the caller's regions."""

    title = "There is no such incident"


class NoSuchAlert(NotFound):
    """There is no such alert, or it is none of the caller's regions."""

    title = "There is no such alert"


class StillFiring(Conflict):
    """Alerts fire or the indicator is bad: nothing says that it is over."""

    code = "still_firing"
    title = "It is not over"
