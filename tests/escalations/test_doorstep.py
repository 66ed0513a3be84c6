"""A customer with nothing but their link: asks for help, goes on, says how to be written to."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.dispatch.customer_rules import new_token
from backend.dispatch.customer_words import words_in
from backend.dispatch.rules import Action, OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import Channel, Kind, Preferences, PreferencesIn
from backend.platform import clock
from backend.platform.resources import Resources
from backend.support import service
from backend.support.customer_rules import choices
from backend.support.rules import State
from backend.support.schemas import EscalationFilter, EscalationRow, ReplyIn
from tests.dispatch.orders import advance, link_of, place_order
from tests.tracking.fleet import hire

AGENT = Principal("user", "user:ann", "Ann Agent", (GrantScope("support_agent", "TH-10"),))
WAY = (
    Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART, Action.ARRIVE,
    Action.DELIVER,
)  # fmt: skip
HELP = {"kind": "late", "text": "Where is it?"}


def path_of(order: OrderOut) -> str:
    return httpx.URL(link_of(order)).path


async def page_of(client: httpx.AsyncClient, order: OrderOut) -> str:
    answer = await client.get(path_of(order), params={"lang": "en"})
    assert answer.status_code == 200, answer.text
    return answer.text


async def ask(client: httpx.AsyncClient, order: OrderOut, **body: str) -> Any:
    answer = await client.post(f"/api{path_of(order)}/help", json={**HELP, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def escalations(resources: Resources, *states: State) -> list[EscalationRow]:
    async with resources.database.unit_of_work() as session:
        wanted = EscalationFilter(states=list(states or State))
        return (await service.list_escalations(session, AGENT, wanted)).items


async def answer(resources: Resources, words: str, then: State) -> None:
    [row] = await escalations(resources)
    wanted = ReplyIn.model_validate({"text": words, "then": then, "seen_version": row.version})
    async with resources.database.unit_of_work() as session:
        await service.reply(session, AGENT, row.id, wanted)


async def kept(resources: Resources, order: OrderOut) -> Preferences:
    async with resources.database.unit_of_work() as session:
        return await notifications.preferences_of_order(session, SYSTEM, order.id)


async def test_help_is_asked_for_and_answered_where_no_script_runs(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    page = await page_of(client, order)
    assert f'<form method="post" action="{path_of(order)}/help?lang=en">' in page
    [key] = set(re.findall(r'name="key" value="([^"]+)"', page))
    said = {**HELP, "text": "<b>Where</b> is it?", "key": key}
    sent = await client.post(f"{path_of(order)}/help?lang=en", data=said)
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{path_of(order)}?lang=en&done=help#help"
    page = await page_of(client, order)
    assert "&lt;b&gt;Where&lt;/b&gt; is it?" in page
    assert "We have your message and will answer here." in page
    [row] = await escalations(resources)
    assert (row.kind, row.order_number, row.origin) == ("late", order.number, "customer")

    await answer(resources, "{customer}, it is two streets away.", State.SOLVED)
    page = await page_of(client, order)
    assert "Malee, it is two streets away." in page
    assert "Write again if it is not." in page
    said = {"text": "It is not here.", "key": "k2"}
    assert (await client.post(f"{path_of(order)}/talk", data=said)).status_code == 303
    page = await page_of(client, order)
    assert page.index("two streets away") < page.index("It is not here.")
    [row] = await escalations(resources)
    assert (row.state, row.customer_waits) == ("open", True)


async def test_a_double_click_opens_one(client: httpx.AsyncClient, resources: Resources) -> None:
    order = await place_order(resources)
    path = f"{path_of(order)}/help"
    clicks = [client.post(path, data={**HELP, "key": "once"}) for _ in range(2)]
    clicks += [client.post(f"/api{path}", json=HELP | {"key": "once"}) for _ in range(2)]
    assert {each.status_code for each in await asyncio.gather(*clicks)} == {303, 201}
    assert len(await escalations(resources)) == 1
    said = (await client.get(f"/api{path}")).json()
    assert [item["text"] for item in said["items"]] == ["Where is it?"]


async def test_what_may_be_asked_follows_the_order(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    phone = await hire(resources)
    seen = {}
    for done in range(len(WAY) + 1):
        if done:
            await advance(resources, order.id, WAY[done - 1], driver=phone.id)
        help_ = (await client.get(f"/api{path_of(order)}/help")).json()
        page = await page_of(client, order)
        assert re.findall(r'name="kind" value="(\w+)"', page) == help_["choices"]
        seen[done] = set(help_["choices"])
    assert "otp" not in seen[0]
    assert {"otp", "driver"} <= seen[5]
    assert {"damaged", "refund"} <= seen[7]
    assert "late" not in seen[7]
    assert all("other" in each for each in seen.values())
    assert all(choices(state) for state in OrderState)


async def test_the_revision_changes_with_every_word(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    first = (await client.get(f"/api{path_of(order)}/help")).json()["revision"]
    asked = (await ask(client, order))["revision"]
    assert f'data-revision="{asked}"' in await page_of(client, order)
    await answer(resources, "Soon.", State.PENDING)
    answered = (await client.get(f"/api{path_of(order)}/help")).json()["revision"]
    assert len({first, asked, answered}) == 3


async def test_nobody_who_answers_is_named_and_nothing_personal_is_told(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    await ask(client, order)
    await answer(resources, "We look into it.", State.PENDING)
    [row] = await escalations(resources)
    page = await page_of(client, order)
    api = (await client.get(f"/api{path_of(order)}/help")).text
    wishes = (await client.get(f"/api{path_of(order)}/preferences")).text
    secrets = ("Ann", "Agent", "Srisuk", "812345678", "Sala Daeng", str(row.id), row.number)
    for secret in (*secrets, str(order.id)):
        assert secret not in page + api + wishes, secret


async def test_how_to_be_written_to_is_set_by_form_and_holds_for_the_page(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    path = path_of(order)
    said = {"language": "ta", "trouble": "on", "quiet": "on", "quiet_from": "20:30",
            "quiet_until": "07:15"}  # fmt: skip
    sent = await client.post(f"{path}/preferences?lang=en", data=said)
    assert sent.headers["location"] == f"{path}?done=preferences#preferences"
    found = await kept(resources, order)
    assert (found.language, found.language_chosen) == ("ta", True)
    assert set(found.muted) == {Kind.ORDER_RECEIVED, Kind.ON_ITS_WAY, Kind.DELIVERED}
    assert (f"{found.quiet.begins:%H:%M}", f"{found.quiet.ends:%H:%M}") == ("20:30", "07:15")
    page = (await client.get(sent.headers["location"], headers={"Accept-Language": "vi"})).text
    assert '<html lang="ta"' in page
    assert words_in("ta").say("preferences.saved") in page
    assert 'value="20:30"' in page
    again = await client.post(f"{path}/preferences", data={"language": "hi", "progress": "on",
        "quiet_from": "20:30", "quiet_until": "07:15"})  # fmt: skip
    assert again.status_code == 303
    found = await kept(resources, order)
    assert set(found.muted) == {Kind.DELAYED, Kind.FAILED, Kind.INCIDENT_NOTICE}
    assert found.quiet.begins == found.quiet.ends


async def test_preferences_that_the_page_does_not_show_stay(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    before = PreferencesIn(muted=[Kind.REFUNDED], channels=[Channel.SMS], email="malee@example.org")
    async with resources.database.unit_of_work() as session:
        await notifications.set_preferences_of_order(session, SYSTEM, order.id, before)
    path = f"/api{path_of(order)}/preferences"
    wishes = (await client.get(path)).json()
    assert (wishes["progress"], wishes["trouble"]) == (True, True)
    put = await client.put(path, json={**wishes, "progress": False})
    assert put.status_code == 200, put.text
    found = await kept(resources, order)
    assert Kind.REFUNDED in found.muted
    assert Kind.DELIVERED in found.muted
    assert found.channels == [Channel.SMS]
    assert found.email is not None
    assert not found.quiet_chosen


def doors(token: str) -> list[tuple[str, str, dict[str, Any]]]:
    wishes = {"language": "en", "progress": True, "trouble": True, "quiet": None}
    form = {"language": "en", "quiet_from": "21:00", "quiet_until": "08:00"}
    return [
        ("GET", f"/api/track/{token}/help", {}),
        ("POST", f"/api/track/{token}/help", {"json": HELP}),
        ("POST", f"/api/track/{token}/help/words", {"json": {"text": "Hello?"}}),
        ("GET", f"/api/track/{token}/preferences", {}),
        ("PUT", f"/api/track/{token}/preferences", {"json": wishes}),
        ("POST", f"/track/{token}/help", {"data": HELP}),
        ("POST", f"/track/{token}/talk", {"data": {"text": "Hello?"}}),
        ("POST", f"/track/{token}/preferences", {"data": form}),
        ("POST", f"/track/{token}/rating", {"data": {"stars": "5"}}),
    ]


async def test_links_guessed_over_or_taken_back_open_no_door_and_all_look_the_same(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    over, replaced = await place_order(resources), await place_order(resources)
    for order in (over, replaced):
        await ask(client, order)
    async with resources.database.unit_of_work() as session:
        await dispatch.revoke_tracking(session, SYSTEM, replaced.id, "sent to a stranger")
        await session.execute(
            text("UPDATE dispatch_order SET state = 'cancelled', ended_at = :at WHERE id = :id"),
            {"at": clock.now() - timedelta(days=7, seconds=1), "id": over.id},
        )
    dead = [new_token(), path_of(over)[7:], path_of(replaced)[7:], "short", "x" * 300]
    for number in range(len(doors(""))):
        # Whoever tries so many doors is held back long before.
        await resources.redis.delete("ratelimit:help:127.0.0.1", "ratelimit:rate:127.0.0.1")
        answers = []
        for token in dead:
            method, path, body = doors(token)[number]
            answers.append(await client.request(method, path, **body))
        assert {each.status_code for each in answers} == {404}, path
        assert len({each.text for each in answers}) == 1, path
    assert len(await escalations(resources)) == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"kind=late", b"text=", b"text=+++", b"kind=bribe&text=x", b"text=" + b"a" * 1001,
     b"text=%00", b"\xff", b"text=x&" + b"y=1&" * 60, b"a" * 70_000],
)  # fmt: skip
async def test_rubbish_in_a_form_is_told_on_a_page_and_opens_nothing(
    client: httpx.AsyncClient, resources: Resources, body: bytes
) -> None:
    order = await place_order(resources)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    sent = await client.post(f"{path_of(order)}/help?lang=en", content=body, headers=headers)
    assert sent.status_code == 422
    assert "Nothing was sent." in sent.text
    assert f'href="{path_of(order)}"' in sent.text
    assert await escalations(resources) == []


@pytest.mark.parametrize(
    "change",
    [{"language": "xx"}, {"quiet_from": "25:00"}, {"quiet_from": ""}, {"language": ""}],
)
async def test_preferences_that_cannot_be_read_change_nothing(
    client: httpx.AsyncClient, resources: Resources, change: dict[str, str]
) -> None:
    order = await place_order(resources)
    form = {"language": "ms", "quiet": "on", "quiet_from": "21:00", "quiet_until": "08:00"}
    sent = await client.post(f"{path_of(order)}/preferences", data=form | change)
    assert sent.status_code == 422
    assert not (await kept(resources, order)).language_chosen


@pytest.mark.usefixtures("no_refill")
async def test_a_flood_of_words_is_held_back_for_its_link_alone(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order, other = await place_order(resources), await place_order(resources)
    statuses = []
    for number in range(12):
        body = {"text": f"Hello {number}?"}
        sent = await client.post(f"/api{path_of(order)}/help/words", json=body)
        statuses.append(sent.status_code)
    heard = statuses.count(201)
    assert statuses == [201] * heard + [429] * (12 - heard)
    assert 4 <= heard < 12
    assert int(sent.headers["retry-after"]) >= 1
    page = await client.post(f"{path_of(order)}/talk?lang=en", data={"text": "Hello!"})
    assert page.status_code == 429
    assert "Try again soon" in page.text
    said = (await client.get(f"/api{path_of(order)}/help")).json()
    assert len(said["items"]) == heard
    await ask(client, other)
    assert len(await escalations(resources)) == 2
