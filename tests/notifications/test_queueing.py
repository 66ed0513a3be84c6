"""What is put into the outbox: for whom, in which language, when, and who may."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.rules import Action
from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import Denied, list_audit
from backend.notifications import service
from backend.notifications.message_schemas import MessageFilter, MessageIn
from backend.platform import clock
from backend.platform.errors import Conflict, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.dispatch.city import driver
from tests.dispatch.orders import advance, link_of, marketplace, place_order
from tests.notifications.outbox import (
    AGENT,
    AGENT_IN,
    VIEWER,
    about,
    body,
    get,
    messenger_of,
    prefer,
    queue,
    send,
)

BANGKOK = ZoneInfo("Asia/Bangkok")


def quiet(hours: float) -> dict[str, time]:
    """Quiet hours of Bangkok's clock that began so long ago and last as long again."""
    now = clock.now().astimezone(BANGKOK)
    span = timedelta(hours=hours)
    return {"begins": (now - span).time(), "ends": (now + span).time()}


async def test_a_customer_is_written_to_in_their_regions_language(resources: Resources) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id, template="delayed")
    assert (made.language, made.state, made.channel) == ("th", "queued", "whatsapp")
    assert (made.order, made.region, made.by) == (order.number, order.hub or "TH-10", "Arun Agent")
    words = await body(resources, made.id)
    assert "ล่าช้า" in words
    assert order.number in words
    assert link_of(order) in words


async def test_nobody_who_lists_messages_sees_a_number(resources: Resources) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id)
    assert made.recipient == "+6•••78"
    async with resources.database.unit_of_work() as session:
        row = (await session.execute(text("SELECT * FROM notifications_message"))).mappings().one()
    assert "66812345678" not in str(dict(row))
    assert "We are on it" not in str(dict(row))


async def test_the_same_key_queues_once_for_one_reader(resources: Resources) -> None:
    order, other = await place_order(resources), await place_order(resources)
    first = await queue(resources, order.id, dedup_key="hello")
    again = await queue(resources, order.id, dedup_key="hello", text="Something else")
    elsewhere = await queue(resources, other.id, dedup_key="hello")
    to_sender = await queue(resources, order.id, dedup_key="hello", to="sender")
    assert first.id == again.id
    assert len({first.id, elsewhere.id, to_sender.id}) == 3
    assert await body(resources, first.id) == "We are on it."


async def test_what_the_reader_chose_holds_for_all_their_orders(resources: Resources) -> None:
    order, next_order = await place_order(resources), await place_order(resources)
    await prefer(resources, order.id, language="en", channels=["sms"], muted=["delayed"])
    made = await queue(resources, next_order.id, template="delivered")
    assert (made.language, made.channel) == ("en", "sms")
    muted = await queue(resources, next_order.id, template="delayed")
    assert (muted.state, muted.why) == ("suppressed", "Its reader does without such messages.")
    async with resources.database.unit_of_work() as session:
        seen = await service.preferences_of_order(session, AGENT, next_order.id)
    assert (seen.language, seen.language_chosen, seen.muted) == ("en", True, ["delayed"])


async def test_a_customer_of_two_marketplaces_mutes_one(resources: Resources) -> None:
    shop, _ = await marketplace(resources, "shop")
    market, _ = await marketplace(resources, "market")
    order, other = await place_order(resources, shop), await place_order(resources, market)
    await prefer(resources, order.id, language="en", muted=["delayed"])
    muted = await queue(resources, order.id, template="delayed")
    told = await queue(resources, other.id, template="delayed")
    assert [(each.state, each.language) for each in (muted, told)] == [
        ("suppressed", "en"),
        ("queued", "th"),
    ]
    await prefer(resources, other.id, language="ta")
    again = await place_order(resources, shop)
    assert (await queue(resources, again.id, template="delivered")).language == "en"


async def test_what_was_wished_of_all_marketplaces_holds_until_one_is_told_otherwise(
    resources: Resources,
) -> None:
    shop, _ = await marketplace(resources, "shop")
    market, _ = await marketplace(resources, "market")
    order, other = await place_order(resources, shop), await place_order(resources, market)
    await prefer(resources, order.id, email="malee@example.com", muted=["delayed"], language="en")
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE notifications_preference SET merchant = ''"))
    assert (await queue(resources, other.id, template="delayed")).state == "suppressed"
    await prefer(resources, other.id, language="ta")
    heard = await queue(resources, other.id, template="delayed")
    assert (heard.state, heard.language) == ("queued", "ta")
    # Their mail address was not asked for again, and what the other one knows stays.
    async with resources.database.unit_of_work() as session:
        kept = await service.preferences_of_order(session, AGENT, other.id)
        before = await service.preferences_of_order(session, AGENT, order.id)
    assert (kept.email, kept.muted) == (before.email, [])
    assert (before.language, before.muted, before.email is not None) == ("en", ["delayed"], True)


async def test_codes_and_answers_cannot_be_done_without(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(Invalid) as refused:
        await prefer(resources, order.id, muted=["otp"])
    assert refused.value.errors[0].pointer == "/muted"


async def test_another_persons_wishes_are_not_theirs(resources: Resources) -> None:
    order = await place_order(resources)
    drop = {"name": "Niran", "phone": "+66899999999", "address": "5 Silom Road"}
    other = await place_order(resources, drop={**drop, "lat": 13.73, "lon": 100.54})
    await prefer(resources, order.id, language="en")
    assert (await queue(resources, other.id, template="delivered")).language == "th"


async def test_quiet_hours_hold_what_is_not_urgent(resources: Resources) -> None:
    order = await place_order(resources)
    await prefer(resources, order.id, quiet=quiet(2))
    held = await queue(resources, order.id, urgent=False)
    assert held.state == "waiting"
    assert held.why == "It waits until quiet hours are over."
    assert timedelta(hours=1.9) < held.send_after - clock.now() < timedelta(hours=2.1)
    async with messenger_of(resources) as messenger:
        assert await messenger.turn() == 0
    code = {"code": "123456", "minutes": "10"}
    passing = await queue(resources, order.id, template="otp", urgent=False, params=code)
    assert passing.state == "queued"


async def test_what_would_come_too_late_after_quiet_hours_is_not_sent(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    await prefer(resources, order.id, quiet=quiet(4))
    late = await queue(resources, order.id, template="on_its_way", urgent=False)
    assert (late.state, late.why) == ("suppressed", "It would come too late to be of use.")


async def test_a_mail_goes_to_the_address_that_the_customer_gave(resources: Resources) -> None:
    order = await place_order(resources)
    nowhere = await queue(resources, order.id, channel="email")
    assert (nowhere.state, nowhere.why) == (
        "suppressed",
        "Its reader cannot be reached by e-mail.",
    )
    await prefer(resources, order.id, email="malee@example.com")
    assert (await queue(resources, order.id, channel="email")).state == "queued"
    await prefer(resources, order.id, language="th")
    assert (await queue(resources, order.id, channel="email")).state == "queued"
    await prefer(resources, order.id, email="")
    assert (await queue(resources, order.id, channel="email")).state == "suppressed"


async def test_a_driver_is_written_to_with_an_order_and_without(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(Invalid):
        await queue(resources, order.id, to="driver")
    who = await driver(resources, phone="+66811112222")
    await advance(resources, order.id, Action.ASSIGN, driver=who)
    made = await queue(resources, order.id, to="driver", text="Call the shop first.")
    assert (made.driver_id, made.order, made.recipient) == (who, order.number, "+6•••22")
    async with resources.database.unit_of_work() as session:
        wanted = MessageIn(driver_id=who, to="driver", text="The hub closes at six.", urgent=True)
        alone = await service.queue_message(session, AGENT, wanted)
    assert (alone.driver_id, alone.order, alone.state) == (who, None, "queued")


async def test_a_newer_message_overtakes_what_it_makes_untrue(resources: Resources) -> None:
    order = await place_order(resources)
    await prefer(resources, order.id, quiet=quiet(1))
    await queue(resources, order.id, template="on_its_way", urgent=False)
    await queue(resources, order.id, text="Hello", urgent=False)
    await queue(resources, order.id, template="delivered")
    states = {each.template: each.state for each in await about(resources, order.id)}
    assert states == {"on_its_way": "cancelled", "note": "waiting", "delivered": "queued"}


@pytest.mark.parametrize(
    "wanted",
    [
        {"text": "Hello"},
        {"order_id": uuid7(), "text": "Hello", "template": "delayed"},
        {"order_id": uuid7()},
        {"order_id": uuid7(), "text": "  "},
        {"order_id": uuid7(), "template": "note"},
        {"driver_id": uuid7(), "text": "Hello"},
    ],
    ids=range(6),
)
def test_a_message_says_one_thing_to_somebody(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MessageIn(**wanted)


async def test_a_template_takes_nothing_that_it_has_no_place_for(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(Invalid) as refused:
        await queue(resources, order.id, template="delayed", params={"colour": "red"})
    assert refused.value.errors[0].pointer == "/params/colour"
    with pytest.raises(Invalid):
        await queue(resources, order.id, template="support_reply")


async def test_an_agent_of_another_country_finds_nothing(resources: Resources) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id)
    async with resources.database.unit_of_work() as session:
        page = await service.list_messages(session, AGENT_IN)
        assert page.items == []
        assert (await service.count_messages(session, AGENT_IN)).by_state == {}
        with pytest.raises(NotFound):
            await service.get_message(session, AGENT_IN, made.id)
        with pytest.raises(NotFound):
            await service.message_body(session, AGENT_IN, made.id)
        with pytest.raises(NotFound):
            await service.cancel_message(session, AGENT_IN, made.id, "not mine")
        with pytest.raises(NoSuchOrder):
            await service.messages_of_order(session, AGENT_IN, order.id)
        with pytest.raises(Denied):
            await service.list_messages(session, VIEWER)
    with pytest.raises(NoSuchOrder):
        await queue(resources, order.id, AGENT_IN)
    with pytest.raises(Denied):
        await queue(resources, order.id, VIEWER)


async def test_the_outbox_is_filtered_and_paged(resources: Resources) -> None:
    order, other = await place_order(resources), await place_order(resources)
    mine = [await queue(resources, order.id) for _ in range(3)]
    await queue(resources, other.id, template="delayed")
    async with resources.database.unit_of_work() as session:
        one = MessageFilter(order=order.number.lower())
        first = await service.list_messages(session, AGENT, one, limit=2)
        rest = await service.list_messages(session, AGENT, one, first.next_cursor, limit=2)
        assert [each.id for each in [*first.items, *rest.items]] == [m.id for m in mine[::-1]]
        assert rest.next_cursor is None
        for wanted, count in (
            (MessageFilter(template="delayed"), 1),
            (MessageFilter(states=("queued",), region="TH-10"), 4),
            (MessageFilter(channel="email"), 0),
            (MessageFilter(region="IN"), 0),
            (MessageFilter(since=mine[1].queued_at), 3),
            (MessageFilter(order="WP-0000000000"), 0),
        ):
            found = await service.list_messages(session, AGENT, wanted)
            assert len(found.items) == count, wanted
            counts = await service.count_messages(session, AGENT, wanted)
            assert sum(counts.by_state.values()) == count


async def test_stopping_twice_is_stopping_once(resources: Resources) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id, reason="They asked by phone.")
    async with resources.database.unit_of_work() as session:
        await service.cancel_message(session, AGENT, made.id, "written in error")
    async with resources.database.unit_of_work() as session:
        stopped = await service.cancel_message(session, AGENT, made.id, "again")
    assert (stopped.state, stopped.why) == ("cancelled", "Arun Agent: written in error")
    async with messenger_of(resources) as messenger:
        await send(messenger)
    assert (await get(resources, made.id)).attempts == 0
    async with resources.database.unit_of_work() as session:
        told = await list_audit(session, SYSTEM, AuditFilter(object=f"message:{made.id}"))
    assert [each.action for each in told] == ["message.cancelled", "message.queued"]


async def test_what_has_arrived_is_neither_stopped_nor_sent_again(resources: Resources) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id)
    async with messenger_of(resources) as messenger:
        await send(messenger)
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Conflict):
            await service.cancel_message(session, AGENT, made.id, "too late")
        with pytest.raises(Conflict):
            await service.retry_message(session, AGENT, made.id, "once more")


async def test_outside_the_demo_codes_are_hidden_and_each_look_is_recorded(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await place_order(resources)
    code = await queue(resources, order.id, template="arrived", params={"code": "482913"})
    assert "482913" in await body(resources, code.id)
    monkeypatch.setattr(resources.settings, "env", "development")
    async with resources.database.unit_of_work() as session:
        shown = await service.message_body(session, AGENT, code.id)
    assert "482913" not in shown.text
    assert "••••••" in shown.text
    assert order.number in shown.text
    async with resources.database.unit_of_work() as session:
        told = await list_audit(session, SYSTEM, AuditFilter(object=f"message:{code.id}"))
    assert told[0].action == "message.body_read"
