"""The long-running loops behind the console, each under the name of its role."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from redis.exceptions import RedisError

from backend.dispatch.demo_recipients import receive_codes
from backend.dispatch.dispatcher_role import dispatch
from backend.dispatch.eta_role import foretell
from backend.dispatch.matching_upkeep import forget_old
from backend.dispatch.planner_role import plan_tours
from backend.dispatch.service import drop_abandoned
from backend.dispatch.upkeep import keep_orders
from backend.flags import role as flags
from backend.flags.delivery import delivering
from backend.flags.service import register_guard
from backend.incidents import role as incidents
from backend.incidents.service import register_indicator
from backend.incidents.sweeps import drop_expired as drop_alert_deliveries
from backend.insights import service as insights
from backend.insights.counting import counting
from backend.insights.detecting import detect
from backend.notifications import messenger_role
from backend.notifications import service as notifications
from backend.notifications.notifier import notify
from backend.payments import role as payments
from backend.platform import clock, consumers, drills, idempotency, outbox
from backend.platform.memory import keep_what_is_loaded
from backend.platform.metrics_board import showing
from backend.platform.outages import outlast
from backend.platform.resources import Resources, open_resources
from backend.platform.telemetry import get_logger
from backend.platform.turns import pause
from backend.settings import Settings
from backend.support import role as support
from backend.tracking.projector import project
from backend.tracking.service import keep_partitions

Role = Callable[[Resources, asyncio.Event], Awaitable[None]]

_log = get_logger(__name__)
_RELAY_PAUSE_S = 0.2
_TRIM_EVERY_S = 10.0
_BEAT_EVERY_S = 3
_BEAT_KEPT_S = 10
_LOOK_FOR_DRILLS_S = 0.5


async def relay(resources: Resources, stop: asyncio.Event) -> None:
    """Publish the outbox, at once while there is more, a few times a second otherwise."""
    while not stop.is_set():
        if not await outbox.relay_once(resources.database, resources.events):
            await pause(stop, _RELAY_PAUSE_S)


async def scheduler(resources: Resources, stop: asyncio.Event) -> None:
    """Keep the stores tidy: trim what every reader has handled, forget old answers."""
    while not stop.is_set():
        await resources.events.trim(outbox.TOPIC)
        async with resources.database.unit_of_work() as session:
            await idempotency.drop_expired(session)
            await consumers.drop_expired(session)
            await drop_abandoned(session)
            await notifications.drop_expired(session)
            await notifications.drop_old_messages(session)
            await drop_alert_deliveries(session)
            await forget_old(session, clock.now())
            await insights.drop_expired(session, clock.now())
            await keep_partitions(session, clock.now(), resources.settings.fix_retention_days)
        await pause(stop, _TRIM_EVERY_S)


ROLES: dict[str, Role] = {
    "detector": detect,
    "dispatcher": dispatch,
    "notifier": notify,
    "payments": payments.run,
    "incidents": incidents.run,
    "messenger": messenger_role.run,
    "foreteller": foretell,
    "planner": plan_tours,
    "projector": project,
    "recipients": receive_codes,
    "relay": relay,
    "rollouts": flags.run,
    "scheduler": scheduler,
    "support": support.run,
    "orders": keep_orders,
}


async def run(settings: Settings, roles: Sequence[str]) -> None:
    """Run the named roles, all of them where none is named, until SIGTERM or Ctrl-C."""
    register_indicator(insights.what_is_bad)
    register_guard(insights.SloGuard())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keep_what_is_loaded()
    async with (
        open_resources(settings) as resources,
        delivering(resources),
        counting(resources.database),
        showing(resources.redis, "worker"),
        asyncio.TaskGroup() as group,
    ):
        wanted = list(roles or ROLES)
        for name in wanted:
            group.create_task(_keep_running(name, resources, stop), name=name)
        group.create_task(_beat(wanted, resources, stop), name="beat")
        _log.info("worker_ready", roles=wanted)


def beat_key(role: str) -> str:
    """The key that exists as long as some process runs the role."""
    return f"worker:beat:{role}"


async def _beat(roles: Sequence[str], resources: Resources, stop: asyncio.Event) -> None:
    """Show that the roles are being looked after, for health and for the supervisor."""
    while not stop.is_set():
        with suppress(RedisError, OSError):
            async with resources.redis.pipeline(transaction=False) as pipe:
                for role in roles:
                    pipe.set(beat_key(role), b"1", ex=_BEAT_KEPT_S)
                await pipe.execute()
        await pause(stop, _BEAT_EVERY_S)


async def _run_role(name: str, resources: Resources, stop: asyncio.Event) -> None:
    """Run a role until `stop`; in the demo a drill may hold it up for a while."""
    if not resources.settings.demo:
        await ROLES[name](resources, stop)
        return
    halt = asyncio.Event()
    role = asyncio.ensure_future(ROLES[name](resources, halt))
    try:
        while not role.done():
            await asyncio.wait(
                {role, stopped := asyncio.ensure_future(stop.wait())},
                timeout=_LOOK_FOR_DRILLS_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            stopped.cancel()
            if stop.is_set() or drills.broken(f"role:{name}"):
                halt.set()
        await role
    finally:
        role.cancel()
    while drills.broken(f"role:{name}") and not stop.is_set():
        await pause(stop, _LOOK_FOR_DRILLS_S)


async def _keep_running(name: str, resources: Resources, stop: asyncio.Event) -> None:
    """Run a role again after its stores failed; any other error is a bug and ends the process."""
    await outlast(name, partial(_run_role, name, resources, stop), stop)
