"""Waypost's own switches, read through OpenFeature; the default keeps the business running.

Each process sets a provider at its start that answers from memory. Where none is set, where the
flag is unknown or its answer is of another kind, the default holds.
"""

from __future__ import annotations

from openfeature import api
from openfeature.evaluation_context import EvaluationContext

_client = api.get_client()


def switched_on(key: str, *, default: bool = True, **about: str) -> bool:
    """Whether a switch is on for what is described, such as `country="TH"`."""
    return _client.get_boolean_value(key, default, EvaluationContext(attributes=about))


def number(key: str, default: int, **about: str) -> int:
    """The whole number that a flag holds for what is described."""
    return _client.get_integer_value(key, default, EvaluationContext(attributes=about))
