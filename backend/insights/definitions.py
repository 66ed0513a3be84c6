"""The objectives and detectors as their files define them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.platform import indicators

_FOLDER = Path(__file__).parent


class _Defined(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Objective(_Defined):
    """A service level objective of `slos.yaml`."""

    title: str
    valid: str
    good: str
    target: Annotated[float, Field(gt=0, lt=1)]
    window_days: Annotated[int, Field(ge=1, le=90)]
    within_s: Annotated[float, Field(gt=0)]
    least_bad: Annotated[int, Field(ge=1)]
    service: str
    routes: tuple[str, ...] = ()


@cache
def objectives() -> dict[str, Objective]:
    """The objectives by name, in the order of their file."""
    read = yaml.safe_load((_FOLDER / "slos.yaml").read_text())
    return TypeAdapter(dict[str, Objective]).validate_python(read)


def promise_objectives() -> None:
    """Have this process count by what the objectives promise; call once at its start."""
    indicators.promise(
        indicators.Promise(name, each.within_s, each.routes) for name, each in objectives().items()
    )
