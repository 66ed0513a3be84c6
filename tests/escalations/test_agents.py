"""Who is given what comes in, and in which turn."""

from __future__ import annotations

from backend.identity.access import DirectoryPerson, enrol
from backend.identity.schemas import Principal
from backend.platform.resources import Resources
from backend.support import service
from backend.support.customer_schemas import HelpIn
from tests.dispatch.orders import place_order, seeded

from .test_settings import policy
from .world import LEAD, by_link, colleague, do, opened, token_of


async def on(resources: Resources, who: Principal, available: bool = True) -> None:
    await do(resources, service.set_available, who, available)


async def test_what_comes_in_goes_round_those_who_are_available_there(
    resources: Resources,
) -> None:
    await seeded(resources)
    ann = await colleague(resources, "Ann", "support_agent", "TH-10")
    ben = await colleague(resources, "Ben", "support_lead", "TH")
    far = await colleague(resources, "Ravi", "support_agent", "IN-KA")
    off = await colleague(resources, "Off", "support_agent", "TH-10")
    assert (await opened(resources)).assignee is None
    for who in (ann, ben, far, off):
        await on(resources, who)
    await on(resources, off, available=False)
    names = [(await opened(resources)).assignee_name for _ in range(4)]
    assert sorted(names[:2]) == ["Ann", "Ben"]
    assert names[2:] == names[:2]
    counted = await do(resources, service.agents_on, LEAD, "TH-10")
    assert [(each.name, each.available, each.unsolved) for each in counted] == [
        ("Ann", True, 2), ("Ben", True, 2), ("Off", False, 0)
    ]  # fmt: skip


async def test_whoever_lost_the_role_is_given_nothing_more(resources: Resources) -> None:
    await seeded(resources)
    ann = await colleague(resources, "Ann", "support_agent", "TH-10")
    await on(resources, ann)
    assert (await opened(resources)).assignee == ann.id
    async with resources.database.unit_of_work() as session:
        person = DirectoryPerson("tenant", "oid-Ann", "Ann", "Ann@example.com", ())
        await enrol(session, person)
    assert (await opened(resources)).assignee is None


async def test_a_lead_switches_turns_off(resources: Resources) -> None:
    await seeded(resources)
    ann = await colleague(resources, "Ann", "support_agent", "TH-10")
    await on(resources, ann)
    await do(resources, service.save_sla_policy, LEAD, policy(region="TH", round_robin=False))
    assert (await opened(resources)).assignee is None


async def test_a_customers_call_goes_to_whose_turn_it_is(resources: Resources) -> None:
    order = await place_order(resources)
    ann = await colleague(resources, "Ann", "support_agent", "TH-10")
    await on(resources, ann)
    await by_link(resources, service.open_by_customer, token_of(order), HelpIn(text="Hello?"))
    [row] = await do(resources, service.escalations_of_order, ann, order.id)
    assert row.assignee == ann.id
