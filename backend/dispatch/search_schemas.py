"""Orders as a search finds them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from backend.dispatch.rules import OrderState

OrderMatch = Literal["number", "reference", "barcode", "phone", "name"]


class OrderFound(BaseModel):
    """An order, by what it was found and how surely (1 is to the letter); contacts are masked."""

    id: UUID
    number: str
    reference: str
    merchant: str
    region: str
    hub: str | None
    state: OrderState
    drop_name: str
    drop_phone: str
    created_at: datetime
    promised_at: datetime
    matched_by: OrderMatch
    score: float
