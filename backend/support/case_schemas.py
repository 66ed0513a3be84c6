"""An order as support works on it: what happened, what its customer sees, what can be done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from backend.dispatch.customer_schemas import Tracking
from backend.dispatch.schemas import Address, OrderOut
from backend.identity.schemas import RevealCount
from backend.notifications.message_rules import Channel, Kind
from backend.payments.schemas import OrderPayments
from backend.platform.money import Money

_NO_NUL = r"^[^\x00]*$"
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300, pattern=_NO_NUL)
]
Key = Annotated[str, StringConstraints(min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=_NO_NUL)
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=_NO_NUL)
]

Source = Literal["dispatch", "position", "payment", "message", "support", "incident", "flag"]
ActKind = Literal[
    "reassign", "hold", "release", "cancel", "resend_otp", "change_drop", "change_window", "refund",
    "credit_wallet", "message_customer", "message_driver", "link_incident",
]  # fmt: skip


class Moment(BaseModel):
    """One thing that happened; `words` say it, `detail` says more, `by` who did it.

    A stretch of positions ends at `until` and is told where it began.
    """

    id: str
    at: datetime
    until: datetime | None = None
    source: Source
    kind: str
    words: str
    by: str | None = None
    detail: str | None = None
    link: str | None = None
    tone: Literal["info", "good", "warning", "critical", "off"] = "info"


class CaseDriver(BaseModel):
    """Who has the order, as far as the caller may see drivers."""

    id: UUID
    code: str
    name: str
    phone: str | None = Field(description="Masked.")
    status: str


class CaseMessage(BaseModel):
    """A message about the order."""

    id: UUID
    to: str
    channel: str | None
    template: str | None
    state: str
    why: str | None
    at: datetime
    by: str | None


class CaseFlag(BaseModel):
    """A flag of the customer's place, and the variant that is served there."""

    key: str
    variant: str
    reason: str
    description: str = ""


class CaseEscalation(BaseModel):
    """A ticket about the order."""

    id: UUID
    number: str
    kind: str
    priority: str
    state: str
    subject: str
    opened_at: datetime
    sla: str


class CaseIncident(BaseModel):
    """An incident that hurt the order's place while it was open, or that a ticket is linked to."""

    id: UUID
    number: str
    title: str
    severity: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    linked: bool = Field(description="Whether a ticket about the order is linked to it.")
    how: str | None = Field(description="How it touched the order, as far as that is known.")


class CaseAction(BaseModel):
    """Something that can be done, or why not now; `needs` names fields of `CaseActionIn`.

    `choices` holds what a field may be, such as the payments a refund may name.
    """

    kind: ActKind
    label: str
    allowed: bool
    why_not: str | None = None
    needs: list[str] = []
    choices: dict[str, list[str]] = {}


class Case(BaseModel):
    """An order with all that its support needs; what the caller may not see is None or empty."""

    order: OrderOut
    driver: CaseDriver | None
    moments: list[Moment] = Field(description="Oldest first.")
    tracking: Tracking | None = Field(description="What the customer is shown; None once over.")
    payments: OrderPayments | None
    messages: list[CaseMessage]
    flags: list[CaseFlag]
    escalations: list[CaseEscalation]
    incidents: list[CaseIncident] = Field(description="Those that touched it or are linked.")
    incidents_nearby: list[CaseIncident] = Field(
        description="Those of its place and time that are not known to have touched it."
    )
    actions: list[CaseAction]
    reveals: RevealCount
    seen_version: int = Field(description="What to send with an action on the order.")


class CaseActionIn(BaseModel):
    """Something to do about an order, and why; `key` makes a repetition harmless for a day."""

    model_config = ConfigDict(extra="forbid")

    kind: ActKind
    reason: Reason
    key: Key
    seen_version: int | None = None
    driver_id: UUID | None = None
    force: bool = False
    address: Address | None = None
    point: (
        tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]
        | None
    ) = None
    window: tuple[AwareDatetime, AwareDatetime] | None = None
    payment_id: UUID | None = None
    amount: Money | None = None
    destination: Literal["source", "wallet"] = "source"
    wallet_id: UUID | None = None
    text: Text | None = None
    template: Kind | None = None
    params: Annotated[dict[Word, Text], Field(max_length=20)] = {}
    channel: Channel | None = None
    urgent: bool = False
    escalation_id: UUID | None = None
    incident: Word | None = Field(default=None, description="Its id or number.")

    @field_validator("template")
    @classmethod
    def words_of_ones_own_are_a_text(cls, template: Kind | None) -> Kind | None:
        """Refuse the template that is none."""
        if template is Kind.NOTE:
            raise ValueError("a note is a text of your own")
        return template


class CaseActionDone(BaseModel):
    """What an action did; `repeated` where its key had done it before."""

    kind: ActKind
    summary: str
    data: dict[str, Any] = {}
    repeated: bool = False
