"""What the browser tests of incidents share: opening them over HTTP, and a browser that rings."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.looks import settled

RINGS = """
window.rung = [];
window.Notification = class {
  static permission = "granted";
  static requestPermission() { return Promise.resolve("granted"); }
  constructor(title) { window.rung.push(title); }
  close() {}
};
"""
"""Stands for the desktop's notifications, which a browser without a screen refuses."""
AWAY = (
    "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true})"
)


def on_shift(sign_in: SignIn, role: str, path: str = "/incidents") -> Page:
    """Somebody whose browser rings for new incidents."""
    page = sign_in(role, path)
    page.add_init_script(RINGS)
    page.reload()
    settled(page)
    bell = page.locator(".wp-bell > summary")
    bell.click()
    page.get_by_role("button", name="Start shift").click()
    expect(page.get_by_role("button", name="End shift")).to_be_visible()
    bell.click()
    return page


def declare(api: httpx.Client, title: str, severity: str = "SEV2", **more: Any) -> dict[str, Any]:
    """An incident that somebody else declares."""
    wanted = {
        "title": title, "severity": severity, "region": "IN-KA", "service": "payments", **more,
    }  # fmt: skip
    answer = api.post("/api/v1/incidents", json=wanted, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def alert(api: httpx.Client, key: str, title: str, *, action: str = "trigger") -> None:
    """An alert by the doorway that speaks PagerDuty's events."""
    event = {
        "event_action": action,
        "dedup_key": key,
        "payload": {
            "summary": title, "source": "gateway-7", "severity": "critical",
            "custom_details": {"region": "IN-KA", "service": "payments"},
        },
    }  # fmt: skip
    answer = api.post("/api/hooks/pagerduty", json=event)
    assert answer.status_code == 202, answer.text
