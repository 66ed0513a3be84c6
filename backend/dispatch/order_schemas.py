"""What people and integrations ask of orders: filters, actions on them, batches and imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import NO_NUL, Address, Lateness, OrderOut, Tag

__all__ = [
    "AssignIn",
    "BulkIn",
    "BulkItem",
    "BulkResult",
    "BulkResults",
    "FlagIn",
    "ImportPreview",
    "ImportResult",
    "OrderBatchIn",
    "OrderChange",
    "OrderCounts",
    "OrderFilter",
    "ReasonIn",
    "RevealIn",
    "Revealed",
    "RevealedField",
    "RowFault",
    "SteppedIn",
]

RevealedField = Literal["pickup.name", "pickup.phone", "drop.name", "drop.phone"]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=NO_NUL)
]
MOST_IN_BATCH = 500


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to show and in which order; an empty field asks nothing.

    `q` is a number, a reference, a barcode or a phone number, or how a recipient's name begins.
    """

    region: str | None = None
    states: tuple[OrderState, ...] = ()
    lateness: Lateness | None = None
    service: str | None = None
    driver_id: UUID | None = None
    merchant: str | None = None
    tag: str | None = None
    terms: str | None = None
    flagged: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    q: str | None = None
    sort: Literal["created", "promised"] = "created"
    descending: bool = True


class OrderCounts(BaseModel):
    """How many orders there are by state, and how many of them are late.

    States that orders end in are counted up to `most`, which then means "that many or more".
    """

    by_state: dict[OrderState, int]
    by_lateness: dict[Lateness, int]
    most: int


class OrderBatchIn(_In):
    """Up to 500 orders, each judged by itself; a bare list is taken too."""

    orders: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_IN_BATCH)]

    @model_validator(mode="before")
    @classmethod
    def take_a_bare_list(cls, sent: Any) -> Any:
        """A list is the orders themselves."""
        return {"orders": sent} if isinstance(sent, list) else sent


class AssignIn(_In):
    """A driver for an order; `force` overrides a full driver or a shift that ends soon."""

    driver_id: UUID
    seen_version: int | None = None
    reason: Reason | None = None
    force: bool = False

    @model_validator(mode="after")
    def force_has_a_reason(self) -> Self:
        """Whoever overrides says why."""
        if self.force and self.reason is None:
            raise ValueError("force needs a reason")
        return self


class ReasonIn(_In):
    """Why something is done, and the version that the caller decided by."""

    reason: Reason
    seen_version: int | None = None


class SteppedIn(_In):
    """The same where a reason may be left out."""

    reason: Reason | None = None
    seen_version: int | None = None


class FlagIn(_In):
    """What somebody has to look at."""

    text: Reason


class RevealIn(_In):
    """Which contact detail to show whole."""

    field: RevealedField


class OrderChange(_In):
    """What is to change of an order; what is left out stays, a null window is taken away."""

    reason: Reason
    seen_version: int | None = None
    drop_address: Address | None = None
    drop_point: (
        tuple[
            Annotated[float, Field(ge=-90, le=90)],
            Annotated[float, Field(ge=-180, le=180)],
        ]
        | None
    ) = None
    drop_window: tuple[AwareDatetime, AwareDatetime] | None = None
    pickup_window: tuple[AwareDatetime, AwareDatetime] | None = None
    promised_at: AwareDatetime | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None

    @model_validator(mode="after")
    def something_changes(self) -> Self:
        """Refuse a change of nothing, and what every order has taken away."""
        if not self.model_fields_set - {"reason", "seen_version"}:
            raise ValueError("name something to change")
        for name in ("drop_address", "drop_point", "promised_at", "tags"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be taken away")
        return self


BulkAction = Literal[
    "assign", "reassign", "unassign", "hold", "release", "cancel", "fail", "send_back", "give_back"
]


class BulkItem(_In):
    """One order of a selection, and its version as the caller saw it."""

    order_id: UUID
    seen_version: int | None = None


class BulkIn(_In):
    """One action on many orders."""

    action: BulkAction
    items: Annotated[list[BulkItem], Field(min_length=1, max_length=MOST_IN_BATCH)]
    driver_id: UUID | None = None
    reason: Reason | None = None
    force: bool = False

    @model_validator(mode="after")
    def whole(self) -> Self:
        """What the action needs is there."""
        if self.action in ("assign", "reassign"):
            if self.driver_id is None:
                raise ValueError("driver_id is missing")
            if self.force and self.reason is None:
                raise ValueError("force needs a reason")
        elif self.action not in ("release", "send_back", "give_back") and self.reason is None:
            raise ValueError("reason is missing")
        if len({item.order_id for item in self.items}) != len(self.items):
            raise ValueError("an order is named twice")
        return self


class BulkResult(BaseModel):
    """What became of one order of a selection; `order` is how it stands after."""

    index: int
    order_id: UUID
    status: Literal["done", "refused"]
    number: str | None = None
    code: str | None = None
    detail: str | None = None
    order: OrderOut | None = None


class BulkResults(BaseModel):
    """One result for each order, in the order sent."""

    done: int
    results: list[BulkResult]


class Revealed(BaseModel):
    """One unmasked field."""

    field: RevealedField
    value: str


class RowFault(BaseModel):
    """What is wrong in one cell of a file; line 1 holds the names of the columns."""

    line: int
    column: str | None
    code: str
    detail: str


class ImportPreview(BaseModel):
    """What an import would do: how many rows are good, and every fault of the others."""

    rows: int
    good: int
    duplicates: int
    columns: list[str]
    unknown_columns: list[str]
    faults: list[RowFault]
    faults_left_off: int
    sample: list[dict[str, Any]]


class ImportResult(BaseModel):
    """What an import made."""

    created: int
    duplicates: int
    refused: int
    numbers: list[str]
    faults: list[RowFault]
