"""One running demo and one real browser for all browser tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.dispatching import Desk, desk_of
from tests.support.chromium import chromium
from tests.support.system import System, running_system

SignIn = Callable[..., Page]
_LOOK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the browser tests, and the build before the first, their time."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(420))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The demo with a small fleet and half as many orders."""
    folder = tmp_path_factory.mktemp("browser") / "data"
    with running_system(folder, "--drivers", "120", "--orders-per-hour", "300") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium with software rendering.

    Gone with its module: while Playwright is open this thread's event loop counts as running, and
    no other test could start one.
    """
    found = chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found.executable,
            args=found.arguments,
            env=found.environment or None,
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def desk(system: System) -> Desk:
    """Somebody with every right, over HTTP."""
    return desk_of(system)


@pytest.fixture(scope="module")
def paused_city(system: System, browser: Browser) -> Iterator[None]:
    """Bangkok without automatic matching, so that only the tests assign; on again at the end."""
    from tests.browser.board import flip

    flip(system, browser, "Pause", "Heavy rain")
    yield
    flip(system, browser, "Resume", "Back to normal")


@pytest.fixture
def complaints() -> list[str]:
    """Errors that pages wrote to the browser's console; the test fails at its end if any."""
    return []


@pytest.fixture(scope="session")
def held_sessions() -> dict[str, list[Any]]:
    """The cookie of each of the demo's people who has signed in."""
    return {}


@pytest.fixture
def sign_in(
    system: System,
    browser: Browser,
    held_sessions: dict[str, list[Any]],
    complaints: list[str],
) -> Iterator[SignIn]:
    """A function that opens a page as one of the demo's people: `sign_in("Fleet manager")`.

    Who has signed in before comes with that session while it lasts. Motion is reduced unless a
    test asks for it: drawing sixty pictures a second by software is most of what a page costs.
    """
    contexts: list[BrowserContext] = []

    def open_as(role: str, path: str = "/", **options: object) -> Page:
        context = browser.new_context(**{**_LOOK, **options})
        contexts.append(context)
        context.add_cookies(held_sessions.get(role, []))
        page = context.new_page()
        page.on("console", lambda message: _note(message.type, message.text, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(system.url + path)
        if "/auth/login" in page.url:
            sign_in_as(page, role)
            page.wait_for_url(re.compile(re.escape(system.url + path)))
            held_sessions[role] = [each for each in context.cookies() if each["name"] == "waypost"]
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []


def _note(kind: str, text: str, complaints: list[str]) -> None:
    """Keep errors of ours; the base map of the open internet may be out of reach."""
    if kind == "error" and "openfreemap" not in text and "ERR_" not in text:
        complaints.append(text)


def sign_in_as(page: Page, role: str) -> None:
    """Choose the demo's person with this role at its identity provider."""
    page.get_by_role("link", name=re.compile("continue", re.IGNORECASE)).click()
    page.get_by_role("button", name=re.compile(role, re.IGNORECASE)).first.click()
