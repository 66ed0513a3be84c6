"""A published set of flags, compiled once and then asked for values without any I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

from backend.flags.operators import Program
from backend.flags.programs import Compiler, KeyMissing

# What the operators raise for operands that they cannot take.
_FAULTS = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip


class BadDefinition(ValueError):
    """A definition that flagd would refuse to load; the message names the flag and the fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a flag is for someone; the same object each time it comes out the same.

    `value` is None where the caller's own default is meant: no variant, or an error. `reason` and
    `error_code` are OpenFeature's words.
    """

    key: str
    value: Any
    variant: str | None
    reason: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_details: str = ""


class Flag:
    """One flag of a set: its outcomes by variant, and the program that picks one."""

    def __init__(
        self, key: str, definition: Mapping[str, Any], set_metadata: Mapping[str, Any]
    ) -> None:
        state, variants = definition.get("state"), definition.get("variants")
        if state not in ("ENABLED", "DISABLED"):
            raise BadDefinition(f"{key}: state is neither ENABLED nor DISABLED")
        if not isinstance(variants, dict) or not variants:
            raise BadDefinition(f"{key}: variants are missing")
        self.key = key
        self.metadata = {**set_metadata, **(definition.get("metadata") or {})}
        self._variants: dict[str, Any] = variants
        self._default = _name(definition.get("defaultVariant"))
        targeting = definition.get("targeting") if state == "ENABLED" else None
        if state == "DISABLED":
            self.otherwise = Outcome(key, None, None, "DISABLED", self.metadata)
        else:
            self.otherwise = self._rest("DEFAULT" if targeting else "STATIC")
        self._matches = {
            name: self._found(name, value, "TARGETING_MATCH") for name, value in variants.items()
        }
        self._unreadable = self._error("PARSE_ERROR", "The targeting of the flag cannot be read.")
        self._unanswered = self._error("GENERAL", "The targeting of the flag gave no answer.")
        self._nameless = self._error(
            "TARGETING_KEY_MISSING", "The flag goes to a share of users and needs a targetingKey."
        )
        self._program: Program | None = None
        self._strict: Program | None = None
        if targeting:
            self._compile(targeting)

    def _compile(self, targeting: Any) -> None:
        if not isinstance(targeting, dict):
            raise BadDefinition(f"{self.key}: targeting is not an object")
        compiler = Compiler(self.key)
        self._program = compiler.compile(targeting)
        if compiler.by_user:
            self._strict = Compiler(self.key, strict=True).compile(targeting)

    def resolve(self, data: dict[str, Any], *, strict: bool = False) -> Outcome:
        """The outcome for a context that `data_of` made.

        `strict` gives an error, where flagd gives the default, when the share of a user is asked
        for and no user is named.
        """
        program = self._program
        if program is None:
            return self.otherwise
        if strict and self._strict is not None:
            program = self._strict
        try:
            variant = program(data)
        except ReferenceError:
            return self._unreadable
        except KeyMissing:
            return self._nameless
        except _FAULTS:
            return self._unanswered
        if variant is None:
            return self.otherwise
        if type(variant) is not str:
            variant = _name(variant) if isinstance(variant, bool) else str(variant)
        return self._matches.get(variant) or self._unknown(variant)

    def outcomes(self) -> Iterator[Outcome]:
        """Every outcome that does not depend on what a client sent."""
        yield self.otherwise
        yield from self._matches.values()
        yield from (self._unreadable, self._unanswered, self._nameless)

    def _rest(self, reason: str) -> Outcome:
        if not self._default:
            return Outcome(self.key, None, None, "DEFAULT", self.metadata)
        if self._default not in self._variants:
            return self._unknown(self._default)
        value = self._variants[self._default]
        return Outcome(self.key, value, self._default, reason, self.metadata)

    def _found(self, name: str, value: Any, reason: str) -> Outcome:
        if value is None:
            return self._unknown(name)
        return Outcome(self.key, value, name, reason, self.metadata)

    def _unknown(self, variant: Any) -> Outcome:
        return self._error("GENERAL", f"The flag has no variant {str(variant)[:100]!r}.")

    def _error(self, code: str, details: str) -> Outcome:
        return Outcome(self.key, None, None, "ERROR", self.metadata, code, details)


class FlagSet:
    """All flags of an environment as published in one version."""

    def __init__(self, document: Mapping[str, Any], version: int = 0) -> None:
        self.version = version
        self.document = document
        self.metadata: dict[str, Any] = dict(document.get("metadata") or {})
        definitions = document.get("flags", {})
        if not isinstance(definitions, dict):
            raise BadDefinition("flags is not an object")
        for name, rule in (document.get("$evaluators") or {}).items():
            definitions = _with_rule(definitions, name, rule)
        self.flags = {
            key: Flag(key, definition, self.metadata) for key, definition in definitions.items()
        }
        self._in_order = tuple(self.flags.values())

    def evaluate(self, key: str, context: Mapping[str, Any], *, strict: bool = False) -> Outcome:
        """The outcome of one flag; FLAG_NOT_FOUND where there is none of that name."""
        flag = self.flags.get(key)
        if flag is None:
            return Outcome(
                key, None, None, "ERROR", {}, "FLAG_NOT_FOUND", f"There is no flag {key[:200]!r}."
            )
        if flag._program is None:
            return flag.otherwise
        return flag.resolve(_data_of(context, key), strict=strict)

    def evaluate_all(self, context: Mapping[str, Any]) -> list[Outcome]:
        """The outcomes of all flags in their order, strict as towards a client."""
        data = _data_of(context, "")
        about = data["$flagd"]
        strict = not data["targetingKey"]
        outcomes = []
        for flag in self._in_order:
            about["flagKey"] = flag.key
            outcomes.append(flag.resolve(data, strict=strict))
        return outcomes


def _data_of(context: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A context as targeting sees it: with the flag's key, the time, and always a targetingKey."""
    return {
        **context,
        "$flagd": {"flagKey": key, "timestamp": int(time())},
        "targetingKey": context.get("targetingKey"),
    }


def _name(variant: Any) -> Any:
    """The name of a variant: booleans may stand for the names `true` and `false`."""
    return str(variant).lower() if isinstance(variant, bool) else variant


def _with_rule(node: Any, name: str, rule: Any) -> Any:
    """`node` with the shared rule `name` put in wherever it is referred to."""
    if isinstance(node, list):
        return [_with_rule(item, name, rule) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and node.get("$ref") == name:
        return rule
    return {key: _with_rule(item, name, rule) for key, item in node.items()}
