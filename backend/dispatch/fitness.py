"""Whether a driver can take an order: loaded once, asked for as many orders as wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import roster_repository
from backend.dispatch.errors import DriverUnfit
from backend.dispatch.models import CapacityRow, OrderRow
from backend.dispatch.roster_rules import SOFT, USUAL, Ability, Demand, Room, Unfit, unfit
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverOut


@dataclass(slots=True)
class Candidate:
    """A driver who may be given orders; what they carry grows with each."""

    driver: DriverOut
    ability: Ability

    def judge(self, order: OrderRow, *, force: bool = False) -> list[str]:
        """The soft reasons against the driver that `force` overrides.

        Raises DriverUnfit with a code for each reason where one stands.
        """
        ability = self.ability
        if order.driver_id == self.driver.id:
            ability = replace(ability, load=_less(ability.load, order))
        found = unfit(ability, demand_of(order), clock.now())
        standing = [reason for reason in found if not (force and reason in SOFT)]
        if standing:
            errors = [FieldError("/driver_id", reason.value, self._say(reason)) for reason in found]
            detail = " ".join(error.detail for error in errors)
            raise DriverUnfit(detail, errors=errors)
        return [reason.value for reason in found]

    def take(self, order: OrderRow) -> None:
        """Count the order among what the driver carries, for the next one to be judged."""
        self.ability = replace(self.ability, load=_more(self.ability.load, order))

    def _say(self, reason: Unfit) -> str:
        name, ability = self.driver.name, self.ability
        if reason is Unfit.FULL:
            return f"{name} has {ability.load.orders} of {ability.capacity.orders} orders."
        return f"{name} {_WHY[reason]}"


_WHY = {
    Unfit.OTHER_CITY: "works in another city.",
    Unfit.OFF_SHIFT: "is off shift.",
    Unfit.VEHICLE: "drives another kind of vehicle than the order needs.",
    Unfit.TOO_LARGE: "has no vehicle that holds the order.",
    Unfit.SKILLS: "lacks a skill that the order needs.",
    Unfit.SHIFT_ENDS: "has a shift that ends soon.",
}


async def driver_for(
    session: AsyncSession,
    principal: Principal,
    driver_id: UUID,
    permission: str = "dispatch:write",
) -> Candidate:
    """The driver as a candidate, kept from others who give out orders until the work ends.

    Call it before locking an order. Raises NoSuchDriver for one whom the caller may not see and
    Denied where they lack the permission.
    """
    driver = await tracking.get_driver(session, principal, driver_id)
    identity.authorize(principal, permission, driver.hub or driver.region)
    await roster_repository.lock_driver(session, driver_id)
    load = (await roster_repository.loads(session, [driver_id])).get(driver_id, Room(0, 0, 0))
    row = (await roster_repository.capacities(session, [driver_id])).get(driver_id)
    now = clock.now()
    shift = (await roster_repository.current_shifts(session, [driver_id], now)).get(driver_id)
    running = shift is not None and (shift.begun_at is not None or shift.starts_at <= now)
    ability = Ability(
        city=driver.region,
        vehicle=driver.vehicle,
        on_shift=driver.status != "off_shift",
        capacity=capacity_of(driver.vehicle, row),
        load=load,
        skills=frozenset(row.skills if row else ()),
        shift_ends=shift.ends_at if shift is not None and running else None,
    )
    return Candidate(driver, ability)


def capacity_of(vehicle: str, row: CapacityRow | None) -> Room:
    """What a driver can carry: as it was said, or the usual of their vehicle."""
    if row is None:
        return USUAL[vehicle]
    return Room(row.most_orders, row.most_weight_g, row.most_volume_cm3)


def demand_of(order: OrderRow) -> Demand:
    """What an order asks of its driver."""
    return Demand(
        city=order.region,
        weight_g=order.weight_g,
        volume_cm3=order.volume_cm3,
        vehicle=order.vehicle,
        skills=frozenset(order.skills),
    )


def _more(load: Room, order: OrderRow) -> Room:
    return Room(load.orders + 1, load.weight_g + order.weight_g, load.volume_cm3 + order.volume_cm3)


def _less(load: Room, order: OrderRow) -> Room:
    return Room(load.orders - 1, load.weight_g - order.weight_g, load.volume_cm3 - order.volume_cm3)
