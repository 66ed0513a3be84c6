"""What pages say of tickets: their clocks, words, timeline, queue, hours and who else is here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.platform import clock
from backend.support.schemas import (
    EntryOut,
    EscalationCounts,
    EscalationDetail,
    PauseOut,
    SaidOut,
    Sla,
    Viewer,
)
from backend.support.settings_schemas import (
    AgentOut,
    CalendarOut,
    Holiday,
    MacroOut,
    Shift,
)
from dashboard.states.support import FIELDS, csv_link, presses
from dashboard.states.support_settings import calendar_row, form_of
from dashboard.states.support_tiles import support_needs, support_tiles
from dashboard.states.support_words import ticket_row, wanted_of
from dashboard.states.ticket import agent_choices, here_of
from dashboard.states.ticket_facts import (
    clocks_of,
    last_word,
    macro_choices,
    pause_words,
    talk_of,
)
from dashboard.states.ticket_story import story_of

BEGAN = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
NONE = dict.fromkeys(FIELDS, "")


def _sla(**more: Any) -> Sla:
    given: dict[str, Any] = {
        "first_response_due": BEGAN + timedelta(minutes=15), "first_response_at": None,
        "first_response": "running", "resolution_due": BEGAN + timedelta(hours=4),
        "resolution": "running", "state": "running", "due": BEGAN + timedelta(minutes=15),
        "remaining_s": 900, "paused_left_s": None,
    }  # fmt: skip
    return Sla(**{**given, **more})


def _ticket(**more: Any) -> EscalationDetail:
    given: dict[str, Any] = {
        "id": UUID(int=1), "number": "ESC-12", "kind": "late", "priority": "high", "state": "open",
        "waiting_on": None, "subject": "Where is it?", "region": "TH-10", "order_id": UUID(int=2),
        "order_number": "WP-7K2M9Q4XTA", "origin": "customer", "assignee": None,
        "assignee_name": None, "incident_id": None, "incident_number": None,
        "ready_to_answer": False, "customer_waits": True, "opened_at": BEGAN, "last_at": BEGAN,
        "solved_at": None, "closed_at": None, "sla": _sla(), "reopened": 0, "version": 3,
        "opened_by": "customer", "opened_by_name": "Customer", "conversation": [], "timeline": [],
        "pauses": [], "viewers": [], "allowed": ["reply", "add_note"],
    }  # fmt: skip
    return EscalationDetail(**{**given, **more})


def _said(number: int, author: str, text: str, minute: int) -> SaidOut:
    return SaidOut.model_validate(
        {
            "id": UUID(int=number), "at": BEGAN + timedelta(minutes=minute), "author": author,
            "name": "Meera K." if author == "agent" else "", "text": text, "message_id": None,
        }
    )  # fmt: skip


def _entry(number: int, kind: str, text: str, minute: int, actor: str = "user:1") -> EntryOut:
    return EntryOut(
        id=UUID(int=number), at=BEGAN + timedelta(minutes=minute), kind=kind, actor=actor,
        actor_name="Meera K.", text=text, data={},
    )  # fmt: skip


def _counts(**more: Any) -> EscalationCounts:
    given: dict[str, Any] = {
        "total": 40, "by_state": {}, "by_kind": {}, "by_priority": {},
        "by_sla": {"breached": 3, "soon": 5}, "mine": 4, "unassigned": 11, "ready_to_answer": 0,
        "customer_waits": 9, "most": 10_000,
    }  # fmt: skip
    return EscalationCounts(**{**given, **more})


def test_a_row_tells_which_of_both_clocks_comes_next() -> None:
    unanswered = ticket_row(_ticket(), {"TH-10": "Bangkok"})
    assert (unanswered["clock"], unanswered["clock_word"]) == ("running", "answer")
    assert unanswered["under"] == "WP-7K2M9Q4XTA, Bangkok"
    assert unanswered["waits"]
    answered = ticket_row(_ticket(sla=_sla(first_response_at=BEGAN, state="soon")), {})
    assert (answered["clock"], answered["clock_word"]) == ("soon", "solve")


def test_the_clock_of_a_solved_ticket_stands() -> None:
    solved = ticket_row(_ticket(state="solved", sla=_sla(state="breached")), {})
    assert (solved["clock"], solved["clock_due"], solved["clock_word"]) == ("breached", "", "")
    assert not solved["waits"]


def test_clocks_tell_how_long_it_took_and_when_they_stood_still() -> None:
    pauses = [
        PauseOut(began_at=BEGAN, ended_at=BEGAN + timedelta(minutes=50), why="customer"),
        PauseOut(
            began_at=BEGAN + timedelta(hours=1), ended_at=BEGAN + timedelta(minutes=80),
            why="customer",
        ),
    ]  # fmt: skip
    answered = _sla(
        first_response="met", first_response_at=BEGAN + timedelta(minutes=3), resolution="paused",
        paused_left_s=7200,
    )  # fmt: skip
    first, solution = clocks_of(_ticket(sla=answered, pauses=pauses))
    assert (first["state"], first["due"], first["note"]) == ("met", "", "after 3 min")
    assert (solution["state"], solution["left"]) == ("paused", 7200)
    assert solution["note"] == "paused 2 times, 1 h 10 min in all"
    assert pause_words([]) == "not paused yet"


def test_notes_stand_between_the_words_and_the_customer_is_not_named() -> None:
    found = _ticket(
        conversation=[
            _said(3, "customer", "Where is it?", 1),
            _said(5, "agent", "Hello {customer}, soon.", 9),
        ],
        timeline=[
            _entry(4, "note", "Rider stands at Rama IV", 5),
            _entry(6, "state", "Solved.", 9),
        ],
    )
    talk = talk_of(found, {}, "P•••• S.")
    assert [(each["kind"], each["ours"]) for each in talk] == [
        ("customer", False), ("note", True), ("agent", True),
    ]  # fmt: skip
    assert talk[2]["text"] == "Hello P••••, soon."
    assert talk[0]["who"] == "The customer"


def test_only_the_word_of_another_makes_an_answer_old() -> None:
    found = _ticket(
        conversation=[_said(3, "customer", "Where?", 1), _said(5, "agent", "Soon.", 9)],
        timeline=[_entry(3, "customer", "Where?", 1, "customer"), _entry(5, "reply", "Soon.", 9)],
    )
    assert last_word(found, "user:1") == (str(UUID(int=3)), "The customer")
    assert last_word(found, "user:2") == (str(UUID(int=5)), "Meera K.")
    assert last_word(_ticket(), "user:1") == ("", "")


def test_the_timeline_is_newest_first_and_leaves_the_words_to_the_talk() -> None:
    found = _ticket(
        timeline=[
            _entry(3, "customer", "Where is it?", 1, "customer"),
            _entry(4, "priority", "From normal to high.", 2),
            _entry(5, "reply", "Soon.", 9),
        ]
    )
    assert [(each["head"], each["who"]) for each in story_of(found)] == [
        ("Answered", "Meera K."),
        ("From normal to high.", "Meera K."),
        ("The customer wrote", ""),
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        ([("Dao K.", False)], "Dao K. is also here"),
        ([("Dao K.", True)], "Dao K. is also here, typing"),
        ([("Dao K.", True), ("Nan P.", False)], "Dao K., Nan P. are also here, Dao K. typing"),
    ],
)
def test_colleagues_are_told_with_who_types(names: list[tuple[str, bool]], words: str) -> None:
    viewers = [
        Viewer(person_id=f"user:{name}", name=name, typing=typing, since=BEGAN)
        for name, typing in names
    ]
    assert here_of(viewers)[1] == words


def test_who_has_the_ticket_is_among_those_it_may_be_given_to() -> None:
    agent = AgentOut(person_id="user:2", name="Nan P.", available=False, until=None, unsolved=4)
    me = AgentOut(person_id="user:1", name="Meera K.", available=True, until=None, unsolved=0)
    found = _ticket(assignee="user:9", assignee_name="Left L.")
    assert [each["word"] for each in agent_choices([agent, me], found, "user:1")] == [
        "nobody", "Meera K., 0", "Nan P., 4, away", "Left L.",
    ]  # fmt: skip


def test_macros_are_filled_with_what_is_known() -> None:
    macro = MacroOut.model_validate(
        {
            "id": UUID(int=7), "name": "Sorry", "region": "*", "kind": None, "then": "pending",
            "text": "Hello {customer}, {number} comes at {eta}. {agent}",
            "waiting_on": "third_party",
            "version": 1, "changed_by_name": "Lead", "changed_at": BEGAN,
        }
    )  # fmt: skip
    (choice,) = macro_choices([macro], {"number": "WP-1", "agent": "Meera", "incident": ""})
    assert choice["text"] == "Hello {customer}, WP-1 comes at {eta}. Meera"
    assert choice["then"] == "pending third_party"


def test_filters_that_are_not_known_do_not_narrow() -> None:
    asked = {**NONE, "kind": "nonsense", "priority": "high", "state": "all", "whose": "mine",
             "incident": "no id", "q": "late\0"}  # fmt: skip
    wanted = wanted_of(asked, "TH")
    assert (wanted.kinds, wanted.incident_id) == ([], None)
    assert ([*map(str, wanted.priorities)], wanted.assignee) == (["high"], "me")
    assert (len(wanted.states), wanted.region, wanted.q) == (4, "TH", "late")
    assert csv_link(wanted_of({**NONE, "sla": "soon"}, None)).endswith("?sla=soon")


def test_what_presses_leads_there_and_back() -> None:
    rows = {each["name"]: each for each in presses(_counts(), {**NONE, "sla": "soon"}, "TH")}
    assert rows["Over time"]["link"] == "/support?sla=breached&region=TH"
    assert (rows["Due soon"]["on"], rows["Due soon"]["link"]) == (True, "/support?region=TH")
    assert (rows["Nobody's"]["value"], rows["Ready to answer"]["some"]) == ("11", False)


def test_the_overview_tells_of_tickets_only_to_who_may_see_them() -> None:
    assert support_tiles(None, "*", []) == []
    (tile,) = support_tiles(_counts(), "*", [{"tickets": 38}, {"live": 1}, {"tickets": 40}])
    assert (tile["value"], tile["tone"]) == ("40", "critical")
    assert tile["note"] == "3 over time, 5 due soon"
    needs = support_needs(_counts(ready_to_answer=2), "TH")
    assert [each["link"] for each in needs] == [
        "/support?region=TH&sla=breached", "/support?region=TH&look=ready",
    ]  # fmt: skip
    assert support_needs(_counts(by_sla={}), "TH") == []


def test_hours_are_drawn_as_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: BEGAN)
    split = [Shift(begins=time(8), ends=time(12)), Shift(begins=time(14), ends=time(0))]
    kept = CalendarOut(
        region="TH", zone="Asia/Bangkok", week=[split, *([] for _ in range(6))],
        holidays=[
            Holiday(on=date(2026, 12, 5), name="Father's Day"),
            Holiday(on=date(2026, 1, 1), name="New Year"),
        ],
        version=1, changed_by_name="Lead", changed_at=BEGAN,
    )  # fmt: skip
    row = calendar_row(kept, {"TH": "Thailand"})
    assert row["days"][0]["words"] == "08:00 to 12:00, 14:00 to 00:00"
    assert row["days"][0]["spans"] == [
        {"left": "33.33%", "width": "16.67%"}, {"left": "58.33%", "width": "41.67%"},
    ]  # fmt: skip
    assert row["days"][1]["words"] == "closed"
    assert (row["holidays"], row["ahead"]) == ("1 holiday ahead", ["5 Dec Father's Day"])
    assert form_of(kept)["week"][0][1] == {"begins": "14:00", "ends": "00:00"}
