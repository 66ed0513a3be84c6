"""Orders in: judged one by one, and each made once however often it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import lifecycle, order_repository
from backend.dispatch.checks import faults_of
from backend.dispatch.city_tree import city_tree
from backend.dispatch.customer_rules import new_token
from backend.dispatch.errors import ReferenceTaken
from backend.dispatch.lifecycle import Circumstances
from backend.dispatch.models import OrderRow, ParcelRow
from backend.dispatch.numbers import new_number
from backend.dispatch.order_views import order_out
from backend.dispatch.rules import Action, OrderState, default_promise, prepares_at_once
from backend.dispatch.schemas import BatchResult, BatchResults, Fault, OrderIn, OrderReceipt
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock, indicators
from backend.platform.errors import DomainError, FieldError, Invalid, Unavailable
from backend.platform.ids import uuid7
from backend.regions.service import Directory

_TRIES = 4
Verdict = OrderRow | DomainError


async def create_order(
    session: AsyncSession, principal: Principal, wanted: OrderIn
) -> OrderReceipt:
    """Take in an order; the same reference with the same content answers the order it made.

    Raises Invalid with a pointer to each wrong field, Denied outside the caller's regions, and
    ReferenceTaken naming what differs where the reference came with other content before.
    """
    [(verdict, duplicate)] = await take_in(session, principal, [wanted])
    if isinstance(verdict, DomainError):
        raise verdict
    made = await order_out(session, principal, verdict)
    return OrderReceipt(**dict(made), duplicate=duplicate)


async def create_orders(
    session: AsyncSession, principal: Principal, items: Sequence[OrderIn | Mapping[str, Any]]
) -> BatchResults:
    """Take in many orders, each judged by itself; one result for each, in order.

    An item may be as it came over the wire: one that is no order at all is a result too.
    """
    identity.authorize(principal, "orders:create")
    results: dict[int, BatchResult] = {}
    readable: dict[int, OrderIn] = {}
    first_seen: dict[str, int] = {}
    for index, item in enumerate(items):
        try:
            order = item if isinstance(item, OrderIn) else OrderIn.model_validate(item)
        except ValidationError as error:
            results[index] = rejected(index, Invalid(errors=field_errors(error)))
            continue
        first = first_seen.setdefault(order.reference, index)
        if first != index:
            detail = f"Item {first} of this batch has the reference {order.reference} too."
            fault = FieldError("/reference", "repeated", detail)
            results[index] = rejected(index, Invalid(detail, errors=[fault]))
        else:
            readable[index] = order
    verdicts = await take_in(session, principal, list(readable.values()))
    for index, (verdict, duplicate) in zip(readable, verdicts, strict=True):
        results[index] = (
            rejected(index, verdict)
            if isinstance(verdict, DomainError)
            else BatchResult(
                index=index,
                status="duplicate" if duplicate else "accepted",
                id=str(verdict.id),
                number=verdict.number,
            )
        )
    return BatchResults(results=[results[index] for index in range(len(items))])


def field_errors(error: ValidationError) -> list[FieldError]:
    """What keeps an item from being an order, with pointers into it."""
    return [
        FieldError(
            "".join(f"/{part}" for part in fault["loc"]), str(fault["type"]), str(fault["msg"])
        )
        for fault in error.errors(include_url=False, include_input=False)
    ]


def rejected(index: int, error: DomainError) -> BatchResult:
    """The result of an item that was refused."""
    faults = [Fault(pointer=f.pointer, code=f.code, detail=f.detail) for f in error.errors]
    first = faults[0] if faults else Fault(pointer="", code=error.code, detail=error.detail)
    return BatchResult(
        index=index,
        status="rejected",
        code=first.code,
        detail=first.detail,
        pointer=first.pointer,
        errors=faults,
    )


async def take_in(
    session: AsyncSession, principal: Principal, orders: Sequence[OrderIn]
) -> list[tuple[Verdict, bool]]:
    """For each order its row or why it was refused, and whether it was there before.

    However many orders there are, the number of statements stays the same.
    """
    identity.authorize(principal, "orders:create")
    if orders:
        indicators.in_region(orders[0].region)
    directory = await city_tree(session, {order.region for order in orders})
    now = clock.now()
    verdicts: dict[str, tuple[Verdict, bool]] = {}
    waiting = {order.reference: order for order in orders}
    for _ in range(_TRIES):
        judged = await judge(session, principal, list(waiting.values()), directory, now)
        for reference, verdict in judged.items():
            verdicts[reference] = (verdict, True)
            del waiting[reference]
        # By reference, so that two batches with the same orders never wait in a circle.
        rows = [_row(principal, waiting[name], directory, now) for name in sorted(waiting)]
        made = await order_repository.add(session, rows)
        for row in rows:
            # One that is not made met a number in use, or the same order on another connection.
            if row.id in made:
                await _begin(session, principal, row, waiting.pop(row.reference))
                verdicts[row.reference] = (row, False)
        if not waiting:
            return [verdicts[order.reference] for order in orders]
    raise Unavailable("The order could not be given a number; send it again.")


async def judge(
    session: AsyncSession,
    principal: Principal,
    orders: Sequence[OrderIn],
    directory: Directory,
    now: datetime,
) -> dict[str, Verdict]:
    """By reference, the orders that are there already and why others are refused; makes nothing.

    A repeat is known before anything is checked: its windows may have closed since.
    """
    references = [order.reference for order in orders]
    known = await order_repository.by_references(session, principal.id, references)
    verdicts: dict[str, Verdict] = {}
    for order in orders:
        row = known.get(order.reference)
        verdict = _refusal(principal, order, directory, now) if row is None else _repeat(row, order)
        if verdict is not None:
            verdicts[order.reference] = verdict
    return verdicts


def _refusal(
    principal: Principal, order: OrderIn, directory: Directory, now: datetime
) -> DomainError | None:
    faults = faults_of(order, directory, now)
    if faults:
        return Invalid(faults[0].detail, errors=faults)
    hub = directory.nearest_hub(order.region, order.drop.lat, order.drop.lon)
    place = hub.code if hub else order.region
    if not identity.may(principal, "orders:create", place):
        return identity.Denied(principal, "orders:create", place)
    return None


def _digests(order: OrderIn) -> dict[str, str]:
    """A digest of each field as it was sent, enough to tell a repeat from another order."""
    return {
        name: hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        for name, value in order.model_dump(mode="json").items()
    }


def _repeat(row: OrderRow, order: OrderIn) -> Verdict:
    sent = _digests(order)
    different = [name for name, digest in sent.items() if row.sent.get(name) != digest]
    if not different:
        return row
    detail = f"{row.reference} is {row.number} already, with another {', '.join(different)}."
    errors = [
        FieldError(f"/{name}", "differs", f"{row.number} was made with another {name}.")
        for name in different
    ]
    return ReferenceTaken(detail, errors=errors)


def _row(principal: Principal, order: OrderIn, directory: Directory, now: datetime) -> OrderRow:
    region = directory.get(order.region)
    zone = region.time_zone if region and region.time_zone else "UTC"
    hub = directory.nearest_hub(order.region, order.drop.lat, order.drop.lon)
    pickup_from, pickup_until = order.pickup.window or (None, None)
    drop_from, drop_until = order.drop.window or (None, None)
    ready = prepares_at_once(pickup_from, now)
    return OrderRow(
        id=uuid7(),
        number=new_number(),
        merchant=principal.id,
        hub=hub.code if hub else None,
        # As it stands once `_begin` has told of both steps.
        state=OrderState.READY if ready else OrderState.CREATED,
        version=2 if ready else 1,
        pickup_from=pickup_from,
        pickup_until=pickup_until,
        drop_from=drop_from,
        drop_until=drop_until,
        weight_g=sum(parcel.weight_g for parcel in order.parcels),
        volume_cm3=sum(parcel.volume_cm3 for parcel in order.parcels),
        terms=order.payment.terms,
        amount_minor=order.payment.amount.minor,
        currency=order.payment.amount.currency,
        wallet_id=order.payment.wallet_id,
        method=order.payment.method,
        gateway=order.payment.gateway,
        promised_at=order.promised_at
        or default_promise(order.service, now, zone, pickup_from, drop_until),
        tracking_token=new_token(),
        sent=_digests(order),
        created_at=now,
        updated_at=now,
        **_contact("pickup", order.pickup.model_dump()),
        **_contact("drop", order.drop.model_dump()),
        **order.model_dump(include={"reference", "region", "service", "vehicle", "skills", "tags"}),
    )


def _contact(end: str, place: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{end}_{name}": place[name] for name in ("name", "phone", "address", "lat", "lon")}


async def _begin(
    session: AsyncSession, principal: Principal, row: OrderRow, order: OrderIn
) -> None:
    """Tell of the order's creation and, where it can be matched at once, of that."""
    session.add_all(ParcelRow(order_id=row.id, **parcel.model_dump()) for parcel in order.parcels)
    ready = row.state == OrderState.READY
    row.state, row.version = OrderState.CREATED, 0
    data = {
        "region": row.region,
        "terms": row.terms,
        "amount": {"minor": row.amount_minor, "currency": row.currency},
        "wallet_id": _text(row.wallet_id),
        "method": row.method,
        "gateway": row.gateway,
        "promised_at": row.promised_at.isoformat(),
        "weight_g": row.weight_g,
    }
    await lifecycle.note(session, principal, row, "order.created", Circumstances(data=data))
    if ready:
        await lifecycle.move(session, SYSTEM, row, Action.PREPARE)
    row.updated_at = row.created_at


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
