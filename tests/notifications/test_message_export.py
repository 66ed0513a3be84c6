"""The outbox as a file: whoever takes it gets their regions' rows alone, and it is recorded."""

from __future__ import annotations

import csv
import io

import httpx

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, AuditFilter
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.notifications.outbox import messenger_of, queue, send
from tests.tracking.fleet import somebody

PATH = "/api/v1/messages.csv"


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert 'filename="waypost-messages.csv"' in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_the_messages_that_match_are_taken_along_newest_first(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order, other = await place_order(resources), await place_order(resources)
    first = await queue(resources, order.id, template="delayed", channel="sms")
    second = await queue(resources, order.id, text="Only its reader sees this")
    await queue(resources, other.id)
    agent = await somebody(resources, "support_agent", "TH")
    found = rows_of(await client.get(f"{PATH}?order={order.number}", headers=agent))
    assert [row["id"] for row in found] == [str(second.id), str(first.id)]
    assert {row["order"] for row in found} == {order.number}
    [sms] = rows_of(await client.get(f"{PATH}?channel=sms", headers=agent))
    assert (sms["template"], sms["state"], sms["to"]) == ("delayed", "queued", "customer")
    async with messenger_of(resources) as messenger:
        await send(messenger)
    sent = await client.get(f"{PATH}?state=delivered&state=given_up", headers=agent)
    assert len(rows_of(sent)) == 3
    assert rows_of(await client.get(f"{PATH}?state=queued", headers=agent)) == []


async def test_a_file_tells_neither_the_number_nor_the_words(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id, text="Only its reader sees this")
    answer = await client.get(PATH, headers=await somebody(resources, "support_agent", "TH"))
    [row] = rows_of(answer)
    assert row["recipient"].lstrip("'") == made.recipient
    assert "812345678" not in answer.text
    assert "Only its reader" not in answer.text


async def test_who_may_not_see_the_outbox_takes_nothing_of_it_and_each_taking_is_recorded(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await queue(resources, (await place_order(resources)).id)
    elsewhere = await somebody(resources, "support_agent", "IN")
    assert rows_of(await client.get(f"{PATH}?channel=whatsapp", headers=elsewhere)) == []
    assert rows_of(await client.get(f"{PATH}?region=TH-10", headers=elsewhere)) == []
    assert (await client.get(PATH)).status_code == 401
    viewer = await somebody(resources, "viewer", "TH")
    assert (await client.get(PATH, headers=viewer)).status_code == 403
    async with resources.database.unit_of_work() as session:
        told = await identity.list_audit(session, SYSTEM, AuditFilter(action="messages.exported"))
    assert [row.after for row in told] == [
        {"rows": 0, "region": "TH-10"},
        {"rows": 0, "channel": "whatsapp"},
    ]
