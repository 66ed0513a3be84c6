"""Switches of Reflex's runtime that have no place in `rx.Config`; import before the app is made."""

from __future__ import annotations

from reflex_base.environment import environment

# A tab's state stays in the process that holds its socket for some seconds after an event, instead
# of being fetched, locked and written back each time. With 200 consoles at an event a second, and
# a store that syncs every write to disk, this is milliseconds against many seconds.
environment.REFLEX_OPLOCK_ENABLED.set(True)

# Reflex's own pool grows without bound by default, and making a connection is dear.
environment.REFLEX_REDIS_MAX_CONNECTIONS.set(48)
