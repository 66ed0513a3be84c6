"""Carries out what a dispatcher asked of one or many orders, with one result for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from pydantic import ValidationError

from backend.dispatch import service as dispatch
from backend.dispatch.order_schemas import BulkIn, BulkResult
from backend.identity.schemas import Principal
from dashboard.gateway import DomainError, Session
from dashboard.states.dispatch_words import DONE
from dashboard.states.paging import uuid_or_none

MOST_AT_ONCE = 200
_TAKE_BACK = "Matched anew by a dispatcher"


class Result(TypedDict):
    """What became of one order."""

    id: str
    number: str
    ok: bool
    words: str
    code: str


class Outcome(TypedDict):
    """What came of a deed, told anew by a new serial; `driver` and `reason` are for a retry."""

    serial: int
    verb: str
    done: str
    driver: str
    reason: str
    items: list[Result]


NO_OUTCOME: Outcome = {
    "serial": 0,
    "verb": "",
    "done": "",
    "driver": "",
    "reason": "",
    "items": [],
}


class Deed(TypedDict):
    """What was asked: on which orders at which versions (0 for whatever it is now).

    `force` overrules what speaks against the driver, with the reason.
    """

    orders: list[tuple[str, int]]
    driver: str
    reason: str
    force: bool


def read_deed(sent: Any) -> Deed:
    """What a browser sent, with anything else left out."""
    sent = sent if isinstance(sent, Mapping) else {}
    asked = sent.get("orders")
    orders = []
    for each in (asked if isinstance(asked, list) else [])[:MOST_AT_ONCE]:
        if isinstance(each, Mapping) and uuid_or_none(str(each.get("id"))):
            version = each.get("version")
            orders.append((str(each["id"]), version if isinstance(version, int) else 0))
    return {
        "orders": orders,
        "driver": str(sent.get("driver") or ""),
        "reason": str(sent.get("reason") or "").strip()[:300],
        "force": sent.get("force") is True,
    }


async def carry_out(session: Session, principal: Principal, verb: str, deed: Deed) -> list[Result]:
    """One result for each order, in the order asked."""
    items = [
        {"order_id": order_id, **({"seen_version": version} if version else {})}
        for order_id, version in deed["orders"]
    ]
    try:
        wanted = BulkIn.model_validate(
            {
                "action": verb,
                "items": items,
                "driver_id": deed["driver"] or None,
                "reason": deed["reason"] or None,
                "force": deed["force"],
            }
        )
    except ValidationError as error:
        return refused_all(deed, error.errors()[0]["msg"])
    found = await dispatch.act_on_orders(session, principal, wanted)
    return [_result(each) for each in found.results]


def _result(found: BulkResult) -> Result:
    return {
        "id": str(found.order_id),
        "number": found.number or "",
        "ok": found.status == "done",
        "words": found.detail or "",
        "code": found.code or "",
    }


def refused_all(deed: Deed, words: str) -> list[Result]:
    """The same refusal for every order."""
    return [
        {"id": order_id, "number": "", "ok": False, "words": words, "code": ""}
        for order_id, _ in deed["orders"]
    ]


async def take_back_carried(
    session: Session, principal: Principal, deed: Deed
) -> tuple[list[Result], set[str]]:
    """Take those that a driver has off them; answers results and the cities to match anew."""
    results: list[Result] = []
    cities: set[str] = set()
    for order_id, version in deed["orders"]:
        try:
            order = await dispatch.get_order(session, principal, order_id)
            if order.driver_id is not None:
                order = await dispatch.unassign_order(
                    session,
                    principal,
                    order.id,
                    reason=deed["reason"] or _TAKE_BACK,
                    seen_version=version or None,
                )
        except DomainError as error:
            results.append(
                {
                    "id": order_id,
                    "number": "",
                    "ok": False,
                    "words": error.detail,
                    "code": error.code,
                }
            )
            continue
        cities.add(order.region)
        results.append(
            {"id": order_id, "number": order.number, "ok": True, "words": "", "code": ""}
        )
    return results, cities


def done_words(verb: str, driver_code: str) -> str:
    """What was done, after a number: `assigned to DRV-0255`."""
    whom = f" to {driver_code}" if driver_code and verb in ("assign", "reassign") else ""
    return DONE[verb] + whom


def numbered(results: Sequence[Result], numbers: Mapping[str, str]) -> list[Result]:
    """The results with the numbers that the board knows where the service named none."""
    return [
        {**each, "number": each["number"] or numbers.get(each["id"], "the order")}
        for each in results
    ]
