"""The objectives and detectors as their files define them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.insights.detector_rules import Severity, Thresholds
from backend.insights.scorecard_schemas import FigureKey, Unit
from backend.platform import indicators
from backend.platform.scopes import covers

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


class Detector(_Defined):
    """A detector of `detectors.yaml`."""

    title: str
    service: str
    severity: Severity
    fire: float
    clear: float
    for_s: Annotated[float, Field(ge=0)]
    clear_for_s: Annotated[float, Field(ge=0)]
    least: Annotated[int, Field(ge=0)] = 0
    settle_s: Annotated[float, Field(ge=0)] = 0
    regions: dict[str, dict[str, float]] = {}

    def thresholds(self, region: str) -> Thresholds:
        """What holds in a region: what is said of the nearest region above it, else in general."""
        values: dict[str, Any] = self.model_dump(
            include={"fire", "clear", "for_s", "clear_for_s", "least"}
        )
        for above in sorted(self.regions, key=len):
            if covers(above, region):
                values |= self.regions[above]
        return Thresholds(**values)


@cache
def detectors() -> dict[str, Detector]:
    """The detectors by name."""
    read = yaml.safe_load((_FOLDER / "detectors.yaml").read_text())
    return TypeAdapter(dict[str, Detector]).validate_python(read)


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


class FigureMeant(_Defined):
    """What a figure of `scorecard.yaml` means, and what it should be."""

    title: str
    definition: str
    unit: Unit
    currency: str | None = None
    better: Literal["lower", "higher"]
    target: float
    step: Literal["day", "month", "quarter"]


@cache
def figures_meant() -> dict[FigureKey, FigureMeant]:
    """The scorecard's figures by key, in the order in which they are shown."""
    read = yaml.safe_load((_FOLDER / "scorecard.yaml").read_text())
    return TypeAdapter(dict[FigureKey, FigureMeant]).validate_python(read)
