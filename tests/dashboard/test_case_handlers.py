"""The handlers of search, an order's case and the outbox over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import GrantScope, Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageIn, MessageOut
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dashboard.conftest import Connect, Console, SignIn, seen, send, state_of
from tests.dispatch.orders import link_of, place_order

SEARCH = state_of("search")
ORDER = state_of("order")
CASE = state_of("case")
ACTS = state_of("case_acts")
OUTBOX = state_of("messages")
MESSAGE = state_of("message")
TEMPLATES = state_of("templates")
AGENT = ("support_agent", "TH-10")
WRITER = Principal("user", "user:w", "Nan P.", (GrantScope("support_agent", "TH-10"),))


@asynccontextmanager
async def at_the_case(connect: Connect, cookie: str, order: OrderOut) -> AsyncIterator[Console]:
    """A console that shows the case of an order."""
    async with connect(cookie) as console:
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        await seen(console, CASE, lambda now: now.get("ready"))
        yield console


async def act(console: Console, order: OrderOut, **form: Any) -> None:
    await send(console, f"{ACTS}.act", f"/orders/{order.number}", {"form": form})


async def begin(console: Console, order: OrderOut, kind: str) -> dict[str, Any]:
    await send(console, f"{ACTS}.begin", f"/orders/{order.number}", {"kind": kind})
    found: dict[str, Any] = await seen(console, ACTS, lambda now: now if now.get("open") else None)
    return found


async def messages_of(resources: Resources, order: OrderOut) -> list[MessageOut]:
    async with resources.database.unit_of_work() as session:
        return await notifications.messages_of_order(session, WRITER, order.id)


async def written(resources: Resources, order: OrderOut, text: str) -> MessageOut:
    async with resources.database.unit_of_work() as session:
        wanted = MessageIn(order_id=order.id, text=text)
        return await notifications.queue_message(session, WRITER, wanted)


async def test_search_says_why_and_tells_nobody_of_another_city(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    for grant, expected in ((AGENT, [order.number]), (("viewer", "VN-SG"), [])):
        async with connect(await sign_in(f"Finder of {grant[1]}", grant)) as console:
            await send(console, f"{SEARCH}.find", "/", {"text": order.number})
            now = await seen(console, SEARCH, lambda now: now if "found_for" in now else None)
            orders = [each for each in now.get("found", []) if each["group"] == "Orders"]
            assert [each["href"].removeprefix("/orders/") for each in orders] == expected
            assert all(each["why"] == "by its number" for each in orders)


async def test_a_case_sends_the_browser_nothing_plain(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    await written(resources, order, "Only its reader sees this")
    async with connect(await sign_in("Dao", AGENT)) as console:
        await send(console, f"{ORDER}.load", f"/orders/{order.number}")
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        sent = ""
        async with asyncio.timeout(30):
            while "customer_rx_state_" not in sent or "moments_rx_state_" not in sent:
                sent += str(await console.updates.get())
    for secret in ("+66812345678", "Srisuk", "Only its reader"):
        assert secret not in sent


async def test_an_action_clicked_twice_is_done_once(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    before = len(await messages_of(resources, order))
    async with at_the_case(connect, await sign_in("Dao", AGENT), order) as console:
        drawer = await begin(console, order, "message_customer")
        assert drawer["asks"]["text"]
        assert len(drawer["key"]) >= 8
        form = {"template": "own", "text": "It comes at noon", "reason": "they asked"}
        await act(console, order, **form)
        await act(console, order, **form)
        await console.notice_like("Message to the customer")
        await act(console, order, **form)
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        await seen(console, CASE, lambda now: now.get("messages"))
    assert len(await messages_of(resources, order)) == before + 1


async def test_an_action_without_a_reason_is_not_done(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    async with at_the_case(connect, await sign_in("Dao", AGENT), order) as console:
        await begin(console, order, "hold")
        await act(console, order, reason=" ")
        assert "Say why" in await seen(console, ACTS, lambda now: now.get("fault"))
        await act(console, order, reason="the street is flooded")
        await console.notice_like("Put on hold")


async def test_what_changed_meanwhile_is_not_acted_on(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    one, two = await sign_in("Dao", AGENT), await sign_in("Nok", AGENT)
    async with (
        at_the_case(connect, one, order) as first,
        at_the_case(connect, two, order) as second,
    ):
        await begin(first, order, "hold")
        await begin(second, order, "cancel")
        await act(first, order, reason="the street is flooded")
        await first.notice_like("Put on hold")
        await act(second, order, reason="asked by phone")
        fault = await seen(second, ACTS, lambda now: now.get("fault"))
        assert fault


async def test_who_may_only_look_is_offered_nothing(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    async with connect(await sign_in("Vi", ("viewer", "TH-10"))) as console:
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        now = await seen(console, CASE, lambda now: now if now.get("ready") else None)
        assert not now.get("may_act")
        assert {row["ok"] for row in now["actions"]} == {False}
        assert all(row["why"] for row in now["actions"])


@pytest.mark.parametrize(("role", "told"), [("viewer", False), ("support_agent", True)])
async def test_the_customers_link_reaches_the_browser_of_who_may_act_for_them(
    connect: Connect, sign_in: SignIn, resources: Resources, role: str, told: bool
) -> None:
    order = await place_order(resources)
    async with connect(await sign_in("Vi", (role, "TH-10"))) as console:
        await send(console, f"{ORDER}.load", f"/orders/{order.number}")
        shown = await seen(console, ORDER, lambda now: now.get("order"))
    path = urlsplit(shown["tracking_url"]).path
    assert path == (urlsplit(link_of(order)).path if told else "")


async def test_a_link_that_is_over_can_be_renewed_while_its_order_is_open(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    long_ago = {"at": clock.now() - timedelta(days=40)}
    ended = "UPDATE dispatch_order SET state = 'cancelled', ended_at = :at"
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE dispatch_order SET promised_at = :at"), long_ago)
    async with connect(await sign_in("Dao", AGENT)) as console:
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        now = await seen(console, CASE, lambda now: now if now.get("ready") else None)
        assert (now.get("customer"), now["renewable"]) == (None, True)
        async with resources.database.unit_of_work() as session:
            await session.execute(text(ended), long_ago)
        await send(console, f"{CASE}.load", f"/orders/{order.number}")
        await seen(console, CASE, lambda now: now.get("renewable") is False)


async def test_the_outbox_lists_a_message_and_stops_it_with_a_reason(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    message = await written(resources, order, "Wait for me")
    async with connect(await sign_in("Dao", AGENT)) as console:
        await send(console, f"{OUTBOX}.load", "/messages", query=f"order={order.number}")
        now = await seen(console, OUTBOX, lambda now: now if now.get("rows") else None)
        line = next(row for row in now["rows"] if row["id"] == str(message.id))
        assert (line["what"], line["order"]) == ("Words of one's own", order.number)
        assert now["csv_link"] == f"/api/v1/messages.csv?order={order.number}"
        await send(console, f"{MESSAGE}.look", "/messages", {"message_id": str(message.id)})
        await seen(console, MESSAGE, lambda now: now.get("open"))
        await send(console, f"{MESSAGE}.act", "/messages", {"form": {"reason": ""}})
        assert "Say why" in await seen(console, MESSAGE, lambda now: now.get("fault"))
        await send(console, f"{MESSAGE}.act", "/messages", {"form": {"reason": "not needed"}})
        await console.notice_like("stopped")
    stopped = next(each for each in await messages_of(resources, order) if each.id == message.id)
    assert stopped.state == "cancelled"


async def test_many_messages_are_changed_each_with_its_result(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    ids = [str((await written(resources, order, f"Note {n}")).id) for n in range(2)]
    async with connect(await sign_in("Dao", AGENT)) as console:
        await send(console, f"{OUTBOX}.load", "/messages", query=f"order={order.number}")
        await seen(console, OUTBOX, lambda now: now.get("rows"))
        retry = {"action": "retry", "message_ids": ids}
        await send(console, f"{OUTBOX}.act", "/messages", retry)
        outcome = await seen(console, OUTBOX, lambda now: now.get("outcome"))
        assert [row["word"] for row in outcome] == ["refused", "refused"]
        assert all(row["detail"] for row in outcome)


async def test_new_messages_are_counted_and_move_no_row_of_the_outbox(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    first = await written(resources, order, "The first")
    query = f"order={order.number}"
    async with connect(await sign_in("Dao", AGENT)) as console:
        await send(console, f"{OUTBOX}.load", "/messages", query=query)
        await seen(console, OUTBOX, lambda now: now.get("rows"))
        second = await written(resources, order, "The second")
        await send(console, f"{OUTBOX}.refresh", "/messages", query=query)
        now = await seen(console, OUTBOX, lambda now: now if now.get("newer") else None)
        assert now["newer"] == 1
        assert [row["id"] for row in now.get("rows", [])] in ([], [str(first.id)])
        await send(console, f"{OUTBOX}.load", "/messages", query=query)
        rows = await seen(console, OUTBOX, lambda now: now.get("rows"))
        assert [row["id"] for row in rows] == [str(second.id), str(first.id)]


async def test_a_template_is_shown_in_nine_languages(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with connect(await sign_in("Dao", AGENT)) as console:
        query = "tab=templates&template=delayed"
        await send(console, f"{TEMPLATES}.load", "/messages", query=query)
        previews = await seen(console, TEMPLATES, lambda now: now.get("previews"))
        assert len({each["text"] for each in previews}) == len(previews) == 9
