"""The `localstripe` package as an independent Stripe, on a port of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

KEY = "sk_test_waypost"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_double() -> Iterator[str]:
    """The address of a fresh double."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "localstripe", "--port", str(port),
         "--from-scratch"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/v1/customers", auth=(KEY, ""))
                break
            except httpx.TransportError:
                assert process.poll() is None, "localstripe did not start"
                assert time.monotonic() < deadline, "localstripe does not answer"
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def card(url: str, number: str) -> str:
    """A payment method over a card."""
    made = httpx.post(
        f"{url}/v1/payment_methods",
        auth=(KEY, ""),
        data={
            "type": "card", "card[number]": number, "card[exp_month]": "12",
            "card[exp_year]": "2031", "card[cvc]": "123",
        },
    )  # fmt: skip
    assert made.status_code == 200, made.text
    return str(made.json()["id"])
