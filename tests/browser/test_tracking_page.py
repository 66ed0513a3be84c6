"""The customer's page on a phone: readable, quiet, and up to date by itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from uuid_utils import uuid7

from tests.browser.looks import PHONE, readable
from tests.support.system import System

SIAM, LUMPINI = (13.7456, 100.5341), (13.7307, 100.5418)


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    """An admin's client."""
    minted = system.waypost("token", "--role", "admin")
    assert minted.returncode == 0, minted.stderr
    headers = {"Authorization": f"Bearer {minted.stdout.strip()}"}
    with httpx.Client(base_url=system.url, headers=headers, timeout=10) as client:
        yield client


@dataclass
class Courier:
    """A driver with a phone that numbers its events."""

    api: httpx.Client
    id: str
    token: str
    seq: int = 0

    def post(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, json=body, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code < 300, answer.text
        return answer.json()

    def drive_to(self, lat: float, lon: float) -> None:
        fix = {"recorded_at": datetime.now(UTC).isoformat(), "lat": lat, "lon": lon,
               "speed": 5, "bearing": 120}  # fmt: skip
        self.post("/api/v1/positions", [fix])

    def tell(self, order: dict[str, Any], *kinds: str) -> None:
        for kind in kinds:
            self.seq += 1
            payload: dict[str, Any] = {}
            if kind == "order.pick_up":
                payload["barcodes"] = [parcel["barcode"] for parcel in order["parcels"]]
            event = {
                "event_id": str(uuid7()), "device_seq": self.seq, "boot_id": "boot",
                "captured_at": datetime.now(UTC).isoformat(), "monotonic_ms": self.seq * 1000,
                "type": kind, "order_id": order["id"], "payload": payload,
            }  # fmt: skip
            device = {"boot_id": "boot", "app_version": "1", "platform": "android"}
            answer = self.post("/api/driver/v1/sync", {"device": device, "events": [event]})
            assert answer["results"][0]["status"] == "accepted", answer


@pytest.fixture
def courier(api: httpx.Client) -> Courier:
    """A new driver of Bangkok on shift."""
    details = {"name": "Somchai Jaidee", "region": "TH-10", "vehicle": "bike"}
    made = api.post(
        "/api/v1/drivers", json={**details, "code": f"TST-{uuid.uuid4().hex[:6].upper()}"}
    )
    assert made.status_code == 201, made.text
    driver = made.json()["id"]
    token = api.post(f"/api/v1/drivers/{driver}/device-token").json()["token"]
    found = Courier(api, driver, token)
    found.post("/api/driver/v1/shift", {"state": "on"})
    found.drive_to(*SIAM)
    return found


def order_for(api: httpx.Client, courier: Courier) -> dict[str, Any]:
    """An order of Bangkok that the courier has taken."""
    reference = uuid.uuid4().hex[:12]
    order = api.post("/api/v1/orders", json={
        "reference": reference, "region": "TH-10", "service": "standard",
        "pickup": {"name": "Siam Books", "phone": "+6621234567", "address": "991 Rama I Road",
                   "lat": SIAM[0], "lon": SIAM[1]},
        # Whoever changes how they are written to changes it for all of their orders.
        "drop": {"name": "Malee Srisuk", "phone": f"+668{int(reference, 16) % 10**8:08d}",
                 "address": "12 Sala Daeng Road", "lat": LUMPINI[0], "lon": LUMPINI[1]},
        "parcels": [{"barcode": f"PC{reference}", "weight_g": 900}],
        "payment": {"terms": "prepaid", "amount": {"minor": 100, "currency": "THB"}},
        "promised_at": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
    })  # fmt: skip
    assert order.status_code == 201, order.text
    number = order.json()["number"]
    # The city's own matching may have been quicker.
    wanted = {"driver_id": courier.id, "force": True, "reason": "a test of the customer's page"}
    for verb in ("assign", "reassign"):
        given = api.post(f"/api/v1/orders/{number}/{verb}", json=wanted)
        if given.status_code < 300:
            break
    assert given.status_code < 300, given.text
    courier.tell(order.json(), "order.accept")
    return dict(api.get(f"/api/v1/orders/{number}").json())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a stranger on a phone, which must stay without complaints."""
    context = browser.new_context(viewport=PHONE, locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [each for each in complaints if not re.search("404|ERR_FAILED", each)] == []


def test_a_customer_follows_an_order_to_their_door(
    api: httpx.Client, courier: Courier, page: Page
) -> None:
    order = order_for(api, courier)
    page.clock.install()
    page.goto(order["tracking_url"])
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "A driver is on the way to collect it"
    )
    expect(page.locator("svg.map")).to_have_count(0)
    readable(page)

    courier.tell(order, "order.reach_pickup", "order.pick_up", "order.depart")
    courier.drive_to(LUMPINI[0] + 0.006, LUMPINI[1] - 0.004)
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your parcel is on its way")
    expect(page.get_by_role("status")).to_have_text("Your parcel is on its way")
    expect(page.get_by_role("img", name=re.compile("Map"))).to_be_visible()
    expect(page.get_by_text("Somchai")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("On its way")
    readable(page)
    for secret in ("Malee", "Jaidee", "Sala Daeng", "+66"):
        assert secret not in page.content()

    courier.tell(order, "order.arrive")
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("The driver is here")
    readable(page)


def test_a_link_that_is_taken_back_while_it_is_open_leads_nowhere(
    api: httpx.Client, courier: Courier, page: Page
) -> None:
    order = order_for(api, courier)
    page.clock.install()
    page.goto(order["tracking_url"])
    replaced = api.post(
        f"/api/v1/orders/{order['number']}/tracking-link", json={"reason": "sent to a stranger"}
    )
    assert replaced.status_code == 201
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("heading", name="This link leads nowhere")).to_be_visible()
    readable(page)
    page.goto(replaced.json()["tracking_url"])
    expect(page.get_by_text(order["number"])).to_be_visible()


def test_the_page_needs_no_session_and_sets_no_cookie(system: System, page: Page) -> None:
    answer = page.goto(f"{system.url}/track/{'A' * 43}")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="This link leads nowhere")).to_be_visible()
    assert page.context.cookies() == []


def test_who_got_their_order_gives_it_stars(
    api: httpx.Client, courier: Courier, page: Page
) -> None:
    order = order_for(api, courier)
    courier.tell(order, "order.reach_pickup", "order.pick_up", "order.depart")
    courier.drive_to(*LUMPINI)
    courier.tell(order, "order.arrive")
    done = api.post(
        f"/api/v1/orders/{order['number']}/proof/override",
        json={"reason": "The recipient's phone is off", "deliver": True},
    )
    assert done.status_code < 300, done.text
    page.goto(order["tracking_url"])
    page.get_by_role("button", name="4 of 5 stars").click()
    expect(page.locator(".rate [role=status]")).to_have_text("Thank you for 4 of 5 stars.")
    expect(page.locator(".rate [data-lit]")).to_have_count(4)
    page.get_by_label("Anything to add?").fill("Quick and kind")
    with page.expect_response(re.compile("/rating")):
        page.locator(".rate").get_by_role("button", name="Send").click()
    page.reload()
    expect(page.locator(".rate [data-lit]")).to_have_count(4)
    expect(page.get_by_label("Anything to add?")).to_have_value("Quick and kind")
    readable(page)
