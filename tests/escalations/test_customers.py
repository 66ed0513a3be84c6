"""Customers ask, hear and go on, on the page of their order alone."""

from __future__ import annotations

import asyncio

import pytest

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM
from backend.notifications import service as notifications
from backend.platform.errors import NotNow
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.support import service
from backend.support.customer_schemas import HelpIn
from backend.support.rules import Kind, State
from tests.dispatch.orders import place_order

from .world import AGENT, answer, by_link, do, happens, look, opened, queue, token_of


async def test_a_customer_asks_is_answered_and_goes_on(resources: Resources) -> None:
    order = await place_order(resources)
    token = token_of(order)
    before = await by_link(resources, service.conversation_of_customer, token)
    assert (before.items, before.asked, before.open) == ([], False, False)
    asked = await by_link(
        resources, service.open_by_customer, token, HelpIn(kind=Kind.ADDRESS, text="We moved.")
    )
    assert [(each.by, each.text) for each in asked.items] == [("you", "We moved.")]
    assert asked.open
    [row] = await queue(resources, AGENT)
    assert (row.kind, row.priority, row.origin) == ("address", "high", "customer")
    assert (row.order_number, row.customer_waits) == (order.number, True)
    row = await answer(resources, row, text="Where to, {customer}?", then=State.PENDING)
    heard = await by_link(resources, service.conversation_of_customer, token)
    assert [each.text for each in heard.items] == ["We moved.", "Where to, Malee?"]
    # An answer of the customer takes it out of waiting.
    await by_link(resources, service.customer_says, token, "To Silom.")
    [row] = await queue(resources, AGENT)
    assert (row.state, row.customer_waits) == ("open", True)
    assert row.sla.resolution == "running"
    detail = await look(resources, row.id)
    assert [each.ended_at is None for each in detail.pauses] == [False]


async def test_who_has_just_written_is_answered_even_at_night(resources: Resources) -> None:
    order = await place_order(resources)
    await by_link(resources, service.open_by_customer, token_of(order), HelpIn(text="We moved."))
    [row] = await queue(resources, AGENT)
    row = await answer(resources, row, text="Where to?")
    await answer(resources, row, text="We wait for you.")
    sent = await do(resources, notifications.messages_of_order, AGENT, order.id)
    answers = sorted(
        (each for each in sent if each.template == "support_reply"), key=lambda each: each.queued_at
    )
    assert [each.urgent for each in answers] == [True, False]


@pytest.mark.parametrize("state", [State.SOLVED, State.CLOSED])
async def test_what_was_over_opens_again_with_a_word_of_the_customer(
    resources: Resources, state: State
) -> None:
    order = await place_order(resources)
    row = await opened(resources, order=order)
    row = await do(resources, service.set_state, AGENT, row.id, state, seen_version=row.version)
    told = await by_link(resources, service.customer_says, token_of(order), "It is still wet.")
    assert told.open
    now = await look(resources, row.id)
    assert (now.state, now.reopened, now.customer_waits) == ("open", 1, True)
    assert [each.why for each in now.pauses] == ["solved"]


async def test_a_button_pressed_twice_asks_once(resources: Resources) -> None:
    order = await place_order(resources)
    token = token_of(order)
    help_ = HelpIn(kind=Kind.LATE, text="Where are you?", key="tap-1")
    await asyncio.gather(
        *(by_link(resources, service.open_by_customer, token, help_) for _ in range(4))
    )
    plain = HelpIn(kind=Kind.LATE, text="Hello?", key="tap-2")
    await by_link(resources, service.open_by_customer, token, plain)
    for _ in range(2):
        told = await by_link(resources, service.customer_says, token, "And the bill?", key="tap-3")
    assert [each.text for each in told.items] == ["Where are you?", "Hello?", "And the bill?"]
    [row] = await queue(resources, AGENT)
    # The same call once more after it was solved opens nothing again.
    row = await do(
        resources, service.set_state, AGENT, row.id, State.SOLVED, seen_version=row.version
    )
    await by_link(resources, service.open_by_customer, token, help_)
    assert (await look(resources, row.id)).state == "solved"


async def test_a_link_that_was_taken_back_opens_nothing(resources: Resources) -> None:
    order = await place_order(resources)
    token = token_of(order)
    async with resources.database.unit_of_work() as session:
        await dispatch.revoke_tracking(session, SYSTEM, order.id, "It was passed on.")
    for guessed in (token, "x" * 43, "short", "../" * 14 + "x"):
        with pytest.raises(dispatch.NoSuchLink):
            await by_link(resources, service.conversation_of_customer, guessed)
        with pytest.raises(dispatch.NoSuchLink):
            await by_link(resources, service.open_by_customer, guessed, HelpIn(text="x"))
        with pytest.raises(dispatch.NoSuchLink):
            await by_link(resources, service.customer_says, guessed, "x")
    assert await queue(resources) == []


async def test_customers_read_no_note_and_nobody_elses_words(resources: Resources) -> None:
    mine, theirs = await place_order(resources), await place_order(resources)
    row = await opened(resources, order=theirs, on_behalf="us", text="A difficult one.")
    await do(resources, service.add_note, AGENT, row.id, "Shouts.")
    await answer(resources, row, text="To the other.")
    told = await by_link(resources, service.conversation_of_customer, token_of(mine))
    assert told.items == []
    told = await by_link(resources, service.conversation_of_customer, token_of(theirs))
    assert [(each.by, each.text) for each in told.items] == [("us", "To the other.")]


async def test_a_customer_is_heard_where_two_opened_by_themselves_about_one_thing(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    token = token_of(order)
    facts = {"order_id": str(order.id), "number": order.number, "reason": "No money.", "code": "x"}
    await happens(resources, "payment.failed", uuid7(), order.region, **facts)
    [first] = await queue(resources)
    await answer(resources, first, text="Try another card.", then=State.SOLVED)
    await happens(resources, "payment.failed", uuid7(), order.region, **facts)
    [second] = await queue(resources)
    assert second.id != first.id
    told = await by_link(resources, service.customer_says, token, "It fails again.", key="w-1")
    assert [each.text for each in told.items] == ["Try another card.", "It fails again."]
    assert [row.id for row in await queue(resources, customer_waits=True)] == [second.id]
    # What was answered before is not opened beside it.
    first = await look(resources, first.id)
    with pytest.raises(NotNow, match=second.number):
        await do(
            resources, service.set_state, AGENT, first.id, State.OPEN, seen_version=first.version
        )
