"""The pages on flags in a real browser, and a phone's own SDK beside them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.dispatching import Desk
from tests.browser.looks import PHONE, readable, settled
from tests.support.system import System

ON_OFF = {"on": True, "off": False}
THAILAND = {
    "id": "th", "by": "targetingKey", "serve": [{"variant": "on", "share": 25_000}],
    "conditions": [{"attribute": "region", "operator": "any_of", "values": ["TH"]}],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Flags over HTTP, and what a phone is served."""

    desk: Desk
    phone: OFREPProvider

    def flag(self, **more: Any) -> str:
        """A new flag that is off for everyone; answers its key."""
        key = f"browser-{uuid4().hex[:8]}"
        spec = {
            "key": key, "owner": "browser", "description": "Made by a test", "variants": ON_OFF,
            "default_variant": "off", "off_variant": "off",
        }  # fmt: skip
        self.save({**spec, **more}, 0)
        return key

    def save(self, spec: dict[str, Any], seen: int, where: str = "production") -> dict[str, Any]:
        """Save a flag as a program does; answers what came of it."""
        body = {
            "environment": where, "spec": spec, "version_seen": seen, "reason": "for a test",
            "confirm": spec["key"],
        }  # fmt: skip
        answer = httpx.put(
            f"{self.desk.url}/api/v1/flags/{spec['key']}",
            json=body,
            headers={**self.desk.headers, "Idempotency-Key": str(uuid4())},
            timeout=30,
        )
        return dict(answer.raise_for_status().json())

    def get(self, path: str) -> Any:
        """What the API says of flags."""
        answer = httpx.get(f"{self.desk.url}/api/v1/flags{path}", headers=self.desk.headers)
        return answer.raise_for_status().json()

    def served(self, key: str, country: str) -> bool:
        """What the phone of a customer in the country is served."""
        context = EvaluationContext("customer-1", {"country": country, "app": "shiptrack"})
        return self.phone.resolve_boolean_details(key, False, context).value

    def comes_to_serve(self, key: str, country: str, wanted: bool) -> bool:
        """Whether the phone is served `wanted` soon, without being started again."""
        deadline = time.monotonic() + 15
        while self.served(key, country) is not wanted:
            if time.monotonic() > deadline:
                return False
        return True


@pytest.fixture(scope="module")
def board(desk: Desk, system: System) -> Iterator[Switchboard]:
    """A desk, and a phone with a key that evaluates production."""
    made = httpx.post(
        f"{system.url}/api/v1/tokens",
        json={"name": f"phone-{uuid4().hex[:8]}", "permissions": ["flags:evaluate"]},
        headers={**desk.headers, "Idempotency-Key": str(uuid4())},
    )
    token = made.raise_for_status().json()["token"]
    phone = OFREPProvider(system.url, headers_factory=lambda: {"Authorization": f"Bearer {token}"})
    yield Switchboard(desk, phone)
    phone.shutdown()


@pytest.fixture
def second_admin(sign_in: SignIn) -> Page:
    """The console of the demo's other admin."""
    return sign_in("Dewi Lestari", "/account")


def change_of(page: Page) -> Any:
    """The panel of the change that is not saved."""
    return page.get_by_role("region", name="Your change")


def toggle(page: Page, country: str) -> None:
    """Turn a country on or off in the draft, and wait for what that would do."""
    page.get_by_role("group", name="Countries").get_by_role("button", name=country).click()
    expect(change_of(page)).to_contain_text("Users who change", timeout=15_000)


def send(page: Page, key: str, word: str, why: str = "the shops there are ready") -> None:
    """Give the reason, type the key and send the change."""
    change = change_of(page)
    change.get_by_label("Why").fill(why)
    button = change.get_by_role("button", name=word, exact=True)
    expect(button).to_be_disabled()
    change.get_by_label(re.compile("type")).fill(key)
    button.click()


def test_a_country_is_turned_on_in_the_browser_and_a_phone_sees_it(
    sign_in: SignIn, board: Switchboard
) -> None:
    key = board.flag()
    assert board.served(key, "TH") is False
    page = sign_in("admin", f"/flags/{key}")
    toggle(page, "Thailand")
    expect(change_of(page)).to_contain_text("Nobody loses it")
    send(page, key, "Publish")
    assert board.comes_to_serve(key, "TH", True)
    assert board.served(key, "IN") is False
    expect(page.get_by_role("region", name="Rules")).to_contain_text("Thailand")
    expect(change_of(page)).to_have_count(0)
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("the shops there are ready")

    history.get_by_role("button", name="Restore version 1").click()
    history.get_by_label("Why").fill("too early")
    history.get_by_label(re.compile("Type")).fill(key)
    history.get_by_role("button", name="Restore", exact=True).click()
    assert board.comes_to_serve(key, "TH", False)
    expect(history).to_contain_text("v3")


def test_a_sensitive_flag_waits_for_another_person(
    sign_in: SignIn, board: Switchboard, second_admin: Page, system: System
) -> None:
    key = board.flag()
    spec = board.get(f"/{key}")["spec"]
    second_admin.goto(f"{system.url}/flags/{key}")
    made = board.save({**spec, "sensitive": True}, 1)
    if made["status"] == "waiting":
        approve(second_admin, key)
        theirs = second_admin.get_by_role("region", name="A change that waits")
        expect(theirs).to_have_count(0, timeout=10_000)
    page = sign_in("admin", f"/flags/{key}")
    expect(page.get_by_text("sensitive", exact=True)).to_be_visible()
    toggle(page, "Thailand")
    expect(change_of(page)).to_contain_text("1 approval")
    send(page, key, "Ask for approval")
    waits = page.get_by_role("region", name="A change that waits")
    expect(waits).to_contain_text("somebody else approves it")
    expect(waits.get_by_role("button", name="Approve")).to_have_count(0)
    assert board.served(key, "TH") is False

    approve(second_admin, key)
    assert board.comes_to_serve(key, "TH", True)
    expect(waits).to_have_count(0, timeout=10_000)
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("approved by Dewi Lestari")


def approve(page: Page, key: str) -> None:
    """Let the waiting change be published."""
    waits = page.get_by_role("region", name="A change that waits")
    waits.get_by_role("button", name="Approve", exact=True).click(timeout=15_000)
    waits.get_by_label(re.compile("Type")).fill(key)
    waits.get_by_role("button", name="Approve and publish").click()


def test_the_kill_switch_takes_one_click_and_asks_why_afterwards(
    sign_in: SignIn, board: Switchboard
) -> None:
    rules = [{"id": "all", "serve": [{"variant": "on", "share": 100_000}]}]
    key = board.flag(rules=rules)
    page = sign_in("admin", f"/flags/{key}")
    assert board.served(key, "TH") is True
    page.get_by_role("button", name="Kill switch").click()
    assert board.comes_to_serve(key, "TH", False)
    banner = page.get_by_role("alert", name="Killed")
    banner.get_by_label("Why was it killed?").fill("wallets were charged twice")
    banner.get_by_role("button", name="Say why").click()
    expect(banner).to_contain_text("wallets were charged twice")
    assert board.get(f"/{key}")["kill_reason"] == "wallets were charged twice"


def test_a_rule_is_written_in_words_and_read_as_json(sign_in: SignIn, board: Switchboard) -> None:
    key = board.flag()
    page = sign_in("admin", f"/flags/{key}?view=json")
    page.get_by_role("button", name="Add a rule").click()
    rules = page.get_by_role("region", name="Rules")
    rules.get_by_label("Add a condition").select_option("app_version")
    expect(change_of(page)).to_contain_text("A condition still has no value")
    rules.get_by_label("App version values").fill("5.2.0")
    rules.get_by_label("Share of on in percent").fill("12.345")
    expect(rules.get_by_role("button", name="App 5.2.0 or newer", exact=True)).to_be_visible()
    code = page.get_by_role("region", name="The definition as JSON")
    expect(code.locator(".wpf-come", has_text="sem_ver")).to_have_count(1, timeout=15_000)
    send(page, key, "Publish")
    expect(change_of(page)).to_have_count(0)
    rule = board.get(f"/{key}")["spec"]["rules"][0]
    assert rule["serve"] == [{"variant": "on", "share": 12_345}]
    assert rule["conditions"][0]["operator"] == "version_at_least"

    tried = page.get_by_role("region", name="Playground")
    tried.get_by_label("Targeting key").fill("customer-1")
    tried.get_by_label("Version", exact=True).fill("5.1.0")
    tried.get_by_role("button", name="Explain").click()
    expect(tried.get_by_role("listitem").filter(has_text="does not").first).to_be_visible()
    expect(tried).to_contain_text("off")


def test_who_edits_at_the_same_time_is_told_and_overwrites_nothing(
    sign_in: SignIn, board: Switchboard
) -> None:
    key = board.flag()
    page = sign_in("admin", f"/flags/{key}")
    page.get_by_text("Variants and settings").click()
    page.get_by_label("Owner").fill("mine")
    toggle(page, "Thailand")
    spec = board.get(f"/{key}")["spec"]
    board.save({**spec, "description": "Changed by a colleague", "owner": "theirs"}, 1)
    change = change_of(page)
    expect(change).to_contain_text("published version 2 meanwhile", timeout=15_000)
    change.get_by_label("Why").fill("the shops there are ready")
    change.get_by_label(re.compile("type")).fill(key)
    expect(change.get_by_role("button", name="Publish", exact=True)).to_be_disabled()
    change.get_by_role("button", name="Put mine on version 2").click()
    expect(change).to_contain_text("You both changed the owner; yours stands here.")
    expect(change).to_contain_text("Owner: theirs to mine", timeout=15_000)
    expect(change).not_to_contain_text("Description")
    change.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Changed by a colleague").first).to_be_visible()
    assert board.get(f"/{key}")["version"] == 2


def test_a_draft_outlives_its_page_and_is_put_on_no_other_version_unasked(
    sign_in: SignIn, board: Switchboard
) -> None:
    key = board.flag()
    page = sign_in("admin", f"/flags/{key}")
    toggle(page, "Thailand")
    page.get_by_role("link", name="Flags").first.click()
    expect(page).to_have_url(re.compile("/flags$"))
    spec = board.get(f"/{key}")["spec"]
    board.save({**spec, "description": "Changed by a colleague"}, 1)
    page.go_back()
    offer = page.get_by_role("region", name="Unsaved changes")
    expect(offer).to_contain_text("You changed rule “Thailand” (new).")
    expect(offer).to_contain_text("They began from version 1; version 2 is in force")
    expect(offer).to_contain_text("Description: Made by a test to Changed by a colleague")
    thailand = page.get_by_role("group", name="Countries").get_by_role("button", name="Thailand")
    expect(thailand).to_be_disabled()
    offer.get_by_role("button", name="Go on").click()
    change_of(page).get_by_role("button", name="Put mine on version 2").click()
    expect(change_of(page)).to_contain_text("Users who change", timeout=15_000)
    page.reload()
    expect(offer).not_to_contain_text("in force by now")
    offer.get_by_role("button", name="Go on").click()
    send(page, key, "Publish")
    expect(change_of(page)).to_have_count(0)
    found = board.get(f"/{key}")
    assert (found["version"], found["description"]) == (3, "Changed by a colleague")
    assert found["spec"]["rules"][0]["conditions"][0]["values"] == ["TH"]

    toggle(page, "India")
    page.reload()
    offer.get_by_role("button", name="Drop").click()
    expect(thailand).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(thailand).to_be_enabled()
    expect(offer).to_have_count(0)


def test_a_flag_is_promoted_from_staging_to_production(sign_in: SignIn, board: Switchboard) -> None:
    key = board.flag()
    board.save({**board.get(f"/{key}")["spec"], "rules": [THAILAND]}, 0, "staging")
    page = sign_in("admin", f"/flags/{key}?env=staging")
    page.get_by_role("button", name="Promote").click()
    panel = page.get_by_role("region", name="Promotion")
    expect(panel).to_contain_text("Users who change", timeout=15_000)
    expect(panel).to_contain_text("over version 1 there")
    expect(panel).to_contain_text("New rule: Thailand: on 25 %")
    publish = panel.get_by_role("button", name="Publish", exact=True)
    panel.get_by_label("Why").fill("it stood the test")
    expect(publish).to_be_disabled()
    panel.get_by_label(re.compile("type")).fill(key)
    publish.click()
    expect(panel).to_have_count(0, timeout=15_000)
    found = board.get(f"/{key}")
    assert (found["version"], found["spec"]["rules"]) == (2, [THAILAND])
    environments = page.get_by_role("navigation", name="Environment")
    environments.get_by_role("link", name="production").click()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("it stood the test")
    expect(page.get_by_role("button", name="Promote")).to_have_count(0)


def test_the_list_finds_flags_and_the_palette_opens_one(
    sign_in: SignIn, board: Switchboard, system: System
) -> None:
    key = board.flag()
    page = sign_in("admin", f"/flags?q={key}")
    row = page.get_by_role("row", name=re.compile(key))
    expect(row).to_contain_text("off")
    expect(page.get_by_role("row")).to_have_count(2)
    sheet = page.request.get(
        system.url + str(page.get_by_role("link", name="CSV").get_attribute("href"))
    )
    assert [line.split(",")[0] for line in sheet.text().splitlines()] == ["key", key]
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name=re.compile("Search")).fill(key)
    page.get_by_role("option", name=re.compile(key)).click()
    expect(page).to_have_url(re.compile(f"/flags/{key}$"))


def test_a_viewer_sees_flags_and_changes_nothing(sign_in: SignIn, board: Switchboard) -> None:
    key = board.flag()
    page = sign_in("viewer", f"/flags/{key}")
    expect(page.get_by_role("heading", name=key)).to_be_visible()
    expect(page.get_by_role("button", name="Kill switch")).to_have_count(0)
    expect(page.get_by_role("group", name="Countries").get_by_role("button").first).to_be_disabled()


@pytest.mark.parametrize("size", [None, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_pages_of_flags(
    sign_in: SignIn, board: Switchboard, system: System, theme: str, size: dict[str, int] | None
) -> None:
    key = board.flag(rules=[THAILAND])
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    page.evaluate(f"localStorage.setItem('theme', '{theme}')")
    for path in ("/flags", f"/flags/{key}?view=json", "/flags/segments"):
        page.goto(system.url + path)
        settled(page)
        if key in path:
            page.get_by_role("button", name="Thailand", exact=True).first.click()
            page.get_by_text("Variants and settings").click()
            toggle(page, "India")
        readable(page, path)
