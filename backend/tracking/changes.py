"""Tells the live maps that a driver's details changed, right after the change is committed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from backend.platform.resources import current
from backend.platform.telemetry import get_logger
from backend.tracking.livestore import tell_changed

_PENDING = "tracking.changed_drivers"
_log = get_logger(__name__)


def tell_after_commit(session: AsyncSession, driver: UUID) -> None:
    """Have the maps read the driver anew once this unit of work commits."""
    pending = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = []
        event.listen(session.sync_session, "after_commit", _tell, once=True)
    pending.append(driver)


def _tell(sync_session: Any) -> None:
    drivers: list[UUID] = sync_session.info.pop(_PENDING, [])
    try:
        for driver in drivers:
            # The hook runs inside the greenlet of `commit`, which waits for this.
            await_only(tell_changed(current().redis, driver))
    except RedisError as error:
        # The hub reads everything again from time to time: committed is committed.
        _log.warning("driver_change_not_told", error=repr(error))
