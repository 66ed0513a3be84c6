"""The live map in a real browser: drivers move, are found, followed and looked back at."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, readable

PATIENCE_MS = 30_000

MAP = "document.querySelector('.wpm-map')?.fleetMap"
SHOWN = f"""() => {{
  const {{ points }} = {MAP};
  return [...points.rowOf].map(([slot, row]) => [slot, points.toX[row], points.toY[row]]);
}}"""


def open_map(
    sign_in: SignIn, query: str = "", role: str = "Fleet manager", **options: object
) -> Page:
    page = look_at(sign_in, query, role, **options)
    expect(page.locator(".wpm-row").first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(f"() => ({MAP}?.points.size ?? 0) > 0", timeout=PATIENCE_MS)
    return page


def look_at(sign_in: SignIn, query: str, role: str, **options: object) -> Page:
    return sign_in(role, f"/map{query}", **{"reduced_motion": "no-preference", **options})


def rows(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Drivers in view").get_by_role("option")


def asked(page: Page, name: str) -> str:
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def choose_first(page: Page) -> str:
    row = rows(page).first
    code = row.locator(".wpm-code").inner_text()
    row.click()
    expect(page.get_by_role("region", name="Chosen driver")).to_contain_text(code)
    return code


def test_drivers_are_seen_moving(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    before = {slot: (x, y) for slot, x, y in page.evaluate(SHOWN)}
    page.wait_for_function(
        f"""(before) => {{
          const {{ points }} = {MAP};
          return before.some(([slot, x, y]) => {{
            const row = points.rowOf.get(slot);
            return row !== undefined && (points.toX[row] !== x || points.toY[row] !== y);
          }});
        }}""",
        arg=[[slot, x, y] for slot, (x, y) in before.items()],
        timeout=PATIENCE_MS,
    )
    expect(page.locator(".wpm-foot")).to_contain_text(re.compile(r"\d+ in view of \d+"))
    expect(page.locator(".wpm-banner")).to_have_count(0)


def test_filters_narrow_the_map_and_stay_in_the_address(sign_in: SignIn) -> None:
    page = open_map(sign_in, "?region=*")
    page.get_by_role("button", name="Bike", exact=True).click()
    page.wait_for_function("() => location.search.includes('vehicle=bike')")
    kinds = f"""() => {{
      const {{ points }} = {MAP};
      const kinds = [...points.rowOf.keys()].map((slot) => points.details.get(slot)?.vehicle);
      return kinds.length > 0 && kinds.every((kind) => kind === "bike");
    }}"""
    page.wait_for_function(kinds, timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_role("button", name="Bike", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=PATIENCE_MS
    )
    page.wait_for_function(kinds, timeout=PATIENCE_MS)


def test_search_finds_a_driver_by_code_anywhere_in_the_region(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    code = rows(page).nth(2).locator(".wpm-code").inner_text()
    page.keyboard.press("/")
    page.keyboard.type(code)
    expect(rows(page)).to_have_count(1, timeout=PATIENCE_MS)
    expect(rows(page)).to_contain_text(code)
    page.get_by_label("Find a driver by code, name or plate").fill("nobody-at-all")
    expect(page.get_by_text("Nobody found")).to_be_visible(timeout=PATIENCE_MS)


def test_chosen_driver_is_followed_and_a_link_shows_the_same(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    code = choose_first(page)
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Following")).to_be_visible()
    page.wait_for_function(
        f"""() => {{
          const map = {MAP};
          const here = map.screenOf(map.selected);
          const {{ clientWidth, clientHeight }} = map.map.getContainer();
          return here && map.map.getZoom() >= 13.9
            && Math.abs(here.x - clientWidth / 2) < 260
            && Math.abs(here.y - clientHeight / 2) < 120;
        }}""",
        timeout=PATIENCE_MS,
    )
    assert asked(page, "follow") == "1"
    link = page.url
    colleague = open_map(sign_in, "?" + urlsplit(link).query)
    expect(colleague.get_by_role("region", name="Chosen driver")).to_contain_text(
        code, timeout=PATIENCE_MS
    )
    expect(colleague.get_by_role("button", name="Following")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Chosen driver")).to_be_hidden()
    assert asked(page, "driver") == ""


def test_list_is_worked_by_keyboard(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    page.get_by_role("listbox", name="Drivers in view").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wanted = page.locator("#wpm-row-1 .wpm-code").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Chosen driver")).to_contain_text(wanted)


def test_far_out_the_map_shows_cells_with_counts(sign_in: SignIn) -> None:
    page = look_at(sign_in, "?region=*&at=13,95,4", "Admin")
    page.wait_for_function(
        f"() => {MAP}?.mode === 'cells' && ({MAP}?.content.cells?.features.length ?? 0) > 3",
        timeout=PATIENCE_MS,
    )
    expect(page.get_by_text("drivers in view", exact=False).first).to_be_visible()


def test_lost_feed_is_told_and_mends_itself(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    page.evaluate(f"() => {{ const {{ feed }} = {MAP}; feed.failures = 6; feed.abandon(); }}")
    expect(page.locator(".wpm-banner")).to_contain_text("Connection lost", timeout=PATIENCE_MS)
    page.evaluate(f"() => {MAP}.feed.connect()")
    expect(page.locator(".wpm-banner")).to_have_count(0, timeout=PATIENCE_MS)


def test_the_past_is_played_and_left_again(sign_in: SignIn) -> None:
    page = open_map(sign_in)
    page.get_by_role("slider", name="Moment shown").fill("0.98")
    page.wait_for_function("() => location.search.includes('time=')", timeout=PATIENCE_MS)
    page.wait_for_function(f"() => ({MAP}.past?.shown.length ?? 0) > 0", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Live", exact=True).click()
    page.wait_for_function(f"() => !{MAP}.past && !location.search.includes('time=')")


def test_phone_has_the_list_as_a_sheet(sign_in: SignIn) -> None:
    page = open_map(sign_in, viewport=PHONE)
    handle = page.get_by_role("button", name="Make the list large")
    handle.click()
    page.wait_for_function(
        "() => document.querySelector('.wpm-list').getBoundingClientRect().height > 400"
    )
    choose_first(page)
    panel = page.locator(".wpm-panel").bounding_box()
    assert panel is not None
    assert panel["width"] == pytest.approx(PHONE["width"], abs=2)


def test_reduced_motion_is_respected(sign_in: SignIn) -> None:
    page = open_map(sign_in, reduced_motion="reduce")
    page.wait_for_function(f"() => {MAP}?.frame?.kind === 'delta'", timeout=PATIENCE_MS)
    assert page.evaluate(f"() => {MAP}.glyphs.progress") == 1


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_map(sign_in: SignIn, theme: str) -> None:
    page = open_map(sign_in)
    choose_first(page)
    if theme == "light":
        page.evaluate("() => window.waypost.toggleTheme()")
    page.wait_for_function(f"() => {MAP}.map.isStyleLoaded()", timeout=PATIENCE_MS)
    readable(page)
