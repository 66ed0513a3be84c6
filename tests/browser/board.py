"""The dispatcher's board as the browser tests handle it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import SignIn, sign_in_as
from tests.browser.dispatching import CITY
from tests.support.system import System

PATIENCE_MS = 30_000
MAP = "document.querySelector('.wpb-map .wpm-map')?.fleetMap"


def flip(system: System, browser: Browser, verb: str, reason: str) -> None:
    """Switch Bangkok's matching as a fleet manager does."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{system.url}/auth/login?next=/dispatch")
    sign_in_as(page, "Fleet manager")
    page.get_by_role("button", name=f"{verb} Bangkok").click(timeout=PATIENCE_MS)
    asked = page.get_by_role("dialog")
    asked.get_by_role("button", name=reason).click()
    asked.get_by_role("button", name=verb, exact=True).click()
    after = "paused" if verb == "Pause" else "on"
    switch = page.get_by_role("group", name="Automatic matching")
    expect(switch).to_contain_text(f"Automatic matching {after}", timeout=PATIENCE_MS)
    if verb == "Pause":
        expect(switch).to_contain_text(reason)
    context.close()


def open_board(
    sign_in: SignIn,
    name: str = "",
    role: str = "Fleet manager",
    query: str = "",
    region: str = CITY,
    **options: Any,
) -> Page:
    """The board, listing only the orders for a recipient of this name."""
    asked = f"q={quote(name)}" if name else ""
    page = sign_in(role, f"/dispatch?region={region}&{asked}&{query}", **options)
    if name:
        expect(rows(page).first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(f"() => ({MAP}?.points.size ?? 0) > 0", timeout=PATIENCE_MS)
    return page


def rows(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Orders of the queue").get_by_role("option")


def row(page: Page, number: str) -> Locator:
    return page.locator(f"[data-order='{number}']")


def ranked(page: Page, number: str) -> Locator:
    return page.get_by_role("listbox", name=f"Drivers for {number}").get_by_role("option")


def choose(page: Page, number: str) -> Locator:
    """Click the order and answer the drivers ranked for it."""
    row(page, number).click()
    drivers = ranked(page, number)
    expect(drivers.first).to_be_visible(timeout=PATIENCE_MS)
    return drivers


def code_of(driver: Locator) -> str:
    return driver.locator(".wpb-code").inner_text()


class Finger:
    """One finger on a page's screen, as the browser is told of it by the system."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._at = (0.0, 0.0)

    def press(self, on: Locator) -> None:
        """Put the finger down in the middle of something, and leave it there."""
        self._at = _middle(on)
        self._send("touchStart", self._at)

    def move(self, to: Locator) -> None:
        """Move the finger to the middle of something."""
        self._go(_middle(to))

    def swipe(self, on: Locator, up: float) -> None:
        """Put the finger down, move it up and lift it at once."""
        self.press(on)
        x, y = self._at
        self._go((x, y - up))
        self.lift()

    def lift(self) -> None:
        """Lift the finger where it is."""
        self._send("touchEnd")

    def _go(self, to: tuple[float, float], steps: int = 8) -> None:
        (x, y), (to_x, to_y) = self._at, to
        for step in range(1, steps + 1):
            self._send("touchMove", (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps))
        self._at = to

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def _middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
