"""What the dispatcher's board is sent, and what it makes of what a browser sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.dispatch.board_schemas import Carrier, LastStep
from backend.dispatch.matching_rules import Objection
from backend.dispatch.matching_schemas import Candidate, Costs, Decision
from backend.dispatch.rules import OrderState
from backend.platform.resources import Resources
from dashboard.states import dispatch_rows as rows
from dashboard.states.dispatch_deeds import MOST_AT_ONCE, done_words, read_deed
from dashboard.states.dispatch_load import read_look
from dashboard.states.dispatch_words import hindrances, unfit_words
from tests.dispatch.orders import place_order

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
COSTS = Costs(travel=240, lateness=60, fairness=-30, battery=0, total=270)


def candidate(code: str, *unfit: Objection) -> Candidate:
    return Candidate(
        driver_id=uuid4(),
        code=code,
        vehicle="bike",
        orders=3,
        most_orders=3,
        distance_m=1200,
        travel_s=240,
        costs=COSTS,
        unfit=list(unfit),
    )


@pytest.mark.parametrize("sent", [None, "x", 7, [], {"orders": "x"}, {"orders": [1, {"id": "x"}]}])
def test_a_deed_that_names_no_order_names_none(sent: Any) -> None:
    assert read_deed(sent)["orders"] == []


def test_a_deed_is_bounded_and_keeps_only_versions_that_are_numbers() -> None:
    ids = [str(uuid4()) for _ in range(MOST_AT_ONCE + 5)]
    deed = read_deed({"orders": [{"id": each, "version": {"gt": 0}} for each in ids], "force": 1})
    assert deed["orders"] == [(each, 0) for each in ids[:MOST_AT_ONCE]]
    assert deed["force"] is False


def test_an_unknown_look_is_the_usual_one() -> None:
    asked = {"tab": "__class__", "sort": "price", "late": "yes", "service": "x", "hub": None}
    assert read_look(asked) == read_look({})
    assert read_look({"tab": "held", "late": "1"}) == {**read_look({}), "tab": "held", "late": True}


async def test_a_row_holds_no_contact_of_anybody(resources: Resources) -> None:
    order = await place_order(resources)
    carrier = Carrier(
        order_id=order.id,
        driver_id=uuid4(),
        code="DRV-0255",
        offered_until=NOW + timedelta(seconds=18),
    )
    line = rows.order_line(order, carrier, "Asia/Bangkok")
    assert (line["offer_code"], line["driver_code"]) == ("DRV-0255", "")
    assert line["offer_until"] == rows.ms(NOW) + 18_000
    assert (line["load"], line["pay"]) == ("1 parcel, 0.9 kg", "")
    told = " ".join(str(value) for value in line.values())
    assert "Malee" not in told
    assert "+66" not in told


def test_the_newest_decision_says_who_was_chosen_and_who_could_not() -> None:
    first, full = candidate("DRV-0255"), candidate("DRV-0182", Objection.ORDERS_FULL)
    made = Decision(
        id=uuid4(),
        order_id=uuid4(),
        city="TH-10",
        at=NOW,
        made_by="system",
        chosen=first.driver_id,
        considered=40,
        candidates=[first, full],
        unfit={"orders_full": 1, "out_of_reach": 12},
    )
    why = rows.why_of([made])
    assert (why["chosen"], why["considered"]) == ("DRV-0255", 40)
    assert [each["unfit"] for each in why["candidates"]] == ["", "full, 3 of 3"]
    assert why["excluded"] == "12 out of reach, 1 orders full"
    assert rows.why_of([])["at"] == 0


def test_every_reason_against_a_driver_has_words() -> None:
    for reason in Objection:
        assert unfit_words(candidate("DRV-0001", reason))


def test_what_only_matching_minds_does_not_stop_a_dispatcher() -> None:
    asked = candidate("DRV-0001", Objection.OFFERED_ENOUGH)
    assert hindrances(asked) == ("", "has offers enough")
    full = candidate("DRV-0002", Objection.ORDERS_FULL, Objection.OUT_OF_REACH)
    assert hindrances(full) == ("full, 3 of 3", "out of reach")


def test_an_order_that_left_says_who_did_what() -> None:
    step = LastStep(
        order_id=uuid4(),
        number="WP-1",
        state=OrderState.ASSIGNED,
        kind="order.assigned",
        actor_name="Nok",
        at=NOW,
        driver_code="DRV-0255",
    )
    assert rows.gone_of(step)["words"] == "assigned to DRV-0255 by Nok"
    held = step.model_copy(update={"kind": "order.held", "driver_code": None})
    assert rows.gone_of(held)["words"] == "held by Nok"
    assert done_words("assign", "DRV-0255") == "assigned to DRV-0255"
    assert done_words("cancel", "") == "cancelled"
