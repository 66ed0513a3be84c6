"""Makes the rows of the dispatcher's board: small, without contacts, times in milliseconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.dispatch import service as dispatch
from backend.dispatch.board_schemas import Carrier, LastStep
from backend.dispatch.matching_schemas import CitySwitch as Switch
from backend.dispatch.matching_schemas import (
    Decision,
    MatchingFigures,
    OfferOut,
    RankedDriver,
    RouteOut,
    StopOut,
)
from backend.dispatch.roster_schemas import RosterRow
from backend.dispatch.schemas import OrderOut
from backend.payments.formats import with_code
from dashboard.states.dispatch_shapes import (
    UNDECIDED,
    DriverLine,
    Gone,
    Matching,
    Offer,
    OrderLine,
    Plan,
    Plans,
    Stop,
    Tour,
    Weighed,
    Why,
)
from dashboard.states.dispatch_words import (
    cut,
    hindrances,
    load_words,
    needs_words,
    unfit_words,
    window_words,
)

TIGHT_S = 300
PLANS_AT_MOST = 60


def ms(moment: datetime | None) -> int:
    """A moment in milliseconds, as browsers count; 0 for none."""
    return 0 if moment is None else round(moment.timestamp() * 1000)


def order_line(order: OrderOut, carrier: Carrier | None, zone: str) -> OrderLine:
    """An order as a row of the queue."""
    offered = carrier is not None and carrier.offered_until is not None
    code = carrier.code if carrier else ""
    payment = order.payment
    cash = with_code(payment.amount.minor, payment.amount.currency)
    return {
        "id": str(order.id),
        "number": order.number,
        "version": order.version,
        "state": order.state.value,
        "pickup": cut(order.pickup["address"]),
        "drop": cut(order.drop["address"]),
        "due": ms(order.promised_at),
        "risk": ms(dispatch.at_risk_from(order)),
        "service": order.service,
        "load": load_words(order),
        "pay": f"cash {cash}" if payment.terms == "cod" else "",
        "needs": needs_words(order),
        "window": window_words(order, zone),
        "note": order.flagged or "",
        "driver": str(order.driver_id or ""),
        "driver_code": "" if offered else code,
        "offer_code": code if offered else "",
        "offer_until": ms(carrier.offered_until) if carrier else 0,
        "start": [order.pickup["lon"], order.pickup["lat"]],
        "end": [order.drop["lon"], order.drop["lat"]],
    }


def roster_line(row: RosterRow) -> DriverLine:
    """A driver of the roster, where no order is at hand."""
    driver = row.driver
    away = {"off_shift": "off shift", "offline": "offline"}
    position = driver.position
    return {
        "id": str(driver.id),
        "code": driver.code,
        "name": driver.name,
        "vehicle": driver.vehicle,
        "load": row.load.orders,
        "room": row.capacity.most_orders,
        "ends": ms(row.shift.ends_at) if row.shift else 0,
        "lat": position.lat if position else 0.0,
        "lon": position.lon if position else 0.0,
        "metres": -1,
        "seconds": -1,
        "unfit": away.get(driver.status, ""),
        "note": "",
    }


def ranked_line(driver: RankedDriver, ends: int) -> DriverLine:
    """A driver as a candidate for the order at hand."""
    unfit, note = hindrances(driver)
    return {
        "id": str(driver.driver_id),
        "code": driver.code,
        "name": driver.name,
        "vehicle": driver.vehicle,
        "load": driver.orders,
        "room": driver.most_orders,
        "ends": ends,
        "lat": driver.lat,
        "lon": driver.lon,
        "metres": driver.distance_m,
        "seconds": driver.travel_s,
        "unfit": unfit,
        "note": note,
    }


def plans_of(routes: Sequence[RouteOut]) -> Plans:
    """The tours, those in trouble before the others where there are too many to show."""
    stops = [stop for route in routes for stop in route.stops]
    shown = routes
    if len(routes) > PLANS_AT_MOST:
        worst = sorted(routes, key=lambda route: route.late_s, reverse=True)[:PLANS_AT_MOST]
        shown = sorted(worst, key=lambda route: route.driver_code)
    return {
        "rows": [_plan(route) for route in shown],
        "total": len(routes),
        "stops": len(stops),
        "metres": sum(route.distance_m for route in routes),
        "tight": sum(_tight(stop) for stop in stops),
        "late": sum(stop.late_s > 0 for stop in stops),
    }


def _plan(route: RouteOut) -> Plan:
    return {
        "driver": str(route.driver_id),
        "code": route.driver_code,
        "name": route.driver_name,
        "version": route.version,
        "stops": [_stop(stop) for stop in route.stops],
    }


def _stop(stop: StopOut) -> Stop:
    return {
        "order": str(stop.order_id),
        "number": stop.number,
        "kind": stop.kind,
        "arrive": ms(stop.arrive_at),
        "leave": ms(stop.leave_at),
        "due": ms(stop.due_at),
        "late": stop.late_s,
        "pinned": stop.pinned,
    }


def tour_of(driver_id: UUID, route: RouteOut | None) -> Tour:
    """The whole way through a driver's stops; no line where there are none."""
    ways = [stop.line for stop in route.stops] if route else []
    line = [[round(lon, 5), round(lat, 5)] for way in ways for lon, lat in way]
    return {"driver": str(driver_id), "line": line}


def _tight(stop: StopOut) -> bool:
    if stop.due_at is None or stop.late_s > 0:
        return False
    return (stop.due_at - stop.arrive_at).total_seconds() < TIGHT_S


def matching_of(figures: MatchingFigures, switches: Sequence[Switch]) -> Matching:
    """Switches and figures of the cities looked at."""
    said = {switch.code: switch for switch in switches}
    return {
        "every_s": figures.every_s,
        "median_s": -1 if figures.median_offer_s is None else figures.median_offer_s,
        "cities": [
            {
                "code": city.code,
                "name": city.name,
                "on": city.automatic,
                "by": (said[city.code].changed_by_name or "") if city.code in said else "",
                "reason": (said[city.code].reason or "") if city.code in said else "",
                "at": ms(said[city.code].changed_at) if city.code in said else 0,
                "queue": city.queue,
            }
            for city in figures.cities
        ],
    }


def why_of(decisions: Sequence[Decision]) -> Why:
    """The newest decision: best candidates first, then some who could not take the order."""
    if not decisions:
        return UNDECIDED
    newest = decisions[0]
    codes = {each.driver_id: each.code for each in newest.candidates}
    left_out = Counter(newest.unfit).most_common()
    return {
        "at": ms(newest.at),
        "chosen": codes.get(newest.chosen, "") if newest.chosen else "",
        "made_by": newest.made_by.replace("_", " "),
        "considered": newest.considered,
        "candidates": [_weighed(each) for each in newest.candidates],
        "excluded": ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in left_out),
    }


def _weighed(candidate: Any) -> Weighed:
    costs = candidate.costs
    return {
        "code": candidate.code,
        "travel_s": candidate.travel_s,
        "lateness": costs.lateness,
        "fairness": costs.fairness,
        "battery": costs.battery,
        "total": costs.total,
        "unfit": unfit_words(candidate),
    }


def offer_of(offer: OfferOut, code: str) -> Offer:
    """One offer of the chosen order."""
    return {
        "id": str(offer.id),
        "code": code,
        "state": offer.state.value,
        "at": ms(offer.offered_at),
        "until": ms(offer.expires_at),
        "reason": offer.reason or "",
    }


def gone_of(step: LastStep) -> Gone:
    """Who took an order off the list, and how."""
    done = step.kind.removeprefix("order.").replace("_", " ")
    whom = f" to {step.driver_code}" if step.driver_code and "assign" in done else ""
    return {"id": str(step.order_id), "words": f"{done}{whom} by {step.actor_name}"}
