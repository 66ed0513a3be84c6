"""Many at once: one verb on a selection, and an incident's answer to all who wait for it."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend.identity.service import Denied
from backend.incidents import service as incidents
from backend.incidents.rules import Severity
from backend.incidents.schemas import IncidentIn, IncidentRow
from backend.platform.errors import Invalid
from backend.platform.ids import uuid7
from backend.platform.many import BulkResults
from backend.platform.resources import Resources
from backend.support import service
from backend.support.schemas import BulkIn, EscalationRow
from tests.dispatch.orders import place_order, seeded

from .world import (
    ADMIN,
    AGENT,
    FOREIGNER,
    LEAD,
    MANAGER,
    OTHER,
    do,
    happens,
    hear,
    look,
    opened,
    person,
    queue,
    sent,
)


def _items(*rows: EscalationRow) -> list[dict[str, object]]:
    return [{"id": row.id, "seen_version": row.version} for row in rows]


async def bulk(
    resources: Resources, who: object, *rows: EscalationRow, **asked: object
) -> BulkResults:
    wanted = BulkIn.model_validate({"items": _items(*rows), **asked})
    found: BulkResults = await do(resources, service.act_on_escalations, who, wanted)  # type: ignore[arg-type]
    return found


async def test_each_of_many_says_what_became_of_it(resources: Resources) -> None:
    one, two, three = [await opened(resources) for _ in range(3)]
    moved = await do(resources, service.take, OTHER, two.id, seen_version=two.version)
    told = await bulk(resources, AGENT, three, two, one, verb="set_state", state="solved")
    assert [each.status for each in told.results] == ["done", "refused", "done"]
    assert told.done == 2
    assert told.results[1].code == "moved_on"
    assert "Ben took it at" in (told.results[1].detail or "")
    assert [each.number for each in told.results] == ["ESC-3", None, "ESC-1"]
    # Once more: what is done is done, and what was refused is refused.
    again = await bulk(resources, AGENT, three, two, one, verb="set_state", state="solved")
    assert [each.version for each in again.results] == [each.version for each in told.results]
    done = await bulk(resources, AGENT, moved, verb="set_state", state="solved")
    assert done.done == 1
    assert await queue(resources) == []


async def test_every_verb_goes_for_many(resources: Resources) -> None:
    row = await opened(resources)
    incident = await declared(resources)
    asked: list[dict[str, object]] = [
        {"verb": "take"},
        {"verb": "release"},
        {"verb": "assign", "assignee": AGENT.id},
        {"verb": "set_priority", "priority": "urgent"},
        {"verb": "set_kind", "kind": "refund"},
        {"verb": "link_incident", "incident": incident.number},
        {"verb": "unlink_incident"},
        {"verb": "add_note", "text": "Seen."},
        {"verb": "reply", "text": "Done.", "state": "solved"},
    ]
    for each in asked:
        told = await bulk(resources, AGENT, row, **each)
        assert told.done == 1, (each, told)
        row = await look(resources, row.id)
    assert (row.state, row.priority, row.kind) == ("solved", "urgent", "refund")
    for lacking in ("assign", "set_state", "set_priority", "set_kind", "reply", "link_incident"):
        with pytest.raises(Invalid):
            await bulk(resources, AGENT, row, verb=lacking)


async def test_a_stranger_changes_none_of_many_and_learns_nothing(resources: Resources) -> None:
    row = await opened(resources)
    missing = row.model_copy(update={"id": uuid7()})
    told = await bulk(resources, FOREIGNER, row, missing, verb="take")
    assert [each.code for each in told.results] == ["not_found", "not_found"]
    assert told.results[0].detail == told.results[1].detail
    with pytest.raises(Denied):
        await bulk(resources, MANAGER, row, verb="take")


async def declared(resources: Resources, region: str = "TH-10") -> IncidentRow:
    await seeded(resources)
    asked = IncidentIn(
        title="SMS gateway down", severity=Severity.SEV2, region=region, service="notifications"
    )
    row: IncidentRow = await do(resources, incidents.open_incident, ADMIN, asked)
    return row


async def resolved(resources: Resources, incident_id: UUID) -> None:
    async with resources.database.unit_of_work() as session:
        now = await incidents.get_incident(session, ADMIN, incident_id)
        await incidents.resolve(session, ADMIN, incident_id, seen_version=now.version)
    await hear(resources)


async def test_an_incidents_end_makes_its_escalations_ready_and_one_answer_goes_to_all(
    resources: Resources,
) -> None:
    incident = await declared(resources)
    orders = [await place_order(resources) for _ in range(5)]
    rows = [await opened(resources, order=order, kind="otp") for order in orders]
    rows = [
        await do(
            resources, service.link_incident, AGENT, row.id, incident.id, seen_version=row.version
        )
        for row in rows
    ]
    done_already = rows.pop()
    await bulk(resources, AGENT, done_already, verb="set_state", state="solved")
    counted = await do(resources, service.escalations_of_incident, AGENT, incident.id)
    assert (counted.total, counted.unsolved, counted.ready) == (5, 4, 0)
    await resolved(resources, incident.id)
    assert len(await queue(resources, AGENT, ready_to_answer=True)) == 4

    words = "Dear {customer}, codes come again. {incident} is over."
    with pytest.raises(Denied):
        await do(resources, service.answer_incident, AGENT, incident.id, words, solve=True)
    # Interrupted after the first two, begun anew: each is answered once.
    page = await do(
        resources, service.answer_incident, LEAD, incident.id, words, solve=False, limit=2
    )
    assert page.done == 2
    assert page.next_cursor is not None
    again = await do(resources, service.answer_incident, LEAD, incident.id, words, solve=False)
    assert (again.done, again.next_cursor) == (4, None)
    for order in orders[:4]:
        [told] = await sent(resources, order)
        assert f"Dear Malee, codes come again. {incident.number} is over." in told
    assert await sent(resources, orders[4]) == []
    assert await queue(resources, AGENT, ready_to_answer=True) == []
    last = "Thank you for waiting."
    await do(resources, service.answer_incident, LEAD, incident.id, last, solve=True)
    assert await queue(resources, AGENT) == []


async def test_escalations_go_with_an_incident_that_ends_in_another(resources: Resources) -> None:
    first, second = await declared(resources), await declared(resources)
    row = await opened(resources)
    await do(resources, service.link_incident, AGENT, row.id, first.id, seen_version=row.version)
    await do(
        resources, incidents.merge_incidents, ADMIN, second.id, [first.id],
        seen_version=second.version,
    )  # fmt: skip
    await hear(resources)
    now = await look(resources, row.id)
    assert (now.incident_id, now.incident_number) == (second.id, second.number)
    assert now.timeline[-1].text == f"{first.number} ended in {second.number}: linked to that."


async def test_an_answer_to_all_stays_within_the_leads_regions(resources: Resources) -> None:
    incident = await declared(resources, "*")
    row = await opened(resources)
    await do(resources, service.link_incident, ADMIN, row.id, incident.id, seen_version=row.version)
    indian = person("arjun", "support_lead", "IN")
    told = await do(resources, service.answer_incident, indian, incident.id, "Over.", solve=True)
    assert (told.done, told.results) == (0, [])
    assert (await look(resources, row.id)).state == "open"


async def test_a_failed_payment_hangs_on_the_incident_that_explains_it(
    resources: Resources,
) -> None:
    await seeded(resources)
    asked = IncidentIn(
        title="Gateway declines", severity=Severity.SEV2, region="TH-10", service="payments"
    )
    incident = await do(resources, incidents.open_incident, ADMIN, asked)
    order = await place_order(resources)
    facts = {"order_id": str(order.id), "number": order.number, "reason": "Declined."}
    await happens(resources, "payment.failed", uuid7(), order.region, **facts)
    [row] = await queue(resources)
    assert row.incident_number == incident.number
