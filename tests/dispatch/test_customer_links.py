"""A customer's link: who is told of it, how long it leads to the order, how it is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import service
from backend.dispatch.customer_rules import new_token
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM, AuditFilter, GrantScope, Principal
from backend.identity.service import list_audit
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import link_of, marketplace, place_order
from tests.dispatch.test_customer_page import token_of, told
from tests.tracking.fleet import somebody


async def read(client: httpx.AsyncClient, headers: dict[str, str], path: str) -> Any:
    answer = await client.get(f"/api/v1/orders{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def case_of(client: httpx.AsyncClient, resources: Resources, order: OrderOut) -> Any:
    agent = await somebody(resources, "support_agent", "TH-10")
    return await read(client, agent, f"/{order.number}/case")


async def promised(resources: Resources, ago: timedelta) -> None:
    """All orders were promised so long ago."""
    async with resources.database.unit_of_work() as session:
        moment = {"at": clock.now() - ago}
        await session.execute(text("UPDATE dispatch_order SET promised_at = :at"), moment)


async def renewed(resources: Resources, ago: timedelta) -> None:
    """All links were renewed so long ago."""
    async with resources.database.unit_of_work() as session:
        moment = {"at": clock.now() - ago}
        await session.execute(text("UPDATE dispatch_order SET tracking_renewed_at = :at"), moment)


@pytest.mark.parametrize(
    ("role", "region", "sees"),
    [
        ("viewer", "TH-10", False),
        ("support_agent", "TH-10", True),
        ("fleet_manager", "TH", True),
        ("admin", "*", True),
    ],
)
async def test_a_link_is_told_to_who_may_act_for_customers_there(
    client: httpx.AsyncClient, resources: Resources, role: str, region: str, sees: bool
) -> None:
    order = await place_order(resources)
    headers = await somebody(resources, role, region)
    wanted = link_of(order) if sees else None
    assert (await read(client, headers, f"/{order.number}"))["tracking_url"] == wanted
    [listed] = (await read(client, headers, ""))["items"]
    assert listed["tracking_url"] == wanted
    case = await read(client, headers, f"/{order.number}/case")
    assert case["order"]["tracking_url"] == wanted
    assert case["tracking"]["number"] == order.number
    token = token_of(order)
    assert sees or token not in str(case) + str(listed)


async def test_a_right_to_act_elsewhere_does_not_tell_the_link(resources: Resources) -> None:
    order = await place_order(resources)
    grants = (GrantScope("viewer", "TH"), GrantScope("support_agent", "IN-KA"))
    somebody_of_two = Principal("user", "user:two", "Two", grants)
    async with resources.database.unit_of_work() as session:
        seen = await service.get_order(session, somebody_of_two, order.number)
    assert seen.tracking_url is None


async def test_a_marketplace_keeps_the_links_of_what_it_sent(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    shop, headers = await marketplace(resources)
    order = await place_order(resources, shop)
    found = await read(client, headers, f"/{order.number}")
    assert found["tracking_url"] == link_of(order)
    [listed] = (await read(client, headers, ""))["items"]
    assert listed["tracking_url"] == link_of(order)


async def test_every_link_that_leads_nowhere_answers_the_same(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    over, replaced = await place_order(resources), await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await service.revoke_tracking(session, SYSTEM, replaced.id, "sent to a wrong number")
        await session.execute(
            text("UPDATE dispatch_order SET state = 'cancelled', ended_at = :at WHERE id = :id"),
            {"at": clock.now() - timedelta(days=7, seconds=1), "id": over.id},
        )
    dead = [new_token(), token_of(over), token_of(replaced), "short", "x" * 500, "%00"]
    pages = [await client.get(f"/track/{token}") for token in dead]
    answers = [await client.get(f"/api/track/{token}") for token in dead]
    assert {page.status_code for page in (*pages, *answers)} == {404}
    assert len({page.text for page in pages}) == 1
    assert len({answer.text for answer in answers}) == 1
    assert "This link leads nowhere" in pages[0].text


async def test_every_address_below_a_link_leads_to_its_page(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    """A phone that opens its last page anew asks for a form's address; some add a slash."""
    address = f"/track/{token_of(await place_order(resources))}"
    for below in ("/", "/help", "/talk", "/preferences", "/rating", "/help/more"):
        answer = await client.get(f"{address}{below}?lang=th")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?lang=th")
    assert (await client.get(f"{address}/help")).headers["location"] == address


async def test_who_looks_whether_a_link_works_is_told_that_it_does(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    assert (await client.head(f"/track/{token_of(await place_order(resources))}")).is_success
    assert (await client.head(f"/track/{new_token()}")).status_code == 404


async def test_a_link_works_until_days_after_the_end(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET state = 'cancelled', ended_at = :at"),
            {"at": clock.now() - timedelta(days=6, hours=23)},
        )
    assert (await told(client, order))["headline"] == "This order was cancelled"


@pytest.mark.parametrize(("late", "leads"), [(timedelta(seconds=-30), True), (timedelta(), False)])
async def test_the_link_of_an_order_that_never_ends_is_over_a_month_after_the_promise(
    client: httpx.AsyncClient, resources: Resources, late: timedelta, leads: bool
) -> None:
    order = await place_order(resources)
    await promised(resources, timedelta(days=30) + late)
    assert (await client.get(f"/track/{token_of(order)}")).status_code == (200 if leads else 404)
    case = await case_of(client, resources, order)
    assert (case["tracking"] is not None) is leads


async def test_a_link_that_is_over_is_replaced_by_one_that_works_as_long_again(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    await promised(resources, timedelta(days=90))
    async with resources.database.unit_of_work() as session:
        url = await service.revoke_tracking(session, SYSTEM, order.id, "they ask for it again")
    path = httpx.URL(url).path
    assert (await client.get(path)).status_code == 200
    assert (await case_of(client, resources, order))["tracking"]["number"] == order.number
    await renewed(resources, timedelta(days=30))
    assert (await client.get(path)).status_code == 404


async def test_a_replaced_link_gives_way_to_a_new_one_and_is_audited(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    path = f"/api/v1/orders/{order.number}/tracking-link"
    viewer = await somebody(resources, "viewer", "TH-10")
    elsewhere = await somebody(resources, "fleet_manager", "VN")
    manager = await somebody(resources, "support_agent", "TH")
    body = {"reason": "shared in public"}
    assert (await client.post(path, json=body, headers=viewer)).status_code == 403
    assert (await client.post(path, json=body, headers=elsewhere)).status_code == 404
    made = await client.post(path, json=body, headers=manager)
    assert made.status_code == 201
    url = httpx.URL(made.json()["tracking_url"])
    assert url.path != httpx.URL(link_of(order)).path
    assert (await client.get(url.path)).status_code == 200
    assert (await client.get(httpx.URL(link_of(order)).path)).status_code == 404
    async with resources.database.unit_of_work() as session:
        [entry] = await list_audit(session, SYSTEM, AuditFilter(action="order.tracking_revoked"))
        history = await service.order_history(session, SYSTEM, order.id)
    assert entry.reason == "shared in public"
    assert history[-1].type == "order.link_replaced"
    assert token_of(order) not in str(entry.before) + str(entry.after) + str(history[-1].data)


async def test_a_marketplace_cannot_replace_the_link_of_anothers_order(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    stranger = Principal(
        "service", "service:other", "other", permissions=frozenset({"orders:write"}),
        regions=("*",),
    )  # fmt: skip
    async with resources.database.unit_of_work() as session:
        with pytest.raises(NoSuchOrder):
            await service.revoke_tracking(session, stranger, order.id, "mine now")
