"""What the pages of orders and drivers make of what the services answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dispatch.doorstep_schemas import EvidenceOut
from backend.dispatch.matching_schemas import OfferOut
from backend.dispatch.order_schemas import OrderCounts
from backend.dispatch.roster_schemas import PlannedShift
from backend.dispatch.schemas import OrderEventOut, OrderOut
from backend.platform.ids import uuid7
from dashboard.states.driver_words import calendar
from dashboard.states.order_deeds import local, moment
from dashboard.states.order_facts import action_rows, eta_words, planned_lines
from dashboard.states.order_query import FIELDS, csv_link, filter_of, lateness_chips, state_chips
from dashboard.states.order_tiles import order_needs, order_tiles
from dashboard.states.order_timeline import timeline
from dashboard.states.order_words import lateness_words, span_words, street
from dashboard.states.orders import OrderRow, row_of
from dashboard.states.paging import PAGE_ROWS, in_place
from dashboard.states.shifts import days_of, span_of

NOW = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)
BANGKOK = "Asia/Bangkok"
NOTHING = dict.fromkeys(FIELDS, "")


def order(**changed: Any) -> OrderOut:
    """An order in transit, promised in ten minutes."""
    place = {
        "name": "M••• S•••", "phone": "+6•••78", "address": "12 Sala Daeng Road, Bang Rak",
        "lat": 13.73, "lon": 100.54, "window": None,
    }  # fmt: skip
    values: dict[str, Any] = {
        "id": uuid7(), "number": "WP-7K2M9Q4XTA", "reference": "MKT-1", "merchant": "service:x",
        "region": "TH-10", "hub": None, "service": "express", "state": "in_transit",
        "held_from": None, "version": 5, "lateness": "on_time", "pickup": place, "drop": place,
        "parcels": [], "payment": {"terms": "cod", "amount": {"minor": 64000, "currency": "THB"}},
        "promised_at": NOW + timedelta(minutes=10), "vehicle": None, "skills": [], "tags": [],
        "driver_id": None, "flagged": None, "eta": None, "created_at": NOW, "updated_at": NOW,
        "ended_at": None, "tracking_url": "",
    }  # fmt: skip
    return OrderOut(**{**values, **changed})


def eta(minutes: int, low: int, high: int) -> dict[str, datetime]:
    """Expected so many minutes from now, with its span."""
    return {
        name: NOW + timedelta(minutes=each)
        for name, each in (("at", minutes), ("low", low), ("high", high))
    }


def rows(*names: str) -> list[OrderRow]:
    """Lines of the list, told apart by their id."""
    return [{**row_of(order(), "", BANGKOK, NOW), "id": name} for name in names]


# The list


def test_rows_are_renewed_where_they_stand_and_new_ones_only_counted() -> None:
    now = rows("new", "b", "a")
    now[1]["state"] = "delivered"
    kept, newer = in_place(rows("a", "b"), now)
    assert [row["id"] for row in kept] == ["a", "b"]
    assert kept[1]["state"] == "delivered"
    assert newer == 1


def test_a_row_that_no_longer_matches_stays_and_says_so() -> None:
    kept, _ = in_place(rows("a", "b", "c"), rows("a", "c"))
    assert [(row["id"], row["gone"]) for row in kept] == [("a", False), ("b", True), ("c", False)]


def test_rows_pushed_to_the_next_page_by_new_ones_are_not_called_gone() -> None:
    old = rows(*(f"{n}" for n in range(PAGE_ROWS)))
    kept, newer = in_place(old, rows("x", "y", *(f"{n}" for n in range(PAGE_ROWS - 2))))
    assert newer == 2
    assert not any(row["gone"] for row in kept)


ids = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(shown=ids, now=ids)
def test_nothing_ever_moves_under_the_cursor(shown: list[str], now: list[str]) -> None:
    kept, newer = in_place(rows(*shown), rows(*now))
    if not shown:
        assert ([row["id"] for row in kept], newer) == (now, 0)
        return
    assert [row["id"] for row in kept] == shown
    assert newer == len(set(now) - set(shown))


def test_a_group_of_states_and_a_state_of_its_own_both_filter() -> None:
    group = filter_of({**NOTHING, "state": "on_board"}, "TH-10", None, BANGKOK)
    assert group.states == ("picked_up", "in_transit", "arrived")
    assert filter_of({**NOTHING, "state": "arrived"}, None, None, BANGKOK).states == ("arrived",)
    assert filter_of({**NOTHING, "state": "no such"}, None, None, BANGKOK).states == ()


def test_days_are_those_of_the_place() -> None:
    wanted = filter_of({**NOTHING, "from": "2026-11-24", "to": "2026-11-24"}, None, None, BANGKOK)
    assert wanted.created_from == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert wanted.created_until == datetime(2026, 11, 24, 17, tzinfo=UTC)


def test_the_file_asks_for_what_the_list_shows() -> None:
    asked = {**NOTHING, "state": "waiting", "q": "a&b", "sort": "promised"}
    link = csv_link(filter_of(asked, "TH-10", None, BANGKOK))
    assert link == (
        "/api/v1/orders.csv?state=created&state=ready&region=TH-10&q=a%26b&sort=promised"
    )


def test_chips_count_keep_the_other_filters_and_lead_back() -> None:
    counts = OrderCounts(
        by_state={"ready": 3, "delivered": 10}, by_lateness={"late": 2}, most=10
    )  # fmt: skip
    asked = {**NOTHING, "tag": "cold", "state": "waiting"}
    chips = {chip["word"]: chip for chip in state_chips(counts, asked)}
    assert chips["Waiting"]["count"] == "3"
    assert chips["Waiting"]["on"]
    assert chips["Waiting"]["link"] == "/orders?tag=cold"
    assert chips["Delivered"]["count"] == "10+"
    assert chips["Delivered"]["link"] == "/orders?state=delivered&tag=cold"
    late = lateness_chips(counts, NOTHING)[0]
    assert (late["count"], late["link"]) == ("2", "/orders?state=open&late=late")


# Words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ("good", "in time")),
        ({"promised_at": NOW - timedelta(minutes=11)}, ("critical", "11 min late")),
        ({"lateness": "at_risk", "eta": eta(18, 12, 25)}, ("warning", "ETA +8 min")),
        ({"lateness": "at_risk", "eta": eta(9, 5, 15)}, ("warning", "at risk")),
        (
            {"state": "delivered", "ended_at": NOW + timedelta(hours=1)},
            ("warning", "50 min late"),
        ),
        ({"state": "cancelled", "ended_at": NOW, "lateness": None}, ("off", "")),
    ],
)
def test_lateness_is_told_in_words(changed: dict[str, Any], words: tuple[str, str]) -> None:
    assert lateness_words(order(**changed), NOW) == words


def test_an_eta_tells_its_span_and_that_it_has_passed() -> None:
    assert eta_words(order(eta=eta(12, 7, 19)), BANGKOK, NOW) == (
        "21:32", "21:27 to 21:39", "Four of five come within 12 min."
    )  # fmt: skip
    note = eta_words(order(eta=eta(-20, -30, -5)), BANGKOK, NOW)[2]
    assert "has passed without word" in note
    assert eta_words(order(), BANGKOK, NOW)[2] == "not known while no driver has it"
    assert eta_words(order(state="delivered", ended_at=NOW), BANGKOK, NOW) == ("", "", "")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("88 Ratchada 18, Huai Khwang", "88 Ratchada 18"),
        ("65, MG Road, Indiranagar", "65, MG Road"),
        ("House 210, Road 11, Banani", "House 210, Road 11"),
        ("Siam", "Siam"),
    ],
)
def test_an_address_is_cut_where_it_tells_the_place(address: str, told: str) -> None:
    assert street({"address": address}) == told


def test_spans_are_spelled_as_people_write_them() -> None:
    assert [span_words(each) for each in (40, 720, 4800, 7200, 200_000)] == [
        "40 s", "12 min", "1 h 20 min", "2 h", "2 d",
    ]  # fmt: skip


# One order


def test_actions_that_cannot_be_done_say_why() -> None:
    every = frozenset({"orders:write", "orders:cancel", "dispatch:write"})
    found = {row["key"]: row for row in action_rows("in_transit", frozenset({"hold"}), every)}
    assert found["hold"]["ok"]
    assert found["unassign"]["why"] == "the parcels are on board"
    assert found["cancel"]["why"] == "it is on board or has ended"
    writer = action_rows("ready", frozenset({"assign", "cancel"}), frozenset({"orders:write"}))
    assert "reassign" not in {row["key"] for row in writer}
    assert writer[-1]["why"] == "your roles lack orders:cancel"
    assert writer[0]["why"] == "your roles lack dispatch:write"
    assert action_rows("ready", frozenset({"assign"}), frozenset()) == []


def event(kind: str, minutes: int, **more: Any) -> OrderEventOut:
    """A step so many minutes ago."""
    values: dict[str, Any] = {
        "id": uuid7(), "type": kind, "state": "assigned", "at": NOW - timedelta(minutes=minutes),
        "device_at": None, "actor": "user:1", "actor_name": "Nan", "reason": None, "lat": None,
        "lon": None, "data": {},
    }  # fmt: skip
    return OrderEventOut(**{**values, **more})


def test_the_timeline_merges_steps_offers_and_proof_newest_first() -> None:
    driver = uuid7()
    place = {"address": "somewhere", "lat": 1.0, "lon": 2.0}
    offer = OfferOut(
        id=uuid7(), order_id=uuid7(), number="WP-1", service="express", driver_id=driver, round=1,
        state="accepted", offered_at=NOW - timedelta(minutes=8), answered_at=NOW
        - timedelta(minutes=7, seconds=56), expires_at=NOW, reason=None, pickup=place, drop=place,
        promised_at=NOW, weight_g=1, volume_cm3=1,
    )  # fmt: skip
    proof = EvidenceOut(
        id=uuid7(), step="drop", kind="photo", sha256="0" * 64, text=None, actor="driver:1",
        captured_at=NOW, received_at=NOW, lat=1.0, lon=2.0, distance_m=640.0, flags=["far"],
        content=True,
    )  # fmt: skip
    steps = [
        event("order.created", 10),
        event(
            "order.accepted", 7, data={"driver_id": str(driver)}, actor="driver:1",
            device_at=NOW - timedelta(minutes=9),
        ),
    ]  # fmt: skip
    found = timeline(
        steps, [offer], [proof], codes={str(driver): "DRV-0182"}, zone=BANGKOK, now=NOW,
        photo_of={str(proof.id): "/photo"},
    )  # fmt: skip
    assert [each["what"] for each in found] == [
        "Photo at the drop",
        "Accepted by DRV-0182",
        "Offered to DRV-0182, accepted after 4 s",
        "Created",
    ]
    assert found[0]["photo"] == "/photo"
    assert "640 m from the place" in found[0]["why"]
    assert found[1]["device"] == "the phone says 21:11, 2 min before"
    assert [each["by_people"] for each in found] == [False, False, False, True]


def test_the_planned_line_is_straight_only_where_no_tour_is_known() -> None:
    assert planned_lines(order(), None) == [[[100.54, 13.73], [100.54, 13.73]]]
    assert planned_lines(order(state="delivered", ended_at=NOW), None) == []


@given(st.integers(0, 20_000_000))
def test_a_moment_survives_its_input_field_to_the_minute(minute: int) -> None:
    known = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    there = ZoneInfo(BANGKOK)
    assert moment(local(known, there), there) == known


# Shifts


def test_a_shift_over_midnight_ends_the_next_day() -> None:
    begins, ends = span_of(date(2026, 11, 24), (time(22), time(6)), ZoneInfo(BANGKOK))
    assert begins == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert ends == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_days_are_those_ticked_and_at_most_a_month() -> None:
    assert days_of("2026-11-23", "2026-12-06", {0, 2}) == [
        date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 2),
    ]  # fmt: skip
    assert len(days_of("2026-11-01", "2027-11-01", set())) == 31
    assert days_of("2026-11-24", "", set()) == [date(2026, 11, 24)]
    assert days_of("soon", "", set()) == []


def test_the_calendar_puts_a_shift_on_its_local_day_and_lets_only_the_future_be_called_off() -> (
    None
):
    zone = ZoneInfo(BANGKOK)

    def shift(begins: datetime, **more: Any) -> PlannedShift:
        values: dict[str, Any] = {
            "id": uuid7(), "driver_id": UUID(int=1), "region": "TH-10", "starts_at": begins,
            "ends_at": begins + timedelta(hours=9), "begun_at": None, "ended_at": None,
            "cancelled_at": None,
        }  # fmt: skip
        return PlannedShift(**{**values, **more})

    late_evening = datetime(2026, 11, 25, 17, 30, tzinfo=UTC)
    shifts = [shift(late_evening), shift(late_evening, cancelled_at=NOW)]
    days = [datetime(2026, 11, 24 + n, tzinfo=zone) for n in range(3)]
    found = calendar(shifts, days, BANGKOK, NOW)
    assert [len(day["shifts"]) for day in found] == [0, 0, 2]
    assert found[0]["today"]
    assert [cell["may_cancel"] for cell in found[2]["shifts"]] == [True, False]
    assert found[2]["shifts"][0]["words"] == "00:30 to 09:30"


# The overview


def test_the_forecast_is_what_is_sure_and_names_the_best_case() -> None:
    counts = OrderCounts(
        by_state={"ready": 60, "in_transit": 40}, by_lateness={"late": 4, "at_risk": 6},
        most=10_000,
    )  # fmt: skip
    tiles = {tile["name"]: tile for tile in order_tiles(counts, "TH-10", [])}
    assert tiles["Open orders"]["value"] == "100"
    assert tiles["Late orders"]["link"] == "/orders?region=TH-10&state=open&late=late"
    assert tiles["Promises kept"]["value"] == "90 %"
    assert tiles["Promises kept"]["note"] == "up to 96 % if those at risk make it"
    assert order_needs(counts, "TH-10")[0]["title"] == "4 orders past promise"
    nothing = OrderCounts(by_state={}, by_lateness={}, most=10_000)
    assert order_tiles(nothing, "*", [])[2]["value"] == "none open"
    assert order_needs(nothing, "*") == []
    assert order_tiles(None, "*", []) == []
