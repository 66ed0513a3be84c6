"""Among very many messages those of a rare kind are looked up, and those of a span read alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.notifications import service
from backend.notifications.message_schemas import MessageFilter
from backend.platform import clock
from backend.platform.ids import first_at
from backend.platform.resources import Resources
from tests.support.plans import plan_of, refresh_statistics

_TABLE = "notifications_message"
_EACH = timedelta(minutes=1)
_FILL = """
INSERT INTO notifications_message (
  id, region, reader, recipient, shown, sealed, template, language, channel, ways, state, urgent,
  repeated, attempts, tried_here, by, by_name, queued_at, send_after, expires_at, next_at, tried)
SELECT made.id, 'TH-10', 'customer', 'r', '+66', 's', 'delivered', 'th', 'sms', '{}', 'delivered',
  false, false, 1, 1, 'system', 'Waypost', at, at, at, at, '[]'
FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS made (id, at)
"""


async def _plan(resources: Resources, **asked: Any) -> str:
    wanted = MessageFilter(**asked)
    plans = [
        await plan_of(resources, _TABLE, lambda session, ask=ask: ask(session, SYSTEM, wanted))
        for ask in (service.list_messages, service.count_messages)
    ]
    return "\n".join(plans)


async def test_messages_of_a_rare_kind_or_of_a_span_are_not_sought_among_all(
    resources: Resources,
) -> None:
    now = clock.now()
    times = [now - n * _EACH for n in range(30_000, 0, -1)]
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_FILL), {"ids": [first_at(at) for at in times], "times": times})
    await refresh_statistics(resources, _TABLE)
    for rare in ({"template": "otp"}, {"channel": "whatsapp"}):
        plan = await _plan(resources, **rare)
        assert plan.count("ix_notifications_message_kind") == 2, plan
    since = now - timedelta(days=15)
    span = await _plan(resources, since=since, until=since + timedelta(hours=1))
    assert "Seq Scan" not in span, span
    assert span.count("notifications_message_pkey") == 2, span
