"""People who answer customers, in a real browser: from the queue to a solved ticket."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SignIn
from tests.browser.dispatching import Desk, somebody
from tests.browser.looks import PHONE, all_readable, settled
from tests.browser.trouble import AWAY
from tests.support.system import System

AGENT, LEAD = "Meera Kulkarni", "Arjun Menon"
SLOW = 20_000


def _ask(desk: Desk, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {**desk.headers, "Idempotency-Key": uuid4().hex}
    answer = httpx.post(f"{desk.url}{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code < 300, answer.text
    return dict(answer.json())


def ticket(desk: Desk, subject: str, *, order: bool = True, **more: Any) -> dict[str, Any]:
    """A ticket of Bengaluru in a customer's words, on an order that no driver takes."""
    asked = {"kind": "late", "subject": subject, "text": f"{subject}. Where is it?", **more}
    if order:
        (made,) = desk.orders({"region": "IN-KA", "skills": ["nobody-has-this"]}, name=somebody())
        return _ask(desk, "/api/v1/escalations", {**asked, "order_number": made["number"]})
    return _ask(desk, "/api/v1/escalations", {**asked, "region": "IN-KA"})


def _now(desk: Desk, number: str) -> dict[str, Any]:
    answer = httpx.get(f"{desk.url}/api/v1/escalations/{number}", headers=desk.headers, timeout=30)
    return dict(answer.raise_for_status().json())


def _reply(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Reply to the customer")


def _talk(page: Page) -> Locator:
    return page.get_by_role("log", name="Conversation")


def test_a_payment_ticket_goes_from_the_search_to_solved(sign_in: SignIn, desk: Desk) -> None:
    word = uuid4().hex[:8]
    opened = ticket(desk, f"Charged twice {word}", kind="payment", priority="urgent")
    page = sign_in("support agent", "/support")
    settled(page)
    page.get_by_role("searchbox", name="Find a ticket").fill(word)
    page.keyboard.press("Enter")
    rows = page.get_by_role("region", name="Tickets").locator("tbody tr")
    expect(rows).to_have_count(1, timeout=SLOW)
    expect(rows.first).to_contain_text("Urgent")
    expect(rows.first).to_contain_text("answer")
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 700, "y": 890})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(word))).to_be_visible(timeout=SLOW)

    expect(page.get_by_role("region", name="Order", exact=True)).to_contain_text(
        opened["order_number"]
    )
    page.get_by_role("button", name="Take it").click()
    properties = page.get_by_role("region", name="Properties")
    expect(properties.get_by_label("Agent")).to_have_value(re.compile("user:"), timeout=SLOW)
    _reply(page).fill("Hello {customer}, the second charge for {number} was never taken.")
    page.get_by_role("button", name="Send and solve").click()
    expect(_talk(page)).to_contain_text(opened["order_number"], timeout=SLOW)
    expect(_reply(page)).to_have_value("")
    expect(properties.get_by_label("State")).to_have_value("solved")
    clocks = page.get_by_role("region", name="Clocks")
    expect(clocks.get_by_role("timer").first).to_have_text("met")
    assert _now(desk, opened["number"])["assignee_name"] == AGENT
    page.reload()
    expect(page.get_by_role("button", name="Open again")).to_be_visible(timeout=SLOW)


def test_an_order_is_found_from_the_queue(sign_in: SignIn, desk: Desk) -> None:
    number = ticket(desk, f"It never came {uuid4().hex[:6]}")["order_number"]
    page = sign_in("support agent", "/support")
    settled(page)
    page.get_by_role("combobox", name="Search everything").fill(number)
    found = page.get_by_role("listbox", name="Found").get_by_role("option")
    found.filter(has_text=re.compile("^Orders")).click(timeout=SLOW)
    expect(page).to_have_url(re.compile(f"/orders/{number}$"), timeout=SLOW)


def test_two_agents_see_each_other_and_neither_loses_a_draft(sign_in: SignIn, desk: Desk) -> None:
    number = ticket(desk, f"It stands still {uuid4().hex[:6]}")["number"]
    agent = sign_in("support agent", f"/support/{number}")
    lead = sign_in("support lead", f"/support/{number}")
    expect(agent.locator(".wp-here")).to_contain_text(f"{LEAD} is also here", timeout=SLOW)
    _reply(agent).press_sequentially("Your rider was held up")
    expect(lead.locator(".wp-here")).to_contain_text(f"{AGENT} is also here, typing", timeout=SLOW)

    _reply(lead).fill("It comes at six.")
    lead.get_by_role("button", name="Send", exact=True).click()
    expect(_talk(lead)).to_contain_text("It comes at six.", timeout=SLOW)
    told = agent.get_by_role("status").filter(has_text=f"{LEAD} wrote while you were writing")
    expect(told).to_be_visible(timeout=SLOW)
    expect(_talk(agent)).to_contain_text("It comes at six.")
    expect(_reply(agent)).to_have_value("Your rider was held up")
    send = agent.get_by_role("button", name="Send", exact=True)
    expect(send).to_be_disabled()
    agent.reload()
    expect(_reply(agent)).to_have_value("Your rider was held up", timeout=SLOW)
    agent.get_by_role("button", name="I have read it").click()
    send.click()
    expect(_talk(agent)).to_contain_text("Your rider was held up", timeout=SLOW)
    expect(_reply(agent)).to_have_value("")


def test_an_answer_to_older_words_than_shown_is_refused_with_who_was_quicker(
    sign_in: SignIn, desk: Desk
) -> None:
    opened = ticket(desk, f"No code came {uuid4().hex[:6]}", kind="otp")
    page = sign_in("support agent", f"/support/{opened['number']}")
    _reply(page).fill("A new code is on its way.")
    page.evaluate(AWAY)
    seen = {"text": "Use the code 4821.", "seen_version": opened["version"]}
    _ask(desk, f"/api/v1/escalations/{opened['id']}/reply", seen)
    page.get_by_role("button", name="Send", exact=True).click()
    writing = page.get_by_role("region", name="Write")
    expect(writing.get_by_role("alert")).not_to_be_empty(timeout=SLOW)
    expect(_reply(page)).to_have_value("A new code is on its way.")
    expect(_talk(page)).to_contain_text("Use the code 4821.", timeout=SLOW)


def test_a_draft_follows_to_another_machine(sign_in: SignIn, desk: Desk) -> None:
    number = ticket(desk, f"The box is wet {uuid4().hex[:6]}", kind="damaged")["number"]
    here = sign_in("support agent", f"/support/{number}")
    _reply(here).fill("I have asked the hub")
    # Left before it was sent to be kept; whoever comes back has it kept then.
    here.reload()
    expect(_reply(here)).to_have_value("I have asked the hub", timeout=SLOW)
    there = sign_in("support agent", f"/support/{number}")
    deadline = time.monotonic() + 30
    expect(_reply(there)).to_be_visible(timeout=SLOW)
    while not _reply(there).input_value() and time.monotonic() < deadline:
        there.reload()
        expect(_reply(there)).to_be_visible(timeout=SLOW)
    expect(_reply(there)).to_have_value("I have asked the hub")


def test_a_note_stays_with_colleagues_and_a_macro_fills_the_answer(
    sign_in: SignIn, desk: Desk
) -> None:
    name = f"Apology {uuid4().hex[:6]}"
    macro = {"name": name, "text": "Sorry for {number}. {agent}", "then": "solved"}
    kept = httpx.put(f"{desk.url}/api/v1/escalations/macros", json=macro, headers=desk.headers)
    assert kept.status_code == 200, kept.text
    opened = ticket(desk, f"Late again {uuid4().hex[:6]}")
    page = sign_in("support agent", f"/support/{opened['number']}")
    expect(_reply(page)).to_be_visible(timeout=SLOW)
    page.locator(".wp-talk").focus()
    page.keyboard.press("n")
    page.get_by_role("textbox", name="Note for colleagues").fill("Rider stands at Silk Board")
    page.keyboard.press("Control+Enter")
    note = _talk(page).locator("[data-kind=note]")
    expect(note).to_contain_text("Rider stands at Silk Board", timeout=SLOW)

    page.get_by_role("button", name="Reply to the customer").click()
    _reply(page).press_sequentially("/")
    page.get_by_role("combobox", name="Find a macro").fill(name)
    page.keyboard.press("Enter")
    filled = f"Sorry for {opened['order_number']}. {AGENT}"
    expect(_reply(page)).to_have_value(filled)
    page.keyboard.press("Control+Enter")
    expect(_talk(page)).to_contain_text(filled, timeout=SLOW)
    expect(page.get_by_label("State")).to_have_value("solved", timeout=SLOW)
    said = [each["text"] for each in _now(desk, opened["number"])["conversation"]]
    assert filled in said
    assert "Rider stands at Silk Board" not in said


def test_an_answer_that_is_too_long_is_not_sent_cut(sign_in: SignIn, desk: Desk) -> None:
    opened = ticket(desk, f"What now {uuid4().hex[:6]}")
    page = sign_in("support agent", f"/support/{opened['number']}")
    answer = "Please read to the end. " * 83 + "The end, dear customer."
    _reply(page).fill(answer)
    writing = page.get_by_role("region", name="Write")
    over = len(answer) - 2000
    expect(writing.get_by_role("alert")).to_have_text(
        f"{over} characters too many: a message holds 2,000.", timeout=SLOW
    )
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    expect(_reply(page)).to_have_value(answer)
    _reply(page).fill(answer[over:])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_talk(page)).to_contain_text("The end, dear customer.", timeout=SLOW)


def test_properties_change_at_once(sign_in: SignIn, desk: Desk) -> None:
    number = ticket(desk, f"Where {uuid4().hex[:6]}")["number"]
    page = sign_in("support agent", f"/support/{number}")
    properties = page.get_by_role("region", name="Properties")
    properties.get_by_label("Priority").select_option("urgent")
    story = page.get_by_role("region", name="Timeline")
    expect(properties.get_by_label("Priority")).to_have_value("urgent", timeout=SLOW)
    expect(story).to_contain_text(re.compile("urgent", re.IGNORECASE), timeout=SLOW)
    properties.get_by_label("State").select_option("pending customer")
    solution = page.get_by_role("region", name="Clocks").get_by_role("timer").last
    expect(solution).to_contain_text("paused", timeout=SLOW)


def test_many_are_changed_with_a_result_for_each(sign_in: SignIn, desk: Desk) -> None:
    word = uuid4().hex[:8]
    made = [ticket(desk, f"Bulk {word} {at}", order=False) for at in range(3)]
    page = sign_in("support lead", f"/support?q={word}")
    settled(page)
    rows = page.get_by_role("region", name="Tickets").locator("tbody tr")
    expect(rows).to_have_count(3, timeout=SLOW)
    page.evaluate(AWAY)
    stale = made[1]
    _ask(
        desk, f"/api/v1/escalations/{stale['id']}/priority",
        {"priority": "low", "seen_version": stale["version"]},
    )  # fmt: skip
    page.get_by_role("checkbox", name="Choose all rows of this page").check()
    page.keyboard.press("s")
    outcome = page.get_by_role("region", name="What became of each")
    expect(outcome).to_contain_text("2 of 3 are solved", timeout=SLOW)
    expect(outcome.locator(".wp-outcome").first).to_contain_text(stale["number"])
    expect(outcome.locator(".wp-outcome").first).to_contain_text("refused")
    expect(page.get_by_role("group", name="The chosen rows")).to_have_count(0)
    outcome.get_by_role("button", name="Done").click()

    page.get_by_role("checkbox", name=f"Choose {stale['number']}").check(timeout=SLOW)
    page.keyboard.press("m")
    drawer = page.get_by_role("dialog", name="Change 1 ticket")
    drawer.get_by_label("What to do").select_option("set_priority")
    drawer.locator("select[name=priority]").select_option("high")
    drawer.get_by_role("button", name="Change 1 ticket").click()
    expect(rows.filter(has_text=stale["number"])).to_contain_text("High", timeout=SLOW)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert stale["number"] in download.value.path().read_text()


def test_single_keys_can_be_turned_off(sign_in: SignIn) -> None:
    page = sign_in("support agent", "/support")
    settled(page)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    expect(keys).to_contain_text("Solve the chosen")
    keys.get_by_role("checkbox", name=re.compile("Single keys")).uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Control+k")
    page.keyboard.type("list keyboard")
    page.keyboard.press("Enter")
    keys.get_by_role("checkbox", name=re.compile("Single keys")).check()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_an_incidents_tickets_are_answered_together(sign_in: SignIn, desk: Desk) -> None:
    incident = _ask(
        desk,
        "/api/v1/incidents",
        {"title": f"Codes are lost {uuid4().hex[:6]}", "severity": "SEV2", "region": "IN-KA",
         "service": "platform"},
    )  # fmt: skip
    made = [ticket(desk, f"No code {at} {uuid4().hex[:6]}", kind="otp") for at in range(2)]
    for each in made:
        _ask(
            desk, f"/api/v1/escalations/{each['id']}/incident",
            {"incident": incident["number"], "seen_version": each["version"]},
        )  # fmt: skip
    page = sign_in("support lead", f"/incidents/{incident['number']}")
    part = page.get_by_role("region", name="Tickets")
    expect(part).to_contain_text("2 tickets", timeout=SLOW)
    part.get_by_label("What each customer reads").fill("Hello {customer}, codes arrive again.")
    part.get_by_role("button", name="Answer 2 tickets").click()
    outcome = page.get_by_role("region", name="What became of each")
    expect(outcome).to_contain_text("2 of 2 are answered", timeout=SLOW)
    expect(part).to_contain_text("0 unsolved, 2 solved", timeout=SLOW)
    for each in made:
        now = _now(desk, each["number"])
        assert now["state"] == "solved"
        assert "codes arrive again" in now["conversation"][-1]["text"]
    part.get_by_role("link", name="Show them").click()
    expect(page.get_by_role("region", name="Tickets").locator("tbody tr")).to_have_count(
        2, timeout=SLOW
    )


def test_a_lead_keeps_split_hours_holidays_and_targets(sign_in: SignIn, system: System) -> None:
    page = sign_in("support lead", "/support/settings")
    settled(page)
    page.get_by_role("button", name=re.compile("New hours|Change the hours of India")).first.click()
    drawer = page.get_by_role("dialog", name="Business hours")
    if drawer.get_by_label("Where").is_enabled():
        drawer.get_by_label("Where").select_option("IN-KA")
    drawer.get_by_role("button", name="Add a shift on Monday").click()
    drawer.get_by_label("Monday, shift 1 ends").fill("12:00")
    drawer.get_by_label("Monday, shift 2 begins").fill("14:00")
    drawer.get_by_label("Monday, shift 2 ends").fill("19:30")
    drawer.get_by_role("button", name="Tuesday as Monday").click()
    drawer.get_by_role("button", name="add a holiday").click()
    drawer.get_by_label(re.compile("Holiday .*, day")).last.fill("2027-01-26")
    drawer.get_by_label(re.compile("Holiday .*, name")).last.fill("Republic Day")
    drawer.get_by_role("button", name="Keep the calendar").click()
    expect(drawer).to_be_hidden(timeout=SLOW)
    card = page.get_by_role("region").filter(has_text="Republic Day").last
    expect(card).to_contain_text("09:00 to 12:00, 14:00 to 19:30", timeout=SLOW)

    page.goto(f"{system.url}/support/settings?tab=targets&region=IN-KA")
    settled(page)
    answer = page.get_by_label("Urgent, minutes to the first answer")
    answer.fill("7")
    page.get_by_role("button", name="Keep the targets").click()
    expect(page.get_by_text("kept for Bengaluru by Arjun Menon")).to_be_visible(timeout=SLOW)
    page.reload()
    expect(answer).to_have_value("7", timeout=SLOW)


def test_what_lies_in_another_region_is_not_there(sign_in: SignIn, desk: Desk) -> None:
    (order,) = desk.orders({"skills": ["nobody-has-this"]}, name=somebody())
    body = {"kind": "late", "subject": "Bangkok", "text": "Where?", "order_number": order["number"]}
    number = _ask(desk, "/api/v1/escalations", body)["number"]
    page = sign_in("support agent", f"/support/{number}")
    expect(page.get_by_text("This ticket cannot be shown")).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize(("theme", "size"), [("dark", None), ("light", PHONE)])
def test_no_page_of_support_has_a_violation_or_runs_over(
    sign_in: SignIn, desk: Desk, theme: str, size: dict[str, int] | None
) -> None:
    number = ticket(desk, "The app shows my parcel standing still since noon")["number"]
    page = sign_in("support lead", "/account", **({"viewport": size} if size else {}))
    tabs = ("", "?tab=targets", "?tab=macros", "?tab=people")
    settings = (f"/support/settings{tab}" for tab in tabs)
    all_readable(page, ("/support", f"/support/{number}", *settings), theme)
