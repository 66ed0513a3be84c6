"""The dispatcher's board in a real browser: by mouse, by key and by finger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.board import (
    MAP,
    PATIENCE_MS,
    Finger,
    choose,
    code_of,
    open_board,
    ranked,
    row,
    rows,
)
from tests.browser.conftest import SignIn
from tests.browser.dispatching import Desk, somebody
from tests.browser.looks import PHONE, readable

pytestmark = pytest.mark.usefixtures("paused_city")


def test_an_order_is_dragged_onto_a_driver_of_the_list(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name)
    driver = choose(page, order["number"]).nth(1)
    code = code_of(driver)
    row(page, order["number"]).drag_to(driver)
    expect(page.locator(".wpb-outcome")).to_contain_text(f"assigned to {code}", timeout=PATIENCE_MS)
    assert desk.driver_code(order["number"]) == code


def test_an_order_is_dragged_onto_a_driver_on_the_map(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name)
    driver = choose(page, order["number"]).first
    code, driver_id = code_of(driver), driver.get_attribute("data-driver")
    page.keyboard.press("w")
    # The map hears of drivers in its view alone, and the first of the list may ride elsewhere.
    page.evaluate(f"(at) => {MAP}.map.jumpTo({{ center: at, zoom: 13 }})", desk.place_of(driver_id))
    page.wait_for_function(
        f"(id) => {MAP}.points.shown({MAP}.points.slotOf.get(id), 1) !== null", arg=driver_id
    )
    page.evaluate(
        f"""(id) => {{
          const {{ points, map }} = {MAP};
          const {{ lon, lat }} = points.shown(points.slotOf.get(id), 1);
          map.jumpTo({{ center: [lon, lat - 0.0004], zoom: 16.5 }});
        }}""",
        driver_id,
    )
    start = row(page, order["number"]).bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + 80, start["y"] + 20)
    page.mouse.down()
    place = f"""(id) => {{
      const engine = {MAP};
      const at = engine.screenOf(engine.points.slotOf.get(id));
      const box = engine.map.getContainer().getBoundingClientRect();
      return [box.left + at.x, box.top + at.y];
    }}"""
    page.mouse.move(*page.evaluate(place, driver_id), steps=8)
    # The driver rides on: where they are now counts.
    page.mouse.move(*page.evaluate(place, driver_id), steps=2)
    expect(page.locator(".wpb-ghost")).to_contain_text("let go to assign")
    page.mouse.up()
    outcome = page.locator(".wpb-outcome")
    expect(outcome).to_contain_text("assigned to", timeout=PATIENCE_MS)
    assert f"assigned to {desk.driver_code(order['number'])}" in outcome.inner_text()
    assert desk.driver_code(order["number"]) == code


def test_an_order_is_assigned_by_keyboard_alone(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    desk.orders({}, {}, name=name)
    page = open_board(sign_in, name)
    page.keyboard.press("j")
    page.keyboard.press("j")
    number = page.locator(".wpb-row[data-active]").get_attribute("data-order") or ""
    assert number == rows(page).nth(1).get_attribute("data-order")
    page.keyboard.press("Enter")
    drivers = ranked(page, number)
    expect(drivers.nth(1)).to_be_visible(timeout=PATIENCE_MS)
    second = code_of(drivers.nth(1))
    page.keyboard.press("2")
    expect(page.get_by_role("button", name=f"Assign to {second}")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".wpb-outcome")).to_contain_text(f"{number} assigned to {second}")
    assert desk.driver_code(number) == second
    # The card is closed and the keyboard is at the order that is left.
    expect(page.locator(".wpb-card")).to_have_count(0)
    other = page.locator(".wpb-row[data-active]")
    expect(other).not_to_have_attribute("data-order", number)


def test_undo_takes_the_order_back_into_the_queue(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name)
    driver = choose(page, order["number"]).first
    page.keyboard.press("a")
    expect(page.locator(".wpb-outcome")).to_contain_text(f"assigned to {code_of(driver)}")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".wpb-outcome")).to_contain_text("taken back", timeout=PATIENCE_MS)
    assert desk.order(order["number"])["state"] == "ready"


def test_a_bulk_deed_tells_which_orders_failed_and_why(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    good, bad, also = desk.orders({}, {"vehicle": "truck"}, {}, name=name)
    page = open_board(sign_in, name)
    rows(page).first.locator(".wpb-mark").click()
    rows(page).last.click(modifiers=["Shift"])
    expect(page.locator(".wpb-bulk")).to_contain_text("3 marked")
    bike = desk.drivers("bike")[0]
    page.locator(f"[data-driver='{bike['id']}']").click(timeout=PATIENCE_MS)
    page.keyboard.press("a")
    drawer = page.get_by_role("region", name="Results")
    expect(drawer).to_contain_text("2 of 3 assigned", timeout=PATIENCE_MS)
    failed = drawer.locator("li").first
    expect(failed).to_contain_text(bad["number"])
    expect(failed).to_contain_text("another kind of vehicle")
    assert {desk.driver_code(each["number"]) for each in (good, also)} == {bike["code"]}
    assert desk.driver_code(bad["number"]) == ""
    # What failed stays marked, so that it can be given to another driver.
    expect(page.locator(".wpb-bulk")).to_contain_text("1 marked")
    drawer.get_by_role("button", name="Retry the one").click()
    told = page.locator(".wpb-outcome")
    expect(told).to_contain_text("another kind of vehicle", timeout=PATIENCE_MS)


def test_hold_release_and_cancel_ask_for_a_reason_and_move_the_order(
    sign_in: SignIn, desk: Desk
) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    number = order["number"]
    page = open_board(sign_in, name)
    choose(page, number)
    page.keyboard.press("h")
    asked = page.get_by_role("dialog")
    asked.get_by_role("button", name="Address unclear").click()
    asked.get_by_role("button", name="Hold", exact=True).click()
    expect(page.locator(".wpb-outcome")).to_contain_text("put on hold", timeout=PATIENCE_MS)
    page.get_by_role("tab", name=re.compile("On hold")).click()
    expect(row(page, number)).to_contain_text("on hold", timeout=PATIENCE_MS)
    row(page, number).click()
    page.keyboard.press("h")
    expect(page.locator(".wpb-outcome")).to_contain_text("released", timeout=PATIENCE_MS)
    page.get_by_role("tab", name=re.compile("Unassigned")).click()
    choose(page, number)
    page.keyboard.press("c")
    page.get_by_role("textbox", name="Reason").fill("Asked by the shop")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".wpb-outcome")).to_contain_text("cancelled", timeout=PATIENCE_MS)
    assert desk.order(number)["state"] == "cancelled"


def test_a_phone_assigns_by_taps(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name, viewport=PHONE, has_touch=True)
    row(page, order["number"]).tap()
    drivers = ranked(page, order["number"])
    expect(drivers.nth(1)).to_be_visible(timeout=PATIENCE_MS)
    code = code_of(drivers.nth(1))
    drivers.nth(1).tap()
    page.get_by_role("button", name="Assign", exact=True).tap()
    expect(page.locator(".wpb-outcome")).to_contain_text(f"assigned to {code}", timeout=PATIENCE_MS)
    assert desk.driver_code(order["number"]) == code
    for part in ("Map", "Drivers", "Plans", "Queue"):
        page.get_by_role("tab", name=re.compile(f"^{part}")).tap()
        assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


def test_an_order_is_dragged_by_finger_onto_a_driver(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    [order] = desk.orders({}, name=name)
    page = open_board(sign_in, name, viewport=PHONE, has_touch=True)
    finger = Finger(page)
    finger.press(row(page, order["number"]))
    drivers = ranked(page, order["number"])
    expect(drivers.nth(1)).to_be_visible(timeout=PATIENCE_MS)
    finger.move(drivers.nth(1))
    expect(page.locator(".wpb-ghost")).to_contain_text("let go to assign")
    code = page.locator(".wpb-driver[data-over] .wpb-code").inner_text()
    finger.lift()
    expect(page.locator(".wpb-outcome")).to_contain_text(f"assigned to {code}", timeout=PATIENCE_MS)
    assert desk.driver_code(order["number"]) == code


def test_a_finger_scrolls_the_queue_and_lets_go_of_an_order_without_a_driver(
    sign_in: SignIn, desk: Desk
) -> None:
    name = somebody()
    orders = desk.orders(*[{} for _ in range(14)], name=name)
    page = open_board(sign_in, name, viewport=PHONE, has_touch=True)
    expect(rows(page)).to_have_count(14)
    finger = Finger(page)
    ghost = page.locator(".wpb-ghost")
    finger.swipe(rows(page).nth(5), up=240)
    page.wait_for_function("() => document.getElementById('wpb-orders').scrollTop > 100")
    expect(ghost).to_have_count(0)
    # Lifted over the bar at the top, and let go by key: nobody gets the order.
    for by_key in (False, True):
        finger.press(rows(page).nth(8))
        expect(ghost).to_be_visible()
        if by_key:
            page.keyboard.press("Escape")
        else:
            finger.move(page.get_by_role("banner"))
        finger.lift()
        expect(ghost).to_have_count(0)
        expect(rows(page).nth(8)).to_be_visible()
        page.get_by_role("button", name="Back", exact=True).tap()
    expect(page.locator(".wpb-outcome")).to_have_count(0)
    assert {desk.order(each["number"])["state"] for each in orders} == {"ready"}


def test_a_view_of_the_queue_is_kept_and_its_orders_are_downloaded(
    sign_in: SignIn, desk: Desk
) -> None:
    name = somebody()
    quick, slow = desk.orders({"service": "express"}, {}, name=name)
    page = open_board(sign_in, name)
    views = page.get_by_role("navigation", name="Views of this list")
    page.get_by_role("button", name="Express", exact=True).click()
    expect(rows(page)).to_have_count(1, timeout=PATIENCE_MS)
    views.get_by_role("button", name="Save view").click()
    page.keyboard.type("Rush")
    page.keyboard.press("Enter")
    rush = views.get_by_role("link", name="Rush")
    expect(rush).to_have_attribute("aria-current", "page")
    views.get_by_role("link", name="All").click()
    find = page.get_by_role("searchbox", name=re.compile("Find an order"))
    expect(find).to_have_value("")
    rush.focus()
    page.keyboard.press("Enter")
    expect(find).to_have_value(name)
    expect(row(page, slow["number"])).to_have_count(0, timeout=PATIENCE_MS)
    expect(row(page, quick["number"])).to_be_visible()
    expect(page).to_have_url(re.compile("service=express"))
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    file = coming.value.path().read_text()
    assert quick["number"] in file
    assert slow["number"] not in file
    views.get_by_role("button", name="Forget the view Rush").click()
    expect(rush).to_have_count(0)


def test_a_view_of_the_longest_name_is_forgotten_as_easily(sign_in: SignIn, desk: Desk) -> None:
    name = somebody()
    desk.orders({"service": "express"}, name=name)
    page = open_board(sign_in, name)
    views = page.get_by_role("navigation", name="Views of this list")
    page.get_by_role("button", name="Express", exact=True).click()
    for words in ("W" * 40, "M" * 40):
        views.get_by_role("button", name="Save view").click()
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        forget = views.get_by_role("button", name=f"Forget the view {words}")
        expect(forget).to_be_in_viewport(ratio=1)
        expect(views.get_by_title(words)).to_be_in_viewport()
        if words[0] == "W":
            page.get_by_role("button", name="Express", exact=True).click()
            page.get_by_role("button", name="Standard", exact=True).click()
    forget.click()
    expect(views.get_by_title(words)).to_have_count(0)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_board(sign_in: SignIn, desk: Desk, theme: str) -> None:
    name = somebody()
    [order, _] = desk.orders({}, {"service": "express"}, name=name)
    page = open_board(sign_in, name)
    if theme == "light":
        page.evaluate("() => window.waypost.toggleTheme()")
    choose(page, order["number"])
    page.keyboard.press("x")
    page.wait_for_function(f"() => {MAP}.map.isStyleLoaded()", timeout=PATIENCE_MS)
    readable(page)


def test_a_stop_of_a_tour_is_moved_by_keyboard_and_stays_pinned(
    sign_in: SignIn, desk: Desk
) -> None:
    name = somebody()
    desk.orders({}, {}, name=name)
    page = open_board(sign_in, name)
    [van, *_] = desk.drivers("van")
    rows(page).first.locator(".wpb-mark").click()
    rows(page).last.click(modifiers=["Shift"])
    page.locator(f"[data-driver='{van['id']}']").click(timeout=PATIENCE_MS)
    page.keyboard.press("a")
    tour = page.get_by_role("group", name=f"Tour of {van['code']}")
    stops = tour.locator(".wpb-stop")
    # The city's matching may give the same van more: four stops are the least.
    expect(stops.nth(3)).to_be_visible(timeout=PATIENCE_MS)
    # A tour that was just made is soon thought over; a move of its older version is then refused.
    for _ in range(4):
        first, second = move_a_stop(page, tour)
        expect(tour.locator(".wpb-stop[data-pinned]").first).to_be_visible(timeout=PATIENCE_MS)
        page.reload()
        expect(stops.nth(3)).to_be_visible(timeout=PATIENCE_MS)
        # The van may have been at one of the two by now, which says nothing about the move.
        if [stop for stop in planned(tour) if stop in (first, second)] == [first, second]:
            return
    raise AssertionError("no move of a stop was kept")


def move_a_stop(page: Page, tour: Locator) -> tuple[str, str]:
    """Move the first stop that may change places with its next; the two as they then follow."""
    before = planned(tour)
    at = next(i for i, label in enumerate(before[:-1]) if may_swap(label, before[i + 1]))
    first, second = before[at : at + 2]
    tour.locator(f".wpb-stop[title^='{first},']").focus()
    page.keyboard.press("Alt+ArrowRight")
    for _ in range(PATIENCE_MS // 200):
        # The van may have been at one of them meanwhile.
        if [stop for stop in planned(tour) if stop in (first, second)] != [first, second]:
            break
        page.wait_for_timeout(200)
    return second, first


def planned(tour: Locator) -> list[str]:
    """The tour's stops as `Pickup WP-...`, in order."""
    # All at once: a tour that is driven grows shorter.
    titles = tour.locator(".wpb-stop").evaluate_all("(stops) => stops.map(({ title }) => title)")
    return [title.partition(",")[0] for title in titles]


def may_swap(first: str, second: str) -> bool:
    """Whether two stops that follow each other may change places: not an order's own two."""
    return first.split()[1] != second.split()[1]
