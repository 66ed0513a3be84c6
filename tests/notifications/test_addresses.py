"""Nothing is sent to addresses inside, however they are spelled and wherever a name leads."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from backend.identity.schemas import Principal
from backend.notifications import service
from backend.notifications.outbound import Outbound
from backend.notifications.rules import is_public, url_fault
from backend.notifications.schemas import EndpointIn
from backend.platform.errors import Invalid
from backend.platform.resources import Resources
from tests.notifications.conftest import SHOP
from tests.notifications.receiver import Receiver

INSIDE = (
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "203.0.113.5",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
    "2001:db8::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)  # fmt: skip
OUTSIDE = (
    "8.8.8.8", "1.1.1.1", "93.184.216.34", "100.128.0.1", "172.32.0.1", "192.169.0.1",
    "2606:4700:4700::1111", "2a00:1450:4001:800::200e", "::ffff:8.8.8.8", "64:ff9b::808:808",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://shop.example/hook?key=1", None),
        ("https://93.184.216.34:8443/", None),
        ("http://shop.example/hook", "not_https"),
        ("ftp://shop.example/", "bad_url"),
        ("https:///hook", "bad_url"),
        ("https://shop.example:99999/", "bad_url"),
        ("https://user:pass@shop.example/", "bad_url"),
        ("https://shop.example/#part", "bad_url"),
        ("https://sh\u043ep.example/", "bad_url"),
        ("https://localhost/", "not_public"),
        ("https://127.0.0.1/", "not_public"),
        ("https://2130706433/", "not_public"),
        ("https://0x7f000001/", "not_public"),
        ("https://017700000001/", "not_public"),
        ("https://127.1/", "not_public"),
        ("https://0xa9.0xfe.43518/", "not_public"),
        ("https://[::1]/", "not_public"),
        ("https://[::ffff:10.0.0.1]/", "not_public"),
        ("http://127.0.0.1/", "not_https"),
    ],
)
def test_an_endpoint_is_at_a_public_https_address(url: str, code: str | None) -> None:
    fault = url_fault(url, allow_loopback=False)
    assert (fault and fault[0]) == code


def test_a_demo_may_listen_on_its_own_machine_and_nowhere_else_inside() -> None:
    assert url_fault("http://localhost:9000/", allow_loopback=True) is None
    assert url_fault("http://127.0.0.1:9000/", allow_loopback=True) is None
    for inside in ("http://10.0.0.1/", "https://10.0.0.1/", "http://shop.example/"):
        assert url_fault(inside, allow_loopback=True) is not None


async def test_a_refused_address_names_its_field(resources: Resources) -> None:
    with pytest.raises(Invalid) as refusal:
        await _create(resources, SHOP, "https://10.0.0.1/hook")
    assert [(each.pointer, each.code) for each in refusal.value.errors] == [("/url", "not_public")]


async def _create(resources: Resources, principal: Principal, url: str) -> None:
    async with resources.database.unit_of_work() as session:
        await service.create_endpoint(session, principal, EndpointIn(url=url))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_production_connects_to_nothing_inside(receiver: Receiver, host: str) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    async with Outbound(allow_loopback=False) as outbound:
        secure = await outbound.send(f"https://{host}:{port}/hook", "{}", {})
        plain = await outbound.send(f"http://{host}:{port}/hook", "{}", {})
    assert (secure.status, plain.status) == (None, None)
    assert "Nothing is sent there" in (secure.why or "")
    assert receiver.heard == []


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::ffff:7f00:1", "fd00::1"])
async def test_a_name_that_leads_inside_when_it_is_looked_up_gets_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """DNS rebinding: what counts is the answer that is connected to, not an earlier one."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    answers = iter(["93.184.216.34", inside])
    current = next(answers)
    asked = []

    def look_up(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(host)
        family = socket.AF_INET6 if ":" in current else socket.AF_INET
        rest = (0, 0) if ":" in current else ()
        return [(family, socket.SOCK_STREAM, 6, "", (current, port, *rest))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert url_fault(f"https://rebinding.example:{port}/", allow_loopback=False) is None
    current = next(answers)
    async with Outbound(allow_loopback=False) as outbound:
        attempt = await outbound.send(f"https://rebinding.example:{port}/", "{}", {})
    assert asked
    assert attempt.status is None
    assert "Nothing is sent there" in (attempt.why or "")
    assert receiver.heard == []


async def test_a_demo_sends_plain_text_to_its_own_machine_alone(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with Outbound(allow_loopback=True) as outbound:
        taken = await outbound.send(receiver.url, "{}", {})
        refused = await outbound.send("http://shop.example/hook", "{}", {})
    assert taken.succeeded
    assert "Nothing is sent there" in (refused.why or "")
