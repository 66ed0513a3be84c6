"""What pages say of incidents: clocks, whom they hurt, deeds, the bell and error budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.incidents.schemas import BlastRadius, Clocks, IncidentDetail, OpenCount, TimelineOut
from backend.insights.slo_schemas import Burn, SloRow
from backend.platform.money import Money
from dashboard.states.bell import bell_words
from dashboard.states.incident_acts import places
from dashboard.states.incident_facts import clocks_of, deeds_of, hurts_of, links_of
from dashboard.states.incident_story import story_of
from dashboard.states.incident_words import spent
from dashboard.states.incidents import worst_first
from dashboard.states.shell import RegionChoice
from dashboard.states.slo_words import budget_words, slo_line

BEGAN = datetime(2026, 11, 25, 14, 11, 20, tzinfo=UTC)
RADIUS = BlastRadius(
    at=BEGAN, since=BEGAN, until=None, regions=["TH-10"], orders=214, orders_waiting=61,
    orders_late=0, drivers=37, drivers_silent=0, customers=209, payments_failed=18,
    payments_unknown=9, money=[Money(minor=19_845_000, currency="THB")],
)  # fmt: skip


def _incident(**more: Any) -> IncidentDetail:
    given: dict[str, Any] = {
        "id": UUID(int=1), "number": "INC-418", "title": "Payments fail", "severity": "SEV1",
        "state": "acknowledged", "kind": "real", "region": "TH-10", "regions": ["TH-10"],
        "services": ["payments"], "impact_started_at": BEGAN,
        "detected_at": BEGAN + timedelta(seconds=48),
        "acknowledged_at": BEGAN + timedelta(seconds=92), "mitigated_at": None,
        "resolved_at": None, "closed_at": None, "snoozed_until": None,
        "acknowledgement_lapses_at": None, "firing": 1, "alerts_count": 1, "commander": "Nan P.",
        "reopened": 0, "running_s": 362, "version": 3, "alerts": [], "timeline": [],
        "clocks": Clocks(
            detect_s=48, acknowledge_s=92, mitigate_s=None, resolve_s=None, running_s=362
        ),
        "roles": [], "blast_radius": RADIUS, "allowed": ["mitigate", "resolve", "add_note"],
        "actions": [], "follows": None, "follows_number": None, "merged_into": None,
        "merged_into_number": None, "merged": [], "opened_by": "detector", "runbook": None,
        "traces": [], "links": [], "review": None, "reviewed_at": None,
    }  # fmt: skip
    return IncidentDetail(**{**given, **more})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""), (48, "+ 48 s"), (92, "+ 1 min 32 s"), (300, "+ 5 min"),
        (7_500, "+ 2 h 5 min"), (180_000, "+ 2 d 2 h"),
    ],
)  # fmt: skip
def test_a_length_is_told_in_two_units_at_most(seconds: float | None, words: str) -> None:
    assert spent(seconds) == words


def test_clocks_run_from_the_impact_until_it_is_resolved() -> None:
    impact, detected, acknowledged, mitigated, resolved = clocks_of(_incident())
    assert impact["at"] == BEGAN.isoformat()
    assert (detected["value"], detected["tone"]) == ("+ 48 s", "good")
    assert (acknowledged["value"], acknowledged["note"]) == ("+ 1 min 32 s", "Nan P.")
    assert (mitigated["state"], mitigated["note"]) == ("waiting", "the harm goes on")
    assert resolved["running"] == BEGAN.isoformat()
    clocks = Clocks(detect_s=90, acknowledge_s=92, mitigate_s=310, resolve_s=700, running_s=700)
    over = _incident(state="resolved", resolved_at=BEGAN + timedelta(seconds=700), clocks=clocks)
    *_, ended = clocks_of(over)
    assert (ended["running"], ended["value"], ended["tone"]) == ("", "+ 11 min 40 s", "critical")
    assert clocks_of(over)[1]["tone"] == "warning"


def test_a_merged_incident_says_that_its_clock_runs_in_the_other() -> None:
    *_, mitigated, resolved = clocks_of(_incident(state="merged"))
    assert mitigated["note"] == resolved["note"] == "its clock runs in the other"
    assert (resolved["running"], resolved["value"]) == ("", "merged")


def test_counts_of_the_blast_radius_lead_to_their_rows() -> None:
    hurts, _ = hurts_of(RADIUS)
    assert [each["value"] for each in hurts] == ["214", "37", "209", "198,450.00 THB"]
    assert hurts[0]["link"] == "/orders?region=TH-10"
    assert hurts[3]["link"] == "/payments?region=TH-10&state=failed"


def test_only_what_the_service_allows_is_offered() -> None:
    keys = [each["key"] for each in deeds_of(_incident())]
    assert keys == ["mitigate", "resolve"]
    offered = deeds_of(_incident(allowed=["merge", "act"], actions=["pause_matching"]))
    assert [(each["key"], each["risk"]) for each in offered] == [
        ("pause_matching", True), ("merge", False),
    ]  # fmt: skip


def test_stopping_the_harm_is_the_next_step_once_somebody_has_it() -> None:
    allowed = ["acknowledge", "mitigate", "resolve"]
    fresh = deeds_of(_incident(state="triggered", allowed=allowed))
    assert [each["key"] for each in fresh if each["group"] == "next"] == ["acknowledge"]
    had = deeds_of(_incident(state="acknowledged", allowed=allowed))
    assert [each["key"] for each in had if each["group"] == "next"] == ["mitigate"]
    assert ("acknowledge", "Acknowledge again") in [(each["key"], each["word"]) for each in had]


def test_no_link_of_a_sender_runs_a_script() -> None:
    links = [
        {"kind": "alert", "title": "evil", "url": "javascript:alert(1)"},
        {"kind": "dashboard", "title": "good", "url": "https://grafana.example/d/1"},
    ]
    assert [each["title"] for each in links_of(_incident(links=links))] == ["good"]


def test_the_story_is_told_newest_first_and_notes_carry_their_writer() -> None:
    def entry(number: int, kind: str, text: str, actor: str) -> TimelineOut:
        at = BEGAN + timedelta(seconds=number)
        return TimelineOut(
            id=UUID(int=number), at=at, written_at=at, kind=kind, actor=actor,
            actor_name="Nan P.", text=text, data={}, trace_id=None,
        )  # fmt: skip

    story = story_of(
        [
            entry(1, "detected", "Detected: payments", "system"),
            entry(2, "note", "It is the gateway", "user:1"),
        ],
        [],
    )
    assert [(each["head"], each["text"], each["who"]) for each in story] == [
        ("Note", "It is the gateway", "Nan P."),
        ("Detected: payments", "", ""),
    ]


def test_the_story_says_what_was_done_and_why() -> None:
    def entry(kind: str, text: str, **data: str) -> TimelineOut:
        return TimelineOut(
            id=UUID(int=1), at=BEGAN, written_at=BEGAN, kind=kind, actor="user:1",
            actor_name="Nan P.", text=text, data=data, trace_id=None,
        )  # fmt: skip

    told = [
        entry("resolve", "Ten top-ups went through"),
        entry("action", "Paused matching in Delhi.", reason="Riders wait at a closed hub"),
    ]
    assert [(each["head"], each["text"]) for beat in told for each in story_of([beat], [])] == [
        ("Resolved.", "Ten top-ups went through"),
        ("Paused matching in Delhi.", "Riders wait at a closed hub"),
    ]


def test_the_bell_tells_the_worst_severity_that_is_open() -> None:
    nothing = OpenCount(by_severity={}, unacknowledged=0, total=0)
    assert bell_words(nothing) == ("off", "")
    some = OpenCount.model_validate(
        {"by_severity": {"SEV3": 4, "SEV2": 2}, "unacknowledged": 1, "total": 6}
    )
    assert bell_words(some) == ("warning", "2 SEV2")


def test_open_ones_come_first_and_the_worst_of_them_on_top() -> None:
    found = [
        _incident(number="INC-3", severity="SEV1", state="resolved"),
        _incident(number="INC-2", severity="SEV3"),
        _incident(number="INC-1", severity="SEV2"),
    ]
    assert [each.number for each in worst_first(found)] == ["INC-1", "INC-2", "INC-3"]


def test_matching_is_paused_in_cities_of_the_incident_only() -> None:
    def choice(code: str) -> RegionChoice:
        return {"code": code, "name": code, "path": code, "depth": "0", "zone": "UTC"}

    known = [choice(each) for each in ("*", "TH", "TH-10", "TH-10.siam", "IN-KA")]
    cities = places(known, ["TH"], cities=True)
    assert [each["code"] for each in cities] == ["TH-10"]
    assert [each["code"] for each in places(known, ["*"])] == ["TH", "TH-10", "TH-10.siam", "IN-KA"]


def test_a_budget_that_is_overspent_is_told_as_such() -> None:
    assert [budget_words(each) for each in (None, 0.71, 0.0, -0.4)] == [
        "untouched", "71 % left", "0 % left", "40 % over",
    ]  # fmt: skip


def test_a_burn_over_its_threshold_is_marked() -> None:
    row = SloRow(
        name="payments", title="Payments", valid_means="", good_means="", region="*",
        region_name="everywhere", target=0.99, window_days=28, valid=100, good=90, attained=0.9,
        budget_left=-2.0, burning="page", reason="31x",
        burns=[
            Burn(window="1h", rate=31.0, valid=100, bad=31),
            Burn(window="6h", rate=5.9, valid=100, bad=6),
        ],
    )  # fmt: skip
    line = slo_line(row)
    assert [(each["rate"], each["tone"]) for each in line["burns"]] == [
        ("none", ""), ("31.0x", "critical"), ("5.9x", ""), ("none", ""), ("none", ""),
    ]  # fmt: skip
    assert (line["state"], line["budget_tone"]) == ("burning fast", "critical")
    calm = slo_line(row.model_copy(update={"burning": None, "budget_left": 0.5}))
    assert {each["tone"] for each in calm["burns"]} == {""}
    assert (calm["state"], calm["budget_width"]) == ("calm", "50.0%")
