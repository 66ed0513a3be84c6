"""An escalation's way from its opening to its end, by those who may and by nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.identity.service import Denied
from backend.platform.errors import Invalid
from backend.platform.resources import Resources
from backend.support import service
from backend.support.rules import Kind, Priority, SlaState, State, WaitingOn
from tests.dispatch.orders import place_order, seeded

from .world import (
    ADMIN,
    AGENT,
    FOREIGNER,
    LEAD,
    MANAGER,
    OTHER,
    ago,
    answer,
    colleague,
    do,
    look,
    opened,
    queue,
    sent,
    wanted,
    work,
)


async def test_an_escalation_goes_from_its_opening_to_its_end(resources: Resources) -> None:
    order = await place_order(resources)
    row = await opened(resources, order=order)
    assert (row.number, row.state, row.region) == ("ESC-1", "open", "TH-10.siam")
    assert row.customer_waits
    row = await do(resources, service.take, AGENT, row.id, seen_version=row.version)
    assert row.assignee_name == "Ann"
    row = await answer(
        resources, row, text="Dear {customer}, {number} is replaced. {agent}", then="pending"
    )
    assert (row.state, row.waiting_on, row.customer_waits) == ("pending", "customer", False)
    assert row.sla.first_response is SlaState.MET
    row = await do(
        resources, service.set_state, AGENT, row.id, State.SOLVED, seen_version=row.version
    )
    assert (row.state, row.sla.state) == ("solved", "met")
    await ago(resources, row.id, timedelta(hours=71, minutes=59))
    assert (await look(resources, row.id)).state == "solved"
    await work(resources, later=timedelta(minutes=2))
    over = await look(resources, row.id, AGENT)
    assert over.state == "closed"
    assert [each.author for each in over.conversation] == ["customer", "agent"]
    assert [each.kind for each in over.timeline] == [
        "opened", "customer", "assigned", "reply", "state", "state", "state"
    ]  # fmt: skip
    # The customer is called by name; what agents see names nobody.
    assert over.conversation[1].delivery in ("queued", "waiting")
    [told] = await sent(resources, order)
    assert f"Dear Malee, {order.number} is replaced. Ann" in told
    assert "Malee" not in over.model_dump_json()


async def test_it_is_found_by_id_and_number(resources: Resources) -> None:
    row = await opened(resources)
    for named in (row.id, str(row.id), "ESC-1", "esc-1", "1"):
        assert (await look(resources, named)).id == row.id
    for nothing in ("ESC-9", "ESC-", "x", "9" * 30):
        with pytest.raises(service.NoSuchEscalation):
            await look(resources, nothing)


async def test_an_agent_of_another_region_finds_nothing(resources: Resources) -> None:
    row = await opened(resources)
    assert await queue(resources, FOREIGNER) == []
    assert await queue(resources, FOREIGNER, region="TH-10") == []
    assert await queue(resources, FOREIGNER, q="ESC-1") == []
    assert await do(resources, service.escalations_of_order, FOREIGNER, row.order_id) == []
    found = await do(resources, service.count_escalations, FOREIGNER, _all())
    assert found.total == 0
    seen = {"seen_version": row.version}
    verbs: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (service.get_escalation, ("ESC-1",), {}),
        (service.get_escalation, (row.id,), {}),
        (service.take, (row.id,), seen),
        (service.release, (row.id,), seen),
        (service.assign, (row.id, FOREIGNER.id), seen),
        (service.set_state, (row.id, State.SOLVED), seen),
        (service.set_priority, (row.id, Priority.LOW), seen),
        (service.set_kind, (row.id, Kind.OTHER), seen),
        (service.add_note, (row.id, "hello"), {}),
        (service.link_incident, (row.id, "INC-1"), seen),
        (service.presence, (row.id,), {}),
        (service.look_at, (row.id,), {}),
        (service.leave, (row.id,), {}),
        (service.draft_of, (row.id,), {}),
        (service.save_draft, (row.id, "hello"), seen),
    ]
    for verb, args, more in verbs:
        with pytest.raises((service.NoSuchEscalation, _no_incident())):
            await do(resources, verb, FOREIGNER, *args, **more)
    with pytest.raises(service.NoSuchEscalation):
        await answer(resources, row, FOREIGNER)
    with pytest.raises(Exception, match="no such order"):
        await do(
            resources, service.open_escalation, FOREIGNER, wanted(order_number=row.order_number)
        )
    with pytest.raises(Denied):
        await do(resources, service.open_escalation, FOREIGNER, wanted(region="TH-10"))
    assert (await look(resources, row.id)).version == row.version


def _all() -> Any:
    from backend.support.schemas import EscalationFilter

    return EscalationFilter()


def _no_incident() -> type[Exception]:
    from backend.incidents.service import NoSuchIncident

    return NoSuchIncident


async def test_who_may_look_may_not_change(resources: Resources) -> None:
    row = await opened(resources)
    assert (await look(resources, row.id, MANAGER)).allowed == []
    with pytest.raises(Denied):
        await do(resources, service.take, MANAGER, row.id, seen_version=row.version)
    with pytest.raises(Denied):
        await do(resources, service.save_draft, MANAGER, row.id, "x", seen_version=1)


async def test_each_verb_twice_applies_once(resources: Resources) -> None:
    mate = await colleague(resources, "Chai", "support_agent", "TH-10")
    order = await place_order(resources)
    row = await opened(resources, order=order)

    async def twice(verb: Any, *args: Any, **more: Any) -> None:
        nonlocal row
        seen = {"seen_version": row.version}
        first = await do(resources, verb, AGENT, row.id, *args, **seen, **more)
        entries = len((await look(resources, row.id)).timeline)
        second = await do(resources, verb, AGENT, row.id, *args, **seen, **more)
        assert second.version == first.version
        assert len((await look(resources, row.id)).timeline) == entries
        row = first

    await twice(service.take)
    await twice(service.release)
    await twice(service.assign, mate.id)
    await twice(service.set_priority, Priority.URGENT)
    await twice(service.set_kind, Kind.REFUND)
    await twice(service.set_state, State.PENDING)
    await twice(service.set_state, State.PENDING, waiting_on=WaitingOn.THIRD_PARTY)
    await twice(service.set_state, State.SOLVED)
    await twice(service.set_state, State.OPEN)
    asked = wanted(order_number=order.number, key="o")
    both = [await do(resources, service.open_escalation, AGENT, asked) for _ in "ab"]
    assert both[0].id == both[1].id
    theirs = await do(resources, service.open_escalation, OTHER, asked)
    assert theirs.id != both[0].id
    first = await answer(resources, row, key="a")
    assert (await answer(resources, row, key="a")).version == first.version
    assert len(await sent(resources, order)) == 1
    notes = [await do(resources, service.add_note, AGENT, row.id, "n", key="k") for _ in "ab"]
    assert notes[0].id == notes[1].id
    assert [each.kind for each in (await look(resources, row.id)).timeline].count("note") == 1


async def test_of_two_who_take_it_at_once_one_is_told_who_was_quicker(
    resources: Resources,
) -> None:
    row = await opened(resources)
    both = await asyncio.gather(
        do(resources, service.take, AGENT, row.id, seen_version=row.version),
        do(resources, service.take, OTHER, row.id, seen_version=row.version),
        return_exceptions=True,
    )
    refused = [each for each in both if isinstance(each, service.MovedOn)]
    done = [each for each in both if not isinstance(each, BaseException)]
    assert (len(done), len(refused)) == (1, 1)
    assert refused[0].detail.startswith(f"{done[0].assignee_name} took it at ")
    assert refused[0].detail.endswith("ESC-1 is open now.")


async def test_what_is_closed_opens_again_and_is_not_answered_before(resources: Resources) -> None:
    row = await opened(resources)
    row = await do(
        resources, service.set_state, AGENT, row.id, State.CLOSED, seen_version=row.version
    )
    with pytest.raises(service.NotNow, match="closed"):
        await answer(resources, row)
    with pytest.raises(service.NotNow, match="cannot become pending"):
        await do(
            resources, service.set_state, AGENT, row.id, State.PENDING, seen_version=row.version
        )
    row = await do(
        resources, service.set_state, AGENT, row.id, State.OPEN, seen_version=row.version
    )
    assert (row.state, row.reopened, row.closed_at) == ("open", 1, None)


async def test_words_that_nothing_fills_are_refused_before_anything_is_sent(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    row = await opened(resources, order=order)
    for text_, why in (("{weather}", "Nothing fills"), ("See {incident}", "nothing yet")):
        with pytest.raises(Invalid, match=why):
            await answer(resources, row, text=text_)
    await seeded(resources)
    alone = await do(resources, service.open_escalation, AGENT, wanted(region="TH-10"))
    with pytest.raises(service.NotNow, match="no order"):
        await answer(resources, alone)
    assert await sent(resources, order) == []
    assert (await look(resources, row.id)).version == row.version


async def test_things_are_given_to_those_only_who_may_work_there(resources: Resources) -> None:
    row = await opened(resources)
    stranger = await colleague(resources, "Ravi", "support_agent", "IN-KA")
    viewer = await colleague(resources, "Vi", "viewer", "TH-10")
    mate = await colleague(resources, "Chai", "support_lead", "TH")
    for nobody in (stranger.id, viewer.id, "user:nobody"):
        with pytest.raises(Invalid, match="Nobody of this name may work on tickets in Siam"):
            await do(resources, service.assign, LEAD, row.id, nobody, seen_version=row.version)
    row = await do(resources, service.assign, LEAD, row.id, mate.id, seen_version=row.version)
    assert row.assignee_name == "Chai"
    on = await do(resources, service.agents_on, AGENT, "TH-10")
    assert [(each.name, each.available, each.unsolved) for each in on] == [("Chai", False, 1)]


async def test_the_timeline_cannot_be_rewritten(resources: Resources) -> None:
    row = await opened(resources)
    for statement in ("UPDATE support_entry SET text = ''", "DELETE FROM support_entry"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with resources.database.unit_of_work() as session:
                await session.execute(text(statement))
    assert (await look(resources, row.id, ADMIN)).timeline
