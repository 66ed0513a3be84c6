"""Who can take an order, and what it would cost: pure, on columns of orders, drivers and pairs.

Costs are seconds of travel: the way to the pickup, an order in hand counting as the time that it
takes first, and what lateness, an unfair share of the work and a low battery are held to be worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.dispatch.matching_schemas import Objection
from backend.dispatch.travel import Floats, road_m

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REASONS = tuple(Objection)
UNASSIGNED_S = 40_000.0
"""What it costs to leave an order for the next time: more than any driver."""
REACH_S = 2_700.0
STOP_S = 240.0
"""How long parcels are handed over, on average."""
IN_HAND_S = 300.0
GIVEN_S = 20.0
MOST_OPEN_OFFERS = 3
_LATENESS_WEIGHT = 1.5
_MOST_LATENESS_S = 10_800.0
_MOST_FAIRNESS_S = 900.0
_LOW_BATTERY = 0.25
_EMPTY_BATTERY_S = 900.0
_MOST_WAIT_S = 3_600.0
_SPREAD = 0.25
_LEAST_SPREAD_S = 90.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """The drivers of a city, a column each; times are seconds from now, `inf` for no end.

    `vehicle` indexes `travel.VEHICLES`; `orders`, `weight_g` and `volume_cm3` are with the driver
    or offered; `battery` is 0..1 or NaN; `heard` says whether the position is live or stale.
    """

    ids: Sequence[UUID]
    codes: Sequence[str]
    vehicle: Ints
    lat: Floats
    lon: Floats
    heard: Bools
    on_shift: Bools
    battery: Floats
    orders: Ints
    weight_g: Ints
    volume_cm3: Ints
    most_orders: Ints
    most_weight_g: Ints
    most_volume_cm3: Ints
    open_offers: Ints
    given: Ints
    shift_left_s: Floats
    skills: Sequence[frozenset[str]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Orders to match, a column each; `vehicle` is -1 where any will do."""

    ids: Sequence[UUID]
    lat: Floats
    lon: Floats
    drop_lat: Floats
    drop_lon: Floats
    vehicle: Ints
    weight_g: Ints
    volume_cm3: Ints
    skills: Sequence[frozenset[str]]
    ready_in_s: Floats
    due_in_s: Floats
    waited_s: Floats
    express: Bools

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Orders and drivers to weigh up: indices, and the way between them."""

    order: Ints
    driver: Ints
    metres: Floats
    seconds: Floats

    def where(self, mask: Bools) -> Pairs:
        """Those of the mask."""
        return Pairs(self.order[mask], self.driver[mask], self.metres[mask], self.seconds[mask])


@dataclass(frozen=True, slots=True)
class PairCosts:
    """The parts of each pair's cost, in seconds."""

    travel: Floats
    lateness: Floats
    fairness: Floats
    battery: Floats

    @property
    def total(self) -> Floats:
        """The whole cost, never as much as leaving the order would cost."""
        whole = self.travel + self.lateness + self.fairness + self.battery
        return np.asarray(np.clip(whole, 1.0, UNASSIGNED_S - 1))


def pairs_of(orders: OpenOrders, fleet: Fleet, order: Ints, driver: Ints, speeds: Floats) -> Pairs:
    """Pairs with the estimated way from driver to pickup."""
    metres = road_m(fleet.lat[driver], fleet.lon[driver], orders.lat[order], orders.lon[order])
    return Pairs(order, driver, metres, metres / speeds[fleet.vehicle[driver]])


def unfitness(
    orders: OpenOrders, fleet: Fleet, pairs: Pairs, cooling: Ints, speeds: Floats
) -> NDArray[np.uint16]:
    """Why each pair cannot be: bit n is `REASONS[n]`; 0 where it can.

    `cooling` holds the pairs that were refused lately, as order x drivers + driver.
    """
    o, d = pairs.order, pairs.driver
    wanted = orders.vehicle[o]
    finish = _finish_s(orders, fleet, pairs, speeds)
    weight = fleet.weight_g[d] + orders.weight_g[o]
    volume = fleet.volume_cm3[d] + orders.volume_cm3[o]
    broken = {
        Objection.OFF_SHIFT: ~fleet.on_shift[d],
        Objection.NOT_HEARD: ~fleet.heard[d],
        Objection.VEHICLE: (wanted >= 0) & (wanted != fleet.vehicle[d]),
        Objection.SKILLS: _lacking(orders, fleet, o, d),
        Objection.ORDERS_FULL: fleet.orders[d] >= fleet.most_orders[d],
        Objection.WEIGHT_FULL: weight > fleet.most_weight_g[d],
        Objection.VOLUME_FULL: volume > fleet.most_volume_cm3[d],
        Objection.SHIFT_ENDS: finish > fleet.shift_left_s[d],
        Objection.COOLING_DOWN: np.isin(o * len(fleet) + d, cooling),
        Objection.OFFERED_ENOUGH: fleet.open_offers[d] >= MOST_OPEN_OFFERS,
        Objection.OUT_OF_REACH: pairs.seconds > REACH_S,
    }
    bits = np.zeros(len(o), dtype=np.uint16)
    for number, reason in enumerate(REASONS):
        bits |= broken[reason].astype(np.uint16) << number
    return bits


def _lacking(orders: OpenOrders, fleet: Fleet, o: Ints, d: Ints) -> Bools:
    """Whether the order wants a skill that the driver has not."""
    lacking = np.zeros(len(o), dtype=bool)
    for skill in sorted(frozenset[str]().union(*orders.skills)):
        wants = np.array([skill in wanted for wanted in orders.skills], dtype=bool)
        has = np.array([skill in held for held in fleet.skills], dtype=bool)
        lacking |= wants[o] & ~has[d]
    return lacking


def reasons_of(bits: int) -> list[Objection]:
    """What speaks against a pair: a bit for each of `REASONS`, the lowest for the first."""
    return [reason for number, reason in enumerate(REASONS) if bits >> number & 1]


def _finish_s(orders: OpenOrders, fleet: Fleet, pairs: Pairs, speeds: Floats) -> Floats:
    """Seconds from now until the order would be handed over."""
    o, d = pairs.order, pairs.driver
    direct = road_m(orders.lat, orders.lon, orders.drop_lat, orders.drop_lon)[o]
    at_pickup = np.maximum(pairs.seconds + fleet.orders[d] * IN_HAND_S, orders.ready_in_s[o])
    return at_pickup + STOP_S + direct / speeds[fleet.vehicle[d]] + STOP_S


def costs_of(orders: OpenOrders, fleet: Fleet, pairs: Pairs, speeds: Floats) -> PairCosts:
    """What each pair would cost.

    The lateness is what is to be expected of a time of arrival spread normally about the estimate:
    E[max(0, X)] = s phi(m/s) + m Phi(m/s) for X ~ N(m, s).
    """
    # Loaded here, as in the assignment: only whoever matches needs it.
    from scipy.special import ndtr

    o, d = pairs.order, pairs.driver
    finish = _finish_s(orders, fleet, pairs, speeds)
    late = finish - orders.due_in_s[o]
    spread = _LEAST_SPREAD_S + _SPREAD * finish
    ratio = late / spread
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    expected = np.clip(spread * density + late * ndtr(ratio), 0.0, _MOST_LATENESS_S)
    battery = np.nan_to_num(fleet.battery, nan=1.0)[d]
    return PairCosts(
        travel=pairs.seconds + fleet.orders[d] * IN_HAND_S,
        lateness=expected * _LATENESS_WEIGHT,
        fairness=np.minimum(fleet.given[d] * GIVEN_S, _MOST_FAIRNESS_S),
        battery=np.maximum(0.0, _LOW_BATTERY - battery) / _LOW_BATTERY * _EMPTY_BATTERY_S,
    )


def worth_s(orders: OpenOrders) -> Floats:
    """What leaving each order costs: the more, the longer it has waited."""
    return UNASSIGNED_S + np.clip(orders.waited_s, 0.0, _MOST_WAIT_S)
