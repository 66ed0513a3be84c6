"""What enters and leaves the driver's doorway: device events and their results, tasks, proof."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from backend.dispatch.doorstep_rules import EventType, EvidenceKind, FailReason, Step
from backend.dispatch.matching_schemas import OfferOut
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import Barcode, PaymentIn, Service
from backend.platform.money import Money

MOST_EVENTS = 500
MOST_EVENT_BYTES = 16_384
MOST_FILE_BYTES = 8 * 1024 * 1024

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
Ticks = Annotated[int, Field(ge=0, le=2**53)]


def _time_ordered(value: UUID) -> UUID:
    if value.version != 7:
        raise ValueError("an event id is a UUID of version 7")
    return value


class Position(BaseModel):
    """Where the phone was."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Payload(BaseModel):
    """What every event may carry; fields of newer apps are passed over."""

    position: Position | None = None


class OfferAnswered(Payload):
    """An offer taken or left; without an offer, an order given to this driver by hand."""

    offer_id: UUID | None = None
    reason: Words | None = None


class PickedUp(Payload):
    """The barcodes scanned while loading, and the sender's code where one was sent."""

    barcodes: Annotated[list[Barcode], Field(max_length=100)] = []
    otp: Code | None = None


class Delivered(Payload):
    """The recipient's code, and the cash taken."""

    otp: Code | None = None
    collected: Money | None = None
    received_by: Name | None = None


class Failed(Payload):
    """Why it could not be delivered."""

    reason: FailReason
    comment: Words | None = None


class GivenBack(Payload):
    """Who took the parcels back."""

    received_by: Name | None = None


class EvidenceTaken(Payload):
    """A picture, whose content comes by upload under this hash."""

    sha256: Sha256
    kind: Literal[EvidenceKind.PHOTO, EvidenceKind.SIGNATURE]
    step: Step


class Noted(Payload):
    """Free words."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


PAYLOADS: dict[EventType, type[Payload]] = {
    EventType.ACCEPT: OfferAnswered,
    EventType.REJECT: OfferAnswered,
    EventType.REACH_PICKUP: Payload,
    EventType.PICK_UP: PickedUp,
    EventType.DEPART: Payload,
    EventType.ARRIVE: Payload,
    EventType.DELIVER: Delivered,
    EventType.FAIL: Failed,
    EventType.RETURN_BEGUN: Payload,
    EventType.RETURNED: GivenBack,
    EventType.SHIFT_BEGIN: Payload,
    EventType.SHIFT_END: Payload,
    EventType.EVIDENCE_ADDED: EvidenceTaken,
    EventType.NOTE: Noted,
}
WITHOUT_ORDER = frozenset({EventType.SHIFT_BEGIN, EventType.SHIFT_END, EventType.NOTE})


class Envelope(BaseModel):
    """What an event must say for the server to remember it at all."""

    event_id: Annotated[UUID, AfterValidator(_time_ordered)]
    device_seq: Annotated[int, Field(ge=1, le=2**53, strict=True)]


class DeviceEvent(Envelope):
    """One event of a phone."""

    captured_at: AwareDatetime
    monotonic_ms: Ticks
    boot_id: Name
    type: EventType
    order_id: UUID | None = None
    payload: dict[str, Any] = {}


class DeviceIn(BaseModel):
    """The phone at the moment of sending; its two clocks help to tell when events happened."""

    boot_id: Name
    app_version: Name
    platform: Name
    sent_at: AwareDatetime | None = None
    monotonic_ms: Ticks | None = None


class SyncIn(BaseModel):
    """What a phone has to say, and the cursor of what it knows.

    Events are judged one by one, so that a wrong one never blocks those behind it.
    """

    device: DeviceIn
    cursor: Annotated[str, StringConstraints(max_length=8192)] | None = None
    events: Annotated[list[Any], Field(max_length=MOST_EVENTS)] = []


class EventResult(BaseModel):
    """What became of one event.

    `held` waits for the numbers missing before it. A `duplicate` repeats under `first`, `code` and
    `detail` what became of the event when it came first, or since then.
    """

    event_id: str | None
    device_seq: int | None
    status: Literal["accepted", "duplicate", "held", "conflict", "rejected"]
    first: Literal["accepted", "held", "rejected"] | None = None
    code: str | None = None
    detail: str | None = None


class StopOut(BaseModel):
    """One end of an order, with its contact."""

    name: str
    phone: str
    address: str
    lat: float
    lon: float
    window: tuple[datetime | None, datetime | None] | None


class TaskParcel(BaseModel):
    """A parcel to scan."""

    barcode: str
    weight_g: int
    picked_up: bool


class CodeOut(BaseModel):
    """How a one-time code stands; never the code."""

    step: Step
    verified: bool
    attempts_left: int
    expires_at: datetime
    resend_from: datetime


class TaskOut(BaseModel):
    """An order in the hands of the driver who asks."""

    order_id: UUID
    number: str
    reference: str
    state: OrderState
    version: int
    service: Service
    pickup: StopOut
    drop: StopOut
    parcels: list[TaskParcel]
    payment: PaymentIn
    promised_at: datetime
    tags: list[str]
    otp_at_pickup: bool
    otp_only: bool
    overridden: bool
    codes: list[CodeOut]


class TaskList(BaseModel):
    """All orders in the driver's hands."""

    items: list[TaskOut]
    cursor: str


class SyncOut(BaseModel):
    """A result for each event, and everything that is new for the phone.

    `settled` are events that were held before and have been done or refused now. `next_seq` is the
    number for the phone's next event should it have lost its count, `missing` those still awaited.
    `gone` are orders that are no longer this driver's.
    """

    results: list[EventResult]
    settled: list[EventResult]
    next_seq: int
    missing: list[int]
    tasks: list[TaskOut]
    gone: list[UUID]
    offers: list[OfferOut]
    cursor: str
    server_time: datetime


class CodeIn(BaseModel):
    """A code as the recipient said it."""

    step: Literal[Step.PICKUP, Step.DROP] = Step.DROP
    code: Code


class CodeAnswer(BaseModel):
    """Whether the code was right, and what is left."""

    verified: bool
    code: str | None
    detail: str | None
    attempts_left: int


class ResendIn(BaseModel):
    """For which step a new code is wanted."""

    step: Literal[Step.PICKUP, Step.DROP] = Step.DROP


class OfferAnswerIn(BaseModel):
    """A driver's answer to an offer."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["accept", "reject"]
    reason: Words | None = None


class OverrideIn(BaseModel):
    """Why proof is waived, and whether the order is to be closed as delivered at once."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]
    deliver: bool = False
    seen_version: int | None = None


class EvidenceOut(BaseModel):
    """One proof of an order; `content` tells whether its picture has arrived."""

    id: UUID
    step: Step
    kind: EvidenceKind
    sha256: str
    text: str | None
    actor: str
    captured_at: datetime
    received_at: datetime
    lat: float | None
    lon: float | None
    distance_m: float | None
    flags: list[str]
    content: bool


class UploadOut(BaseModel):
    """How far an upload has come, in bytes."""

    sha256: str
    offset: int
    size: int
