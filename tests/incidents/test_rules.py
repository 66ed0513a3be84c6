"""Pure decisions: any way through the states keeps the moments in order and the clock running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from backend.incidents.grouping_rules import (
    REOPEN_WITHIN,
    RESOLVE_DELAY,
    Episode,
    Meaning,
    clears_at,
    meaning,
    reopens,
)
from backend.incidents.on_call_rules import Override, nearest, on_call_at
from backend.incidents.rules import (
    ALLOWED,
    OPEN,
    Act,
    IncidentState,
    Moments,
    Refused,
    merged_moments,
    spread,
    step,
)

T0 = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECONDS = st.integers(min_value=-600, max_value=7200)


class Life(RuleBasedStateMachine):
    """An incident under any acts at any moments, by people and by the system."""

    def __init__(self) -> None:
        super().__init__()
        self.state = IncidentState.TRIGGERED
        self.moments = Moments(T0, T0 + timedelta(seconds=48))
        self.first_answer: datetime | None = None

    @rule(act=st.sampled_from(list(Act)), seconds=SECONDS, by_person=st.booleans())
    def happens(self, act: Act, seconds: int, by_person: bool) -> None:
        at = T0 + timedelta(seconds=seconds)
        before = self.state
        try:
            self.state, self.moments = step(self.state, self.moments, act, at, by_person=by_person)
        except Refused:
            assert self.state is before
            return
        assert before in ALLOWED[act]
        if self.first_answer is None:
            self.first_answer = self.moments.acknowledged_at

    @invariant()
    def moments_are_in_order(self) -> None:
        assert self.moments.in_order

    @invariant()
    def states_have_their_moments(self) -> None:
        if self.state in OPEN:
            assert self.moments.resolved_at is None
            assert self.moments.closed_at is None
        if self.state is IncidentState.RESOLVED:
            assert self.moments.resolved_at is not None
            assert self.moments.mitigated_at is not None
        if self.state in (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED):
            assert self.moments.mitigated_at is None
        if self.state is IncidentState.CLOSED:
            assert self.moments.closed_at is not None

    @invariant()
    def the_start_and_the_first_answer_stay(self) -> None:
        assert self.moments.impact_started_at == T0
        if self.first_answer is not None:
            assert self.moments.acknowledged_at == self.first_answer


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=80, stateful_step_count=20)


def moments() -> st.SearchStrategy[Moments]:
    """Moments in order, some not reached."""
    gaps = st.tuples(*[st.integers(0, 600)] * 3)

    def build(start: int, gaps: tuple[int, ...], answered: bool, mitigated: bool) -> Moments:
        impact = T0 + timedelta(seconds=start)
        detected = impact + timedelta(seconds=gaps[0])
        answer = detected + timedelta(seconds=gaps[1]) if answered else None
        over = detected + timedelta(seconds=gaps[1] + gaps[2]) if mitigated else None
        return Moments(impact, detected, answer, over)

    return st.builds(build, st.integers(-3600, 3600), gaps, st.booleans(), st.booleans())


@given(moments(), st.lists(moments(), min_size=1, max_size=5))
def test_a_merge_never_shortens_a_clock_and_keeps_the_order(
    target: Moments, others: list[Moments]
) -> None:
    merged = merged_moments(target, others)
    assert merged.in_order
    for each in [target, *others]:
        assert merged.impact_started_at <= each.impact_started_at
        assert merged.detected_at <= each.detected_at


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=30
    )
)
def test_whatever_the_order_of_messages_a_new_start_is_never_lost(
    messages: list[tuple[bool, int, int]],
) -> None:
    known: Episode | None = None
    for firing, start, length in messages:
        started = T0 + timedelta(seconds=start)
        ended = started + timedelta(seconds=length)
        means = meaning(known, firing=firing, started_at=started, at=ended)
        if firing and (known is None or started > known.started_at):
            assert means in (Meaning.NEW, Meaning.REPEATED, Meaning.FLAPPED)
        if not firing and known is not None and known.firing and ended < known.started_at:
            assert means is Meaning.LATE
        if means in (Meaning.NEW, Meaning.FLAPPED):
            known = Episode(True, started, None, clearing=False, ended_by_sender=False)
        elif means is Meaning.REPEATED and known is not None:
            latest = max(known.started_at, started)
            known = Episode(True, latest, None, clearing=False, ended_by_sender=False)
        elif means is Meaning.CLEARING and known is not None:
            known = Episode(True, known.started_at, ended, clearing=True, ended_by_sender=True)


def test_a_late_resolved_has_waited_already() -> None:
    now = T0 + timedelta(minutes=5)
    assert clears_at(T0, now) == now
    assert clears_at(now, now) == now + RESOLVE_DELAY


def test_the_window_of_a_reopening_ends_after_half_an_hour() -> None:
    for state in (IncidentState.RESOLVED, IncidentState.CLOSED):
        assert reopens(state, T0, T0 + REOPEN_WITHIN)
        assert not reopens(state, T0, T0 + REOPEN_WITHIN + timedelta(seconds=1))
    assert not reopens(IncidentState.MERGED, T0, T0)
    assert reopens(IncidentState.MITIGATED, None, T0 + timedelta(days=1))


@given(st.integers(1, 9), st.integers(3600, 7 * 86_400), st.integers(-100 * 86_400, 100 * 86_400))
def test_turns_follow_each_other_without_a_gap(people: int, turn_s: int, at_s: int) -> None:
    names = [f"user:{n}" for n in range(people)]
    turn, now = timedelta(seconds=turn_s), T0 + timedelta(seconds=at_s)
    mine = on_call_at(names, T0, turn, [], now)
    assert now < mine.until
    following = on_call_at(names, T0, turn, [], mine.until)
    assert following.index == (mine.index + 1) % people


def test_a_stand_in_counts_for_its_span_alone() -> None:
    names, turn = ["a", "b"], timedelta(days=7)
    stand_in = Override("b", T0 + timedelta(hours=1), T0 + timedelta(hours=2))
    stranger = Override("x", T0, T0 + timedelta(days=1))
    asked = [
        on_call_at(names, T0, turn, [stand_in, stranger], T0 + timedelta(minutes=m))
        for m in (0, 60, 119, 120)
    ]
    assert [each.index for each in asked] == [0, 1, 1, 0]
    assert asked[0].until == stand_in.since
    assert asked[1].until == stand_in.until


def test_a_schedule_for_the_service_goes_before_one_for_the_place() -> None:
    schedules: list[tuple[str, tuple[str, ...]]] = [
        ("*", ()), ("TH", ()), ("TH-10", ()), ("TH", ("payments",)), ("IN", ("payments",)),
    ]  # fmt: skip
    assert nearest(schedules, "TH-10.siam", "maps") == 2
    assert nearest(schedules, "TH-10", "payments") == 3
    assert nearest(schedules, "THX", "maps") == 0
    assert nearest([("TH", ())], "IN-KA", "maps") is None


def test_spreads_by_hand() -> None:
    found = spread([10, 20, 30, 40, 50, 60, 70, 80, 90, 1000])
    assert (found.n, found.mean_s, found.median_s, found.p90_s) == (10, 145, 55, 90)
    assert spread([]).mean_s is None
    assert spread([7]).p90_s == 7


@pytest.mark.parametrize("act", [Act.ACKNOWLEDGE, Act.RESOLVE, Act.CLOSE])
def test_nothing_goes_from_a_merged_incident(act: Act) -> None:
    with pytest.raises(Refused):
        step(IncidentState.MERGED, Moments(T0, T0), act, T0, by_person=True)
