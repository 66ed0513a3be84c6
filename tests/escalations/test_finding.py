"""The one search: what people say finds it whatever it is, and only where they may look."""

from __future__ import annotations

import httpx

from backend.identity.schemas import GrantScope, Principal
from backend.incidents import service as incidents
from backend.platform.resources import Resources
from backend.support import service
from backend.support.search_schemas import Hit
from tests.dispatch.orders import place_order
from tests.incidents.world import ADMIN, raised
from tests.tracking.fleet import hire, somebody

from .world import AGENT, FOREIGNER, opened

VIEWER = Principal("user", "user:vi", "Vi", (GrantScope("viewer", "TH"),))


async def find(resources: Resources, q: str, principal: Principal = AGENT) -> list[Hit]:
    async with resources.database.unit_of_work() as session:
        return await service.search(session, principal, q)


async def test_each_kind_of_thing_is_found_and_leads_to_its_page(resources: Resources) -> None:
    order = await place_order(resources)
    phone = await hire(resources, name="Somchai Saetang", plate="1กข 9988")
    ticket = await opened(resources, order=order, subject="Box is wet")
    incident = await raised(resources)
    expected = {
        order.number: ("order", "number", f"/orders/{order.number}"),
        "saetang somchai": ("driver", "name", f"/drivers/{phone.id}"),
        "1กข9988": ("driver", "plate", f"/drivers/{phone.id}"),
        ticket.number: ("escalation", "number", f"/support/{ticket.number}"),
        "esc 1": ("escalation", "number", f"/support/{ticket.number}"),
        "box is wet": ("escalation", "words", f"/support/{ticket.number}"),
        incident.number: ("incident", "number", f"/incidents/{incident.number}"),
        "payments fail": ("incident", "words", f"/incidents/{incident.number}"),
    }
    for typed, told in expected.items():
        hit = (await find(resources, typed))[0]
        assert (hit.kind, hit.matched_by, hit.link) == told, typed
        assert await find(resources, typed, FOREIGNER) == [], typed


async def test_hits_show_nobody_whole(resources: Resources) -> None:
    await place_order(resources)
    [hit] = await find(resources, "5678")
    assert hit.detail == "M••• S•••, +6•••78, ready"


async def test_tickets_are_for_those_who_may_read_them(resources: Resources) -> None:
    ticket = await opened(resources, subject="Box is wet")
    assert await find(resources, "box is wet", VIEWER) == []
    assert await find(resources, ticket.number, VIEWER) == []
    assert ticket.order_number is not None
    [hit] = await find(resources, ticket.order_number, VIEWER)
    assert hit.kind == "order"


async def test_the_surest_comes_first(resources: Resources) -> None:
    order = await place_order(resources, reference="WET-1")
    await opened(resources, order=order, subject="wet-1 is wet")
    assert [hit.kind for hit in await find(resources, "wet-1")] == ["order", "escalation"]


async def test_search_is_asked_over_http(client: httpx.AsyncClient, resources: Resources) -> None:
    order = await place_order(resources)
    headers = await somebody(resources, "support_agent", "TH-10")
    elsewhere = await somebody(resources, "viewer", "IN-KA")
    asked = {"q": "malee srisuk"}
    answer = await client.get("/api/v1/search", params=asked, headers=headers)
    assert [hit["link"] for hit in answer.json()["items"]] == [f"/orders/{order.number}"]
    answer = await client.get("/api/v1/search", params=asked, headers=elsewhere)
    assert answer.json() == {"items": []}
    for wrong in ({"q": "x"}, {"q": "a\x00b"}, {"q": "x" * 101}, {"q": "abc", "limit": 51}, {}):
        answer = await client.get("/api/v1/search", params=wrong, headers=headers)
        assert answer.status_code == 422, wrong


async def test_an_incident_merged_away_is_not_found_by_words(resources: Resources) -> None:
    one = await raised(resources, key="one", region="TH-10", service="payments")
    two = await raised(resources, key="two", region="VN-SG", service="dispatch")
    async with resources.database.unit_of_work() as session:
        await incidents.merge_incidents(session, ADMIN, one.id, [two.id], seen_version=one.version)
    assert [hit.title for hit in await find(resources, "payments fail", ADMIN)] == [
        f"{one.number} {one.title}"
    ]
