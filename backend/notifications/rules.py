"""Pure decisions about deliveries: when to try again, when to stop, where nothing may be sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import inet_aton
from urllib.parse import SplitResult, urlsplit


class DeliveryState(StrEnum):
    """Where a delivery stands; `failed` is waiting for another try."""

    PENDING = "pending"
    FAILED = "failed"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


WAITING = (DeliveryState.PENDING, DeliveryState.FAILED)

MOST_ATTEMPTS = 14
"""With the delays below the last attempt comes about 24 hours after the first."""
_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 4 * 3600.0
_JITTER = 0.2

GONE = 410
_FAILURES_TO_DISABLE = 20
_FAILING_TO_DISABLE = timedelta(hours=24)


def delay_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failed attempts: three times longer each, 4 h at most.

    `chance` in 0..1 spreads it by a fifth to both sides, so that a receiver that comes back is not
    met by everything at once.
    """
    plain_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 3.0 ** min(attempts - 1, 10))
    return timedelta(seconds=plain_s * (1 + _JITTER * (2 * chance - 1)))


def is_lost(failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint has failed so often and so long that sending is stopped."""
    return (
        failing_since is not None
        and failures >= _FAILURES_TO_DISABLE
        and now - failing_since >= _FAILING_TO_DISABLE
    )


# What IANA's registries of special addresses keep off the public internet, for whatever the
# standard library's own list may lack: shared, benchmark, documentation, multicast, site-local.
_CLOSED: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/127", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
        "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_TRANSLATED = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
_COMPATIBLE = ip_network("::/96")


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, and so does what it may carry inside.

    An IPv6 address that stands for an IPv4 one (mapped, compatible, 6to4, NAT64) is as public as
    that one.
    """
    address = ip_address(text.partition("%")[0])
    inner = _carried(address)
    if inner is not None:
        return is_public(str(inner))
    return address.is_global and not any(
        address in block for block in _CLOSED if block.version == address.version
    )


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    address = ip_address(text.partition("%")[0])
    inner = _carried(address)
    return (inner or address).is_loopback


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def url_fault(url: str, *, allow_loopback: bool) -> tuple[str, str] | None:
    """The code and sentence of what keeps an address from being an endpoint's, None for nothing.

    A name is judged again by what it leads to, each time something is sent.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "bad_url", "This is not an address."
    if parts.scheme not in ("https", "http") or not host or not url.isascii():
        return "bad_url", "Give a whole address that begins with https://."
    if parts.username or parts.password or parts.fragment:
        return "bad_url", "An endpoint's address has no user, password or #fragment."
    return _host_fault(parts, host, allow_loopback)


def _host_fault(parts: SplitResult, host: str, allow_loopback: bool) -> tuple[str, str] | None:
    literal = _literal(host)
    own = host == "localhost" or (literal is not None and is_loopback(literal))
    if own and allow_loopback:
        return None
    if parts.scheme != "https":
        return "not_https", "Webhooks are sent by https alone."
    if own or (literal is not None and not is_public(literal)):
        return "not_public", "Webhooks are sent to the public internet alone."
    return None


def _literal(host: str) -> str | None:
    """The address that a host spells, in any way that resolvers read: decimal, octal, short."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return str(IPv4Address(inet_aton(host)))
    except OSError:
        return None


def wants(event_types: Iterable[str], kind: str) -> bool:
    """Whether an endpoint with these types hears of an event; none named means all."""
    named = set(event_types)
    return not named or kind in named
