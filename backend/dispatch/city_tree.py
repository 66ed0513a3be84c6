"""The region tree as intake needs it for every order, kept in memory for a while."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.platform.db import Database
from backend.platform.resources import current
from backend.regions import service as regions
from backend.regions.service import Directory

_KEPT_S = 30.0
_kept: WeakKeyDictionary[Database, tuple[float, Directory]] = WeakKeyDictionary()


async def city_tree(session: AsyncSession, codes: Iterable[str] = ()) -> Directory:
    """All regions as they were at most 30 s ago; as they are where one of `codes` is not there.

    Building the tree costs more than all else that is done for an order.
    """
    database = current().database
    held = _kept.get(database)
    if (
        held is not None
        and monotonic() - held[0] < _KEPT_S
        and all(held[1].get(code) is not None for code in codes)
    ):
        return held[1]
    directory = await regions.directory(session, SYSTEM)
    _kept[database] = (monotonic(), directory)
    return directory
