"""What every list offers in a real browser: views, columns, keys, bulk actions and CSV."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, settled
from tests.support.system import System


def _views(page: Page) -> list[str]:
    chips = page.get_by_role("navigation", name="Views of this list").locator(".wp-chip")
    return chips.all_inner_texts()


def _make_token(page: Page, name: str) -> None:
    page.get_by_placeholder("marketplace-th").fill(name)
    page.locator("select[name=role]").select_option("viewer")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()
    page.get_by_role("button", name="Done").click()


def test_a_view_is_saved_found_again_and_forgotten(sign_in: SignIn, system: System) -> None:
    page = sign_in("auditor", "/admin/audit")
    settled(page)
    assert _views(page) == ["All"]
    page.locator("select[name=outcome]").select_option("denied")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("button", name="Save view").click()
    page.get_by_label("Name of this view").fill("Refused lately")
    page.keyboard.press("Enter")
    view = page.get_by_role("link", name="Refused lately")
    expect(view).to_have_attribute("aria-current", "page")
    page.goto(f"{system.url}/admin/audit")
    view.click()
    expect(page).to_have_url(re.compile(r"/admin/audit\?outcome=denied$"))
    expect(page.locator("select[name=outcome]")).to_have_value("denied")
    other = sign_in("admin", "/admin/audit")
    settled(other)
    assert _views(other) == ["All"]
    page.get_by_role("button", name="Forget the view Refused lately").click()
    expect(view).to_have_count(0)
    page.reload()
    settled(page)
    assert _views(page) == ["All"]


def test_a_hidden_column_stays_hidden(sign_in: SignIn) -> None:
    page = sign_in("auditor", "/admin/audit")
    settled(page)
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Where").uncheck()
    where = page.locator("th", has_text="Where")
    expect(where).to_be_hidden()
    expect(page.locator("tbody tr").first.locator("td").nth(3)).to_be_hidden()
    page.reload()
    settled(page)
    expect(where).to_be_hidden()
    expect(page.locator("summary", has_text="Columns")).to_contain_text("3 of 4")
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Where").check()
    expect(where).to_be_visible()


def test_rows_are_walked_and_opened_by_keys(sign_in: SignIn) -> None:
    page = sign_in("auditor", "/admin/audit")
    settled(page)
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    rows = page.locator("tbody tr")
    expect(rows.nth(1).locator("a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"row=\d+"))
    expect(page.get_by_role("complementary", name="The chosen row")).to_be_visible()
    # The letters of a sequence that leads to a page are none of the list's.
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).not_to_have_url(re.compile(r"row="))


def test_chosen_tokens_are_revoked_together(sign_in: SignIn) -> None:
    page = sign_in("admin", "/admin/tokens")
    settled(page)
    for name in ("bulk-one", "bulk-two", "bulk-kept"):
        _make_token(page, name)
    bar = page.get_by_role("group", name="The chosen rows")
    expect(bar).to_have_count(0)
    page.get_by_label("Choose bulk-one").check()
    page.get_by_label("Choose bulk-two").check()
    expect(bar).to_contain_text("2 chosen")
    bar.get_by_role("button", name="Revoke 2").click()
    expect(bar).to_contain_text("refused at once")
    bar.get_by_role("button", name="Revoke 2").click()
    expect(page.get_by_text("2 tokens no longer work")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("bulk-(one|two)"))).to_have_count(0)
    expect(page.get_by_label("Choose bulk-kept")).not_to_be_checked()
    expect(bar).to_have_count(0)


def test_a_list_is_taken_along_as_csv(sign_in: SignIn) -> None:
    page = sign_in("admin", "/admin/access")
    settled(page)
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    assert coming.value.suggested_filename == "waypost-access.csv"
    lines = coming.value.path().read_text().splitlines()
    assert lines[0].startswith("id,name,email")
    assert len(lines) > 1


@pytest.mark.parametrize(
    "path",
    ["/payments", "/payments/wallets", "/payments/ledger", "/admin/access", "/admin/audit"],
)
def test_the_rows_of_a_list_fit_onto_a_phone(sign_in: SignIn, path: str) -> None:
    page = sign_in("admin", path, viewport=PHONE)
    settled(page)
    expect(page.locator(".wp-list tbody tr").first).to_be_visible()
    wider = page.locator(".wp-list .wp-table-box").evaluate_all(
        "boxes => boxes.map(box => box.scrollWidth - box.clientWidth)"
    )
    assert wider == [0]


def test_what_administrators_press_is_within_a_phones_picture(sign_in: SignIn) -> None:
    page = sign_in("admin", "/admin/on-call", viewport=PHONE)
    settled(page)
    expect(page.get_by_role("button", name="New schedule")).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Hooks").click()
    expect(page.get_by_role("button", name="Make endpoint")).to_be_visible()
    filters = page.get_by_role("search")
    filters.scroll_into_view_if_needed()
    for name in ("State", "Event", "Order number"):
        expect(filters.get_by_label(name)).to_be_in_viewport(ratio=1)
    expect(filters.get_by_role("button", name="Filter")).to_be_in_viewport(ratio=1)
