"""What goes wrong with escalations, in words for those who work on them."""

from __future__ import annotations

from backend.platform.errors import NotFound


class NoSuchEscalation(NotFound):
    """There is no such ticket, or it is none of the caller's regions."""

    title = "There is no such ticket"


class NoSuchMacro(NotFound):
    """There is no such macro, or it is none of the caller's regions."""

    title = "There is no such macro"
