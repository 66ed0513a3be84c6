"""What the one search answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

HitKind = Literal["order", "driver", "escalation", "incident", "payment"]
MatchedBy = Literal[
    "number", "reference", "barcode", "phone", "name", "code", "plate", "gateway_ref", "words"
]


class Hit(BaseModel):
    """One thing that was found; names and phones in `detail` are masked.

    `score` is 1 where what was asked stands there to the letter, less where it took a guess.
    """

    kind: HitKind
    title: str
    detail: str
    link: str = Field(description="The page of the console that shows it.")
    region: str
    matched_by: MatchedBy
    score: float


class Hits(BaseModel):
    """What was found, the surest first."""

    items: list[Hit]
