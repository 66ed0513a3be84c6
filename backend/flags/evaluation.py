"""Evaluates flagd definitions for a context, as flagd does (bucketing version 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from openfeature.contrib.tools.flagd.core.model.flag import Flag
from openfeature.exception import ParseError

from backend.flags.logic import NoTargetingKey, Run, compile_logic

BUCKETING = 3
"""murmur3 over the CBOR of [flag key, targeting key]; another version would move everyone."""

PREREQUISITES = "prerequisites"
OFF_VARIANT = "off_variant"
_OURS = frozenset({PREREQUISITES, OFF_VARIANT})
_DEEPEST = 20
# What JsonLogic's own operators raise on values that they cannot work with.
_UNFIT = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)

ValueType = Literal["boolean", "string", "integer", "float", "object"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a context is served; `value` and `variant` are None where the program's default counts.

    `reason` and `error_code` are OpenFeature's (`STATIC`, `TARGETING_MATCH`, `DEFAULT`, `DISABLED`,
    `ERROR`; `FLAG_NOT_FOUND`, `PARSE_ERROR`, `TARGETING_KEY_MISSING`, `TYPE_MISMATCH`, `GENERAL`).
    """

    value: Any
    variant: str | None
    reason: str
    error_code: str | None = None
    error_details: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def evaluate(
    definitions: Mapping[str, Any] | str,
    key: str,
    context: Mapping[str, Any] | None = None,
    *,
    expected: ValueType | None = None,
) -> Evaluation:
    """The flag's evaluation over a whole flagd document (`flags`, `$evaluators`, `metadata`).

    A value that is not of the `expected` type is the error TYPE_MISMATCH.
    """
    try:
        document = orjson.loads(definitions) if isinstance(definitions, str) else definitions
        found = FlagSet(document).evaluate(key, context or {})
    except (ValueError, AttributeError, ParseError) as error:
        return _failed("PARSE_ERROR", str(error), {})
    if expected is None or found.variant is None or is_of_type(found.value, expected):
        return found
    return _failed("TYPE_MISMATCH", f"{key} is not of type {expected}.", found.metadata)


def is_of_type(value: Any, expected: ValueType) -> bool:
    """Whether a flag's value may be given to a program that asks for this type."""
    if isinstance(value, bool):
        return expected == "boolean"
    types: dict[ValueType, tuple[type, ...]] = {
        "boolean": (),
        "string": (str,),
        "integer": (int,),
        "float": (int, float),
        "object": (dict, list),
    }
    return isinstance(value, types[expected])


class FlagSet:
    """A flagd document ready to be asked; flags are compiled when they are first asked for.

    Never changed once made: `with_changes` answers another one, and shares what stayed.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._flags: Mapping[str, Any] = document.get("flags") or {}
        self._evaluators: Mapping[str, Any] = document.get("$evaluators") or {}
        self._metadata: Mapping[str, Any] = document.get("metadata") or {}
        if not isinstance(self._flags, Mapping) or not isinstance(self._metadata, Mapping):
            raise ParseError("`flags` and `metadata` of a configuration must be objects")
        self._compiled: dict[str, _Flag] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._flags)

    def __len__(self) -> int:
        return len(self._flags)

    def __contains__(self, key: object) -> bool:
        return key in self._flags

    @property
    def document(self) -> Mapping[str, Any]:
        """The flagd document this was made from."""
        return self._document

    def with_changes(
        self, flags: Mapping[str, Mapping[str, Any] | None], evaluators: Mapping[str, Any]
    ) -> FlagSet:
        """This set with some flags replaced, or taken out where they are None."""
        kept = {key: flag for key, flag in self._flags.items() if key not in flags}
        added = {key: flag for key, flag in flags.items() if flag is not None}
        # By key, so that every process lists them alike however it came by them.
        flags_now = dict(sorted({**kept, **added}.items()))
        made = FlagSet({**self._document, "flags": flags_now, "$evaluators": dict(evaluators)})
        if evaluators == self._evaluators:
            made._compiled = {k: flag for k, flag in self._compiled.items() if k in kept}
        return made

    def evaluate(self, key: str, context: Mapping[str, Any], *, strict: bool = False) -> Evaluation:
        """What the context is served.

        Where a share cannot be decided for want of a targeting key, flagd goes on without an
        answer from it; `strict` makes it the error TARGETING_KEY_MISSING instead.
        """
        return self._evaluate(key, context, strict, 0)

    def evaluate_all(
        self, context: Mapping[str, Any], *, strict: bool = True
    ) -> Iterator[tuple[str, Evaluation]]:
        """Every flag's key and evaluation for one context."""
        for key in self._flags:
            yield key, self._evaluate(key, context, strict, 0)

    def _evaluate(
        self, key: str, context: Mapping[str, Any], strict: bool, depth: int
    ) -> Evaluation:
        flag = self._compiled.get(key)
        if flag is None:
            definition = self._flags.get(key)
            if definition is None:
                return _failed("FLAG_NOT_FOUND", f"There is no flag {key}.", {})
            flag = self._compiled[key] = _Flag(key, definition, self._evaluators, self._metadata)
        if flag.fixed is not None:
            return flag.fixed
        for needed, variant in flag.prerequisites:
            if depth == _DEEPEST:
                return _failed("GENERAL", "Prerequisites go in circles.", flag.metadata)
            if self._evaluate(needed, context, strict, depth + 1).variant != variant:
                return flag.off
        if flag.run is None or flag.lenient is None:
            return flag.default
        try:
            variant = flag.run(context) if strict else flag.lenient(context)
        except NoTargetingKey:
            details = f"{key} is shared out by targetingKey, which this context lacks."
            return _failed("TARGETING_KEY_MISSING", details, flag.metadata)
        except ReferenceError as error:
            return _failed("PARSE_ERROR", f"There is no operator {error}.", flag.metadata)
        except _UNFIT as error:
            return _failed("GENERAL", f"{type(error).__name__}: {error}", flag.metadata)
        return flag.outcome(variant)


class _Flag:
    """One flag, compiled, with every evaluation that it can come to."""

    __slots__ = (
        "_outcomes",
        "default",
        "fixed",
        "lenient",
        "metadata",
        "off",
        "prerequisites",
        "run",
    )

    def __init__(
        self,
        key: str,
        definition: Mapping[str, Any],
        evaluators: Mapping[str, Any],
        common: Mapping[str, Any],
    ) -> None:
        self.fixed: Evaluation | None = None
        self.run: Run | None = None
        self.lenient: Run | None = None
        self.prerequisites: Sequence[tuple[str, str]] = ()
        self.metadata: Mapping[str, Any] = common
        self._outcomes: dict[Any, Evaluation] = {}
        try:
            flag = Flag.from_dict(key, dict(definition))
            own = dict(flag.metadata or {})
            self.prerequisites = _prerequisites(own.get(PREREQUISITES))
            self.metadata = {
                **common,
                **{name: value for name, value in own.items() if name not in _OURS},
            }
            if flag.targeting:
                if not isinstance(flag.targeting, dict):
                    raise ParseError(f"Invalid 'targeting' value in flag: {flag.targeting}")
                logic = _resolved(flag.targeting, evaluators, ())
                self.run = compile_logic(key, logic)
                self.lenient = compile_logic(key, logic, lenient=True)
        except (ParseError, RecursionError, AttributeError, TypeError) as error:
            details = getattr(error, "error_message", None) or str(error)
            self.fixed = _failed("PARSE_ERROR", details, self.metadata)
            return
        if flag.state == "DISABLED":
            self.fixed = Evaluation(None, None, "DISABLED", metadata=self.metadata)
            return
        self._make_outcomes(flag, own.get(OFF_VARIANT))
        if self.run is None and not self.prerequisites:
            self.fixed = self.default

    def _make_outcomes(self, flag: Flag, off: Any) -> None:
        for variant, value in flag.variants.items():
            self._outcomes[variant] = Evaluation(
                value, variant, "TARGETING_MATCH", metadata=self.metadata
            )
            if value is None:
                self._outcomes[variant] = self._unknown(variant)
        reason = "DEFAULT" if flag.targeting else "STATIC"
        default, value = flag.default
        self.default = Evaluation(value, default, reason, metadata=self.metadata)
        if default is None:
            self.default = Evaluation(None, None, "DEFAULT", metadata=self.metadata)
        elif default not in flag.variants:
            self.default = self._unknown(default)
        self._outcomes[None] = self.default
        self.off = self.default
        if off in flag.variants:
            self.off = Evaluation(flag.variants[off], off, "DEFAULT", metadata=self.metadata)

    def _unknown(self, variant: Any) -> Evaluation:
        return _failed("GENERAL", f"{variant} is not among the variants.", self.metadata)

    def outcome(self, variant: Any) -> Evaluation:
        """The evaluation for what targeting answered."""
        if variant is True or variant is False:
            variant = "true" if variant else "false"
        elif variant is not None and not isinstance(variant, str):
            variant = str(variant)
        found = self._outcomes.get(variant)
        return self._unknown(variant) if found is None else found


def _failed(code: str, details: str, metadata: Mapping[str, Any]) -> Evaluation:
    return Evaluation(None, None, "ERROR", code, details, metadata)


def _prerequisites(text: Any) -> Sequence[tuple[str, str]]:
    """The prerequisites as `metadata` holds them: JSON text of an object key -> variant."""
    if not isinstance(text, str):
        return ()
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ()
    return tuple(found.items()) if isinstance(found, dict) else ()


def _resolved(logic: Any, evaluators: Mapping[str, Any], above: tuple[str, ...]) -> Any:
    """`logic` with references to evaluators replaced by them; one that is not there stays."""
    if isinstance(logic, list):
        return [_resolved(item, evaluators, above) for item in logic]
    if not isinstance(logic, dict):
        return logic
    name = logic.get("$ref") if len(logic) == 1 else None
    if isinstance(name, str) and name in evaluators:
        if name in above:
            raise ParseError(f"The evaluator {name} refers to itself.")
        return _resolved(evaluators[name], evaluators, (*above, name))
    return {key: _resolved(value, evaluators, above) for key, value in logic.items()}
