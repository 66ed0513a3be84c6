"""Drills on a running demo: break something, wait until it is found, act, and time it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

from backend.identity.schemas import GrantScope, Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import ActionIn, AlertFilter, AlertOut, IncidentDetail
from backend.platform import clock, drills
from backend.platform.drills import Breakage
from backend.platform.errors import DomainError
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE
from backend.settings import SettingsError
from backend.simulation.killing import Killer

FOUND_WITHIN_S = 180.0
WELL_WITHIN_S = 900.0
_LOOK_EVERY_S = 1.0
# As somebody would who is on call: what Waypost does by itself is no answer to an incident.
_WHO = Principal("service", "service:drill", "Drill", (GrantScope("admin", EVERYWHERE),))

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Drill:
    """A thing to break, the alert that has to come of it, and what is done from the incident.

    `{region}` in `part_region` and `alert` stands for the city chosen.
    """

    what: str
    alert: str
    remedy: str
    part: str | None = None
    of_city: bool = False
    action: str | None = None


DRILLS = {
    "gateway": Drill(
        "the payment gateway declines every payment",
        "payment-failures:gateway=sandbox",
        "the gateway is mended",
        part="gateway",
        action="message_customers",
    ),
    "phones": Drill(
        "every phone of {region} falls silent",
        "stale-drivers:region={region}",
        "the network of {region} is back",
        part="phones",
        of_city=True,
        action="redispatch",
    ),
    "valkey": Drill(
        "Valkey is killed, and killed again whenever it comes back",
        "hot-store:store=valkey",
        "Valkey is left to come back",
    ),
    "log": Drill(
        "nobody works positions off the event log",
        "event-log-lag:reader=tracking.positions/projector",
        "the projector is started again",
        part="role:projector",
    ),
    "web": Drill(
        "every answer of the API takes 1.5 s longer",
        "slo-burn:slo=order_api,",
        "the web is as fast as before",
        part="web",
    ),
}


@dataclass(slots=True)
class Times:
    """Moments of a drill; what was not reached is None."""

    drill: str
    broken_at: datetime
    incident: str = ""
    impact_at: datetime | None = None
    detected_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acted: str = ""
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    noticed_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Seconds from the breaking to each moment; `verified_s` is when its end was certain."""
        return {
            "drill": self.drill,
            "incident": self.incident,
            "action": self.acted,
            "impact_s": self._since(self.impact_at),
            "detect_s": self._since(self.detected_at),
            "acknowledge_s": self._since(self.acknowledged_at),
            "mitigate_s": self._since(self.mitigated_at),
            "resolve_s": self._since(self.resolved_at),
            "verified_s": self._since(self.noticed_at),
            "repair_s": self._repair_s(),
        }

    def _repair_s(self) -> float | None:
        """What counts towards the MTTR: from the first bad sample to the end of the harm."""
        if self.impact_at is None or self.resolved_at is None:
            return None
        return round((self.resolved_at - self.impact_at).total_seconds(), 1)

    def _since(self, at: datetime | None) -> float | None:
        return None if at is None else round((at - self.broken_at).total_seconds(), 1)


async def run_drill(
    resources: Resources, data_dir: Path, name: str, region: str, say: Say
) -> Times:
    """Run a drill to its verified end; raises SettingsError where it cannot be run or found."""
    drill = DRILLS.get(name)
    if drill is None:
        raise SettingsError(f"there is no drill {name}; the drills are {', '.join(DRILLS)}")
    if not resources.settings.demo:
        raise SettingsError("drills break things on purpose: they run on a demo alone")
    wanted = drill.alert.format(region=region)
    if await _firing(resources, wanted) is not None:
        raise SettingsError(f"{wanted} is firing already: wait until it is clear")
    times = Times(name, clock.now())
    say(f"broken: {drill.what.format(region=region)}")
    killer = Killer(data_dir) if drill.part is None else None
    if drill.part is not None:
        place = region if drill.of_city else EVERYWHERE
        lasts_until = time() + FOUND_WITHIN_S + WELL_WITHIN_S
        drills.begin(data_dir, Breakage(drill.part, lasts_until, place))
    try:
        alert = await _found(resources, wanted, killer)
        incident = await _acknowledged(resources, alert)
        _note(times, incident)
        say(f"found: {alert.title} ({incident.number}, {incident.severity})")
        times.acted = await _act(resources, drill, incident, region, say)
    finally:
        drills.end(data_dir)
    say(f"mended: {drill.remedy.format(region=region)}")
    mended_at = clock.now()
    await _mitigated(resources, incident, mended_at)
    incident = await _resolved(resources, incident, alert, mended_at, say)
    _note(times, incident)
    times.noticed_at = clock.now()
    return times


def _note(times: Times, incident: IncidentDetail) -> None:
    times.incident = incident.number
    times.impact_at = incident.impact_started_at
    times.detected_at = incident.detected_at
    times.acknowledged_at = incident.acknowledged_at
    times.mitigated_at = incident.mitigated_at
    times.resolved_at = incident.resolved_at


async def _firing(resources: Resources, wanted: str) -> AlertOut | None:
    """The open alert whose key begins so."""
    asked = AlertFilter.model_validate({"status": "firing", "integration": "waypost"})
    async with resources.database.unit_of_work() as session:
        page = await incidents.list_alerts(session, _WHO, asked, limit=200)
    return next((alert for alert in page.items if alert.key.startswith(wanted)), None)


async def _found(resources: Resources, wanted: str, killer: Killer | None) -> AlertOut:
    until = clock.now() + timedelta(seconds=FOUND_WITHIN_S)
    while clock.now() < until:
        if killer is not None:
            killer.kill()
        alert = await _firing(resources, wanted)
        if alert is not None and alert.incident_id is not None:
            return alert
        await asyncio.sleep(_LOOK_EVERY_S if killer is None else 0.2)
    raise SettingsError(f"{wanted} was not found within {FOUND_WITHIN_S:.0f} s")


async def _detail(resources: Resources, incident_id: Any) -> IncidentDetail:
    async with resources.database.unit_of_work() as session:
        return await incidents.get_incident(session, _WHO, incident_id)


async def _acknowledged(resources: Resources, alert: AlertOut) -> IncidentDetail:
    assert alert.incident_id is not None
    incident = await _apart(resources, await _detail(resources, alert.incident_id), alert)
    if incident.acknowledged_at is None:
        async with resources.database.unit_of_work() as session:
            await incidents.acknowledge(session, _WHO, incident.id, seen_version=incident.version)
    return await _detail(resources, incident.id)


async def _apart(resources: Resources, incident: IncidentDetail, alert: AlertOut) -> IncidentDetail:
    """The drill's alert in an incident of its own: what else goes on has an end of its own."""
    if all(each.id == alert.id for each in incident.alerts):
        return incident
    async with resources.database.unit_of_work() as session:
        own = await incidents.split_alerts(
            session, _WHO, incident.id, [alert.id], seen_version=incident.version
        )
    return await _detail(resources, own.id)


async def _act(
    resources: Resources, drill: Drill, incident: IncidentDetail, region: str, say: Say
) -> str:
    """Do what is to be done from the incident; what it said it did."""
    if drill.action is None or drill.action not in incident.actions:
        return ""
    wanted = ActionIn.model_validate(
        {
            "kind": drill.action,
            "seen_version": incident.version,
            "reason": f"Drill: {drill.what.format(region=region)}",
            "region": region if drill.of_city else None,
            "text": "Payments fail at the moment. You need not do anything: we try again."
            if drill.action == "message_customers"
            else None,
        }
    )
    try:
        async with resources.database.unit_of_work() as session:
            done = await incidents.act_on_incident(session, _WHO, incident.id, wanted)
    except DomainError as refused:
        say(f"not done: {refused.detail}")
        return ""
    say(f"done: {done.summary}")
    return done.summary


async def _mitigated(resources: Resources, incident: IncidentDetail, at: datetime) -> None:
    now = await _detail(resources, incident.id)
    if now.mitigated_at is None and now.state in ("triggered", "acknowledged"):
        async with resources.database.unit_of_work() as session:
            await incidents.mitigate(session, _WHO, incident.id, seen_version=now.version, at=at)


async def _resolved(
    resources: Resources, incident: IncidentDetail, alert: AlertOut, mended_at: datetime, say: Say
) -> IncidentDetail:
    """The incident once its recovery is verified; says what is waited for whenever that changes."""
    until = clock.now() + timedelta(seconds=WELL_WITHIN_S)
    told = ""
    while clock.now() < until:
        now = await _detail(resources, incident.id)
        if now.resolved_at is not None and now.state in ("resolved", "closed"):
            return now
        if joined := [each for each in now.alerts if each.key != alert.key and _fires(each)]:
            say(f"{joined[0].title}: an incident of its own")
            await _parted(resources, now, joined)
            # What joined it took its mitigation back.
            await _mitigated(resources, now, mended_at)
            continue
        waits = _waits_for(now)
        if waits != told:
            say(waits)
            told = waits
        await asyncio.sleep(_LOOK_EVERY_S)
    raise SettingsError(f"{incident.number} was not resolved within {WELL_WITHIN_S:.0f} s: {told}")


async def _parted(
    resources: Resources, incident: IncidentDetail, joined: Sequence[AlertOut]
) -> None:
    """Leave what only happened meanwhile to others: what else goes on has an end of its own."""
    ids = [each.id for each in joined]
    with suppress(incidents.NotNow, incidents.MovedOn):
        async with resources.database.unit_of_work() as session:
            await incidents.split_alerts(
                session, _WHO, incident.id, ids, seen_version=incident.version
            )


def _fires(alert: AlertOut) -> bool:
    return alert.status == "firing" and alert.clears_at is None


def _waits_for(incident: IncidentDetail) -> str:
    firing = [alert.title for alert in incident.alerts if _fires(alert)]
    if firing:
        return f"not well yet: {'; '.join(firing)}"
    ended = max((alert.ended_at for alert in incident.alerts if alert.ended_at), default=None)
    if ended is None:
        return "waiting until the indicator says that it is well"
    return f"well since {ended:%H:%M:%S} UTC; waiting whether it stays so"
