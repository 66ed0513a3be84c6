"""The small rule model that the console edits: who is served which variant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.platform.moments import Moment

FlagKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,60}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
RegionCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Attribute = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,59}$")]
Scalar = bool | int | float | str

Kind = Literal["release", "operational", "experiment", "permission", "route"]
Operator = Literal[
    "any_of",
    "none_of",
    "starts_with",
    "ends_with",
    "at_least",
    "above",
    "at_most",
    "below",
    "version_is",
    "version_is_not",
    "version_at_least",
    "version_above",
    "version_at_most",
    "version_below",
    "version_same_major",
    "version_same_minor",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Condition(_Part):
    """One thing that must hold of a context.

    The attribute `region` stands for country, city and hub by what the code looks like, `segment`
    for the saved segments; every other one is the context's own.
    """

    attribute: Attribute
    operator: Operator
    values: Annotated[list[Scalar], Field(min_length=1, max_length=1_000)]


class Share(_Part):
    """A variant and its share in thousandths of a percent."""

    variant: Name
    share: Annotated[int, Field(ge=0, le=100_000)] = 100_000


class Rule(_Part):
    """Who (all conditions hold) gets what; the growing variant stands first.

    What the shares leave of 100 % is served the flag's default variant.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    conditions: Annotated[list[Condition], Field(max_length=20)] = []
    serve: Annotated[list[Share], Field(min_length=1, max_length=20)]
    by: Attribute = "targetingKey"
    """The attribute that shares go by."""


class Prerequisite(_Part):
    """Another flag that must serve this variant; else the flag's off variant is served."""

    key: FlagKey
    variant: Name


class FlagSpec(_Part):
    """Everything about a flag that a person decides.

    `targeting` is JsonLogic that the rule model cannot say, from an import; it excludes `rules`.
    """

    key: FlagKey
    kind: Kind = "release"
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    owner: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    on: bool = True
    """Off: everyone is served `off_variant`, whatever the rules say."""
    variants: Annotated[dict[str, Any], Field(min_length=1, max_length=50)]
    default_variant: Name | None
    """Served where no rule matches; None leaves it to the program that asks."""
    off_variant: Name
    rules: Annotated[list[Rule], Field(max_length=100)] = []
    targeting: dict[str, Any] | None = None
    prerequisites: Annotated[list[Prerequisite], Field(max_length=10)] = []
    sensitive: bool = False
    """Production changes need a second person."""
    expires_at: Moment | None = None
    metadata: Annotated[dict[str, Scalar], Field(max_length=50)] = {}


class Segment(_Part):
    """People by conditions, all of which must hold; none: those whose context names the segment."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    conditions: Annotated[list[Condition], Field(max_length=20)] = []
    logic: dict[str, Any] | None = None
    """JsonLogic that conditions cannot say, from an import; it excludes `conditions`."""
