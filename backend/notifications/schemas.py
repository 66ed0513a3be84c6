"""What marketplaces and operators send and read of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from backend.notifications.rules import DeliveryState

__all__ = [
    "DeliveryDetail",
    "DeliveryFilter",
    "DeliveryOut",
    "DeliveryPage",
    "DeliveryState",
    "EndpointChange",
    "EndpointIn",
    "EndpointOut",
    "EndpointPage",
    "EndpointWithSecret",
    "Hour",
    "ReplayIn",
    "ReplayResult",
    "ReplayResults",
]

_NO_NUL = r"^[^\x00]*$"
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=2000)]
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]
RegionScope = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
Merchant = Annotated[str, StringConstraints(pattern=r"^service:[a-z0-9][a-z0-9._-]{0,62}$")]
Search = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EndpointIn(_In):
    """An endpoint to add; a marketplace leaves out `merchant`, which is itself."""

    url: Url
    event_types: Annotated[list[EventType], Field(max_length=40)] = []
    region: RegionScope = "*"
    merchant: Merchant | None = None


class EndpointChange(_In):
    """What is to change of an endpoint; what is left out stays."""

    url: Url | None = None
    event_types: Annotated[list[EventType], Field(max_length=40)] | None = None
    region: RegionScope | None = None
    active: bool | None = None


class EndpointOut(BaseModel):
    """An endpoint; no `event_types` means all of them."""

    id: UUID
    merchant: str
    url: str
    event_types: list[str]
    region: str
    active: bool
    disabled_because: str | None
    former_secret_until: datetime | None
    failing_since: datetime | None
    created_by: str
    created_by_name: str
    created_at: datetime
    updated_at: datetime


class EndpointWithSecret(EndpointOut):
    """A new endpoint, or one with a new secret, which is shown this once."""

    secret: str


class EndpointPage(BaseModel):
    """A page of endpoints."""

    items: list[EndpointOut]
    next_cursor: str | None


class DeliveryFilter(_In):
    """Which deliveries are wanted; what is left out does not narrow."""

    endpoint_id: UUID | None = None
    state: DeliveryState | None = None
    event_type: Search | None = None
    order: Search | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    id: UUID
    endpoint_id: UUID
    url: str
    merchant: str
    event_id: UUID
    event_type: str
    event_at: datetime
    order: str | None
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    attempted_at: datetime | None
    status: int | None
    why: str | None
    duration_ms: int | None
    created_at: datetime
    settled_at: datetime | None


class DeliveryDetail(DeliveryOut):
    """A delivery with the last request and what came back."""

    payload: dict[str, Any]
    sent_headers: dict[str, str] | None
    answer_headers: dict[str, str] | None
    answer_excerpt: str | None


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class ReplayIn(_In):
    """What to send again: named deliveries, or those of a span of time by state."""

    ids: Annotated[list[UUID], Field(max_length=500)] = []
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    state: Literal["delivered", "given_up"] | None = None


class ReplayResult(BaseModel):
    """What became of one delivery of a replay."""

    id: UUID
    status: Literal["accepted", "rejected"]
    code: str | None = None
    detail: str | None = None


class ReplayResults(BaseModel):
    """One result for each delivery."""

    results: list[ReplayResult]


class Hour(BaseModel):
    """How many deliveries were settled in one hour."""

    at: datetime
    delivered: int
    given_up: int
