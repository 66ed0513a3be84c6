"""The console in a real browser: frame, keys, overview and the admin pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, all_readable, settled
from tests.support.system import System

PAGES = (
    "/",
    "/admin/access",
    "/admin/policies",
    "/admin/tokens",
    "/admin/sessions",
    "/admin/audit",
    "/account",
)
REFUSED = re.compile(
    r"Failed to load resource: the server responded with a status of 401 \(Unauthorized\)"
    r"|WebSocket connection to '[^']*/(?:_event|api/live)[^']*' failed: .* 403"
)


def _fleet_is_there(page: Page) -> Locator:
    """The tile of live drivers, once the demo's fleet has begun to drive."""
    tile = page.get_by_role("link", name=re.compile("Drivers live"))
    expect(tile.locator(".wp-tile-value")).to_have_text(re.compile(r"[1-9]"), timeout=30_000)
    return tile


@pytest.mark.parametrize("size", [None, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_has_an_accessibility_violation_or_runs_over(
    sign_in: SignIn, theme: str, size: dict[str, int] | None
) -> None:
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    all_readable(page, PAGES, theme)


def test_a_page_whose_start_was_lost_begins_anew(sign_in: SignIn, system: System) -> None:
    page = sign_in("admin", "/account")
    tabs: list[str] = []

    def lose_the_first(socket: WebSocketRoute) -> None:
        tabs.append(socket.url)
        server = socket.connect_to_server()
        lost = len(tabs) == 1
        server.on_message(
            # The socket stays open and alive; what the page waits for does not come.
            lambda message: None if lost and str(message).startswith("42") else socket.send(message)
        )

    page.route_web_socket(re.compile("/_event"), lose_the_first)
    page.goto(f"{system.url}/admin/audit")
    expect(page.locator(".wp-person")).to_have_text(re.compile("[A-Z]"), timeout=30_000)
    settled(page)
    assert len(set(tabs)) > 1


def test_the_overview_counts_drivers_and_leads_to_the_map(sign_in: SignIn) -> None:
    page = sign_in("admin")
    tile = _fleet_is_there(page)
    expect(page.get_by_role("row", name=re.compile("Bangkok"))).to_be_visible()
    tile.click()
    expect(page).to_have_url(re.compile(r"/map\?.*status=live"))


def test_the_region_switcher_narrows_the_overview_and_the_address_keeps_it(sign_in: SignIn) -> None:
    page = sign_in("admin")
    page.locator("summary.wp-select").click()
    page.get_by_role("button", name="Bangkok TH-10").click()
    expect(page).to_have_url(re.compile("region=TH-10"))
    expect(page.get_by_role("row", name=re.compile("Bangkok"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Mumbai"))).to_have_count(0)
    page.reload()
    expect(page.locator("summary.wp-select")).to_contain_text("Thailand / Bangkok")


def test_the_palette_finds_pages_drivers_and_regions(sign_in: SignIn) -> None:
    page = sign_in("admin")
    _fleet_is_there(page)
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search orders")
    box.fill("DRV-00")
    expect(
        page.locator("#wp-options").get_by_role("option", name=re.compile("DRV-00")).first
    ).to_be_visible()
    box.fill("polic")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Policies", level=1)).to_be_visible()
    settled(page)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search orders").fill("Dhaka")
    page.locator("#wp-options").get_by_role("option", name=re.compile("Dhaka")).first.click()
    expect(page).to_have_url(re.compile("region=BD-13"))


def test_keys_lead_everywhere_and_are_listed(sign_in: SignIn) -> None:
    page = sign_in("admin", "/account")
    settled(page)
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Audit trail", level=1)).to_be_visible()
    settled(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_people_see_only_the_pages_their_role_opens(sign_in: SignIn) -> None:
    page = sign_in("viewer")
    rail = page.get_by_role("navigation", name="Main", exact=True)
    expect(rail.get_by_role("link", name="Live map")).to_be_visible()
    expect(rail.get_by_role("link", name="Access")).to_have_count(0)


def test_an_auditor_lands_on_the_audit_trail_whose_seals_hold(sign_in: SignIn) -> None:
    page = sign_in("auditor", "/admin/audit")
    settled(page)
    page.get_by_role("button", name="Check seals").click()
    expect(page.get_by_text("every seal holds")).to_be_visible()


def test_a_role_given_and_taken_back_is_in_the_audit_trail(sign_in: SignIn, system: System) -> None:
    sign_in("viewer").context.close()
    page = sign_in("admin", "/admin/access")
    row = page.get_by_role("row", name=re.compile("viewer", re.IGNORECASE)).last
    row.get_by_role("link").click()
    panel = page.get_by_role("complementary", name="The chosen person")
    panel.locator("select[name=role]").select_option("support_agent")
    panel.locator("select[name=region]").select_option("NP")
    panel.locator("form").last.locator("input[name=reason]").fill("helps out in Nepal")
    panel.get_by_role("button", name="Give role").click()
    expect(page.get_by_text("is now support agent in Nepal")).to_be_visible()
    panel.get_by_role("button", name="Take back").last.click()
    panel.get_by_placeholder("Why").fill("holidays are over")
    panel.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The role is taken back")).to_be_visible()
    page.goto(f"{system.url}/admin/audit?action=grant.revoked")
    page.locator("tbody a").first.click()
    expect(page.get_by_text("holidays are over")).to_be_visible()


def test_a_token_is_shown_once_and_works(sign_in: SignIn, system: System) -> None:
    page = sign_in("admin", "/admin/tokens")
    page.get_by_placeholder("marketplace-th").fill("browser-test")
    page.locator("select[name=role]").select_option("viewer")
    page.get_by_role("button", name="Make token").click()
    box = page.get_by_label("The new token")
    expect(box).to_have_value(re.compile("^wpt_"))
    secret = box.input_value()
    answer = page.request.get(
        f"{system.url}/api/v1/drivers?limit=1", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.ok
    page.reload()
    settled(page)
    expect(page.get_by_text("browser-test", exact=True)).to_be_visible()
    assert secret not in page.content()
    assert page.get_by_label("The new token").input_value() == ""


def test_a_revoked_session_leads_its_open_console_to_sign_in(
    sign_in: SignIn, system: System, complaints: list[str]
) -> None:
    victim = sign_in("fleet manager")
    expect(victim.locator(".wp-person")).not_to_be_empty()
    admin = sign_in("admin", "/admin/sessions?q=fleet")
    settled(admin)
    name = victim.locator(".wp-person").get_attribute("aria-label") or ""
    person = name.removeprefix("You: ")
    admin.goto(f"{system.url}/admin/sessions?q={person.split()[0]}")
    row = admin.get_by_role("row", name=re.compile(re.escape(person)))
    row.get_by_role("button", name="End all of the person").first.click()
    victim.wait_for_url(re.compile("/auth/login"), timeout=20_000)
    # What was being asked for when the session ended is refused, and the browser notes it.
    victim.context.close()
    complaints[:] = [each for each in complaints if not REFUSED.fullmatch(each)]


def test_signing_out_closes_the_console(sign_in: SignIn, system: System) -> None:
    page = sign_in("viewer", "/account")
    settled(page)
    page.locator(".wp-person").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/auth/"))
    page.goto(f"{system.url}/account")
    expect(page).to_have_url(re.compile(r"/auth/login\?next="))


def test_an_address_that_leads_nowhere_says_so(
    sign_in: SignIn, system: System, complaints: list[str]
) -> None:
    page = sign_in("viewer", "/account")
    page.goto(f"{system.url}/no/such/page")
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    # The browser itself notes the 404 of the document.
    complaints.clear()
