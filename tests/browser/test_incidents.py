"""People who respond, in a real browser: from the bell to the review, and two at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, all_readable, settled
from tests.browser.trouble import AWAY, alert, declare, on_shift
from tests.support.system import System

PAGES = (
    "/incidents",
    "/incidents?tab=alerts",
    "/scorecard",
    "/scorecard?figure=mttr",
    "/admin/on-call",
    "/admin/on-call?tab=maintenance",
    "/admin/on-call?tab=heartbeats",
    "/admin/on-call?tab=costs",
    "/wall",
)


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    token = system.waypost("token", "--role", "admin").stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=system.url, headers=headers) as client:
        yield client


def test_an_incident_goes_from_the_bell_to_its_review(sign_in: SignIn, api: httpx.Client) -> None:
    page = on_shift(sign_in, "support agent")
    title = f"Top-ups fail {uuid4().hex[:6]}"
    declare(api, title, "SEV1")
    page.wait_for_function(f"() => window.rung.some((title) => title.includes('{title}'))")
    bell = page.locator(".wp-bell > summary")
    expect(bell).to_contain_text("SEV1")
    bell.click()
    page.locator(".wp-bell-row", has_text=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()

    acts = page.get_by_role("group", name="Act")
    acts.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("region", name="People")).to_contain_text("Meera Kulkarni (you)")
    story = page.get_by_role("complementary", name="Timeline")
    story.get_by_label("Note").fill("The gateway answers with 503 since the hour")
    page.keyboard.press("Control+Enter")
    expect(story.get_by_role("list")).to_contain_text("The gateway answers with 503")
    expect(story.get_by_label("Note")).to_have_value("")

    acts.get_by_role("button", name="Mitigated").click()
    drawer = page.get_by_role("dialog", name="Mitigated")
    drawer.get_by_label(re.compile("What stopped it")).fill("Routed to the other gateway")
    drawer.get_by_role("button", name="Mitigated").click()
    clocks = page.get_by_role("region", name="Clocks")
    expect(clocks).to_contain_text("the harm has stopped")
    acts.get_by_role("button", name="Resolve when verified").click()
    drawer = page.get_by_role("dialog", name="Resolve")
    drawer.get_by_label(re.compile("How it was verified")).fill("Ten top-ups went through")
    drawer.get_by_label(re.compile("Although")).check()
    drawer.get_by_role("button", name="Resolve").click()

    review = page.get_by_role("region", name="Review")
    text = review.get_by_role("textbox", name="Review")
    expect(text).to_have_value(re.compile("Routed to the other gateway"))
    text.fill(text.input_value() + "\nWe alert on 503 from now on.")
    page.reload()
    expect(text).to_have_value(re.compile("We alert on 503 from now on"))
    review.get_by_role("button", name="Save the review").click()
    expect(review).to_contain_text("saved by Meera Kulkarni")
    expect(acts.get_by_role("button", name="Close")).to_be_visible()


def test_the_second_of_two_responders_is_told_who_was_quicker(
    sign_in: SignIn, api: httpx.Client
) -> None:
    number = declare(api, f"Refunds hang {uuid4().hex[:6]}")["number"]
    agent = sign_in("support agent", f"/incidents/{number}")
    lead = sign_in("support lead", f"/incidents/{number}")
    late = agent.get_by_role("group", name="Act").get_by_role("button", name="Acknowledge")
    expect(late).to_be_visible(timeout=20_000)
    agent.evaluate(AWAY)
    lead.get_by_role("group", name="Act").get_by_role("button", name="Acknowledge").click()
    expect(lead.get_by_role("region", name="People")).to_contain_text("Arjun Menon (you)")
    late.click()
    expect(agent.locator(".wp-notice")).to_contain_text("Arjun Menon acknowledged it at")
    expect(agent.get_by_role("region", name="People")).to_contain_text("Arjun Menon")
    agent.get_by_role("button", name="Join").click()
    expect(lead.get_by_role("region", name="People")).to_contain_text("Meera Kulkarni")


def test_a_note_that_is_half_written_outlives_the_page(sign_in: SignIn, api: httpx.Client) -> None:
    number = declare(api, f"Codes do not arrive {uuid4().hex[:6]}")["number"]
    page = sign_in("support agent", f"/incidents/{number}")
    page.get_by_label("Note").fill("I called the provider and")
    page.reload()
    expect(page.get_by_label("Note")).to_have_value("I called the provider and")


def test_an_alert_is_listed_with_what_was_received(sign_in: SignIn, api: httpx.Client) -> None:
    key = f"cards-{uuid4().hex[:6]}"
    alert(api, key, f"Cards fail at {key}")
    page = sign_in("support lead", f"/incidents?tab=alerts&q={key}")
    row = page.get_by_role("row", name=re.compile(key))
    expect(row).to_contain_text("firing", timeout=20_000)
    row.get_by_role("button", name="Raw").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("region", name="The payload")).to_contain_text("gateway-7")
    page.keyboard.press("Escape")
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/incidents/[0-9a-f-]{36}"))
    alerts = page.get_by_role("region", name="Alerts", exact=True)
    expect(alerts).to_contain_text(f"Cards fail at {key}")
    alert(api, key, f"Cards fail at {key}", action="resolve")
    expect(alerts).to_contain_text(re.compile("clearing|resolved"), timeout=20_000)


def test_many_are_acknowledged_with_a_result_for_each(sign_in: SignIn, api: httpx.Client) -> None:
    word = uuid4().hex[:6]
    for severity in ("SEV4", "SEV2", "SEV3"):
        declare(api, f"Bulk {word} {severity}", severity)
    page = sign_in("support lead", f"/incidents?q={word}")
    settled(page)
    rows = page.get_by_role("region", name="Incidents").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("SEV2")
    page.get_by_role("checkbox", name="Choose all rows of this page").check()
    page.keyboard.press("a")
    outcome = page.get_by_role("region", name="What became of each")
    expect(outcome).to_contain_text("3 of 3 are acknowledged")
    expect(outcome.locator(".wp-outcome")).to_have_count(3)
    expect(rows.first).to_contain_text("Arjun Menon")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert word in download.value.path().read_text()


def test_incidents_are_merged_and_the_page_leads_to_their_target(
    sign_in: SignIn, system: System, api: httpx.Client
) -> None:
    word = uuid4().hex[:6]
    target = declare(api, f"Target {word}")["number"]
    other = declare(api, f"Same thing {word}")["number"]
    page = sign_in("support lead", f"/incidents/{target}")
    page.get_by_role("group", name="Act").get_by_role("button", name="Merge").click()
    drawer = page.get_by_role("dialog", name="Merge into this one")
    drawer.get_by_text(f"Same thing {word}").click()
    expect(drawer.get_by_role("checkbox", checked=True)).to_have_count(1)
    drawer.get_by_role("button", name="Merge into this one").click()
    expect(drawer).to_be_hidden(timeout=20_000)
    expect(page.get_by_role("complementary", name="Timeline")).to_contain_text(
        other, timeout=20_000
    )
    page.goto(f"{system.url}/incidents/{other}")
    expect(page.get_by_role("link", name=re.compile(f"merged into {target}"))).to_be_visible()


def test_an_incident_is_declared_from_the_palette(sign_in: SignIn) -> None:
    page = sign_in("support agent", "/incidents")
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("declare")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Declare an incident")
    title = f"The hub is flooded {uuid4().hex[:6]}"
    drawer.get_by_label("What is wrong").fill(title)
    drawer.get_by_label("Severity").select_option("SEV2")
    drawer.get_by_label("Where").select_option("IN-KA")
    drawer.get_by_role("button", name="Declare").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_the_wall_shows_the_worst_and_nobody(sign_in: SignIn, api: httpx.Client) -> None:
    title = f"No driver is heard {uuid4().hex[:6]}"
    opened = declare(api, title, "SEV1", service="tracking")
    seen = {"seen_version": opened["version"]}
    answer = api.post(f"/api/v1/incidents/{opened['id']}/acknowledge", json=seen)
    assert answer.status_code == 200, answer.text
    page = sign_in("support lead", "/wall")
    row = page.get_by_role("listitem").filter(has_text=title)
    expect(row).to_contain_text("acknowledged", timeout=20_000)
    for person in ("Arjun", "Meera", "DRV-"):
        expect(page.locator("main")).not_to_contain_text(person)


RUNS_OVER_BY = """words => {
    const text = document.createRange();
    text.selectNodeContents(words);
    const place = words.parentElement.getBoundingClientRect();
    return text.getBoundingClientRect().right - place.right;
}"""


def test_a_title_without_a_space_keeps_to_its_place(sign_in: SignIn, api: httpx.Client) -> None:
    title = f"{uuid4().hex}" * 9
    declare(api, title, "SEV1")
    for path, role in ((f"/incidents?q={title[:32]}", "row"), ("/wall", "listitem")):
        page = sign_in("support lead", path)
        shown = page.get_by_role(role).filter(has_text=title).get_by_text(title)
        expect(shown).to_be_visible(timeout=20_000)
        assert shown.evaluate(RUNS_OVER_BY) <= 1


def test_an_admin_keeps_a_schedule_a_window_and_a_cost(sign_in: SignIn, system: System) -> None:
    page = sign_in("admin", "/admin/on-call")
    settled(page)
    name = f"Nights {uuid4().hex[:6]}"
    page.get_by_role("button", name="New schedule").click()
    drawer = page.get_by_role("dialog", name="New schedule")
    drawer.get_by_label("Name", exact=True).fill(name)
    drawer.get_by_label("Where").select_option("IN-KA")
    drawer.locator(".wp-candidate input").first.check()
    drawer.get_by_role("button", name="Keep the schedule").click()
    card = page.get_by_role("region", name=name)
    expect(card).to_contain_text("On call now")
    expect(card).to_contain_text("at once the one on call")

    card.get_by_role("button", name=f"Stand-ins of {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Stand in", exact=True).click()
    expect(card).to_contain_text("stands in:")
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()

    page.get_by_role("link", name="Heartbeats").click()
    page.get_by_label("Integration").fill(f"grafana/{name[-6:]}")
    page.get_by_role("button", name="Expect it").click()
    beat = page.get_by_role("row", name=f"grafana/{name[-6:]}")
    expect(beat).to_contain_text("within 5")
    beat.get_by_role("button", name=re.compile("Drop")).click()
    expect(beat).to_have_count(0)

    page.get_by_role("link", name="Maintenance").click()
    page.get_by_label("What for").fill(f"New switch {name}")
    page.get_by_label("Where").select_option("SG-01")
    page.get_by_role("button", name="Add the window").click()
    row = page.get_by_role("row", name=re.compile(f"New switch {name}"))
    row.get_by_role("button", name="End now").click()
    expect(row).to_contain_text("past")

    page.goto(f"{system.url}/admin/on-call?tab=costs")
    page.get_by_label("Kind").select_option("maps")
    page.get_by_label("USD").fill("1,234.50")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("maps"))).to_contain_text("1,234.50")


def test_the_scorecard_leads_from_a_figure_to_its_rows(sign_in: SignIn) -> None:
    page = sign_in("admin", "/scorecard")
    settled(page)
    figures = page.get_by_role("region", name="Figures").get_by_role("link")
    expect(figures).to_have_count(7, timeout=20_000)
    figures.nth(4).click()
    expect(page).to_have_url(re.compile("figure=mttr"))
    expect(page.get_by_role("region", name="The chosen figure")).to_be_visible()
    expect(
        page.get_by_role("region", name="Objectives", exact=True).locator("tbody tr")
    ).not_to_have_count(0)


@pytest.mark.parametrize(("theme", "size"), [("dark", None), ("light", PHONE)])
def test_no_page_of_incidents_has_a_violation_or_runs_over(
    sign_in: SignIn, api: httpx.Client, theme: str, size: dict[str, int] | None
) -> None:
    number = declare(api, "Cards are declined in Bengaluru", "SEV1")["number"]
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    all_readable(page, (*PAGES, f"/incidents/{number}"), theme)
