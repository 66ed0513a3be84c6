"""Stops asking a gateway that does not answer, for a while."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from backend.payments.gateways.protocol import Unreachable

_FAILURES = 5
_OPEN_S = 30.0


class Breaker:
    """Opens after so many failures in a row; after a pause one call tries whether all is well."""

    def __init__(
        self,
        name: str,
        *,
        failures: int = _FAILURES,
        open_s: float = _OPEN_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._name = name
        self._most = failures
        self._open_s = open_s
        self._clock = clock
        self._failed = 0
        self._closed_again_at = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether calls are turned away at once."""
        return self._failed >= self._most and (
            self._trying or self._clock() < self._closed_again_at
        )

    def enter(self) -> None:
        """Let a call pass, or raise Unreachable without asking the gateway."""
        if self.open:
            raise Unreachable(f"{self._name} did not answer; it is left alone for a while")
        self._trying = self._failed >= self._most

    def succeeded(self) -> None:
        """The gateway answered, whatever it said."""
        self._failed, self._trying = 0, False

    def failed(self) -> None:
        """The gateway did not answer."""
        self._failed += 1
        self._trying = False
        if self._failed >= self._most:
            self._closed_again_at = self._clock() + self._open_s
