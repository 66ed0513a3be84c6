"""Cash on delivery as the outside sees it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backend.platform.money import Money

_NO_NUL = r"^[^\x00]*$"
CodState = Literal["to_collect", "with_driver", "at_hub", "remitted", "paid", "released"]
_Code = Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]
_NEEDED = {
    "hub": ("driver_id", "shift", "hub", "received"),
    "bank": ("hub", "received", "reference"),
    "merchant": ("merchant", "region", "currency", "reference"),
}


class CodFilter(BaseModel):
    """What to show of the cash; an empty field asks nothing."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    region: _Code | None = None
    states: list[CodState] = []
    driver_id: UUID | None = None
    hub: _Code | None = None
    shift: date | None = None
    merchant: Annotated[str, Field(max_length=100, pattern=_NO_NUL)] | None = None
    different: bool | None = Field(default=None, description="Collected is not what was expected.")


class CodOrderOut(BaseModel):
    """The cash of one order; `difference` is collected less expected, in minor units."""

    order_id: UUID
    order: str
    payment_id: UUID
    region: str
    hub: str | None
    merchant: str
    state: CodState
    expected: Money
    collected: Money | None
    difference: int | None
    driver_id: UUID | None
    shift: date | None
    late: bool
    created_at: datetime
    collected_at: datetime | None
    received_at: datetime | None
    remitted_at: datetime | None
    paid_at: datetime | None


class CodOrderPage(BaseModel):
    """One page of orders with cash, newest first."""

    items: list[CodOrderOut]
    next_cursor: str | None


class CodDriverRow(BaseModel):
    """One driver's shift: what was expected, collected and handed in, in minor units.

    `difference` is what was handed in less what was collected, once the shift has been handed in.
    """

    driver_id: UUID
    region: str
    shift: date
    currency: str
    orders: int
    expected: int
    collected: int
    received: int
    difference: int | None
    handed_in: bool
    in_hand: int
    late: bool
    oldest: datetime


class CodHubRow(BaseModel):
    """What lies in a hub's till: its orders, what they should bring, what the till holds."""

    hub: str
    currency: str
    orders: int
    expected: int
    in_till: int
    oldest: datetime | None


class CodMerchantRow(BaseModel):
    """What has reached the bank for a merchant and is to be paid out."""

    merchant: str
    region: str
    currency: str
    orders: int
    due: int


class CodBoard(BaseModel):
    """Where the cash of a region is now; `stages` counts orders and sums amounts by state."""

    drivers: list[CodDriverRow]
    hubs: list[CodHubRow]
    merchants: list[CodMerchantRow]
    stages: dict[str, list[Money]]
    counts: dict[str, int]


class RemittanceIn(BaseModel):
    """Cash handed over.

    `hub`: a driver hands in a shift at a hub. `bank`: a hub brings its till to the bank.
    `merchant`: a merchant is paid what the bank holds for them; the amount follows from the orders.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: Literal["hub", "bank", "merchant"]
    driver_id: UUID | None = None
    shift: date | None = None
    hub: _Code | None = None
    received: Money | None = None
    merchant: Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)] | None = None
    region: _Code | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    reference: Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)] | None = None
    note: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] | None = None

    @model_validator(mode="after")
    def have_what_the_kind_needs(self) -> Self:
        """Refuse a hand-over without the fields that its kind needs."""
        missing = [name for name in _NEEDED[self.kind] if getattr(self, name) is None]
        if missing:
            raise PydanticCustomError(
                "missing", "{kind} needs {fields}",
                {"kind": self.kind, "fields": ", ".join(missing)},
            )  # fmt: skip
        return self


class RemittanceOut(BaseModel):
    """A hand-over; `difference` is received less expected, in minor units."""

    id: UUID
    kind: Literal["hub", "bank", "merchant"]
    region: str
    hub: str | None
    driver_id: UUID | None
    shift: date | None
    merchant: str | None
    orders: int
    expected: Money
    received: Money
    difference: int
    reference: str | None
    note: str | None
    created_by: str
    created_by_name: str
    created_at: datetime


class RemittancePage(BaseModel):
    """One page of hand-overs, newest first."""

    items: list[RemittanceOut]
    next_cursor: str | None
