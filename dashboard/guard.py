"""Per-event authorisation: every event of every console passes here before its handler runs."""

from __future__ import annotations

from time import monotonic

import reflex as rx
from redis.exceptions import RedisError
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from backend.identity import service as identity
from backend.platform.errors import DomainError, Forbidden, RateLimited, Unauthenticated
from backend.platform.resources import current
from backend.platform.telemetry import get_logger, meter
from dashboard import doors
from dashboard.gateway import Requirement, principal_of, requirement_of
from dashboard.states.shell import ShellState

EVENTS_PER_S = 20.0
BURST = 60.0
_MOST_REMEMBERED = 10_000

_ROOT = "reflex___state____state"
FRAMEWORK_EVENTS = frozenset(
    {
        f"{_ROOT}.hydrate",
        f"{_ROOT}.hydrate_and_load",
        f"{_ROOT}.set_is_hydrated",
        f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal",
        f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated",
        f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
        f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
    }
)
"""What Reflex's own runtime sends; these need a session and no permission."""

_log = get_logger(__name__)
_refused = meter.create_counter("waypost.console.refused", "1", "Console events refused, by reason")


def requirement_of_event(name: str) -> Requirement | None:
    """What the handler `name` asks; None where there is none or it asks nothing."""
    registered = RegistrationContext.get().event_handlers.get(name)
    return requirement_of(registered.handler.fn) if registered else None


class Guard(Middleware):
    """Verifies the session and the handler's permission on every event."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """None lets the event through; anything else is sent instead of running it."""
        root = state._get_root_state()
        try:
            await self._judge(root, event)
        except Unauthenticated:
            _refused.add(1, {"why": "session"})
            await doors.close_token(app, root.router.session.client_token)
            return StateUpdate()
        except (DomainError, RedisError) as error:
            return await _explain(root, error)
        return None

    async def _judge(self, root: BaseState, event: Event) -> None:
        requirement = requirement_of_event(event.name)
        touch = requirement is not None and requirement.activity
        principal = await principal_of(root, touch=touch)
        self._take(principal.session_id or principal.id)
        if event.name in FRAMEWORK_EVENTS:
            return
        if requirement is None:
            _refused.add(1, {"why": "undeclared"})
            await identity.record_denial(
                current(), principal, "undeclared handler", target=event.name
            )
            raise Forbidden("The console may not do this.")
        if not identity.may(principal, requirement.permission):
            _refused.add(1, {"why": "permission"})
            await identity.record_denial(
                current(), principal, requirement.permission, target=event.name
            )
            raise Forbidden(f"Your roles do not include {requirement.permission}.")

    def _take(self, key: str) -> None:
        """A token bucket per session in this process; sockets stay with one process."""
        now = monotonic()
        level, at = self._buckets.get(key, (BURST, now))
        level = min(BURST, level + (now - at) * EVENTS_PER_S)
        if level < 1:
            _refused.add(1, {"why": "rate"})
            raise RateLimited("Too many actions at once; wait a moment.")
        if len(self._buckets) >= _MOST_REMEMBERED:
            self._buckets.clear()
        self._buckets[key] = (level - 1, now)


async def _explain(root: BaseState, error: DomainError | RedisError) -> StateUpdate:
    text = error.detail if isinstance(error, DomainError) else "The hot store does not answer."
    shell = await root.get_state(ShellState)
    shell._tell("critical", text)
    delta = await root._get_resolved_delta()
    root._clean()  # type: ignore[no-untyped-call]
    return StateUpdate(delta=delta)
