"""The demo begins with people on call, a window that is over, and costs of some months."""

from __future__ import annotations

from backend.identity import demo_staff
from backend.identity.schemas import SYSTEM
from backend.identity.service import list_persons
from backend.incidents import demo, service
from backend.insights import demo as demo_costs
from backend.insights.costs import list_costs
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.service import seed as seed_regions


async def seeded(resources: Resources) -> tuple[int, int]:
    async with resources.database.unit_of_work() as session:
        await seed_regions(session, SYSTEM)
        return await demo.seed(session, SYSTEM), await demo_costs.seed(session, SYSTEM)


async def test_somebody_is_on_call_before_anybody_has_signed_in(resources: Resources) -> None:
    assert (await seeded(resources))[0] == 3
    async with resources.database.unit_of_work() as session:
        on_call = await service.who_is_on_call(session, SYSTEM)
        people = {f"user:{each.id}" for each in await list_persons(session, SYSTEM, limit=50)}
        [window] = await service.list_maintenance(session, SYSTEM, ended=True)
    assert {each.region for each in on_call} == {"*", "TH-10", "MY-14"}
    assert {each.person.person_id for each in on_call} <= people
    assert not window.active
    assert window.until < clock.now()


async def test_a_second_start_leaves_alone_what_people_changed(resources: Resources) -> None:
    await seeded(resources)
    async with resources.database.unit_of_work() as session:
        [one, *_] = await service.list_schedules(session, SYSTEM)
        await service.remove_schedule(session, SYSTEM, one.id)
    assert await seeded(resources) == (0, 0)
    async with resources.database.unit_of_work() as session:
        assert len(await service.list_schedules(session, SYSTEM)) == 2


async def test_costs_are_kept_for_this_month_and_the_two_before_it(resources: Resources) -> None:
    assert (await seeded(resources))[1] == 12
    today = clock.now().date()
    async with resources.database.unit_of_work() as session:
        rows = await list_costs(session, SYSTEM, today.year)
    newest = [row for row in rows if row.month == today.replace(day=1)]
    assert {row.kind for row in newest} == {"compute", "storage", "network", "messages"}
    assert {row.amount.currency for row in newest} == {"USD"}


async def test_who_is_known_keeps_the_time_of_their_last_sign_in(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        first = await demo_staff.known(session, "ananya.iyer")
    async with resources.database.unit_of_work() as session:
        assert await demo_staff.known(session, "ananya.iyer") == first
        [person] = await list_persons(session, SYSTEM, limit=5)
    assert person.signed_in_at is None
