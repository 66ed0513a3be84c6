"""What came of one verb on many things, as it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from backend.platform.errors import DomainError


class BulkResult(BaseModel):
    """What came of one of them."""

    index: int
    id: UUID
    status: Literal["done", "refused"]
    number: str | None = None
    version: int | None = None
    code: str | None = None
    detail: str | None = None


class BulkResults(BaseModel):
    """One result for each, in the order sent."""

    done: int
    results: list[BulkResult]


class Changed(Protocol):
    """A thing as it stands after it was changed."""

    id: UUID
    number: str
    version: int


def results_of(ids: Sequence[UUID], outcomes: Sequence[Changed | DomainError]) -> BulkResults:
    """The answer, from what each of `ids` came to or why it was refused."""
    results = [
        BulkResult(
            index=index, id=named, status="refused", code=outcome.code, detail=outcome.detail
        )
        if isinstance(outcome, DomainError)
        else BulkResult(
            index=index, id=outcome.id, status="done", number=outcome.number,
            version=outcome.version,
        )
        for index, (named, outcome) in enumerate(zip(ids, outcomes, strict=True))
    ]  # fmt: skip
    return BulkResults(done=sum(each.status == "done" for each in results), results=results)
