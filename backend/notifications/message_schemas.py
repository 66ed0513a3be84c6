"""What callers send and read of messages to customers and drivers."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from backend.notifications.message_rules import Channel, Kind, MessageState

__all__ = [
    "Channel",
    "DeviceIn",
    "Kind",
    "MessageBody",
    "MessageCounts",
    "MessageFilter",
    "MessageIn",
    "MessageOut",
    "MessagePage",
    "MessageReasonIn",
    "MessageState",
    "Preferences",
    "PreferencesIn",
    "PreviewIn",
    "PreviewOut",
    "PushList",
    "PushOut",
    "PushReceiptIn",
    "QuietHours",
    "ReceiptIn",
    "ReceiptResult",
    "ReceiptResults",
    "ReceiptsIn",
    "TemplateOut",
    "Tried",
]

_NO_NUL = r"^[^\x00]*$"
_Short = Annotated[str, StringConstraints(max_length=120, pattern=_NO_NUL)]
_Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_NO_NUL)
]
_Filling = Annotated[str, StringConstraints(max_length=4000, pattern=_NO_NUL)]
# RFC 5321's Dot-string at a name, without the `?` of encoded words (RFC 2047): what else there is,
# quotes, comments and brackets, writers of mail trip over.
_MAIL = (
    r"^[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
)
_Mail = Annotated[str, StringConstraints(max_length=254, pattern=_MAIL)]
_Params = Annotated[dict[_Short, _Filling], Field(max_length=20)]
Language = Literal["en", "hi", "th", "vi", "id", "bn", "ta", "fil", "ms"]
To = Literal["customer", "driver", "sender"]


def _of_the_city(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("a time of day by the city's clock has no offset")
    return at


ClockTime = Annotated[time, AfterValidator(_of_the_city)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MessageIn(_In):
    """A message to send: a template by its key, or words of one's own.

    It goes to the customer of an order, its sender or its driver, or to a driver without an order.
    What a template needs and `params` leaves out is taken from the order.
    """

    order_id: UUID | None = None
    driver_id: UUID | None = None
    to: To = "customer"
    template: Kind | None = None
    params: _Params = {}
    text: _Text | None = None
    channel: Channel | None = None
    urgent: bool = False
    dedup_key: _Short | None = None
    escalation_id: UUID | None = None
    incident_id: UUID | None = None
    reason: Annotated[str, StringConstraints(max_length=500, pattern=_NO_NUL)] | None = None

    @model_validator(mode="after")
    def says_one_thing_to_somebody(self) -> Self:
        """Refuse a message without a reader, without words, or with both kinds of words."""
        if self.order_id is None and (self.driver_id is None or self.to != "driver"):
            raise ValueError("name the order, or the driver")
        if (self.template is None) == (self.text is None):
            raise ValueError("give a template or a text")
        if self.template is Kind.NOTE:
            raise ValueError("a note is a text of your own")
        return self


class Tried(BaseModel):
    """One attempt at sending, or one receipt that came back."""

    at: datetime
    channel: Channel
    via: str
    outcome: Literal["sent", "delivered", "failed", "refused", "cut_off"]
    why: str | None = None
    repeat: bool = False


class MessageOut(BaseModel):
    """A message as it stands; whom it goes to is masked.

    `why` says what holds it or what became of it. `repeated` means that it may have come twice: a
    process died between sending it and writing that down. `next_at` is when it is tried, where it
    is to be sent yet.
    """

    id: UUID
    order_id: UUID | None
    order: str | None
    driver_id: UUID | None
    to: To
    recipient: str
    channel: Channel | None
    via: str | None
    template: Kind
    language: str
    state: MessageState
    why: str | None
    urgent: bool
    repeated: bool
    region: str
    queued_at: datetime
    send_after: datetime
    next_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    attempts: int
    by: str
    escalation_id: UUID | None
    incident_id: UUID | None
    tried: list[Tried]


class MessagePage(BaseModel):
    """A page of messages, newest first."""

    items: list[MessageOut]
    next_cursor: UUID | None


class MessageFilter(_In):
    """Which messages are wanted; what is left out does not narrow."""

    region: _Short | None = None
    states: tuple[MessageState, ...] = ()
    channel: Channel | None = None
    template: Kind | None = None
    to: To | None = None
    order: _Short | None = None
    escalation_id: UUID | None = None
    incident_id: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class MessageCounts(BaseModel):
    """How many messages match, by state; counted up to `most`, which then means "or more"."""

    by_state: dict[MessageState, int]
    most: int


class MessageBody(BaseModel):
    """The words of a message as its reader gets them; one-time codes are hidden from others."""

    id: UUID
    subject: str
    text: str
    language: str


class TemplateOut(BaseModel):
    """A template: the languages it is written in, an example in English, what it is filled with."""

    key: Kind
    languages: list[str]
    example: str
    params: list[str]
    urgent: bool
    mutable: bool


class PreviewIn(_In):
    """What to fill a template with, to see it; examples stand for what is left out."""

    language: Language = "en"
    params: _Params = {}


class PreviewOut(BaseModel):
    """A template filled in."""

    text: str


class QuietHours(_In):
    """The hours of the reader's clock in which only urgent messages come."""

    begins: ClockTime
    ends: ClockTime


class PreferencesIn(_In):
    """How a person wants to be written to; the whole of it, what is left out is as usual.

    Only `email` stays where it is left out; an empty one is forgotten.
    """

    language: Language | None = None
    muted: Annotated[list[Kind], Field(max_length=20)] = []
    channels: Annotated[list[Channel], Field(max_length=4)] = []
    quiet: QuietHours | None = None
    email: _Mail | Literal[""] | None = None


class Preferences(BaseModel):
    """How a person is written to, with what holds where they chose nothing; e-mail is masked."""

    language: str
    language_chosen: bool
    muted: list[Kind]
    mutable: list[Kind]
    channels: list[Channel]
    quiet: QuietHours
    quiet_chosen: bool
    email: str | None
    updated_at: datetime | None


class DeviceIn(_In):
    """The registration token that Firebase gave the driver's app; null forgets it."""

    token: Annotated[str, StringConstraints(min_length=20, max_length=4096)] | None


class MessageReasonIn(_In):
    """Why somebody acts on a message."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=_NO_NUL)
    ]


class ReceiptIn(BaseModel):
    """What a gateway learned of one message; `attempt` is the number that it was sent with."""

    id: UUID
    state: Literal["sent", "delivered", "failed"]
    attempt: int | None = None
    at: AwareDatetime | None = None
    why: Annotated[str, StringConstraints(max_length=300, pattern=_NO_NUL)] | None = None


class PushReceiptIn(BaseModel):
    """What a driver's app says of one push; `at` is when it came, by the phone's clock."""

    id: UUID
    at: AwareDatetime | None = None


class PushOut(BaseModel):
    """A push as the driver's app shows it."""

    id: UUID
    kind: Kind
    order: str | None
    subject: str
    text: str
    language: str
    sent_at: datetime


class PushList(BaseModel):
    """Pushes, oldest first."""

    items: list[PushOut]


class ReceiptsIn(BaseModel):
    """Up to 500 receipts in one body."""

    receipts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=500)]


class ReceiptResult(BaseModel):
    """What became of one receipt."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    code: str | None = None
    detail: str | None = None


class ReceiptResults(BaseModel):
    """One result for each receipt."""

    results: list[ReceiptResult]
