"""What enters and leaves dispatch: orders, places, parcels and history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from backend.dispatch.rules import EVENT_TYPES, OrderState
from backend.platform.money import Money

__all__ = [
    "ORDER_EVENTS",
    "BatchResult",
    "BatchResults",
    "Eta",
    "Fault",
    "Lateness",
    "OrderEventOut",
    "OrderIn",
    "OrderOut",
    "OrderPage",
    "OrderReceipt",
    "OrderState",
    "ParcelIn",
    "PaymentIn",
    "Place",
]

ORDER_EVENTS = ("order.created", *EVENT_TYPES.values())
"""The events that tell of an order's transitions."""

Service = Literal["standard", "express"]
Terms = Literal["prepaid", "wallet", "cod"]
Lateness = Literal["late", "at_risk", "on_time"]
# PostgreSQL's text holds any character but this one.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_NUL)
]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=5, max_length=400, pattern=NO_NUL)
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
Barcode = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:\-]{0,39}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Place(_In):
    """Where parcels are taken or brought: a contact, an address, a point and a time window."""

    name: Text
    phone: Phone
    address: Address
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    window: tuple[AwareDatetime, AwareDatetime] | None = None


class ParcelIn(_In):
    """One parcel."""

    barcode: Barcode
    weight_g: Annotated[int, Field(gt=0, le=1_000_000)]
    volume_cm3: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class PaymentIn(_In):
    """Who pays when: already paid, from a wallet, or cash at the door."""

    terms: Terms
    amount: Money
    wallet_id: UUID | None = None
    method: Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)] | None = None
    gateway: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] | None = None


class OrderIn(_In):
    """An order as a marketplace or a support agent sends it."""

    reference: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NO_NUL)
    ]
    region: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]
    service: Service = "standard"
    pickup: Place
    drop: Place
    parcels: Annotated[list[ParcelIn], Field(min_length=1, max_length=100)]
    payment: PaymentIn
    promised_at: AwareDatetime | None = None
    vehicle: Literal["bike", "van", "truck"] | None = None
    skills: Annotated[list[Tag], Field(max_length=10)] = []
    tags: Annotated[list[Tag], Field(max_length=20)] = []


class Eta(BaseModel):
    """When the order is expected, with the span in which four of five arrive."""

    at: datetime
    low: datetime
    high: datetime


class OrderOut(BaseModel):
    """An order as it stands; names and phone numbers are masked for whoever did not send them."""

    id: UUID
    number: str
    reference: str
    merchant: str
    region: str
    hub: str | None
    service: Service
    state: OrderState
    held_from: OrderState | None
    version: int
    lateness: Lateness | None
    pickup: dict[str, Any]
    drop: dict[str, Any]
    parcels: list[dict[str, Any]]
    payment: PaymentIn
    promised_at: datetime
    vehicle: str | None
    skills: list[str]
    tags: list[str]
    driver_id: UUID | None
    flagged: str | None
    eta: Eta | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    tracking_url: str | None = Field(
        description="The customer's page, for whoever sent the order or may write to it; its "
        "address is all the right that is asked for there, so others are not told."
    )


class OrderReceipt(OrderOut):
    """An order as the answer to whoever sent it; `duplicate` where an earlier request made it."""

    duplicate: bool


class OrderPage(BaseModel):
    """A page of orders."""

    items: list[OrderOut]
    next_cursor: str | None


class OrderEventOut(BaseModel):
    """One step of an order's history."""

    id: UUID
    type: str
    state: OrderState
    at: datetime
    device_at: datetime | None
    actor: str
    actor_name: str
    reason: str | None
    lat: float | None
    lon: float | None
    data: dict[str, Any]


class Fault(BaseModel):
    """One wrong field: a JSON pointer into the item, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


class BatchResult(BaseModel):
    """What became of one item of a batch."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    id: str | None = None
    number: str | None = None
    code: str | None = None
    detail: str | None = None
    pointer: str | None = None
    errors: list[Fault] = []


class BatchResults(BaseModel):
    """One result for each item, in order."""

    results: list[BatchResult]
