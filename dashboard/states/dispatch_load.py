"""Loads what the dispatcher's board shows: one page of each list, and the order at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from backend.dispatch import service as dispatch
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.roster_schemas import RosterFilter
from backend.dispatch.schemas import OrderState
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.tracking import service as tracking
from dashboard.gateway import Session
from dashboard.states import dispatch_rows as rows
from dashboard.states import dispatch_shapes as shapes
from dashboard.states.order_query import csv_link
from dashboard.states.shell import EVERYWHERE

ROWS = 200
CANDIDATES = 60
_GONE_AT_MOST = 40

S = OrderState
TABS: dict[str, tuple[OrderState, ...]] = {
    "open": (S.READY,),
    "assigned": (
        S.ASSIGNED,
        S.ACCEPTED,
        S.AT_PICKUP,
        S.PICKED_UP,
        S.IN_TRANSIT,
        S.ARRIVED,
        S.FAILED,
        S.RETURNING,
    ),
    "held": (S.ON_HOLD,),
}
_SORTS = {"late": ("promised", False), "oldest": ("created", False), "newest": ("created", True)}


class Look(TypedDict):
    """Which orders are listed, and how."""

    tab: str
    sort: str
    late: bool
    service: str
    hub: str
    q: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One page of everything."""

    view: str
    orders: list[shapes.OrderLine]
    gone: list[shapes.Gone]
    counts: dict[str, int]
    drivers: list[shapes.DriverLine]
    plans: shapes.Plans
    matching: shapes.Matching
    csv: str


def read_look(asked: Any) -> Look:
    """What a browser or the address asks for; anything unknown is the usual."""
    asked = asked if isinstance(asked, Mapping) else {}

    def word(name: str, known: Sequence[str], usual: str) -> str:
        said = str(asked.get(name) or "")
        return said if said in known else usual

    return {
        "tab": word("tab", tuple(TABS), "open"),
        "sort": word("sort", tuple(_SORTS), "late"),
        "late": str(asked.get("late") or "") == "1",
        "service": word("service", ("standard", "express"), ""),
        "hub": str(asked.get("hub") or "")[:64],
        "q": str(asked.get("q") or "").strip()[:100],
    }


def view_of(look: Look, region: str) -> str:
    """What is listed, in one word: rows of another view are not compared with it."""
    return " ".join([region, *(f"{name}={value}" for name, value in look.items())])


async def load_board(
    session: Session,
    principal: Principal,
    region: str,
    zone: str,
    look: Look,
    listed: set[str],
) -> Loaded:
    """Everything the board shows of a region; `listed` are the orders that it showed before."""
    place = None if region == EVERYWHERE else region
    wanted = _filter(look, place)
    page = await dispatch.list_orders(session, principal, wanted, limit=ROWS)
    carried = await dispatch.carriers(session, principal, page.items)
    lines = [rows.order_line(each, carried.get(each.id), zone) for each in page.items]
    left = listed - {line["id"] for line in lines}
    steps = await dispatch.last_steps(
        session, principal, [UUID(each) for each in sorted(left)[:_GONE_AT_MOST]]
    )
    roster = await dispatch.roster(session, principal, RosterFilter(region=place), limit=ROWS)
    figures = await dispatch.matching_figures(session, principal, region)
    switches = await dispatch.city_switches(session, principal)
    return Loaded(
        view=view_of(look, region),
        orders=lines,
        gone=[rows.gone_of(step) for step in steps],
        counts=await _counts(session, principal, look, place),
        drivers=[rows.roster_line(each) for each in roster.items],
        plans=rows.plans_of(await dispatch.list_routes(session, principal, region)),
        matching=rows.matching_of(figures, switches),
        csv=csv_link(wanted) if identity.may(principal, "orders:read") else "",
    )


def _filter(look: Look, place: str | None) -> OrderFilter:
    sort, descending = _SORTS[look["sort"]]
    return OrderFilter(
        region=look["hub"] or place,
        states=TABS[look["tab"]],
        lateness="late" if look["late"] else None,
        service=look["service"] or None,
        q=look["q"] or None,
        sort="created" if sort == "created" else "promised",
        descending=descending,
    )


async def _counts(
    session: Session, principal: Principal, look: Look, place: str | None
) -> dict[str, int]:
    every = tuple(state for states in TABS.values() for state in states)
    found = await dispatch.count_orders(session, principal, OrderFilter(region=place, states=every))
    here = await dispatch.count_orders(
        session, principal, OrderFilter(region=place, states=TABS[look["tab"]])
    )
    counted = {
        tab: sum(found.by_state.get(state, 0) for state in states) for tab, states in TABS.items()
    }
    return {**counted, "late": here.by_lateness.get("late", 0)}


async def chosen_of(
    session: Session,
    principal: Principal,
    order_id: UUID,
    zone: str,
    roster: Sequence[shapes.DriverLine],
) -> shapes.Chosen:
    """The order at hand with drivers ranked for it, its offers, and the newest decision."""
    order = await dispatch.get_order(session, principal, order_id)
    carried = await dispatch.carriers(session, principal, [order])
    drivers = await dispatch.drivers_for_order(session, principal, order_id, CANDIDATES)
    offers = await dispatch.offers_of_order(session, principal, order_id)
    codes = await tracking.driver_codes(session, {offer.driver_id for offer in offers})
    ends = {line["id"]: line["ends"] for line in roster}
    return {
        "id": str(order.id),
        "number": order.number,
        "order": rows.order_line(order, carried.get(order.id), zone),
        "drivers": [rows.ranked_line(each, ends.get(str(each.driver_id), 0)) for each in drivers],
        "offers": [rows.offer_of(each, codes.get(each.driver_id, "a driver")) for each in offers],
        "why": rows.why_of(await dispatch.why(session, principal, order_id)),
    }
