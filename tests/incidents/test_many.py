"""A storm: ten thousand alerts at once, taken in, listed, filtered and changed together."""

from __future__ import annotations

from backend.incidents import service
from backend.incidents.schemas import AlertBulkIn, AlertFilter
from backend.incidents.taking import Told, take
from backend.platform import clock
from backend.platform.resources import Resources

from .world import ADMIN, alert, do, incidents, work

STORM = 10_000
AT_ONCE = 2_000


async def test_a_storm_is_taken_in_listed_and_ended_together(resources: Resources) -> None:
    told = [
        alert(f"k{n}", service=f"s{n % 20}", region=("TH-10", "IN-KA")[n % 2]) for n in range(STORM)
    ]
    for first in range(0, STORM, AT_ONCE):
        async with resources.database.unit_of_work() as session:
            batch = [Told(each, clock.now()) for each in told[first : first + AT_ONCE]]
            ids = await take(session, batch)
            assert len(set(ids)) == AT_ONCE
    wanted = AlertFilter.model_validate({"status": "firing", "region": "TH", "q": "k99"})
    found = await do(resources, service.list_alerts, ADMIN, wanted, limit=200)
    assert len(found.items) == 55
    every: list[object] = []
    cursor = None
    while True:
        asked = AlertFilter.model_validate({"status": "firing"})
        page = await do(resources, service.list_alerts, ADMIN, asked, after=cursor, limit=200)
        every += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(every)) == STORM
    assert len(await incidents(resources)) == 20
    ended = await do(
        resources, service.act_on_alerts, ADMIN,
        AlertBulkIn.model_validate({"verb": "resolve", "ids": every}),
    )  # fmt: skip
    assert ended.done == STORM
    await work(resources, later_s=100)
    assert len(await incidents(resources, states=["resolved"])) == 20
