"""Offers of orders to drivers: shown, answered, run out, withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import changes, offer_repository, order_repository, roster_repository
from backend.dispatch.errors import DriverUnfit, NoSuchOrder, OfferGone
from backend.dispatch.fitness import capacity_of
from backend.dispatch.lifecycle import Circumstances, may, move
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_schemas import OfferOut, OfferState, PlaceOut
from backend.dispatch.models import OrderRow
from backend.dispatch.roster_rules import Room
from backend.dispatch.rules import Action, OrderState
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.outbox import Event, emit
from backend.tracking import service as tracking


class NoSuchOffer(NotFound):
    """There is no such offer, or it is nothing to the caller."""

    title = "There is no such offer"


async def offers_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[OfferOut]:
    """Every offer of an order, newest first."""
    identity.authorize(principal, "dispatch:read")
    order = await order_repository.by_id(session, order_id)
    if order is None or not may(principal, "dispatch:read", order):
        raise NoSuchOrder
    return [_out(offer, order) for offer in await offer_repository.of_order(session, order_id)]


async def offers_of_driver(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> list[OfferOut]:
    """What the driver may accept now, the offer that runs out first before others."""
    found = await offer_repository.open_of_driver(session, driver_id, clock.now())
    if principal.driver_id == driver_id:
        identity.authorize(principal, "tasks:write")
        return [_out(offer, order) for offer, order in found]
    identity.authorize(principal, "dispatch:read")
    return [_out(offer, order) for offer, order in found if may(principal, "dispatch:read", order)]


async def accept_offer(session: AsyncSession, principal: Principal, offer_id: UUID) -> OfferOut:
    """Take the order for the driver; the first to accept wins, saying it twice changes nothing.

    Raises OfferGone for an offer that is past its time or whose order somebody else has, and
    DriverUnfit for a driver who has no room for the order any more.
    """
    offer, order = await _to_answer(session, principal, offer_id)
    if offer.state == OfferState.ACCEPTED:
        return _out(offer, order)
    if order.state != OrderState.READY:
        raise OfferGone(f"{order.number} went to somebody else.")
    now = clock.now()
    if not await offer_repository.answer(session, offer.id, OfferState.ACCEPTED, now, None):
        raise OfferGone
    await _check_room(session, order, offer.driver_id)
    facts = Circumstances(data={"offer_id": str(offer.id)})
    await move(session, principal, order, Action.ASSIGN, facts, driver_id=offer.driver_id)
    await move(session, principal, order, Action.ACCEPT, facts)
    others = await offer_repository.withdraw_others(session, order.id, now, "taken")
    await tell(session, principal, others)
    taken = await offer_repository.by_id(session, offer.id)
    assert taken is not None
    await tell(session, principal, [taken])
    return _out(taken, order)


async def reject_offer(
    session: AsyncSession, principal: Principal, offer_id: UUID, reason: str
) -> OfferOut:
    """Turn the offer down; the driver is not asked for this order again for a while.

    Saying it twice changes nothing; raises OfferGone for one that was answered otherwise.
    """
    offer, order = await _to_answer(session, principal, offer_id)
    if offer.state == OfferState.REJECTED:
        return _out(offer, order)
    now = clock.now()
    if not await offer_repository.answer(session, offer.id, OfferState.REJECTED, now, reason):
        raise OfferGone
    refused = await offer_repository.by_id(session, offer.id)
    assert refused is not None
    await tell(session, principal, [refused])
    return _out(refused, order)


async def _to_answer(
    session: AsyncSession, principal: Principal, offer_id: UUID
) -> tuple[OfferRow, OrderRow]:
    """The offer with its order locked, if the caller may answer it.

    That is the driver it was made to, or a dispatcher of the region on the phone with them.
    """
    offer = await offer_repository.by_id(session, offer_id)
    if offer is None:
        raise NoSuchOffer
    if principal.driver_id is None:
        identity.authorize(principal, "dispatch:write")
        if not identity.may(principal, "dispatch:write", offer.city):
            raise NoSuchOffer
    elif principal.driver_id == offer.driver_id:
        identity.authorize(principal, "tasks:write")
    else:
        raise NoSuchOffer
    await roster_repository.lock_driver(session, offer.driver_id)
    order = await order_repository.locked(session, offer.order_id)
    if order is None or identity.merchant_of(principal) not in (None, order.merchant):
        raise NoSuchOffer
    now = await offer_repository.by_id(session, offer_id)
    assert now is not None
    return now, order


async def _check_room(session: AsyncSession, order: OrderRow, driver_id: UUID) -> None:
    """Refuse an order that would be more than the driver carries at once."""
    driver = await tracking.get_driver(session, SYSTEM, driver_id)
    own = (await roster_repository.capacities(session, [driver_id])).get(driver_id)
    load = (await roster_repository.loads(session, [driver_id])).get(driver_id, Room(0, 0, 0))
    wanted = Room(
        load.orders + 1, load.weight_g + order.weight_g, load.volume_cm3 + order.volume_cm3
    )
    most = capacity_of(driver.vehicle, own)
    if any(part > limit for part, limit in zip(wanted, most, strict=True)):
        raise DriverUnfit(f"{driver.code} has no room left for {order.number}.")


async def tell(session: AsyncSession, principal: Principal, offers: Iterable[OfferRow]) -> None:
    """Publish what became of offers."""
    for offer in offers:
        changes.tell_after_commit(session, offer.city)
        kind = "made" if offer.state == OfferState.OPEN else offer.state
        await emit(
            session,
            Event(
                type=f"offer.{kind}",
                key=str(offer.order_id),
                actor=principal.id,
                region=offer.city,
                data={
                    "offer_id": str(offer.id),
                    "order_id": str(offer.order_id),
                    "driver_id": str(offer.driver_id),
                    "round": offer.round,
                    "expires_at": offer.expires_at.isoformat(),
                    "reason": offer.reason,
                },
            ),
        )


def _out(offer: OfferRow, order: OrderRow) -> OfferOut:
    return OfferOut(
        **offer.model_dump(exclude={"city", "decision_id"}),
        number=order.number,
        service=order.service,
        pickup=PlaceOut(address=order.pickup_address, lat=order.pickup_lat, lon=order.pickup_lon),
        drop=PlaceOut(address=order.drop_address, lat=order.drop_lat, lon=order.drop_lon),
        promised_at=order.promised_at,
        weight_g=order.weight_g,
        volume_cm3=order.volume_cm3,
    )
