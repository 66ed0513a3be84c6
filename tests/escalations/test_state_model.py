"""Any way through the states, against a plain model that adds up how long the clock ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.identity.schemas import SYSTEM
from backend.platform.errors import NotNow
from backend.platform.resources import Resources
from backend.support import repository
from backend.support.changes import put_into
from backend.support.clock_rules import FAR_OFF, TARGETS
from backend.support.clocks import set_clocks, sla_of
from backend.support.opening import new_escalation
from backend.support.rules import UNSOLVED, Kind, Priority, SlaState, State, WaitingOn, may_become

_TARGET = timedelta(seconds=TARGETS[Priority.URGENT].resolution_s)
_STEPS = st.tuples(
    st.sampled_from(State), st.sampled_from([None, *WaitingOn]), st.integers(1, 200)
)  # fmt: skip


@dataclass
class Model:
    """Where it stands, and how long its clock has run; urgent ones run at all hours."""

    state: State = State.OPEN
    waiting_on: WaitingOn | None = None
    ran: timedelta = timedelta()
    up_after: timedelta | None = None
    passed: timedelta = timedelta()

    @property
    def runs(self) -> bool:
        return self.state in UNSOLVED and self.waiting_on is not WaitingOn.CUSTOMER

    def pass_time(self, span: timedelta) -> None:
        if self.runs:
            if self.up_after is None and self.ran + span >= _TARGET:
                self.up_after = self.passed + _TARGET - self.ran
            self.ran += span
        self.passed += span

    def step(self, state: State, waiting_on: WaitingOn | None) -> bool:
        waiting_on = (waiting_on or WaitingOn.CUSTOMER) if state is State.PENDING else None
        if (state, waiting_on) != (self.state, self.waiting_on):
            if not may_become(self.state, state):
                return False
            self.state, self.waiting_on = state, waiting_on
        return True


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEPS, max_size=8))
async def test_the_clock_runs_while_it_should_and_never_else(
    resources: Resources, steps: list[tuple[State, WaitingOn | None, int]]
) -> None:
    async with resources.database.unit_of_work() as session:
        facts: dict[str, Any] = {
            "kind": Kind.OTHER, "priority": Priority.URGENT, "subject": "x", "region": "TH-10",
        }  # fmt: skip
        row = await new_escalation(session, SYSTEM, order=None, origin="agent", **facts)
        row.first_response_at = row.opened_at
        await set_clocks(session, row)
        model = Model()
        for state, waiting_on, minutes in steps:
            model.pass_time(timedelta(minutes=minutes))
            now = row.opened_at + model.passed
            try:
                await put_into(session, SYSTEM, row, state, waiting_on=waiting_on, at=now)
                went = True
            except NotNow:
                went = False
            assert went is model.step(state, waiting_on)
            assert (row.state, row.waiting_on) == (model.state, model.waiting_on)
            pauses = await repository.pauses(session, row.id)
            assert sum(pause.ended_at is None for pause in pauses) == int(
                model.waiting_on is WaitingOn.CUSTOMER
            )
            if model.up_after is not None:
                assert row.resolution_due == row.opened_at + model.up_after
            elif model.runs:
                assert row.resolution_due == now + _TARGET - model.ran
                assert row.due_at == row.resolution_due
            elif model.waiting_on is WaitingOn.CUSTOMER:
                assert row.due_at == FAR_OFF
                assert row.paused_left_s == (_TARGET - model.ran).total_seconds()
                assert sla_of(row, now).state is SlaState.PAUSED
            else:
                assert sla_of(row, now).state is SlaState.MET
