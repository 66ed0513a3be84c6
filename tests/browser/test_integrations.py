"""The integrations page in a real browser: an endpoint's life, and the log of what was sent."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, readable, settled

PATH = "/admin/integrations"


class Shop:
    """A marketplace's receiver: what it heard, and what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], str]] = []
        self.status = 500
        shop = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                shop.heard.append((dict(self.headers), body))
                self.send_response(shop.status)
                self.end_headers()
                self.wfile.write(b"the shop is closed")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self.server.server_port}/waypost"


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A receiver that fails until it is told otherwise."""
    opened = Shop()
    threading.Thread(target=opened.server.serve_forever, daemon=True).start()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def make(page: Page, url: str) -> str:
    """Make an endpoint and take its secret."""
    form = page.get_by_role("complementary", name="Make an endpoint")
    form.locator("input[name=url]").fill(url)
    form.locator("input[name=merchant]").fill("browser-shop")
    form.get_by_role("button", name="Make endpoint").click()
    box = page.get_by_label("The new secret")
    expect(box).to_have_value(re.compile("^whsec_"))
    return box.input_value()


def test_an_endpoint_is_made_tried_and_its_failed_delivery_sent_again(
    sign_in: SignIn, shop: Shop
) -> None:
    page = sign_in("admin", PATH)
    secret = make(page, shop.url)
    page.get_by_role("button", name="Done").click()
    assert secret not in page.content()
    panel = page.get_by_role("complementary", name="The chosen endpoint")
    panel.get_by_role("button", name="Send test").click()
    log = page.get_by_role("table", name="Deliveries")
    row = log.get_by_role("row", name=re.compile("webhook.test")).first
    expect(page.get_by_text("A test event is on its way")).to_be_visible()
    page.reload()
    expect(row).to_contain_text("again later", timeout=15_000)
    row.get_by_role("link").first.click()
    chosen = page.get_by_role("complementary", name="The chosen delivery")
    expect(chosen).to_contain_text("the shop is closed")
    expect(chosen).to_contain_text("webhook-signature")
    expect(chosen).to_contain_text("500")
    readable(page)

    shop.status = 200
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send again 1").click()
    expect(row).to_contain_text("on its way again")
    expect(row).to_contain_text("delivered", timeout=15_000)
    headers, body = shop.heard[-1]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert {json.loads(body)["id"] for _, body in shop.heard} == {headers["webhook-id"]}


def test_a_secret_is_rotated_and_an_endpoint_switched_off_only_when_asked_twice(
    sign_in: SignIn, shop: Shop
) -> None:
    page = sign_in("admin", PATH)
    first = make(page, shop.url)
    panel = page.get_by_role("complementary", name="The chosen endpoint")
    panel.get_by_role("button", name="New secret").click()
    expect(panel).to_contain_text("The one before signs on")
    expect(page.get_by_label("The new secret")).to_have_value(first)
    panel.get_by_role("button", name="New secret").click()
    expect(page.get_by_label("The new secret")).not_to_have_value(first)
    expect(panel).to_contain_text("both valid until")
    panel.get_by_role("button", name="Switch off").click()
    expect(panel).to_contain_text("What waits is given up")
    panel.get_by_role("button", name="Switch off").click()
    expect(panel).to_contain_text("Switched off by")
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.get_by_role("button", name="Send test")).to_be_visible()
    panel.get_by_role("button", name="Remove").click()
    expect(panel).to_contain_text("Its log goes too")
    panel.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("complementary", name="Make an endpoint")).to_be_visible()


def test_a_wrong_address_is_refused_in_words(sign_in: SignIn) -> None:
    page = sign_in("admin", PATH)
    form = page.get_by_role("complementary", name="Make an endpoint")
    form.locator("input[name=url]").fill("https://10.0.0.8/hook")
    form.locator("input[name=merchant]").fill("browser-shop")
    form.get_by_role("button", name="Make endpoint").click()
    expect(page.get_by_text("sent to the public internet alone")).to_be_visible()
    expect(form.locator("input[name=url]")).to_have_value("https://10.0.0.8/hook")


@pytest.mark.parametrize("size", [None, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_is_accessible_and_runs_over_nowhere(
    sign_in: SignIn, theme: str, size: dict[str, int] | None
) -> None:
    page = sign_in("admin", PATH, **({"viewport": size} if size else {}))
    page.evaluate(f"localStorage.setItem('theme', '{theme}')")
    page.reload()
    settled(page)
    readable(page)


def test_who_is_no_admin_has_no_such_page(sign_in: SignIn) -> None:
    page = sign_in("support agent", PATH)
    expect(page.get_by_text("integrations:read").first).to_be_visible()
    rail = page.get_by_role("navigation", name="Main", exact=True)
    expect(rail.get_by_role("link", name="Integrations")).to_have_count(0)
