"""Help, languages and preferences on the customer's page, on a phone and where no script runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import PHONE, readable
from tests.browser.test_tracking_page import (
    Courier,
    api,
    courier,
    order_for,
    page,
)

__all__ = ["api", "courier", "page"]

SLOW_MS = 30_000
"""A demo that begins is busy with its first orders."""


@pytest.fixture
def order(api: httpx.Client, courier: Courier) -> dict[str, Any]:
    """An order on its way to collection."""
    return order_for(api, courier)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A dark phone that runs no scripts, in a language the page does not speak."""
    context = browser.new_context(
        viewport=PHONE, java_script_enabled=False, color_scheme="dark", locale="de-DE"
    )
    yield context.new_page()
    context.close()


def escalation_of(api: httpx.Client, order: dict[str, Any]) -> dict[str, Any]:
    """The one escalation of an order."""
    found = api.get("/api/v1/escalations", params={"order_number": order["number"]})
    assert found.status_code == 200, found.text
    [row] = found.json()["items"]
    return dict(row)


def answer(api: httpx.Client, order: dict[str, Any], words: str, then: str) -> None:
    row = escalation_of(api, order)
    body = {"text": words, "then": then, "seen_version": row["version"]}
    sent = api.post(f"/api/v1/escalations/{row['id']}/reply", json=body)
    assert sent.status_code < 300, sent.text


def wait_for_words(page: Page, count: int) -> None:
    """Let the page look again and again, until it shows so many words of the conversation."""
    words = page.locator(".talk li")
    for _ in range(20):
        page.clock.fast_forward(31_000)
        with suppress(AssertionError):
            expect(words).to_have_count(count, timeout=2000)
            return
    expect(words).to_have_count(count)


def test_a_customer_asks_for_help_and_talks_with_support(
    api: httpx.Client, order: dict[str, Any], page: Page
) -> None:
    page.clock.install()
    page.goto(f"{order['tracking_url']}?lang=en")
    page.get_by_text("Need help?").click()
    readable(page)
    page.get_by_text("The address or the time").click()
    page.get_by_label("What happened?").fill("The gate is at the back.")
    page.get_by_role("button", name="Send to support").dblclick()
    talk = page.locator(".talk li")
    expect(talk).to_have_count(1, timeout=SLOW_MS)
    expect(talk).to_contain_text("The gate is at the back.")
    expect(page.locator("#help [role=status]").first).to_have_text(
        "We have your message and will answer here."
    )
    readable(page)
    row = escalation_of(api, order)
    assert (row["kind"], row["customer_waits"]) == ("address", True)

    page.get_by_label("Your message").fill("And the bell is bro")
    answer(api, order, "We told the driver, {customer}.", "solved")
    wait_for_words(page, 2)
    expect(talk.last).to_contain_text("We told the driver, Malee.")
    expect(page.locator("#news")).to_contain_text("We told the driver, Malee.")
    expect(page.get_by_label("Your message")).to_have_value("And the bell is bro")
    page.get_by_label("Your message").fill("And the bell is broken.")
    page.locator(".talk + form").get_by_role("button", name="Send").click()
    expect(talk).to_have_count(3, timeout=SLOW_MS)
    expect(page.get_by_label("Your message")).to_have_value("")
    readable(page)
    assert escalation_of(api, order)["state"] == "open"


def test_a_customer_chooses_a_language_and_how_to_be_written_to(
    order: dict[str, Any], page: Page
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(order["tracking_url"])
    page.locator(".languages summary").click()
    readable(page)
    page.get_by_role("link", name="தமிழ்").click()
    expect(page.locator("html")).to_have_attribute("lang", "ta")
    expect(page.get_by_role("heading", level=1)).to_have_text("ஓட்டுநர் பார்சலை எடுக்கச் செல்கிறார்")
    readable(page)
    page.locator("#preferences-more summary").click()
    page.locator("#messages-in").select_option("th")
    page.locator("#messages-quiet").set_checked(True)
    page.locator("#quiet_from").fill("20:30")
    readable(page)
    page.locator("#preferences .send").click()
    expect(page.locator("html")).to_have_attribute("lang", "th", timeout=SLOW_MS)
    expect(page.locator("#preferences [role=status]")).to_have_text("บันทึกแล้ว")
    page.goto(order["tracking_url"])
    expect(page.locator("html")).to_have_attribute("lang", "th")
    expect(page.locator("#quiet_from")).to_have_value("20:30")
    assert page.context.cookies() == []


def test_a_phone_without_scripts_reads_asks_and_goes_on(
    api: httpx.Client, order: dict[str, Any], plain: Page
) -> None:
    plain.goto(order["tracking_url"])
    expect(plain.locator("html")).to_have_attribute("lang", "th")
    plain.goto(f"{order['tracking_url']}?lang=en")
    expect(plain.get_by_role("heading", level=1)).to_have_text(
        "A driver is on the way to collect it"
    )
    plain.get_by_text("Need help?").click()
    plain.get_by_label("What happened?").fill("Where is it?")
    plain.get_by_role("button", name="Send to support").click()
    expect(plain.locator(".talk li")).to_contain_text("Where is it?")
    expect(plain).to_have_url(re.compile(r"lang=en&done=help#help$"))
    answer(api, order, "On its way.", "pending")
    plain.reload()
    plain.get_by_label("Your message").fill("Thank you.")
    plain.locator(".talk + form .send").click()
    expect(plain.locator(".talk li")).to_have_count(3)
    assert escalation_of(api, order)["state"] == "open"


def test_a_server_that_is_away_is_told_and_the_words_stay(
    order: dict[str, Any], page: Page
) -> None:
    page.goto(f"{order['tracking_url']}?lang=en")
    page.get_by_text("Need help?").click()
    page.get_by_label("What happened?").fill("Where is it?")
    page.route("**/help?lang=en", lambda route: route.abort())
    page.get_by_role("button", name="Send to support").click()
    told = page.locator("#help [role=status]")
    expect(told).to_have_text("That did not reach us. Please try again.")
    expect(page.get_by_label("What happened?")).to_have_value("Where is it?")
    page.unroute("**/help?lang=en")
    page.get_by_role("button", name="Send to support").click()
    expect(page.locator(".talk li")).to_have_count(1, timeout=SLOW_MS)
