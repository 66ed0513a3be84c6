"""What a customer sees of an order, and nothing that says who or where anybody is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from backend.dispatch.matching_schemas import Reason
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import Eta

Mark = Literal["done", "now", "ahead", "failed"]


class StepOut(BaseModel):
    """One step of an order's way, with when it was reached."""

    key: str
    label: str
    at: datetime | None
    mark: Mark


class Near(BaseModel):
    """Where the driver is, while the order is near."""

    lat: float
    lon: float
    recorded_at: datetime
    bearing: float | None


class Area(BaseModel):
    """About where the parcel goes: a circle, not the address."""

    lat: float
    lon: float
    radius_m: int


class ProofOut(BaseModel):
    """When the parcel was handed over, and how that was confirmed."""

    at: datetime
    by: str | None


class Tracking(BaseModel):
    """An order as its customer follows it; `revision` changes with anything that is shown."""

    number: str
    region: str
    state: OrderState
    headline: str
    detail: str | None
    tone: Literal["info", "good", "warning", "critical", "off"]
    steps: list[StepOut]
    eta: Eta | None
    promised_at: datetime
    late: bool
    driver: str | None
    position: Near | None
    area: Area | None
    proof: ProofOut | None
    time_zone: str
    ended_at: datetime | None
    revision: str


class LinkIn(BaseModel):
    """Why a customer's link is replaced."""

    reason: Reason


class LinkOut(BaseModel):
    """A customer's new link."""

    tracking_url: str
