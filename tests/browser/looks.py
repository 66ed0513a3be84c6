"""What every page is asked: whether it is there, whether everybody can read it, at which sizes."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

PHONE = {"width": 390, "height": 844}
LOADED_WITHIN_MS = 30_000
_LOADING = "[aria-busy=true], .wp-bone"


def settled(page: Page) -> None:
    """Wait until the page is drawn and nothing of it loads.

    Before the browser has drawn the first part of a page nothing of it is busy either, therefore
    its heading is awaited first.
    """
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=LOADED_WITHIN_MS)
    expect(page.locator(_LOADING)).to_have_count(0, timeout=LOADED_WITHIN_MS)


def readable(page: Page, where: str = "") -> None:
    """Nothing on the page hinders somebody's reading, and nothing is wider than the window."""
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], where
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), where


def all_readable(page: Page, paths: Iterable[str], theme: str = "dark") -> None:
    """Each of these pages of the console is `readable` in this theme."""
    page.evaluate(f"localStorage.setItem('theme', '{theme}')")
    for path in paths:
        page.goto(urljoin(page.url, path))
        settled(page)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        readable(page, path)
