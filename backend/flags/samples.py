"""Recent contexts as evaluation leaves them behind, from which a change's reach is estimated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import mmh3

SLOTS = 20_000
"""How many contexts are kept per environment; one person takes one slot."""

_LONGEST = 200
_MOST_ATTRIBUTES = 30
_MOST_ITEMS = 20


def sample_key(environment: str) -> str:
    """The Redis hash: slot (decimal) -> the context's JSON; `at` in it is the epoch second."""
    return f"flags:sample:{environment}"


def people_key(environment: str, app: str, day: datetime) -> str:
    """The HyperLogLog of targeting keys seen of an app in a day; `other` where no app is named."""
    return f"flags:people:{environment}:{app}:{day:%Y%m%d}"


def slot_of(targeting_key: str) -> int:
    """The slot of a person's context, so that who asks often does not crowd out the others."""
    return int(mmh3.hash(targeting_key, signed=False) % SLOTS)


def kept(context: Mapping[str, Any]) -> dict[str, Any]:
    """What of a context goes into the sample: short plain attributes, a bounded number of them."""
    attributes: dict[str, Any] = {}
    for name, value in context.items():
        if len(attributes) == _MOST_ATTRIBUTES:
            break
        if isinstance(value, list):
            attributes[name] = [item for item in value[:_MOST_ITEMS] if _is_plain(item)]
        elif _is_plain(value):
            attributes[name] = value
    return attributes


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return isinstance(value, bool | int | float)
