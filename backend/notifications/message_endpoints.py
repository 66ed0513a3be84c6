"""Messages over HTTP: the outbox, templates, preferences, and where a driver's pushes go."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from backend.dispatch import service as dispatch
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.notifications import service
from backend.notifications.message_schemas import (
    Channel,
    DeviceIn,
    Kind,
    MessageBody,
    MessageCounts,
    MessageFilter,
    MessageIn,
    MessageOut,
    MessagePage,
    MessageReasonIn,
    MessageState,
    Preferences,
    PreferencesIn,
    PreviewIn,
    PreviewOut,
    TemplateOut,
    To,
)
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1/messages", tags=["messages"])

Reader = Annotated[Principal, Depends(requires("messages:read"))]
Writer = Annotated[Principal, Depends(requires("messages:write"))]
Phone = Annotated[Principal, Depends(requires("tasks:write"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]
States = Annotated[tuple[MessageState, ...], Query(max_length=10)]


def _wanted(
    region: Search = None,
    state: States = (),
    channel: Channel | None = None,
    template: Kind | None = None,
    to: To | None = None,
    order: Search = None,
    escalation_id: UUID | None = None,
    incident_id: UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> MessageFilter:
    return MessageFilter(
        region=region,
        states=state,
        channel=channel,
        template=template,
        to=to,
        order=order,
        escalation_id=escalation_id,
        incident_id=incident_id,
        since=since,
        until=until,
    )


Wanted = Annotated[MessageFilter, Depends(_wanted)]


@router.get("")
async def list_messages(
    session: Uow, caller: Reader, wanted: Wanted, limit: Limit = 50, cursor: UUID | None = None
) -> MessagePage:
    """Messages of the caller's regions, newest first."""
    return await service.list_messages(session, caller, wanted, cursor, limit)


@router.post("", status_code=201, response_model=MessageOut)
async def queue_message(session: Uow, caller: Writer, once: Once, wanted: MessageIn) -> Response:
    """Put a message into the outbox."""

    async def make() -> MessageOut:
        return await service.queue_message(session, caller, wanted)

    return await once.answer(session, caller.id, make)


@router.get("/counts")
async def count_messages(session: Uow, caller: Reader, wanted: Wanted) -> MessageCounts:
    """How many messages match, by state."""
    return await service.count_messages(session, caller, wanted)


@router.get("/templates")
async def list_templates(caller: Reader) -> list[TemplateOut]:
    """Every template with an example."""
    return service.list_templates()


@router.post("/templates/{key}/preview")
async def preview_template(caller: Reader, key: str, wanted: PreviewIn) -> PreviewOut:
    """A template filled in; examples stand for what is left out."""
    return PreviewOut(text=service.preview_template(key, wanted.language, wanted.params))


@router.put("/device", status_code=204)
async def set_device(session: Uow, caller: Phone, wanted: DeviceIn) -> None:
    """Keep where pushes to the calling driver's phone go."""
    await service.set_device(session, caller, wanted)


@router.get("/preferences/{number}")
async def preferences(session: Uow, caller: Reader, number: str) -> Preferences:
    """How an order's customer is written to."""
    order_id = await dispatch.order_id_of(session, number)
    return await service.preferences_of_order(session, caller, order_id)


@router.put("/preferences/{number}")
async def set_preferences(
    session: Uow, caller: Writer, number: str, wanted: PreferencesIn
) -> Preferences:
    """Keep how an order's customer wants to be written to."""
    order_id = await dispatch.order_id_of(session, number)
    return await service.set_preferences_of_order(session, caller, order_id, wanted)


@router.get("/{message_id}")
async def get_message(session: Uow, caller: Reader, message_id: UUID) -> MessageOut:
    """One message, with every attempt at sending it."""
    return await service.get_message(session, caller, message_id)


@router.get("/{message_id}/body")
async def message_body(session: Uow, caller: Reader, message_id: UUID) -> MessageBody:
    """The words of a message; each look is recorded."""
    return await service.message_body(session, caller, message_id)


@router.post("/{message_id}/retry")
async def retry_message(
    session: Uow, caller: Writer, message_id: UUID, wanted: MessageReasonIn
) -> MessageOut:
    """Send a message again that was given up."""
    return await service.retry_message(session, caller, message_id, wanted.reason)


@router.post("/{message_id}/cancel")
async def cancel_message(
    session: Uow, caller: Writer, message_id: UUID, wanted: MessageReasonIn
) -> MessageOut:
    """Stop a message that is not sent yet."""
    return await service.cancel_message(session, caller, message_id, wanted.reason)
