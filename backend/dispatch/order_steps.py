"""The steps that a driver's phone takes with an order in hand, from the pickup to the door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import order_repository, proof_repository
from backend.dispatch.doorstep_rules import (
    CODE_TROUBLE,
    FAR_M,
    OTP_AT_PICKUP,
    CodeVerdict,
    EventType,
    EvidenceKind,
    Step,
)
from backend.dispatch.doorstep_schemas import Delivered, Failed, GivenBack, Payload, PickedUp
from backend.dispatch.evidence import Taken, add_evidence
from backend.dispatch.evidence_store import name_of
from backend.dispatch.lifecycle import Circumstances, move, permitted_step
from backend.dispatch.models import OrderRow
from backend.dispatch.otp import check_code, mint_otp
from backend.dispatch.proof import proof_of_delivery
from backend.dispatch.rules import Action
from backend.identity.schemas import Principal
from backend.platform.errors import Conflict
from backend.platform.money import plain
from backend.regions.rules import haversine_m

_CLOCKS_AGREE_S = 2.0


class Refused(Conflict):
    """A phone's step that cannot be done, under a code of its own."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a phone as understood; `happened_at` is corrected for the phone's clock."""

    type: EventType
    order_id: UUID | None
    payload: Payload
    captured_at: datetime
    happened_at: datetime

    def circumstances(self, reason: str | None = None, **data: Any) -> Circumstances:
        """When and where it was done; the phone's own time is told where its clock is off."""
        if abs((self.happened_at - self.captured_at).total_seconds()) > _CLOCKS_AGREE_S:
            data["captured_at"] = self.captured_at.isoformat()
        place = self.payload.position
        return Circumstances(
            reason=reason,
            device_at=self.happened_at,
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            data={name: value for name, value in data.items() if value is not None},
        )

    def away_from(self, lat: float, lon: float) -> float | None:
        """Metres from where it was done to a stop, None where that is not known."""
        place = self.payload.position
        return round(haversine_m(place.lat, place.lon, lat, lon), 1) if place else None


def flag(order: OrderRow, why: str) -> None:
    """Have people look at the order; the first reason stays until it is settled."""
    order.flagged = order.flagged or why


def _flag_if_far(order: OrderRow, away: float | None, verb: str) -> None:
    if away is not None and away > FAR_M:
        flag(order, f"{verb} {away:,.0f} m from the drop.")


async def _reach_pickup(
    session: AsyncSession, caller: Principal, order: OrderRow, told: Told
) -> None:
    away = told.away_from(order.pickup_lat, order.pickup_lon)
    await move(session, caller, order, Action.REACH_PICKUP, told.circumstances(distance_m=away))
    if OTP_AT_PICKUP in order.tags:
        await mint_otp(session, caller, order, Step.PICKUP)


async def _pick_up(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, PickedUp)
    permitted_step(order, Action.PICK_UP)
    wanted = {parcel.barcode for parcel in await order_repository.parcels(session, [order.id])}
    scanned = set(payload.barcodes)
    if foreign := sorted(scanned - wanted):
        raise Refused("wrong_parcel", f"{foreign[0]} is not a parcel of {order.number}.")
    if left := sorted(wanted - scanned):
        raise Refused("parcel_missing", f"{left[0]} of {order.number} was not scanned.")
    if OTP_AT_PICKUP in order.tags:
        await _check_pickup_code(session, order, payload.otp, told.happened_at)
    await _add_scan(session, caller, order, told, sorted(scanned))
    await move(session, caller, order, Action.PICK_UP, told.circumstances(parcels=len(scanned)))
    await proof_repository.mark_parcels(session, order.id, told.happened_at, delivered=False)


async def _check_pickup_code(
    session: AsyncSession, order: OrderRow, code: str | None, entered_at: datetime
) -> None:
    if code is None:
        row = await proof_repository.code_of(session, order.id, Step.PICKUP)
        given = row is not None and row.verified_at is not None
        verdict = CodeVerdict.VERIFIED if given else CodeVerdict.NOT_GIVEN
    else:
        verdict = await check_code(session, order, Step.PICKUP, code, entered_at)
    if verdict is not CodeVerdict.VERIFIED:
        raise Refused(verdict, CODE_TROUBLE[verdict])


async def _add_scan(
    session: AsyncSession, caller: Principal, order: OrderRow, told: Told, barcodes: list[str]
) -> None:
    words = " ".join(barcodes)
    place = told.payload.position
    taken = Taken(
        Step.PICKUP,
        EvidenceKind.SCAN,
        name_of(words.encode()),
        told.happened_at,
        place.lat if place else None,
        place.lon if place else None,
        words,
    )
    await add_evidence(session, caller, order, taken)


async def _depart(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    await move(session, caller, order, Action.DEPART, told.circumstances())


async def _arrive(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    permitted_step(order, Action.ARRIVE)
    away = told.away_from(order.drop_lat, order.drop_lon)
    _flag_if_far(order, away, "Arrived")
    await move(session, caller, order, Action.ARRIVE, told.circumstances(distance_m=away))
    await mint_otp(session, caller, order, Step.DROP)


async def _deliver(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, Delivered)
    # Before the code is looked at: a refused delivery must not cost an attempt.
    permitted_step(order, Action.DELIVER)
    cash = order.terms == "cod"
    taken = payload.collected
    if cash and taken is None:
        raise Refused("collected_missing", f"{order.number} is paid at the door: say what was.")
    proof = await proof_of_delivery(session, order, payload.otp, told.happened_at)
    if isinstance(proof, CodeVerdict):
        raise Refused(proof, CODE_TROUBLE[proof])
    due = order.amount_minor if cash else 0
    if taken is not None and (taken.minor, taken.currency) != (due, order.currency):
        got, asked = plain(taken.minor, taken.currency), plain(due, order.currency)
        flag(order, f"Collected {got} where {asked} was due.")
    away = told.away_from(order.drop_lat, order.drop_lon)
    _flag_if_far(order, away, "Delivered")
    circumstances = told.circumstances(
        proof=proof.value, distance_m=away, received_by=payload.received_by
    )
    circumstances.data["collected"] = taken.model_dump() if taken is not None else None
    await move(session, caller, order, Action.DELIVER, circumstances)
    await proof_repository.mark_parcels(session, order.id, told.happened_at, delivered=True)


async def _fail(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, Failed)
    away = told.away_from(order.drop_lat, order.drop_lon)
    circumstances = told.circumstances(
        payload.reason.value, comment=payload.comment, distance_m=away
    )
    await move(session, caller, order, Action.FAIL, circumstances)


async def _begin_return(
    session: AsyncSession, caller: Principal, order: OrderRow, told: Told
) -> None:
    await move(session, caller, order, Action.SEND_BACK, told.circumstances())


async def _give_back(session: AsyncSession, caller: Principal, order: OrderRow, told: Told) -> None:
    payload = told.payload
    assert isinstance(payload, GivenBack)
    away = told.away_from(order.pickup_lat, order.pickup_lon)
    circumstances = told.circumstances(distance_m=away, received_by=payload.received_by)
    await move(session, caller, order, Action.GIVE_BACK, circumstances)


OrderStep = Callable[[AsyncSession, Principal, OrderRow, Told], Awaitable[None]]

STEPS: dict[EventType, tuple[Action, OrderStep]] = {
    EventType.REACH_PICKUP: (Action.REACH_PICKUP, _reach_pickup),
    EventType.PICK_UP: (Action.PICK_UP, _pick_up),
    EventType.DEPART: (Action.DEPART, _depart),
    EventType.ARRIVE: (Action.ARRIVE, _arrive),
    EventType.DELIVER: (Action.DELIVER, _deliver),
    EventType.FAIL: (Action.FAIL, _fail),
    EventType.RETURN_BEGUN: (Action.SEND_BACK, _begin_return),
    EventType.RETURNED: (Action.GIVE_BACK, _give_back),
}
"""What each step does to an order that is the driver's, and the action that it is."""
