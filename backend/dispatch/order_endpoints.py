"""The HTTP side of orders: in, found, read and acted on, under `/api/v1/orders`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from backend.dispatch import service
from backend.dispatch.order_filter import Wanted
from backend.dispatch.order_schemas import (
    AssignIn,
    BulkIn,
    BulkResults,
    FlagIn,
    OrderBatchIn,
    OrderChange,
    OrderCounts,
    ReasonIn,
    Revealed,
    RevealIn,
    SteppedIn,
)
from backend.dispatch.schemas import (
    BatchResults,
    OrderEventOut,
    OrderIn,
    OrderOut,
    OrderPage,
    OrderReceipt,
)
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1", tags=["orders"])

Creator = Annotated[Principal, Depends(requires("orders:create"))]
Reader = Annotated[Principal, Depends(requires("orders:read"))]
Writer = Annotated[Principal, Depends(requires("orders:write"))]
Canceller = Annotated[Principal, Depends(requires("orders:cancel"))]
Revealer = Annotated[Principal, Depends(requires("orders:reveal"))]
Dispatcher = Annotated[Principal, Depends(requires("dispatch:write"))]

Number = Annotated[str, Path(max_length=40, pattern=r"^[^\x00]*$")]


@router.post("/orders", status_code=201, response_model=OrderReceipt)
async def create_order(session: Uow, caller: Creator, once: Once, wanted: OrderIn) -> Response:
    """Take in an order; sent again it answers 200 and the order as it stands."""
    return await once.answer(
        session,
        caller.id,
        lambda: service.create_order(session, caller, wanted),
        status=lambda made: 200 if made.duplicate else 201,
    )


@router.post("/orders/batch", response_model=BatchResults)
async def create_orders(
    session: Uow, caller: Creator, once: Once, wanted: OrderBatchIn
) -> Response:
    """Take in up to 500 orders; one result for each, in order."""
    return await once.answer(
        session,
        caller.id,
        lambda: service.create_orders(session, caller, wanted.orders),
        status=200,
    )


@router.get("/orders")
async def list_orders(
    session: Uow,
    caller: Reader,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> OrderPage:
    """A page of the caller's orders."""
    return await service.list_orders(session, caller, wanted, cursor, limit)


@router.get("/orders/counts")
async def count_orders(session: Uow, caller: Reader, wanted: Wanted) -> OrderCounts:
    """How many orders match, by state and lateness."""
    return await service.count_orders(session, caller, wanted)


@router.post("/orders/bulk")
async def act_on_orders(session: Uow, caller: Reader, wanted: BulkIn) -> BulkResults:
    """One action on up to 500 orders; one result for each, in order."""
    return await service.act_on_orders(session, caller, wanted)


@router.get("/orders/{number}")
async def get_order(session: Uow, caller: Reader, number: Number) -> OrderOut:
    """One order, by number or id."""
    return await service.get_order(session, caller, number)


@router.patch("/orders/{number}")
async def change_order(
    session: Uow, caller: Writer, number: Number, wanted: OrderChange
) -> OrderOut:
    """Change the drop, a window, the promise or the tags; what is left out stays."""
    order = await service.order_id_of(session, number)
    return await service.change_order(session, caller, order, wanted)


@router.get("/orders/{number}/events")
async def order_history(session: Uow, caller: Reader, number: Number) -> list[OrderEventOut]:
    """The order's steps, oldest first."""
    return await service.order_history(session, caller, number)


@router.post("/orders/{number}/reveal")
async def reveal_field(
    session: Uow, caller: Revealer, number: Number, wanted: RevealIn
) -> Revealed:
    """One contact detail, whole; the look is recorded."""
    order = await service.order_id_of(session, number)
    return await service.reveal_field(session, caller, order, wanted.field)


@router.post("/orders/{number}/assign")
async def assign_order(
    session: Uow, caller: Dispatcher, number: Number, wanted: AssignIn
) -> OrderOut:
    """Give a ready order to a driver."""
    order = await service.order_id_of(session, number)
    return await service.assign_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/reassign")
async def reassign_order(
    session: Uow, caller: Dispatcher, number: Number, wanted: AssignIn
) -> OrderOut:
    """Give an order that is not picked up yet to another driver."""
    order = await service.order_id_of(session, number)
    return await service.reassign_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/unassign")
async def unassign_order(
    session: Uow, caller: Dispatcher, number: Number, wanted: ReasonIn
) -> OrderOut:
    """Take an order that is not picked up yet from its driver."""
    order = await service.order_id_of(session, number)
    return await service.unassign_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/hold")
async def hold_order(session: Uow, caller: Writer, number: Number, wanted: ReasonIn) -> OrderOut:
    """Stop an order where it is."""
    order = await service.order_id_of(session, number)
    return await service.hold_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/release")
async def release_order(
    session: Uow, caller: Writer, number: Number, wanted: SteppedIn
) -> OrderOut:
    """Let a held order go on."""
    order = await service.order_id_of(session, number)
    return await service.release_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/cancel")
async def cancel_order(
    session: Uow, caller: Canceller, number: Number, wanted: ReasonIn
) -> OrderOut:
    """Call off an order that is not picked up yet."""
    order = await service.order_id_of(session, number)
    return await service.cancel_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/fail")
async def fail_order(session: Uow, caller: Writer, number: Number, wanted: ReasonIn) -> OrderOut:
    """Record that an order on board could not be delivered."""
    order = await service.order_id_of(session, number)
    return await service.fail_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/send-back")
async def send_back_order(
    session: Uow, caller: Writer, number: Number, wanted: SteppedIn
) -> OrderOut:
    """Send a failed order back."""
    order = await service.order_id_of(session, number)
    return await service.send_back_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/give-back")
async def give_back_order(
    session: Uow, caller: Writer, number: Number, wanted: SteppedIn
) -> OrderOut:
    """Record that a returning order is back at its sender."""
    order = await service.order_id_of(session, number)
    return await service.give_back_order(session, caller, order, **dict(wanted))


@router.post("/orders/{number}/flag")
async def flag_order(session: Uow, caller: Writer, number: Number, wanted: FlagIn) -> OrderOut:
    """Mark an order for support; its state stays."""
    order = await service.order_id_of(session, number)
    return await service.flag_order(session, caller, order, wanted.text)


@router.post("/orders/{number}/settle-flag")
async def settle_flag(session: Uow, caller: Writer, number: Number, wanted: ReasonIn) -> OrderOut:
    """Take an order's mark away."""
    order = await service.order_id_of(session, number)
    return await service.settle_flag(session, caller, order, **dict(wanted))
