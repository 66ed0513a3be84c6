"""Orders and drivers in a real browser: found, acted on, brought in by file, revealed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import PHONE, all_readable, settled
from tests.support.system import System

RECIPIENT = "+66812345678"
UNFIT = "nobody-has-this"
"""A skill that keeps matching away, so that an order stays where a test leaves it."""


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    """The API as an admin."""
    shown = system.waypost("token", "--role", "admin")
    token = shown.stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=system.url, headers=headers, timeout=30) as client:
        yield client


def order_in(**more: Any) -> dict[str, Any]:
    """An order of Bangkok as a marketplace sends it."""
    due = datetime.now(UTC) + timedelta(hours=3)
    return {
        "reference": f"BR-{uuid.uuid4().hex[:8]}",
        "region": "TH-10",
        "pickup": {
            "name": "Siam Books", "phone": "+6621234567",
            "address": "991 Rama I Road, Pathum Wan", "lat": 13.7456, "lon": 100.5341,
        },
        "drop": {
            "name": "Malee Srisuk", "phone": RECIPIENT,
            "address": "12 Sala Daeng Road, Bang Rak", "lat": 13.7307, "lon": 100.5418,
        },
        "parcels": [{"barcode": f"PC{uuid.uuid4().hex[:8]}", "weight_g": 900}],
        "payment": {"terms": "cod", "amount": {"minor": 64000, "currency": "THB"}},
        "promised_at": due.isoformat(),
        "skills": [UNFIT],
        **more,
    }  # fmt: skip


def made(api: httpx.Client, count: int = 1, **more: Any) -> list[dict[str, Any]]:
    """New orders, as the API shows them."""
    wanted = [order_in(**more) for _ in range(count)]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answer = api.post("/api/v1/orders/batch", json={"orders": wanted}, headers=key).json()
    numbers = [result["number"] for result in answer["results"]]
    return [api.get(f"/api/v1/orders/{number}").json() for number in numbers]


def row_of(page: Page, number: str) -> Locator:
    """The row of an order in the list."""
    return page.get_by_role("row", name=re.compile(number))


def test_the_palette_finds_an_order_by_its_number_and_its_reference(
    sign_in: SignIn, api: httpx.Client
) -> None:
    (order,) = made(api)
    page = sign_in("admin", "/account")
    settled(page)
    for words in (order["number"], order["reference"]):
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Search orders").fill(words)
        found = page.locator("#wp-options").get_by_role("option", name=re.compile(order["number"]))
        expect(found).to_be_visible(timeout=15_000)
        found.click()
        expect(page).to_have_url(re.compile(f"/orders/{order['number']}$"))
        expect(page.get_by_role("heading", name=re.compile(order["number"]))).to_be_visible()
        settled(page)


def test_an_order_is_held_and_released_with_reasons_in_its_timeline(
    sign_in: SignIn, api: httpx.Client
) -> None:
    (order,) = made(api)
    page = sign_in("fleet manager", f"/orders/{order['number']}")
    acts = page.get_by_role("region", name="Act", exact=True)
    expect(acts.get_by_text("and not on hold")).to_be_visible(timeout=30_000)
    expect(acts.get_by_role("button", name="Release from hold")).to_have_count(0)
    acts.get_by_role("button", name="Put on hold").click()
    drawer = page.get_by_role("dialog", name="Put on hold")
    drawer.get_by_role("button", name="Put on hold").click()
    expect(drawer.get_by_role("alert")).to_contain_text("Say why")
    drawer.get_by_label("Why").fill("the street is flooded")
    drawer.get_by_role("button", name="Put on hold").click()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("the street is flooded", timeout=15_000)
    acts.get_by_role("button", name="Release from hold").click()
    drawer = page.get_by_role("dialog", name="Release from hold")
    drawer.get_by_label("Why").fill("the water is gone")
    drawer.get_by_role("button", name="Release from hold").click()
    expect(timeline).to_contain_text("the water is gone", timeout=15_000)
    expect(acts.get_by_text("and not on hold")).to_be_visible(timeout=15_000)


def test_a_bulk_action_of_which_one_fails_says_which(sign_in: SignIn, api: httpx.Client) -> None:
    tag = f"bulk-{uuid.uuid4().hex[:6]}"
    orders = made(api, 3, tags=[tag])
    stubborn = orders[1]["number"]
    held = api.post(f"/api/v1/orders/{stubborn}/hold", json={"reason": "held before the others"})
    assert held.status_code == 200
    page = sign_in("fleet manager", f"/orders?tag={tag}")
    expect(row_of(page, stubborn)).to_contain_text("on hold", timeout=30_000)
    page.get_by_label("Choose all rows of this page").check()
    page.get_by_role("button", name="Hold 3").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Why").fill("the depot is closed")
    drawer.get_by_role("button", name=re.compile("^Hold")).click()
    expect(drawer.get_by_role("status")).to_contain_text("2 of 3", timeout=15_000)
    first = drawer.get_by_role("listitem").first
    expect(first).to_contain_text(stubborn)
    expect(first).to_contain_text("cannot be held")
    drawer.get_by_role("button", name="Done").click()
    for order in orders:
        expect(row_of(page, order["number"])).to_contain_text("on hold", timeout=15_000)


def test_new_orders_are_told_and_shown_only_when_asked_for(
    sign_in: SignIn, api: httpx.Client
) -> None:
    tag = f"new-{uuid.uuid4().hex[:6]}"
    (first,) = made(api, tags=[tag])
    page = sign_in("fleet manager", f"/orders?tag={tag}")
    expect(row_of(page, first["number"])).to_be_visible(timeout=30_000)
    (second,) = made(api, tags=[tag])
    show = page.get_by_role("button", name="1 new: show")
    expect(show).to_be_visible(timeout=30_000)
    expect(row_of(page, second["number"])).to_have_count(0)
    show.click()
    expect(row_of(page, second["number"])).to_be_visible(timeout=15_000)
    expect(show).to_have_count(0)


def test_filters_live_in_the_address_and_keys_walk_the_rows(
    sign_in: SignIn, api: httpx.Client
) -> None:
    tag = f"keys-{uuid.uuid4().hex[:6]}"
    made(api, 2, tags=[tag])
    (held,) = made(api, tags=[tag])
    api.post(f"/api/v1/orders/{held['number']}/hold", json={"reason": "to be told apart"})
    page = sign_in("fleet manager", "/orders")
    settled(page)
    page.get_by_label("Tag", exact=True).fill(tag)
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page).to_have_url(re.compile(f"tag={tag}"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3, timeout=15_000)
    page.get_by_role("link", name=re.compile("^On hold")).click()
    expect(page).to_have_url(re.compile(f"tag={tag}.*state=held|state=held.*tag={tag}"))
    expect(rows).to_have_count(1, timeout=15_000)
    page.reload()
    expect(rows).to_have_count(1, timeout=30_000)
    page.keyboard.press("j")
    page.keyboard.press("r")
    drawer = page.get_by_role("dialog", name="Release: 1 order")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/orders/{held['number']}"))


def test_a_list_of_late_orders_fits_the_page_with_every_column(
    sign_in: SignIn, api: httpx.Client
) -> None:
    amount = {"minor": 125_000_000, "currency": "THB"}
    (order,) = made(api, payment={"terms": "cod", "amount": amount}, tags=["fragile", "cold"])
    page = sign_in("admin", f"/orders?q={order['number']}")
    page.set_viewport_size({"width": 1440, "height": 900})
    row = row_of(page, order["number"])
    expect(row).to_be_visible(timeout=30_000)
    row.get_by_role("cell").nth(7).evaluate("cell => { cell.textContent = '23 h 59 min late' }")
    expect(page.get_by_role("columnheader", name="Tags")).to_be_in_viewport(ratio=1)
    box = page.locator(".wp-table-box")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_a_file_with_wrong_rows_is_judged_before_and_the_good_ones_come_in(
    sign_in: SignIn, api: httpx.Client
) -> None:
    head, example = api.get("/api/v1/orders/import/template.csv").text.strip().splitlines()[:2]
    columns = head.lstrip("\ufeff").split(",")
    good = f"CSV-{uuid.uuid4().hex[:8]}"

    def line(**changed: str) -> str:
        cells = dict(zip(columns, example.split(","), strict=True)) | changed
        return ",".join(cells[name] for name in columns)

    wrong_phone = line(reference=f"{good}-b", drop_phone="0812345678")
    wrong_region = line(reference=f"{good}-c", region="TH-99")
    rows = [head, line(reference=good), wrong_phone, wrong_region]
    page = sign_in("fleet manager", "/orders/import")
    page.get_by_label("CSV file with orders").set_input_files(
        {"name": "monday.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    faults = page.get_by_role("region", name="Wrong rows")
    expect(faults.get_by_role("row", name=re.compile("^3"))).to_contain_text(
        "drop_phone", timeout=30_000
    )
    expect(faults.get_by_role("row", name=re.compile("^4"))).to_contain_text("region")
    page.get_by_role("button", name="Import the 1 good row").click()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("status")).to_have_text("1 order taken in", timeout=15_000)
    result.get_by_role("list", name="New orders").get_by_role("link").first.click()
    expect(page.get_by_text(good, exact=True)).to_be_visible(timeout=30_000)


def test_a_phone_number_is_revealed_for_a_while_and_the_look_is_recorded(
    sign_in: SignIn, api: httpx.Client, system: System
) -> None:
    (order,) = made(api)
    page = sign_in("admin", f"/orders/{order['number']}")
    drop = page.get_by_role("region", name="Drop")
    expect(drop).to_contain_text("•••", timeout=30_000)
    assert RECIPIENT not in page.content()
    drop.get_by_role("button", name="Reveal the phone at the drop").click()
    expect(drop.get_by_role("link", name=RECIPIENT)).to_be_visible(timeout=15_000)
    drop.get_by_role("button", name="Hide the phone at the drop").click()
    expect(drop.get_by_role("link", name=RECIPIENT)).to_have_count(0)
    assert RECIPIENT not in page.content()
    page.goto(f"{system.url}/admin/audit?action=order.field_revealed")
    expect(page.get_by_role("row", name=re.compile(order["id"])).first).to_be_visible(
        timeout=30_000
    )


def test_a_viewer_sees_masked_contacts_and_no_way_to_act(
    sign_in: SignIn, api: httpx.Client
) -> None:
    (order,) = made(
        api,
        region="VN-SG",
        pickup={
            "name": "Nhà sách", "phone": "+842838225798",
            "address": "62 Lê Lợi, Quận 1", "lat": 10.7731, "lon": 106.7007,
        },
        drop={
            "name": "Trần Thị Mai", "phone": "+84912345678",
            "address": "15 Nguyễn Trãi, Quận 5", "lat": 10.7626, "lon": 106.6822,
        },
        payment={"terms": "cod", "amount": {"minor": 640000, "currency": "VND"}},
    )  # fmt: skip
    page = sign_in("viewer", f"/orders/{order['number']}")
    drop = page.get_by_role("region", name="Drop")
    expect(drop).to_contain_text("•••", timeout=30_000)
    assert "+84912345678" not in page.content()
    expect(page.get_by_role("button", name=re.compile("^Reveal"))).to_have_count(0)
    acts = page.get_by_role("region", name="Act", exact=True)
    expect(acts.get_by_text("your roles lack orders:write")).to_be_visible()
    expect(acts.get_by_role("button")).to_have_count(0)


def test_an_order_of_another_region_is_not_there(sign_in: SignIn, api: httpx.Client) -> None:
    (order,) = made(api)
    page = sign_in("support agent", f"/orders/{order['number']}")
    expect(page.get_by_text("This order cannot be shown")).to_be_visible(timeout=30_000)


def test_shifts_are_planned_in_bulk_and_called_off_on_the_drivers_page(sign_in: SignIn) -> None:
    page = sign_in("fleet manager", "/drivers")
    settled(page)
    page.locator("tbody tr").first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Plan shifts of 1").click()
    drawer = page.get_by_role("dialog")
    day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    drawer.get_by_label("First day").fill(day)
    drawer.get_by_label("Begins").fill("07:00")
    drawer.get_by_label("Ends").fill("15:30")
    drawer.get_by_role("button", name="Plan", exact=True).click()
    expect(page.get_by_text("The shifts of 1 driver are planned")).to_be_visible(timeout=15_000)
    page.locator("tbody tr").first.locator(".wp-row-link").click()
    shifts = page.get_by_role("region", name="Shifts")
    expect(shifts.get_by_text("07 to 15:30")).to_be_visible(timeout=30_000)
    shifts.get_by_role("button", name=re.compile("Cancel the shift .*07:00")).click()
    expect(page.get_by_text("The shift is cancelled")).to_be_visible(timeout=15_000)


def test_a_drivers_capacity_and_documents_are_kept(sign_in: SignIn, api: httpx.Client) -> None:
    driver = api.get("/api/v1/drivers?region=TH-10&limit=5").json()["items"][-1]
    page = sign_in("fleet manager", f"/drivers/{driver['id']}")
    capacity = page.get_by_role("region", name="Capacity and skills")
    capacity.get_by_label("Skills").fill("cold, fragile")
    capacity.get_by_label("Orders").fill("9")
    capacity.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("The driver's capacity is kept")).to_be_visible(timeout=15_000)
    documents = page.get_by_role("region", name="Documents")
    documents.get_by_label("Number").fill("TH-LIC-4711")
    soon = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    documents.get_by_label("Expires").fill(soon)
    documents.get_by_role("button", name="Keep document").click()
    expect(documents.get_by_role("listitem")).to_contain_text("expiring", timeout=15_000)
    page.reload()
    expect(capacity.get_by_label("Orders")).to_have_value("9", timeout=30_000)
    expect(capacity.get_by_label("Skills")).to_have_value(re.compile("cold, ?fragile"))


def test_the_overview_leads_to_the_late_and_open_orders(sign_in: SignIn, api: httpx.Client) -> None:
    made(api)
    page = sign_in("fleet manager")
    tile = page.get_by_role("link", name=re.compile("Open orders"))
    expect(tile.locator(".wp-tile-value")).to_have_text(re.compile("[1-9]"), timeout=30_000)
    tile.click()
    expect(page).to_have_url(re.compile(r"/orders\?.*state=open"))
    settled(page)
    expect(page.locator("tbody tr").first).to_be_visible()


@pytest.mark.parametrize("size", [None, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_of_orders_or_drivers_has_an_accessibility_violation_or_runs_over(
    sign_in: SignIn, api: httpx.Client, theme: str, size: dict[str, int] | None
) -> None:
    (order,) = made(api)
    driver = api.get("/api/v1/drivers?region=TH-10&limit=1").json()["items"][0]
    page = sign_in("admin", "/account", **({"viewport": size} if size else {}))
    paths = (
        *("/orders", f"/orders/{order['number']}", "/orders/import"),
        *("/drivers", f"/drivers/{driver['id']}"),
    )
    all_readable(page, paths, theme)
