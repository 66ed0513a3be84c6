"""Evaluates flagd definitions for a context, as flagd does (bucketing version 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BUCKETING = 3
"""murmur3 over the CBOR of [flag key, targeting key]; another version would move everyone."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a context is served; `value` and `variant` are None where the program's default counts.

    `reason` and `error_code` are OpenFeature's (`STATIC`, `TARGETING_MATCH`, `DEFAULT`, `DISABLED`,
    `ERROR`; `FLAG_NOT_FOUND`, `PARSE_ERROR`, `TARGETING_KEY_MISSING`, `GENERAL`).
    """

    value: Any
    variant: str | None
    reason: str
    error_code: str | None = None
    error_details: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def evaluate(
    definitions: Mapping[str, Any] | str, key: str, context: Mapping[str, Any] | None = None
) -> Evaluation:
    """The flag's evaluation over a whole flagd document (`flags`, `$evaluators`, `metadata`)."""
    raise NotImplementedError
