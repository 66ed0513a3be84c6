"""Among very many incidents each question is read from an index of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from backend.incidents import service
from backend.incidents.rules import IncidentState
from backend.incidents.schemas import IncidentFilter
from backend.platform import clock
from backend.platform.resources import Resources
from tests.incidents.world import ADMIN
from tests.support.plans import plan_of, refresh_statistics

_FILL = """
INSERT INTO incidents_incident (
  id, title, severity, state, kind, region, regions, service, services, impact_started_at,
  detected_at, resolved_at, closed_at, roles, reopened, round, next_step, opened_by, version,
  changed_by_name, changed_what, changed_at)
SELECT gen_random_uuid(), 'Payments fail in city ' || n, 'sev3', 'closed', 'real', 'TH-10',
  ARRAY['TH-10'], 'payments', ARRAY['payments'], now() - n * interval '10 min',
  now() - n * interval '10 min', now() - n * interval '9 min', now() - n * interval '8 min',
  jsonb_build_array(jsonb_build_object('role', 'commander', 'person_id', 'user:' || n % 9)),
  0, 1, 0, 'system', 1, 'X', 'x', now()
FROM generate_series(1, 40000) AS n
"""


_LOOKED_UP: list[tuple[dict[str, Any], str]] = [
    ({"q": "Zebulon Quixote"}, "words"),
    ({"q": "zq"}, "words"),
    ({"service": "nothing"}, "services"),
    ({"mine": True}, "roles"),
]


async def test_a_rare_incident_is_looked_up(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_FILL))
    await refresh_statistics(resources, "incidents_incident")
    for asked, index in _LOOKED_UP:
        wanted = IncidentFilter(states=list(IncidentState), **asked)
        plan = await plan_of(
            resources,
            "incidents_incident",
            lambda session, wanted=wanted: service.list_incidents(session, ADMIN, wanted),
        )
        assert f"ix_incidents_incident_{index}" in plan, plan
    now = clock.now()
    touching = await plan_of(
        resources,
        "incidents_incident",
        lambda session: service.incidents_touching(
            session, ADMIN, "VN-SG", now - timedelta(hours=3), now
        ),
    )
    assert "Seq Scan" not in touching, touching
