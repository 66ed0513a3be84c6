"""Among very many incidents and alerts each question is read from an index of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from backend.incidents import service
from backend.incidents.rules import IncidentState
from backend.incidents.schemas import AlertFilter, IncidentFilter
from backend.platform import clock
from backend.platform.resources import Resources
from tests.incidents.world import ADMIN
from tests.support.plans import plan_of, refresh_statistics

_FILL = """
INSERT INTO incidents_incident (
  id, title, severity, state, kind, region, regions, service, services, impact_started_at,
  detected_at, resolved_at, closed_at, roles, reopened, round, next_step, opened_by, version,
  changed_by_name, changed_what, changed_at)
SELECT gen_random_uuid(), 'Payments fail in city ' || n, 'SEV3', 'closed', 'real', 'TH-10',
  ARRAY['TH-10'], 'payments', ARRAY['payments'], now() - n * interval '10 min',
  now() - n * interval '10 min', now() - n * interval '9 min', now() - n * interval '8 min',
  jsonb_build_array(jsonb_build_object('role', 'commander', 'person_id', 'user:' || n % 9)),
  0, 1, 0, 'system', 1, 'X', 'x', now()
FROM generate_series(1, 40000) AS n
"""
_ALERTS = """
INSERT INTO incidents_alert (
  id, integration, key, title, severity, status, service, region, started_at, first_started_at,
  received_at, seen_at, deliveries, flaps, labels)
SELECT gen_random_uuid(), 'prometheus', 'host-' || n, 'Latency of host ' || n, 'SEV3', 'resolved',
  'payments', 'TH-10', now(), now(), now(), now(), 1, 0, '{}'
FROM generate_series(1, 40000) AS n
"""


_LOOKED_UP: list[tuple[dict[str, Any], str]] = [
    ({"q": "Zebulon Quixote"}, "incident_words"),
    ({"q": "zq"}, "incident_words"),
    ({"service": "nothing"}, "incident_services"),
    ({"mine": True}, "incident_roles"),
    ({"region": "VN-SG"}, "place_region"),
    ({"region": "VN"}, "place_region"),
]


async def test_a_rare_incident_is_looked_up(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_FILL))
    for table in ("incidents_incident", "incidents_place"):
        await refresh_statistics(resources, table)
    for asked, index in _LOOKED_UP:
        wanted = IncidentFilter(states=list(IncidentState), **asked)
        plan = await plan_of(
            resources,
            "incidents_incident",
            lambda session, wanted=wanted: service.list_incidents(session, ADMIN, wanted),
        )
        assert f"ix_incidents_{index}" in plan, plan
    now = clock.now()
    touching = await plan_of(
        resources,
        "incidents_incident",
        lambda session: service.incidents_touching(
            session, ADMIN, "VN-SG", now - timedelta(hours=3), now
        ),
    )
    assert "Seq Scan" not in touching, touching


async def test_a_rare_alert_is_looked_up(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_ALERTS))
    await refresh_statistics(resources, "incidents_alert")
    for q in ("Zebulon Quixote", "zq", "host-39999"):
        wanted = AlertFilter(q=q)
        plan = await plan_of(
            resources,
            "incidents_alert",
            lambda session, wanted=wanted: service.list_alerts(session, ADMIN, wanted),
        )
        assert "ix_incidents_alert_words" in plan, plan
    async with resources.database.unit_of_work() as session:
        found = await service.list_alerts(session, ADMIN, AlertFilter(q="HOST-39999"))
    assert [alert.key for alert in found.items] == ["host-39999"]
