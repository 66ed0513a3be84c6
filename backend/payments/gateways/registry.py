"""The gateways that the settings name, each behind its circuit breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from backend.payments.gateways.breaker import Breaker
from backend.payments.gateways.protocol import Gateway, LeftAlone, Refused, Unknown, Unreachable
from backend.payments.gateways.razorpay import Razorpay
from backend.payments.gateways.sandbox import Sandbox
from backend.payments.gateways.stripe import Stripe
from backend.platform import indicators
from backend.platform.resources import Resources
from backend.platform.telemetry import meter, tracer
from backend.settings import Settings

Answer = TypeVar("Answer")

_asked = meter.create_counter("waypost.gateway.calls", "1", "Calls of gateways, by outcome")


class Gateways:
    """Gateways by name; what is not set up cannot be reached."""

    def __init__(self, gateways: Mapping[str, Gateway]) -> None:
        self._gateways = dict(gateways)
        self._breakers = {name: Breaker(name) for name in gateways}

    async def ask(self, name: str, question: Callable[[Gateway], Awaitable[Answer]]) -> Answer:
        """The gateway's answer; raises Refused, Unknown or Unreachable."""
        gateway = self._gateways.get(name)
        if gateway is None:
            raise Unreachable(f"{name} is not set up")
        breaker = self._breakers[name]
        try:
            breaker.enter()
        except LeftAlone:
            _count(name, "left_alone")
            raise
        with tracer.start_as_current_span(f"gateway {name}", attributes={"gateway": name}):
            try:
                answer = await question(gateway)
            except (Unknown, Unreachable):
                breaker.failed()
                _count(name, "no_answer")
                raise
            except Refused:
                breaker.succeeded()
                _count(name, "refused")
                raise
        breaker.succeeded()
        _count(name, "answered")
        return answer

    async def close(self) -> None:
        """Let go of every connection."""
        for gateway in self._gateways.values():
            await gateway.close()


def _count(name: str, outcome: str) -> None:
    """Count a question; one that was not even put, because none is answered, is as bad as those."""
    _asked.add(1, {"gateway": name, "outcome": outcome})
    silent = outcome in ("no_answer", "left_alone")
    indicators.count(f"gateway.{name}", indicators.NOWHERE, good=int(not silent))
    if silent:
        indicators.count("payments", indicators.NOWHERE, good=0)


def open_gateways(resources: Resources) -> Gateways:
    """Every gateway that has its keys, and the sandbox outside production."""
    settings = resources.settings
    found: dict[str, Gateway] = {}
    if not settings.production:
        found["sandbox"] = Sandbox(resources.database)
    if settings.stripe_api_key is not None:
        found["stripe"] = Stripe(settings.stripe_api_key.get_secret_value(), settings.stripe_url)
    if settings.razorpay_key_id and settings.razorpay_key_secret is not None:
        found["razorpay"] = Razorpay(
            settings.razorpay_key_id,
            settings.razorpay_key_secret.get_secret_value(),
            settings.razorpay_url,
        )
    return Gateways(found)


def gateway_of(settings: Settings, country: str) -> str:
    """The name of a country's gateway."""
    named = settings.gateways.get(country) or settings.gateways.get("*")
    return named or ("stripe" if settings.production else "sandbox")
