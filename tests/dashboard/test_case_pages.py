"""What the case of an order, its customer's phone, search and messages are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.dispatch.customer_schemas import Tracking
from backend.identity.schemas import RevealCount
from backend.notifications.message_schemas import (
    MessageCounts,
    MessageOut,
    MessageState,
    Preferences,
)
from backend.platform.errors import Invalid
from backend.platform.ids import uuid7
from backend.support.case_schemas import (
    Case,
    CaseAction,
    CaseActionIn,
    CaseEscalation,
    CaseIncident,
    Moment,
)
from backend.support.search_schemas import Hit
from dashboard.states.case import looks_words
from dashboard.states.case_acts import missing
from dashboard.states.case_asking import OWN_WORDS, asks_of, choices_of, filled_from, sent_of
from dashboard.states.case_customer import customer_view
from dashboard.states.case_words import act_rows, incident_lines, other_moments, ticket_rows
from dashboard.states.message_words import STATES, TEMPLATES, message_line, preference_words
from dashboard.states.messages import FIELDS, state_chips, wanted_of
from dashboard.states.sandbox import phones
from dashboard.states.search import found_rows
from tests.dashboard.test_order_pages import BANGKOK, NOW, order

NOTHING = dict.fromkeys(FIELDS, "")


def told(**changed: Any) -> Tracking:
    """A parcel on its way, expected in twenty to forty minutes."""
    values: dict[str, Any] = {
        "number": "WP-7K2M9Q4XTA", "region": "TH-10", "state": "in_transit",
        "headline": "Your parcel is on its way", "detail": None, "tone": "info",
        "steps": [
            {"key": "ordered", "label": "Order received", "at": NOW - timedelta(days=1),
             "mark": "done"},
            {"key": "on_the_way", "label": "On its way", "at": NOW, "mark": "now"},
            {"key": "delivered", "label": "Delivered", "at": None, "mark": "ahead"},
        ],
        "eta": {name: NOW + timedelta(minutes=each)
                for name, each in (("at", 30), ("low", 20), ("high", 40))},
        "promised_at": NOW + timedelta(minutes=25), "late": False, "driver": "Somchai",
        "position": None, "area": None, "proof": None, "time_zone": BANGKOK, "ended_at": None,
        "revision": "1",
    }  # fmt: skip
    return Tracking.model_validate({**values, **changed})


def case(**changed: Any) -> Case:
    """An order with nothing around it."""
    values: dict[str, Any] = {
        "order": order(), "driver": None, "moments": [], "tracking": None, "payments": None,
        "messages": [],
        "flags": [], "escalations": [], "incidents": [], "incidents_nearby": [], "actions": [],
        "reveals": RevealCount(used=0, limit=60), "seen_version": 5,
    }  # fmt: skip
    return Case(**{**values, **changed})


def action(kind: str, *needs: str, **more: Any) -> CaseAction:
    values = {"kind": kind, "label": kind, "allowed": True, "needs": list(needs), **more}
    return CaseAction.model_validate(values)


# The customer's phone


def test_the_phone_tells_the_times_of_the_customers_own_clock() -> None:
    view = customer_view(told(), NOW)
    assert (view["low"], view["high"], view["note"]) == ("21:40", "22:00", "Expected today.")
    assert [step["at"] for step in view["steps"]] == ["yesterday, 21:20", "21:20", ""]


def test_the_phone_says_what_is_later_than_planned() -> None:
    assert "Later than planned (21:45)" in customer_view(told(late=True), NOW)["note"]
    overdue = {name: NOW - timedelta(minutes=5) for name in ("at", "low", "high")}
    view = customer_view(told(eta=overdue), NOW)
    assert (view["low"], view["note"]) == ("", "Any moment now; it is taking longer than expected.")


def test_who_has_got_their_parcel_sees_the_proof_and_no_driver() -> None:
    proof = {"at": NOW, "by": "Confirmed with the one-time code"}
    view = customer_view(told(state="delivered", proof=proof, ended_at=NOW), NOW)
    assert (view["low"], view["high"], view["driver"]) == ("21:20", "", "")
    assert view["proof"] == "Confirmed with the one-time code"


def test_a_map_is_told_only_where_the_customer_has_one() -> None:
    assert customer_view(told(), NOW)["position"] == ""
    near = {"lat": 13.7, "lon": 100.5, "recorded_at": NOW - timedelta(seconds=20), "bearing": None}
    assert customer_view(told(position=near), NOW)["position"].endswith("seen 20 s ago")


# The timeline and the rows beside it


def test_moments_of_the_order_itself_are_left_to_its_own_timeline() -> None:
    found = [
        Moment(id="1", at=NOW, source="dispatch", kind="order.assigned", words="Assigned"),
        Moment(
            id="2", at=NOW, until=NOW + timedelta(minutes=9), source="position", kind="stood",
            words="Stood still", detail="240 m from the way", tone="warning",
        ),
        Moment(
            id="3", at=NOW, source="support", kind="opened", words="ESC-1", link="/support/ESC-1"
        ),
    ]  # fmt: skip
    rows = other_moments(case(moments=found), BANGKOK, NOW)
    assert [row["kind"] for row in rows] == ["position", "support"]
    assert rows[0]["why"] == "until 21:29, 240 m from the way"
    assert rows[1]["link"] == "/support/ESC-1"


def test_what_cannot_be_done_says_why() -> None:
    rows = act_rows(
        [action("hold"), action("refund", allowed=False, why_not="nothing is captured")]
    )
    assert [(row["ok"], row["why"]) for row in rows] == [(True, ""), (False, "nothing is captured")]


def test_open_tickets_come_before_solved_ones() -> None:
    def ticket(number: str, state: str, minutes: int) -> CaseEscalation:
        return CaseEscalation(
            id=uuid7(), number=number, kind="late", priority="high", state=state, subject="Where?",
            opened_at=NOW - timedelta(minutes=minutes), sla="soon",
        )  # fmt: skip

    rows = ticket_rows([ticket("ESC-1", "solved", 1), ticket("ESC-2", "open", 9)])
    assert [row["number"] for row in rows] == ["ESC-2", "ESC-1"]
    assert [row["tone"] for row in rows] == ["warning", "off"]
    assert rows[0]["sla"] == "due soon"


def test_spent_looks_are_told_in_a_sentence_that_says_what_to_do() -> None:
    assert looks_words(RevealCount(used=0, limit=60)) == ("", False)
    assert looks_words(RevealCount(used=3, limit=60))[0].startswith("3 of 60")
    words, spent = looks_words(RevealCount(used=60, limit=60))
    assert spent
    assert "ask a colleague" in words


# What an action asks and sends


def test_an_action_is_not_tried_without_a_reason_or_a_driver() -> None:
    asks = asks_of(action("reassign", "driver_id"))
    assert missing(asks, {"reason": "the bike broke"}, "") == "Choose a driver first."
    assert "Say why" in missing(asks, {"reason": " x "}, str(uuid7()))
    assert missing(asks, {"reason": "the bike broke"}, str(uuid7())) == ""


def test_a_window_is_read_in_the_zone_of_the_city() -> None:
    asks = asks_of(action("change_window", "window"))
    form = {
        "reason": "asked by phone", "window_from": "2026-11-24T22:00",
        "window_until": "2026-11-24T23:00",
    }  # fmt: skip
    sent = sent_of("change_window", asks, form, case(), BANGKOK)
    wanted = CaseActionIn.model_validate({**sent, "key": "12345678"})
    assert wanted.window == (
        datetime(2026, 11, 24, 15, tzinfo=UTC), datetime(2026, 11, 24, 16, tzinfo=UTC)
    )  # fmt: skip
    assert wanted.seen_version == 5
    with pytest.raises(Invalid, match="from when"):
        sent_of("change_window", asks, {**form, "window_until": ""}, case(), BANGKOK)


def test_a_drop_is_filled_as_it_stands_and_sent_with_its_point() -> None:
    filled = filled_from(case(), BANGKOK)
    assert (filled["lat"], filled["currency"]) == ("13.73", "THB")
    asks = asks_of(action("change_drop", "address", "point"))
    form = {"reason": "moved house", "address": "5 Silom", "lat": "13.72", "lon": "100.53"}
    sent = sent_of("change_drop", asks, form, case(), BANGKOK)
    wanted = CaseActionIn.model_validate({**sent, "key": "12345678"})
    assert wanted.point == (13.72, 100.53)
    assert wanted.address == "5 Silom"


def test_an_amount_is_whole_minor_units_of_the_orders_currency() -> None:
    asks = asks_of(action("credit_wallet", "amount"))
    sent = sent_of("credit_wallet", asks, {"amount": "120.50", "reason": "late"}, case(), BANGKOK)
    assert (sent["amount"].minor, sent["amount"].currency) == (12050, "THB")
    with pytest.raises(Invalid):
        sent_of("credit_wallet", asks, {"amount": "1.005", "reason": "late"}, case(), BANGKOK)


def test_a_message_is_a_template_or_words_of_ones_own() -> None:
    asks = asks_of(action("message_customer", "text", "template", "channel"))
    form = {"reason": "asked for", "template": OWN_WORDS, "text": "Soon", "channel": ""}
    sent = sent_of("message_customer", asks, form, case(), BANGKOK)
    assert (sent["text"], "template" in sent, "channel" in sent) == ("Soon", False, False)
    sent = sent_of("message_customer", asks, {**form, "template": "delayed"}, case(), BANGKOK)
    assert (sent["template"], "text" in sent) == ("delayed", False)


def test_only_templates_that_the_order_fills_by_itself_are_offered() -> None:
    chosen = choices_of(case(), action("message_customer", "text"))
    offered = {each["value"] for each in chosen["template"]}
    assert "delayed" in offered
    assert not offered & {"otp", "refunded"}
    assert "SMS" in {each["word"] for each in chosen["channel"]}


def test_incidents_to_link_are_told_by_their_titles() -> None:
    around = CaseIncident(
        id=uuid7(), number="INC-12", title="SMS gateway down", severity="SEV2",
        state="acknowledged", started_at=NOW, ended_at=None, linked=False, how=None,
    )  # fmt: skip
    touched = around.model_copy(update={"number": "INC-13", "how": "it was late then"})
    act = action("link_incident", "incident", choices={"incident": ["INC-13", "INC-12"]})
    known = case(incidents=[touched], incidents_nearby=[around])
    assert choices_of(known, act)["incident"] == [
        {"value": "INC-13", "word": "INC-13 SMS gateway down"},
        {"value": "INC-12", "word": "INC-12 SMS gateway down"},
    ]


def test_an_incident_says_how_it_touched_the_order() -> None:
    late = CaseIncident(
        id=uuid7(), number="INC-12", title="Drivers wait", severity="SEV2",
        state="acknowledged", started_at=NOW, ended_at=None, linked=True, how="it was late then",
    )  # fmt: skip
    only_linked = late.model_copy(update={"how": None})
    lines = incident_lines([late, only_linked])
    assert [each["touched"] for each in lines] == ["linked, it was late then", "linked"]


# Search


def test_hits_of_a_kind_stand_together_the_best_kind_first() -> None:
    def hit(kind: str, title: str, score: float) -> Hit:
        return Hit.model_validate(
            {"kind": kind, "title": title, "detail": "", "link": f"/{title}", "region": "TH-10",
             "matched_by": "phone", "score": score}
        )  # fmt: skip

    hits = [hit("order", "WP-1", 1), hit("driver", "DRV-1", 0.9), hit("order", "WP-2", 0.8)]
    rows = found_rows(hits, "5678", {"TH-10": "Bangkok"})
    assert [row["label"] for row in rows] == ["WP-1", "WP-2", "DRV-1"]
    assert rows[0]["why"] == "by the phone's last digits"
    assert {row["hint"] for row in rows} == {"Bangkok"}
    assert all("5678" in row["words"] for row in rows)


# Messages


def message(**changed: Any) -> MessageOut:
    values: dict[str, Any] = {
        "id": uuid7(), "order_id": uuid7(), "order": "WP-1", "driver_id": None, "to": "customer",
        "recipient": "+6•••78", "channel": "sms", "via": "gateway", "template": "delayed",
        "language": "th", "state": "given_up", "why": "not in service", "urgent": False,
        "repeated": False, "region": "TH-10", "queued_at": NOW, "send_after": NOW, "next_at": None,
        "sent_at": None, "delivered_at": None, "attempts": 6, "by": "system",
        "escalation_id": None, "incident_id": None, "tried": [],
    }  # fmt: skip
    return MessageOut.model_validate({**values, **changed})


def test_a_message_that_may_have_come_twice_says_so() -> None:
    assert message_line(message(repeated=True))["why"] == "not in service, may have come twice"


@pytest.mark.parametrize(
    ("state", "retry", "stop"),
    [("given_up", True, False), ("waiting", False, True), ("delivered", False, False)],
)
def test_only_what_makes_sense_is_offered_for_a_message(
    state: str, retry: bool, stop: bool
) -> None:
    line = message_line(message(state=state))
    assert (line["may_retry"], line["may_cancel"]) == (retry, stop)


def test_every_state_and_template_has_its_words() -> None:
    assert set(STATES) == set(MessageState)
    assert message_line(message())["what"] == TEMPLATES["delayed"]


def test_what_the_address_asks_for_wrongly_does_not_narrow() -> None:
    wrong = {**NOTHING, "state": "lost", "channel": "pigeon", "to": "nobody"}
    wanted = wanted_of(wrong, None)
    assert (wanted.states, wanted.channel, wanted.to, wanted.region) == ((), None, None, None)


def test_states_with_messages_lead_to_them() -> None:
    counts = MessageCounts(by_state={MessageState.GIVEN_UP: 3, MessageState.SENT: 0}, most=1000)
    chips = state_chips(counts, NOTHING)
    assert [(chip["word"], chip["count"]) for chip in chips] == [
        ("Any state", ""),
        ("given up", "3"),
    ]
    assert chips[1]["link"] == "/messages?state=given_up"


def test_how_a_customer_is_written_to_is_told_in_a_line() -> None:
    usual = Preferences.model_validate(
        {
            "language": "th", "language_chosen": True, "muted": ["delayed"], "mutable": [],
            "channels": ["whatsapp", "sms"], "quiet": {"begins": "22:00", "ends": "07:00"},
            "quiet_chosen": False, "email": None, "updated_at": None,
        }
    )  # fmt: skip
    assert preference_words(usual, "Thai") == (
        "In Thai, as they chose, by WhatsApp, then SMS, not from 22:00 to 07:00, without delayed."
    )


def test_each_phone_is_listed_once_the_last_written_to_first() -> None:
    found = [message(order="WP-2"), message(order="WP-1"), message(order="WP-2", template="failed")]
    listed = phones(found, "WP-1", "")
    assert [(each["order"], each["on"]) for each in listed] == [("WP-2", False), ("WP-1", True)]
