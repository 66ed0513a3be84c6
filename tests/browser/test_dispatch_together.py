"""The dispatcher's board with a colleague at work on the same orders."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.board import (
    PATIENCE_MS,
    choose,
    code_of,
    open_board,
    row,
    rows,
)
from tests.browser.conftest import SignIn
from tests.browser.dispatching import Desk, somebody

pytestmark = pytest.mark.usefixtures("paused_city")


def test_a_colleagues_assignment_is_seen_without_a_reload(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    first, second = desk.orders({}, {}, name=name)
    mine = open_board(sign_in, name)
    theirs = open_board(sign_in, name, role="Admin")
    # The pointer rests in my list: an order that leaves keeps its place and says why.
    row(mine, first["number"]).hover()
    driver = choose(theirs, first["number"]).first
    code = code_of(driver)
    theirs.keyboard.press("a")
    expect(row(mine, first["number"])).to_contain_text(
        re.compile(f"assigned to {code} by "), timeout=PATIENCE_MS
    )
    expect(row(mine, second["number"])).not_to_contain_text("assigned")
    mine.mouse.move(720, 400)
    expect(row(mine, first["number"])).to_have_count(0, timeout=PATIENCE_MS)


def test_new_orders_wait_while_the_pointer_is_in_the_list(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name)
    row(page, order["number"]).hover()
    before = row(page, order["number"]).bounding_box()
    soon = (datetime.now(UTC) + timedelta(minutes=9)).isoformat()
    desk.orders({"promised_at": soon}, name=name)
    show = page.get_by_role("button", name="1 new: show")
    expect(show).to_be_visible(timeout=PATIENCE_MS)
    expect(rows(page)).to_have_count(1)
    assert row(page, order["number"]).bounding_box() == before
    show.click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("at risk")


def test_an_order_that_somebody_changed_meanwhile_says_who_and_what(
    sign_in: SignIn, desk: Desk
) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name)
    drivers = choose(page, order["number"])
    target = drivers.nth(1).bounding_box()
    start = row(page, order["number"]).bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 80, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 10, steps=5)
    # While an order is carried the board does not move; a colleague holds and releases it now.
    desk.act(order["number"], "hold", reason="Address unclear")
    desk.act(order["number"], "release")
    page.mouse.up()
    told = page.locator(".wpb-outcome")
    expect(told).to_contain_text(f"{order['number']} is ready now", timeout=PATIENCE_MS)
    expect(told).to_contain_text("released")
    expect(row(page, order["number"])).to_contain_text("is ready now")
    # The row has been read anew: the same deed now succeeds.
    page.keyboard.press("a")
    expect(page.locator(".wpb-outcome")).to_contain_text("assigned to", timeout=PATIENCE_MS)


def test_the_address_shows_a_colleague_the_same(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({"service": "express"}, name=name)
    page = open_board(sign_in, name)
    page.get_by_role("button", name="Express", exact=True).click()
    choose(page, order["number"])
    page.wait_for_function("() => location.search.includes('order=WP-')")
    query = page.url.partition("?")[2]
    colleague = open_board(sign_in, name, role="Admin", query=query)
    expect(colleague.get_by_role("region", name=f"Order {order['number']}")).to_be_visible(
        timeout=PATIENCE_MS
    )
    express = colleague.get_by_role("button", name="Express", exact=True)
    expect(express).to_have_attribute("aria-pressed", "true")


def test_a_support_agent_may_hold_but_not_assign(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({"region": "IN-KA"}, name=name)
    page = open_board(sign_in, name, role="Support agent", region="IN-KA")
    choose(page, order["number"])
    expect(page.get_by_role("button", name=re.compile("^Assign"))).to_be_disabled()
    expect(page.get_by_role("button", name="Hold")).to_be_enabled()
    expect(page.get_by_role("button", name=re.compile("Pause|Resume"))).to_have_count(0)
