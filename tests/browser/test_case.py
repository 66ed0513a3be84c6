"""Support in a real browser: from a search to an order's case, to an action, to what was sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, all_readable, settled
from tests.support.system import System

PAGES = ("/messages", "/messages?tab=templates", "/messages?tab=phone")
LANGUAGES = 9


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    """The API as an admin."""
    token = system.waypost("token", "--role", "admin").stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=system.url, headers=headers, timeout=30) as client:
        yield client


def ordered(api: httpx.Client, **more: Any) -> dict[str, Any]:
    """An order of Bengaluru that nobody can carry, so that it stays where a test leaves it."""
    wanted = {
        "reference": f"CASE-{uuid4().hex[:8]}",
        "region": "IN-KA",
        "pickup": {
            "name": "Brigade Books", "phone": "+918022223333",
            "address": "4 Brigade Road, Bengaluru", "lat": 12.9738, "lon": 77.6074,
        },
        "drop": {
            "name": f"Lakshmi {a_surname()}", "phone": a_phone(),
            "address": "27 Indiranagar 100 Feet Road, Bengaluru", "lat": 12.9719, "lon": 77.6412,
        },
        "parcels": [{"barcode": f"PC{uuid4().hex[:8]}", "weight_g": 700}],
        "payment": {"terms": "cod", "amount": {"minor": 64_000, "currency": "INR"}},
        "promised_at": (datetime.now(UTC) + timedelta(hours=4)).isoformat(),
        "skills": ["nobody-has-this"],
        **more,
    }  # fmt: skip
    answer = api.post("/api/v1/orders", json=wanted, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return {**found, "phone": wanted["drop"]["phone"], "name": wanted["drop"]["name"]}


def a_phone() -> str:
    """A mobile number of India that no other order of the demo has."""
    return f"+9198{secrets.randbelow(10**8):08d}"


def a_surname() -> str:
    """A name that nobody else of the demo has."""
    return "".join(secrets.choice("abdeghiklmnoprstuv") for _ in range(9)).title()


def searched(page: Page, words: str) -> Locator:
    """What the palette finds for these words."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search orders").fill(words)
    return page.locator("#wp-options").get_by_role("option")


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_an_agent_goes_from_a_phone_to_a_failed_payment_and_writes_to_the_customer_once(
    sign_in: SignIn, api: httpx.Client
) -> None:
    declined = {
        "terms": "prepaid", "amount": {"minor": 64_000, "currency": "INR"},
        "method": "sandbox:decline=card_declined", "gateway": "sandbox",
    }  # fmt: skip
    order = ordered(api, payment=declined)
    page = sign_in("support agent", "/account")
    settled(page)
    found = searched(page, order["phone"][-7:]).filter(has_text=order["number"])
    expect(found).to_contain_text("by the phone's last digits", timeout=20_000)
    expect(found).not_to_contain_text(order["phone"])
    found.click()
    expect(page).to_have_url(re.compile(f"/orders/{order['number']}$"))

    expect(panel(page, "What the customer sees")).to_contain_text(
        "We have your order", timeout=30_000
    )
    parts = page.get_by_role("navigation", name="Parts of the timeline")
    parts.get_by_role("link", name="Payment").click(timeout=60_000)
    expect(page).to_have_url(re.compile("show=payment"))
    expect(panel(page, "Timeline")).to_contain_text(
        re.compile("declined|failed|refused", re.IGNORECASE)
    )

    act = panel(page, "Act")
    expect(act.get_by_role("group", name=re.compile("^Release from hold: not now"))).to_be_visible()
    expect(act.get_by_role("button", name="Release from hold")).to_have_count(0)
    act.get_by_role("button", name="Write to the customer").click()
    drawer = page.get_by_role("dialog", name="Write to the customer")
    send = drawer.get_by_role("button", name="Write to the customer")
    drawer.get_by_label("Text", exact=True).fill("Your card was declined, please pay in the app.")
    send.click()
    expect(drawer.get_by_role("alert")).to_contain_text("Say why")
    drawer.get_by_label("Why").fill("the card was declined")
    send.dblclick()
    expect(drawer).to_be_hidden(timeout=20_000)
    notes = panel(page, "Messages").get_by_role("button").filter(has_text="Words of one's own")
    expect(notes).to_have_count(1, timeout=20_000)
    page.reload()
    expect(notes).to_have_count(1, timeout=30_000)

    notes.click()
    message = page.get_by_role("dialog", name=re.compile("customer"))
    message.get_by_role("button", name="Reveal the words of the message").click()
    expect(message).to_contain_text("please pay in the app", timeout=15_000)


def test_an_order_is_found_by_every_name_it_goes_by(sign_in: SignIn, api: httpx.Client) -> None:
    order = ordered(api)
    barcode = order["parcels"][0]["barcode"]
    page = sign_in("support agent", "/account")
    settled(page)
    number = order["number"]
    mistyped = number.removeprefix("WP-")
    turned = " ".join(reversed(order["name"].split()))
    for words in (number, mistyped, order["reference"], barcode, turned):
        found = searched(page, words).filter(has_text=number)
        expect(found.first).to_be_visible(timeout=20_000)
        page.keyboard.press("Escape")


def test_who_works_in_another_region_finds_nothing(sign_in: SignIn, api: httpx.Client) -> None:
    order = ordered(api)
    page = sign_in("viewer", "/account")
    settled(page)
    found = searched(page, order["phone"][-7:])
    expect(page.get_by_text("Nothing matches in your regions")).to_be_visible(timeout=20_000)
    expect(found).to_have_count(0)


def test_an_order_is_held_by_an_agent_with_a_reason_that_others_read(
    sign_in: SignIn, api: httpx.Client
) -> None:
    order = ordered(api)
    page = sign_in("support agent", f"/orders/{order['number']}")
    act = panel(page, "Act")
    act.get_by_role("button", name="Put on hold").click(timeout=30_000)
    drawer = page.get_by_role("dialog", name="Put on hold")
    drawer.get_by_label("Why").fill("the customer is away until noon")
    drawer.get_by_role("button", name="Put on hold").click()
    expect(panel(page, "Timeline")).to_contain_text(
        "the customer is away until noon", timeout=20_000
    )
    expect(act.get_by_role("group", name=re.compile("^Put on hold: not now"))).to_be_visible(
        timeout=20_000
    )
    expect(panel(page, "What the customer sees")).to_contain_text(
        "Your parcel is waiting", timeout=20_000
    )


def test_looks_at_personal_details_are_counted_before_the_agents_eyes(
    sign_in: SignIn, api: httpx.Client
) -> None:
    order = ordered(api)
    page = sign_in("support agent", f"/orders/{order['number']}")
    drop = panel(page, "Drop")
    drop.get_by_role("button", name="Reveal the phone at the drop").click(timeout=30_000)
    expect(drop.get_by_role("link", name=order["phone"])).to_be_visible(timeout=15_000)
    counted = page.get_by_text(re.compile(r"^\d+ of \d+ looks at personal details"))
    expect(counted).to_be_visible(timeout=15_000)


def test_the_outbox_leads_to_the_words_that_the_customers_phone_shows(
    sign_in: SignIn, system: System, api: httpx.Client
) -> None:
    order = ordered(api)
    words = f"Your parcel is at the counter, shelf {uuid4().hex[:6]}"
    wanted = {"order_id": order["id"], "to": "customer", "text": words, "urgent": True}
    queued = api.post("/api/v1/messages", json=wanted, headers={"Idempotency-Key": uuid4().hex})
    assert queued.status_code == 201, queued.text
    page = sign_in("support agent", f"/messages?order={order['number']}&template=note")
    row = page.get_by_role("row", name=re.compile(order["number"]))
    expect(row).to_contain_text("delivered", timeout=60_000)
    expect(row).not_to_contain_text(order["phone"])
    row.get_by_role("button", name="Words of one's own").click()
    drawer = page.get_by_role("dialog", name=re.compile("Words of one's own"))
    drawer.get_by_role("button", name="Reveal the words of the message").click()
    expect(drawer.locator(".wp-bubble")).to_contain_text(words, timeout=15_000)
    page.goto(f"{system.url}/messages?tab=phone&order={order['number']}")
    screen = page.get_by_role("group", name="What the customer received")
    expect(screen.get_by_role("listitem").filter(has_text=words)).to_be_visible(timeout=30_000)


def test_a_template_reads_in_every_language(sign_in: SignIn) -> None:
    page = sign_in("support agent", "/messages?tab=templates")
    shown = panel(page, "In every language")
    expect(shown.get_by_role("article")).to_have_count(LANGUAGES, timeout=30_000)
    page.get_by_role("navigation", name="Templates").get_by_role(
        "link", name=re.compile("^Delayed")
    ).click()
    expect(page).to_have_url(re.compile("template=delayed"))
    expect(shown.get_by_role("heading", name="Delayed")).to_be_visible(timeout=15_000)
    texts = {each.inner_text() for each in shown.locator(".wp-bubble").all()}
    assert len(texts) == LANGUAGES


@pytest.mark.parametrize("size", [None, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_of_messages_has_an_accessibility_violation_or_runs_over(
    sign_in: SignIn, theme: str, size: dict[str, int] | None
) -> None:
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    all_readable(page, PAGES, theme)
