"""The queue as a file: whoever takes it gets their regions' rows alone, and it is recorded."""

from __future__ import annotations

import csv
import io
from uuid import uuid4

import httpx

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, AuditFilter
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order

from .world import ADMIN, LEAD, opened

PATH = "/api/v1/escalations.csv"


async def _headers(resources: Resources, role: str, region: str) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await identity.issue_api_token(
            session, SYSTEM, f"desk-{region.lower()}", role=role, regions=(region,)
        )
    return {"Authorization": f"Bearer {issued.secret}"}


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_a_queue_is_taken_along_with_its_clocks(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    word = uuid4().hex[:8]
    order = await place_order(resources)
    row = await opened(resources, LEAD, order, subject=f"Late {word}", priority="urgent")
    await opened(resources, LEAD, subject=f"Low {word}", priority="low")
    mine = await _headers(resources, "support_agent", "TH-10")
    found = _rows(await client.get(f"{PATH}?q={word}", headers=mine))
    assert {each["number"] for each in found} >= {row.number}
    (urgent,) = _rows(await client.get(f"{PATH}?q={word}&priority=urgent", headers=mine))
    assert (urgent["order_number"], urgent["first_response"]) == (order.number, "running")
    assert urgent["first_response_due"] > urgent["opened_at"]
    elsewhere = await _headers(resources, "support_agent", "IN-KA")
    assert _rows(await client.get(f"{PATH}?q={word}", headers=elsewhere)) == []
    async with resources.database.unit_of_work() as session:
        told = await identity.list_audit(session, ADMIN, AuditFilter(action="escalations.exported"))
    assert len(told) >= 3


async def test_who_may_not_see_the_queue_cannot_take_it(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    viewer = await _headers(resources, "viewer", "TH-10")
    assert (await client.get(PATH, headers=viewer)).status_code == 403
    assert (await client.get(PATH)).status_code == 401
