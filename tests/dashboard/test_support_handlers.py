"""The handlers of the support desk's pages over a real socket, as agents' browsers call them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from backend.identity.schemas import GrantScope, Principal
from backend.platform.resources import Resources
from backend.support import service as support
from backend.support.rules import Priority
from backend.support.schemas import EscalationIn, EscalationRow
from tests.dashboard.conftest import SHELL, Connect, Console, SignIn, seen, send, state_of
from tests.dispatch.orders import place_order

QUEUE = state_of("support")
MANY = state_of("support_many")
PAGE = state_of("ticket")
ACTS = state_of("ticket_acts")
SETTINGS = state_of("support_settings")
MACROS = state_of("macros")
AGENT = ("support_agent", "TH-10")
LEAD = ("support_lead", "TH")
OTHER = Principal("user", "user:other", "Nan P.", (GrantScope("admin", "*"),))


async def _open(resources: Resources, subject: str) -> EscalationRow:
    """A ticket of Bangkok on a fresh order."""
    order = await place_order(resources)
    wanted = EscalationIn.model_validate(
        {"order_number": order.number, "kind": "late", "subject": subject, "text": "Where is it?"}
    )
    async with resources.database.unit_of_work() as session:
        return await support.open_escalation(session, OTHER, wanted)


async def _facts(console: Console, number: str) -> dict[str, Any]:
    """The page of a ticket, loaded."""
    await send(console, f"{PAGE}.load", f"/support/{number}")
    shown: dict[str, Any] = await seen(
        console, PAGE, lambda now: now if now.get("facts", {}).get("number") == number else None
    )
    return shown


async def test_an_answer_reaches_the_customer_and_stops_the_first_clock(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _open(resources, f"Where {uuid4().hex[:6]}")
    path = f"/support/{opened.number}"
    async with connect(await sign_in("Ann A", AGENT)) as console:
        shown = await _facts(console, opened.number)
        assert [each["kind"] for each in shown["talk"]] == ["customer"]
        assert "•" in shown["order"]["customer"]
        assert "+66812345678" not in str(shown)
        said = {"mode": "reply", "text": "Hello {customer}, soon.", "then": "pending customer",
                "seen": shown["version"], "key": "one"}  # fmt: skip
        await send(console, f"{ACTS}.send", path, said)
        assert await seen(console, ACTS, lambda now: now.get("sent"))
        await send(console, f"{PAGE}.refresh", path)
        now = await seen(console, PAGE, lambda now: now if "talk" in now else None)
        assert now["clocks"][0]["state"] == "met"
        assert now["clocks"][1]["state"] == "paused"
        assert now["facts"]["waiting"] == "customer"


async def test_who_answers_older_words_is_told_who_was_quicker(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _open(resources, f"No code {uuid4().hex[:6]}")
    path = f"/support/{opened.number}"
    async with connect(await sign_in("Ann B", AGENT)) as console:
        shown = await _facts(console, opened.number)
        async with resources.database.unit_of_work() as session:
            await support.set_priority(
                session, OTHER, opened.id, Priority.URGENT, seen_version=opened.version
            )
        said = {"mode": "reply", "text": "Soon.", "then": "", "seen": shown["version"], "key": "k"}
        await send(console, f"{ACTS}.send", path, said)
        fault = await seen(console, ACTS, lambda now: now.get("fault"))
        assert "Nan P." in fault


async def test_colleagues_see_each_other_and_a_draft_is_kept_for_its_writer_alone(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _open(resources, f"Wet box {uuid4().hex[:6]}")
    path = f"/support/{opened.number}"
    ann, ben = await sign_in("Ann C", AGENT), await sign_in("Ben C", AGENT)
    async with connect(ann) as first, connect(ben) as second:
        await _facts(first, opened.number)
        await _facts(second, opened.number)
        await send(first, f"{ACTS}.write", path)
        kept = {"ticket": str(opened.id), "text": "I have asked the hub", "seen": opened.version}
        await send(first, f"{ACTS}.keep", path, kept)
        await send(second, f"{PAGE}.refresh", path)
        words = await seen(second, PAGE, lambda now: now.get("here_words"))
        while "typing" not in words:
            await send(second, f"{PAGE}.refresh", path)
            words = await seen(second, PAGE, lambda now: now.get("here_words"))
        assert words == "Ann C is also here, typing"
    async with connect(ann) as again, connect(ben) as other:
        shown: dict[str, Any] = {}
        async with asyncio.timeout(30):
            # Nobody is told when it has been kept.
            while not shown.get("draft"):
                shown = await _facts(again, opened.number)
        assert shown["draft"] == "I have asked the hub"
        assert (await _facts(other, opened.number)).get("draft", "") == ""


async def test_many_are_changed_as_they_were_seen_each_with_its_result(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    word = uuid4().hex[:8]
    stale, fresh = await _open(resources, f"A {word}"), await _open(resources, f"B {word}")
    async with connect(await sign_in("Lek D", LEAD)) as console:
        await send(console, f"{QUEUE}.load", "/support", query=f"q={word}")
        rows = await seen(console, QUEUE, lambda now: now.get("rows"))
        assert {each["number"] for each in rows} == {stale.number, fresh.number}
        async with resources.database.unit_of_work() as session:
            await support.take(session, OTHER, stale.id, seen_version=stale.version)
        act = {"action": "take", "ticket_ids": [str(stale.id), str(fresh.id)]}
        await send(console, f"{MANY}.act", "/support", act, query=f"q={word}")
        outcome = await seen(console, MANY, lambda now: now.get("outcome"))
    told = {each["name"]: (each["word"], each["detail"]) for each in outcome}
    assert told[fresh.number][0] == "yours"
    assert told[stale.number][0] == "refused"
    assert "Nan P." in told[stale.number][1]


async def test_a_link_from_an_order_opens_the_form_with_that_order(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _open(resources, f"Again {uuid4().hex[:6]}")
    query = f"open=yes&order={opened.order_number}"
    async with connect(await sign_in("Ann H", AGENT)) as console:
        await send(console, f"{QUEUE}.load", "/support", query=query)
        shown = await seen(console, QUEUE, lambda now: now if "filters" in now else None)
        assert shown["filters"]["order"] == opened.order_number
        assert [each["number"] for each in shown["rows"]] == [opened.number]
        assert await seen(console, QUEUE, lambda now: now.get("opening"))
        await send(console, f"{QUEUE}.leave", "/support", query=query)
        assert await seen(console, QUEUE, lambda now: now.get("opening") is False)


async def test_what_lies_elsewhere_is_neither_listed_nor_shown(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    word = uuid4().hex[:8]
    opened = await _open(resources, f"Elsewhere {word}")
    async with connect(await sign_in("Ravi E", ("support_agent", "IN-KA"))) as console:
        await send(console, f"{QUEUE}.load", "/support", query=f"q={word}")
        assert await seen(console, QUEUE, lambda now: now.get("ready"))
        await send(console, f"{PAGE}.load", f"/support/{opened.number}")
        fault = await seen(console, PAGE, lambda now: now.get("fault"))
        assert "no such ticket" in fault.lower()


async def test_a_lead_keeps_hours_targets_and_macros(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await place_order(resources)
    shift, later = {"begins": "09:00", "ends": "12:00"}, {"begins": "14:00", "ends": "19:00"}
    kept = {
        "region": "TH-10", "zone": "Asia/Bangkok",
        "week": [[shift, later], [], [], [], [], [], []],
        "holidays": [{"on": "2030-12-05", "name": "Father's Day"}],
    }  # fmt: skip
    path, query = "/support/settings", "region=TH-10"
    async with connect(await sign_in("Lek F", LEAD)) as console:
        await send(console, f"{SETTINGS}.load", path, query=query)
        targets = await seen(console, SETTINGS, lambda now: now.get("targets"))
        await send(console, f"{SETTINGS}.save", path, {"kept": kept}, query=query)
        await console.notice_like("set anew")
        await send(console, f"{SETTINGS}.load", path, query=query)
        (row,) = await seen(console, SETTINGS, lambda now: now.get("calendars"))
        assert row["days"][0]["words"] == "09:00 to 12:00, 14:00 to 19:00"
        assert row["may_change"]

        form = {"close": "48", "late": "20", "round_robin": True}
        for each in targets:
            key = each["priority"]
            form |= {f"answer-{key}": "9", f"solve-{key}": "90", f"all-{key}": key == "urgent"}
        await send(console, f"{SETTINGS}.save_policy", path, {"form": form}, query=query)
        changed = await seen(
            console, SETTINGS, lambda now: now if now.get("policy", {}).get("close") == "48" else 0
        )
        assert [each["answer"] for each in changed["targets"]] == ["9"] * 4
        assert changed["policy"]["by"] == "Lek F"

        await send(console, f"{MACROS}.begin", path, {"macro_id": ""})
        name = f"Sorry {uuid4().hex[:6]}"
        form = {"name": name, "text": "Sorry for {number}.", "region": "TH", "then": "solved"}
        await send(console, f"{MACROS}.save", path, {"form": form})
        rows = await seen(console, MACROS, lambda now: now.get("rows"))
        assert name in [each["name"] for each in rows]
        await send(console, f"{MACROS}.begin", path, {"macro_id": ""})
        form = {**form, "text": "Sorry {nobody_knows}."}
        await send(console, f"{MACROS}.save", path, {"form": form})
        fault = await seen(console, MACROS, lambda now: now.get("form_fault"))
        assert "nobody_knows" in fault
    async with connect(await sign_in("Ira F", ("support_lead", "IN"))) as console:
        await send(console, f"{SHELL}.enter", path)
        await send(console, f"{SETTINGS}.load", path, query="region=IN")
        (row,) = await seen(console, SETTINGS, lambda now: now.get("calendars"))
        assert (row["place"], row["may_change"]) == ("Bangkok", False)


async def test_an_agent_says_whether_tickets_come_to_them(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with connect(await sign_in("Ann G", AGENT)) as console:
        await send(console, f"{QUEUE}.turn", "/support", {"available": True})
        await console.notice_like("come to you")
        opened = await _open(resources, f"In turn {uuid4().hex[:6]}")
        assert opened.assignee_name == "Ann G"
        await send(console, f"{QUEUE}.turn", "/support", {"available": False})
        await console.notice_like("No new ticket")
