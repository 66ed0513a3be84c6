"""OpenFeature's clients of this process, answered from its memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from backend.flags.delivery import Delivery
from backend.flags.evaluation import ValueType, is_of_type
from backend.flags.schemas import Environment

OWN: Environment = "production"
"""The environment that Waypost's own processes read."""

T = TypeVar("T")


class WaypostProvider(AbstractProvider):
    """Answers from the newest flags that this process knows; no call of it waits for anything."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__()
        self._delivery = delivery
        self._environment = delivery.environments[OWN]

    def get_metadata(self) -> Metadata:
        return Metadata(name="waypost")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, evaluation_context, "boolean")

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, evaluation_context, "string")

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, evaluation_context, "integer")

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        found = self._resolve(flag_key, default_value, evaluation_context, "float")
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        return self._resolve(flag_key, default_value, evaluation_context, "object")

    def _resolve(
        self, key: str, default: T, asked: EvaluationContext | None, expected: ValueType
    ) -> FlagResolutionDetails[T]:
        context: dict[str, Any] = {} if asked is None else dict(asked.attributes)
        if asked is not None and asked.targeting_key:
            context["targetingKey"] = asked.targeting_key
        served = self._environment.snapshot.one(key, context)
        found = served.evaluation
        if found.error_code is not None:
            raise ErrorCode.to_exception(ErrorCode(found.error_code), found.error_details or "")
        if found.variant is not None and not is_of_type(found.value, expected):
            raise TypeMismatchError(f"{key} is not of type {expected}.")
        self._delivery.counts.count(OWN, context, (served,))
        self._delivery.samples.note(OWN, context)
        return FlagResolutionDetails(
            default if found.variant is None else found.value,
            reason=Reason(found.reason),
            variant=found.variant,
            flag_metadata=found.metadata,
        )


@contextmanager
def provided(delivery: Delivery) -> Iterator[None]:
    """Answer OpenFeature's clients of this process for as long as this is open."""
    api.set_provider_and_wait(WaypostProvider(delivery))
    try:
        yield
    finally:
        api.clear_providers()
