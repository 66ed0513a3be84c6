"""Tours: planned in time and within the load, kept up while driven, and edited by hand."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.bench.route_check import Node, Problem, check
from backend.dispatch import planner_pool, service
from backend.dispatch.errors import Moved
from backend.dispatch.matching_schemas import RouteEdit, RouteOut, StopWish
from backend.dispatch.planner_role import plan_once
from backend.dispatch.planning import FAR_S, STOP_S, Errand, Stop, Tour, plan_tours, schedule
from backend.dispatch.rules import Action
from backend.dispatch.travel import estimated
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.errors import Invalid, NotFound
from backend.platform.resources import Resources

from .city import CENTRE, CITY, driver, open_city, order, person, phone_of


def random_tour(rng: np.random.Generator, orders: int, *, loose: bool = True) -> Tour:
    """A driver with some parcels on board and others to fetch."""
    points = [CENTRE]
    errands = []

    def place() -> int:
        lat, lon = np.array(CENTRE) + rng.normal(0, 0.02, 2)
        points.append((float(lat), float(lon)))
        return len(points) - 1

    for number in range(orders):
        carried = rng.random() < 0.3
        errands.append(
            Errand(
                order=UUID(int=number + 1),
                pickup=None if carried else place(),
                drop=place(),
                weight_g=int(rng.integers(500, 3_000)),
                volume_cm3=int(rng.integers(500, 3_000)),
                opens_s=int(rng.integers(0, 1_200)),
                drop_opens_s=int(rng.integers(0, 1_200)),
                due_s=FAR_S if loose else int(rng.integers(600, 9_000)),
            )
        )
    table = estimated(points, points, "bike", 10)
    plan = tuple(stop for errand in errands for stop in errand.stops)
    on_board = sum(errand.weight_g for errand in errands if errand.pickup is None)
    return Tour(
        np.rint(table.seconds).astype(np.int64),
        np.rint(table.metres).astype(np.int64),
        FAR_S,
        on_board + 4_000,
        10_000_000,
        tuple(errands),
        plan,
        fixed=int(rng.integers(0, 2)),
    )


def as_problem(tour: Tour) -> tuple[Problem, dict[Stop, int]]:
    """The tour for the checker: its node n is the n-th stop of the plan, 0 the driver."""
    of = {errand.order: errand for errand in tour.errands}
    nodes, rows, number_of = [Node(0, FAR_S, 0, 0)], [0], {}
    loaded = 0
    for stop in tour.plan:
        errand = of[stop.order]
        number_of[stop] = len(nodes)
        if stop.kind == "pickup":
            nodes.append(Node(errand.opens_s, errand.closes_s, STOP_S, errand.weight_g))
            rows.append(errand.pickup or 0)
        else:
            loaded += errand.weight_g if errand.pickup is None else 0
            nodes.append(Node(errand.drop_opens_s, errand.due_s, STOP_S, -errand.weight_g))
            rows.append(errand.drop)
    pairs = {
        number_of[Stop(errand.order, "drop")]: number_of[Stop(errand.order, "pickup")]
        for errand in tour.errands
        if errand.pickup is not None
    }
    problem = Problem(
        nodes, lambda a, b: float(tour.seconds[rows[a], rows[b]]), tour.most_weight_g, 1, pairs,
        loaded=loaded, comes_back=False,
    )  # fmt: skip
    return problem, number_of


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), orders=st.integers(1, 9))
def test_planned_tours_pass_the_independent_checker(seed: int, orders: int) -> None:
    tour = random_tour(np.random.default_rng(seed), orders)
    [found] = plan_tours([tour], 0.05)
    assert found[: tour.fixed] == tour.plan[: tour.fixed]
    before, after = schedule(tour, tour.plan), schedule(tour, found)
    assert after.worth <= before.worth
    problem, number_of = as_problem(tour)
    verdict = check(problem, [[number_of[stop] for stop in found]])
    if not after.overload:
        assert verdict.faults == []
    assert set(found) == set(tour.plan)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), orders=st.integers(2, 7))
def test_lateness_is_never_worse_than_before(seed: int, orders: int) -> None:
    tour = random_tour(np.random.default_rng(seed), orders, loose=False)
    [found] = plan_tours([tour], 0.05)
    before, after = schedule(tour, tour.plan), schedule(tour, found)
    assert (after.overload, after.late_s) <= (before.overload, before.late_s)


def test_a_full_vehicle_drops_before_it_fetches_more() -> None:
    """Two parcels of 3 kg each for a bike that carries 4 kg: one after the other."""
    points = [CENTRE] + [(CENTRE[0] + 0.001 * n, CENTRE[1]) for n in range(1, 5)]
    table = estimated(points, points, "bike", 10)
    one, two = UUID(int=1), UUID(int=2)
    tour = Tour(
        np.rint(table.seconds).astype(np.int64), np.rint(table.metres).astype(np.int64),
        FAR_S, 4_000, 1_000_000,
        (Errand(one, 1, 3, 3_000, 1), Errand(two, 2, 4, 3_000, 1)),
        (Stop(one, "pickup"), Stop(two, "pickup"), Stop(one, "drop"), Stop(two, "drop")),
    )  # fmt: skip
    assert schedule(tour, tour.plan).overload
    [found] = plan_tours([tour], 0.1)
    assert not schedule(tour, found).overload


@pytest.fixture
async def bangkok(resources: Resources) -> Any:
    """Stores with the regions in them."""
    await open_city(resources)
    yield resources
    planner_pool.close()


async def _with_orders(resources: Resources, count: int = 3) -> tuple[UUID, list[Any]]:
    who = await driver(resources, CENTRE)
    rows = [
        await order(
            resources, state="accepted", driver_id=who,
            drop_lat=CENTRE[0] + (0.03, 0.01, 0.02)[n % 3], drop_lon=CENTRE[1],
            promised_at=clock.now() + timedelta(hours=3 + n),
        )
        for n in range(count)
    ]  # fmt: skip
    return who, rows


async def _route(resources: Resources, who: UUID) -> RouteOut | None:
    async with resources.database.unit_of_work() as session:
        return await service.route_of_driver(session, SYSTEM, who)


def _keys(route: RouteOut) -> list[tuple[UUID, str]]:
    return [(stop.order_id, stop.kind) for stop in route.stops]


async def test_a_driver_with_orders_gets_a_tour_and_keeps_it(bangkok: Resources) -> None:
    who, rows = await _with_orders(bangkok)
    assert await plan_once(bangkok) == 1
    route = await _route(bangkok, who)
    assert route is not None
    assert (route.version, route.made_by, route.driver_code) == (1, "Waypost", route.driver_code)
    assert set(_keys(route)) == {(row.id, kind) for row in rows for kind in ("pickup", "drop")}
    drops = [stop.lat for stop in route.stops if stop.kind == "drop"]
    assert drops == sorted(drops), "drops lie on one way north"
    assert [stop.arrive_at for stop in route.stops] == sorted(s.arrive_at for s in route.stops)
    assert route.stops[-1].line[-1] == (CENTRE[1], round(drops[-1], 6))
    assert await plan_once(bangkok) == 0, "nothing is news"


async def test_a_new_order_is_planned_in_and_a_done_stop_leaves(bangkok: Resources) -> None:
    who, rows = await _with_orders(bangkok, 2)
    await plan_once(bangkok)
    late = await order(bangkok, state="accepted", driver_id=who)
    assert await plan_once(bangkok) == 1
    route = await _route(bangkok, who)
    assert route is not None
    assert route.version == 2
    assert (late.id, "drop") in _keys(route)
    async with bangkok.database.unit_of_work() as session:
        for action in (Action.REACH_PICKUP, Action.PICK_UP):
            found = await service.order_to_change(session, SYSTEM, "orders:write", rows[0].id)
            await service.move(session, SYSTEM, found, action)
    route = await _route(bangkok, who)
    assert route is not None
    assert (rows[0].id, "pickup") not in _keys(route)
    assert (rows[0].id, "drop") in _keys(route)


async def test_the_tour_ends_with_the_last_order(bangkok: Resources) -> None:
    who, [row] = await _with_orders(bangkok, 1)
    await plan_once(bangkok)
    async with bangkok.database.unit_of_work() as session:
        found = await service.order_to_change(session, SYSTEM, "orders:write", row.id)
        await service.move(session, SYSTEM, found, Action.CANCEL)
    await order(bangkok)
    await plan_once(bangkok)
    assert await _route(bangkok, who) is None


def _wishes(route: RouteOut, order_: list[int], pinned: int | None = None) -> RouteEdit:
    stops = [
        StopWish(order_id=route.stops[n].order_id, kind=route.stops[n].kind, pinned=place == pinned)
        for place, n in enumerate(order_)
    ]
    return RouteEdit(seen_version=route.version, stops=stops)


async def _edit(resources: Resources, who: UUID, edit: RouteEdit) -> RouteOut:
    async with resources.database.unit_of_work() as session:
        return await service.edit_route(session, person("fleet_manager", CITY), who, edit)


async def test_an_edit_by_hand_is_respected_by_later_planning(bangkok: Resources) -> None:
    who, _ = await _with_orders(bangkok)
    await plan_once(bangkok)
    route = await _route(bangkok, who)
    assert route is not None
    count = len(route.stops)
    drops = [n for n, stop in enumerate(route.stops) if stop.kind == "drop"]
    others = [n for n in range(count) if n not in drops]
    by_hand = [*others, *reversed(drops)]
    edited = await _edit(bangkok, who, _wishes(route, by_hand))
    assert (edited.version, edited.made_by) == (2, "Nok")
    assert _keys(edited) == [_keys(route)[n] for n in by_hand]
    await plan_once(bangkok)
    async with bangkok.database.unit_of_work() as session:
        await service.plan_routes(session, person("fleet_manager", CITY), CITY)
    kept = await _route(bangkok, who)
    assert kept is not None
    assert _keys(kept) == _keys(edited)
    await order(bangkok, state="accepted", driver_id=who)
    await plan_once(bangkok)
    longer = await _route(bangkok, who)
    assert longer is not None
    assert len(longer.stops) == count + 2
    assert _keys(longer)[:count] == _keys(edited)


async def test_a_second_dispatcher_learns_that_the_tour_moved(bangkok: Resources) -> None:
    who, _ = await _with_orders(bangkok)
    await plan_once(bangkok)
    route = await _route(bangkok, who)
    assert route is not None
    same = list(range(len(route.stops)))
    await _edit(bangkok, who, _wishes(route, same, pinned=0))
    with pytest.raises(Moved, match="version 2 now: Nok"):
        await _edit(bangkok, who, _wishes(route, same))


async def test_an_impossible_edit_names_the_stop(bangkok: Resources) -> None:
    who, _ = await _with_orders(bangkok, 1)
    await plan_once(bangkok)
    route = await _route(bangkok, who)
    assert route is not None
    with pytest.raises(Invalid) as before:
        await _edit(bangkok, who, _wishes(route, [1, 0]))
    assert [(e.pointer, e.code) for e in before.value.errors] == [("/stops/0", "before_pickup")]
    with pytest.raises(Invalid) as missing:
        await _edit(bangkok, who, _wishes(route, [0]))
    assert missing.value.errors[0].code == "missing"


async def test_tours_are_shown_where_the_caller_may_look(bangkok: Resources) -> None:
    who, _ = await _with_orders(bangkok)
    await plan_once(bangkok)
    async with bangkok.database.unit_of_work() as session:
        [seen] = await service.list_routes(session, person("viewer", CITY), "TH")
        assert seen.driver_id == who
        assert await service.list_routes(session, person("viewer", "IN-KA"), "*") == []
        mine = await service.route_of_driver(session, phone_of(who), who)
        assert mine is not None
        with pytest.raises(NotFound):
            await service.edit_route(
                session, person("fleet_manager", "IN-KA"), who, _wishes(seen, [0])
            )


async def test_planning_a_region_tells_what_it_gained(bangkok: Resources) -> None:
    who, _ = await _with_orders(bangkok)
    async with bangkok.database.unit_of_work() as session:
        result = await service.plan_routes(session, person("fleet_manager", CITY), CITY)
    assert (result.routes, result.changed) == (1, 1)
    assert result.duration_after_s < result.duration_before_s
    route = await _route(bangkok, who)
    assert route is not None
    assert route.made_by == "Nok"


async def test_planning_processes_end_with_their_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from backend.dispatch import planner_pool\n"
        "async def main():\n"
        "    pool = planner_pool._pool()\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert run.stdout is not None
    child = int(await run.stdout.readline())
    await run.wait()
    async with asyncio.timeout(30):
        while psutil.pid_exists(child) and psutil.Process(child).status() != "zombie":
            await asyncio.sleep(0.1)
