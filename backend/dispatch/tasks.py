"""What a driver's phone shows: the orders in the driver's hands, and which of them changed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import doorstep_repository, order_repository, proof_repository
from backend.dispatch.doorstep_models import OtpRow
from backend.dispatch.doorstep_rules import (
    OTP_AT_PICKUP,
    OTP_ATTEMPTS,
    OTP_ONLY,
    EvidenceKind,
    Step,
)
from backend.dispatch.doorstep_schemas import CodeOut, StopOut, TaskList, TaskOut, TaskParcel
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.models import OrderRow, ParcelRow
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import PaymentIn
from backend.dispatch.uploads import driver_of
from backend.identity.schemas import Principal
from backend.platform.money import Money


async def order_of_driver(session: AsyncSession, principal: Principal, order_id: UUID) -> OrderRow:
    """The order, locked, if it is the calling driver's now; raises NoSuchOrder."""
    driver_id = driver_of(principal)
    order = await order_repository.locked(session, order_id)
    if order is None or order.driver_id != driver_id:
        raise NoSuchOrder
    return order


async def tasks_of_driver(session: AsyncSession, principal: Principal) -> TaskList:
    """The calling driver's open orders, contacts unmasked, the most urgent first."""
    tasks = await open_tasks(session, driver_of(principal))
    return TaskList(items=tasks, cursor=cursor_of(tasks))


async def open_tasks(session: AsyncSession, driver_id: UUID) -> list[TaskOut]:
    """The driver's open orders as the phone shows them."""
    orders = await doorstep_repository.orders_in_hand(session, driver_id)
    ids = [order.id for order in orders]
    if not ids:
        return []
    parcels = await order_repository.parcels(session, ids)
    codes = await proof_repository.codes_of(session, ids)
    proofs = await proof_repository.kinds_at(session, ids, Step.DROP)
    waived = {proof.order_id for proof in proofs if proof.kind == EvidenceKind.OVERRIDE}
    return [
        _task(
            order,
            [parcel for parcel in parcels if parcel.order_id == order.id],
            [code for code in codes if code.order_id == order.id],
            overridden=order.id in waived,
        )
        for order in orders
    ]


def _task(
    order: OrderRow, parcels: Sequence[ParcelRow], codes: Sequence[OtpRow], *, overridden: bool
) -> TaskOut:
    return TaskOut(
        order_id=order.id,
        number=order.number,
        reference=order.reference,
        state=OrderState(order.state),
        version=order.version,
        service=order.service,
        pickup=StopOut(
            name=order.pickup_name,
            phone=order.pickup_phone,
            address=order.pickup_address,
            lat=order.pickup_lat,
            lon=order.pickup_lon,
            window=_window(order.pickup_from, order.pickup_until),
        ),
        drop=StopOut(
            name=order.drop_name,
            phone=order.drop_phone,
            address=order.drop_address,
            lat=order.drop_lat,
            lon=order.drop_lon,
            window=_window(order.drop_from, order.drop_until),
        ),
        parcels=[
            TaskParcel(
                barcode=parcel.barcode,
                weight_g=parcel.weight_g,
                picked_up=parcel.picked_up_at is not None,
            )
            for parcel in parcels
        ],
        payment=PaymentIn(
            terms=order.terms,
            amount=Money(minor=order.amount_minor, currency=order.currency),
        ),
        promised_at=order.promised_at,
        tags=order.tags,
        otp_at_pickup=OTP_AT_PICKUP in order.tags,
        otp_only=OTP_ONLY in order.tags,
        overridden=overridden,
        codes=[code_out(code) for code in codes],
    )


def code_out(row: OtpRow) -> CodeOut:
    """How a code stands; never the code."""
    return CodeOut(
        step=Step(row.step),
        verified=row.verified_at is not None,
        attempts_left=max(0, OTP_ATTEMPTS - row.attempts),
        expires_at=row.expires_at,
        resend_from=row.resend_from,
    )


def _window(
    since: datetime | None, until: datetime | None
) -> tuple[datetime | None, datetime | None] | None:
    return (since, until) if since or until else None


def cursor_of(tasks: Sequence[TaskOut]) -> str:
    """What a phone that has these tasks knows: each order with its version."""
    known = {task.order_id.hex: task.version for task in tasks}
    return base64.urlsafe_b64encode(orjson.dumps(known)).decode().rstrip("=")


def known_by(cursor: str | None) -> dict[UUID, int]:
    """The versions that a cursor tells of; one that is not ours tells of none.

    The cursor says what the phone has and not when it asked, so that an answer lost on its way,
    or a change committed late, is never missed.
    """
    if not cursor:
        return {}
    try:
        known = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return {UUID(hex=name): int(version) for name, version in known.items()}
    except (binascii.Error, ValueError, AttributeError, TypeError):
        return {}
