"""Moments as others send them, within what calendars and the database can count with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FIRST_YEAR, LAST_YEAR = 1900, 2200


def within_reach(moment: datetime) -> datetime:
    """The moment itself; raises ValueError for one so far off that no span can be added to it."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a moment lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(within_reach)]
"""A moment with its offset, of this age."""
