"""What every HTTP request is told apart by."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message

from backend.api import create_api
from backend.platform.http import client_address
from backend.platform.resources import Resources

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def _from(peer: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return HTTPConnection({"type": "http", "client": (peer, 5), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "wanted"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        # Whoever comes directly may write what they like.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["not an address"], "not an address"),
    ],
)
async def test_only_a_trusted_proxy_is_believed_about_the_address(
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    peer: str,
    forwarded: list[str],
    wanted: str,
) -> None:
    monkeypatch.setattr(resources.settings, "trusted_proxies", PROXIES)
    assert client_address(_from(peer, *forwarded)) == wanted


async def test_without_trusted_proxies_nobody_is_believed(resources: Resources) -> None:
    assert client_address(_from("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


@pytest.mark.parametrize(
    "path",
    ["/api/osmand/some-key", "/api/hooks/stripe", "/api/hooks/messages", "/track/some-token/help"],
)
async def test_a_body_that_breaks_off_is_the_senders_fault(resources: Resources, path: str) -> None:
    """Else anybody who hangs up in the middle would spend the budget of an objective."""
    received: list[Message] = [
        {"type": "http.request", "body": b"half a ", "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return received.pop(0) if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"test"), (b"content-type", b"text/plain")],
        "client": ("203.0.113.9", 5),
        "server": ("test", 80),
    }
    await create_api()(scope, receive, send)
    assert [message["status"] for message in answered if "status" in message] == [400]
