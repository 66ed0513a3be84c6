"""What a dispatcher's board shows of many orders at once, beyond the orders themselves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from backend.dispatch.rules import OrderState

__all__ = ["Carrier", "LastStep", "OrderState"]


class Carrier(BaseModel):
    """Who has an order, or may take it until `offered_until`."""

    order_id: UUID
    driver_id: UUID
    code: str
    offered_until: datetime | None


class LastStep(BaseModel):
    """How an order stands, and who brought it there; `driver_code` of the one it is with."""

    order_id: UUID
    number: str
    state: OrderState
    kind: str
    actor_name: str
    at: datetime
    driver_code: str | None
