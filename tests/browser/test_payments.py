"""Support and finance in a real browser: a failed payment, a refund by two people, the ledger."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, all_readable, settled
from tests.support.system import System

PAGES = (
    "/payments",
    "/payments/refunds",
    "/payments/cod",
    "/payments/wallets",
    "/payments/ledger",
    "/payments/reconciliation",
)
_SETTLED_WITHIN_S = 60


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    token = system.waypost("token", "--role", "admin").stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=system.url, headers=headers) as client:
        yield client


def _wallet(api: httpx.Client, name: str) -> str:
    wanted = {"holder": f"customer-{uuid4().hex[:8]}", "name": name, "region": "IN-KA"}
    answer = api.post("/api/v1/wallets", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _top_up(api: httpx.Client, wallet: str, minor: int, method: str, state: str) -> dict[str, Any]:
    """A top-up of the wallet, once it has come to `state`."""
    wanted = {
        "amount": {"minor": minor, "currency": "INR"}, "method": method, "gateway": "sandbox",
    }  # fmt: skip
    answer = api.post(f"/api/v1/wallets/{wallet}/top-up", json=wanted)
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + _SETTLED_WITHIN_S
    while time.monotonic() < deadline:
        found: dict[str, Any] = api.get(f"/api/v1/payments/{answer.json()['id']}").json()
        if found["state"] == state:
            return found
        time.sleep(0.2)
    raise AssertionError(f"the top-up is {found['state']}, not {state}")


@pytest.mark.parametrize(("theme", "size"), [("dark", None), ("light", PHONE)])
def test_no_page_of_payments_has_a_violation_or_runs_over(
    sign_in: SignIn, theme: str, size: dict[str, int] | None
) -> None:
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    all_readable(page, PAGES, theme)


def test_a_failed_payment_is_found_by_its_reason_and_tried_again(
    sign_in: SignIn, system: System, api: httpx.Client
) -> None:
    wallet = _wallet(api, "Somsri")
    failed = _top_up(api, wallet, 50_000, "sandbox:decline=expired_card", "failed")
    page = sign_in("support lead", "/payments?state=failed&code=expired_card&region=IN-KA")
    settled(page)
    row = page.get_by_role("row", name=re.compile("500.00 INR")).first
    expect(row).to_contain_text("failed")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Try again").click()
    outcome = page.get_by_role("region", name="What became of each")
    expect(outcome).to_contain_text("1 of 1")
    page.goto(f"{system.url}/payments/{failed['id']}")
    moments = page.get_by_role("region", name="What happened").get_by_role("listitem")
    expect(moments.nth(1)).to_be_visible()


def test_a_large_refund_waits_for_a_second_person(sign_in: SignIn, api: httpx.Client) -> None:
    wallet = _wallet(api, "Malee")
    paid = _top_up(api, wallet, 900_000, "sandbox:ok", "captured")
    agent = sign_in("support agent", f"/payments/{paid['id']}")
    expect(agent.get_by_text("9,000.00 INR").first).to_be_visible(timeout=20_000)
    agent.get_by_role("button", name=re.compile("^Refund")).click()
    form = agent.locator("form.wp-act-form")
    form.get_by_label(re.compile("Amount")).fill("8,000.00")
    form.get_by_label("Why").fill("The customer closes the account")
    form.get_by_role("button", name="Refund").click()
    waiting = agent.get_by_role("region", name="Refunds")
    expect(waiting).to_contain_text("requested", timeout=20_000)
    expect(waiting.get_by_role("button", name="Approve")).to_have_count(0)

    lead = sign_in("support lead", f"/payments/{paid['id']}")
    decided = lead.get_by_role("region", name="Refunds")
    decided.get_by_role("button", name="Approve").click()
    expect(decided).to_contain_text("succeeded", timeout=60_000)
    expect(lead.get_by_role("region", name="In the ledger")).to_contain_text("refund")


def test_more_decimals_than_the_currency_has_are_refused(
    sign_in: SignIn, api: httpx.Client
) -> None:
    paid = _top_up(api, _wallet(api, "Chai"), 20_000, "sandbox:ok", "captured")
    page = sign_in("support lead", f"/payments/{paid['id']}")
    page.get_by_role("button", name=re.compile("^Refund")).click(timeout=20_000)
    form = page.locator("form.wp-act-form")
    form.get_by_label(re.compile("Amount")).fill("1.234")
    form.get_by_label("Why").fill("Too exact")
    form.get_by_role("button", name="Refund").click()
    expect(page.locator(".wp-notice")).to_contain_text("decimals")
    expect(page.get_by_role("region", name="Refunds")).to_have_count(0)


def test_an_auditor_checks_the_ledger_and_sees_nothing_else_of_payments(
    sign_in: SignIn, api: httpx.Client
) -> None:
    _top_up(api, _wallet(api, "Nok"), 10_000, "sandbox:ok", "captured")
    page = sign_in("auditor", "/payments/ledger")
    settled(page)
    page.get_by_role("button", name="Check all").click()
    expect(page.get_by_text(re.compile("all in balance"))).to_be_visible(timeout=30_000)
    tabs = page.get_by_role("navigation", name="Payments")
    expect(tabs.get_by_role("link")).to_have_text(["Ledger"])
    page.locator("a.wp-row-link").first.click()
    expect(page.get_by_role("region", name="The chosen account")).to_be_visible()


def test_a_wallet_shows_its_balance_and_its_statement(
    sign_in: SignIn, system: System, api: httpx.Client
) -> None:
    wallet = _wallet(api, "Ploy")
    _top_up(api, wallet, 123_450, "sandbox:ok", "captured")
    page = sign_in("support lead", f"/payments/wallets/{wallet}")
    expect(page.get_by_text("1,234.50 INR").first).to_be_visible(timeout=20_000)
    address = page.get_by_role("link", name="PDF").first.get_attribute("href")
    answer = page.request.get(f"{system.url}{address}")
    assert answer.status == 200, answer.text()
    assert answer.body().startswith(b"%PDF")
