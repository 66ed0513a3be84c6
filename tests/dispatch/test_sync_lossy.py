"""A phone over a line that loses, repeats and reorders, against a model: once each, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.dispatch import service
from backend.dispatch.doorstep_rules import EventType
from backend.dispatch.order_steps import STEPS
from backend.dispatch.rules import EVENT_TYPES, Action, OrderState, step
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources, open_resources
from backend.settings import Settings
from backend.tracking import service as tracking
from backend.tracking.schemas import DriverIn
from tests.dispatch.orders import advance, marketplace, order_in, seeded
from tests.dispatch.phones import App, column, state_of, steps
from tests.support.in_process import shared_api
from tests.tracking.fleet import Phone

T = TypeVar("T")

KINDS = [kind.value for kind in STEPS if kind is not EventType.DELIVER]


class Line:
    """The API in this process, reached from code that is not asynchronous."""

    def __init__(self, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._settings = settings
        self._stack = AsyncExitStack()
        self.resources: Resources
        self.client: httpx.AsyncClient

    def open(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        self.resources = await self._stack.enter_async_context(open_resources(self._settings))
        transport = httpx.ASGITransport(shared_api(), raise_app_exceptions=False)
        self.client = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")
        )
        await seeded(self.resources)
        self.seller, _ = await marketplace(self.resources)

    async def begin(self) -> tuple[App, OrderOut]:
        """A phone of a new driver, with an order that the driver has taken."""
        wanted = DriverIn(name="Somchai", vehicle="bike", region="TH-10")
        async with self.resources.database.unit_of_work() as session:
            driver = await tracking.create_driver(session, SYSTEM, wanted)
            token = await tracking.issue_device_token(session, SYSTEM, driver.id)
            made = await service.create_order(session, self.seller, order_in())
        taken = await advance(
            self.resources, made.id, Action.ASSIGN, Action.ACCEPT, driver=driver.id
        )
        return App(self.client, Phone(driver.id, driver.code, token.token)), taken

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)


@pytest.fixture
def line(settings: Settings) -> Iterator[Line]:
    opened = Line(settings)
    opened.open()
    yield opened
    opened.close()


class LossyPhone(RuleBasedStateMachine):
    """What a phone may do on a bad line, and what must have come of it."""

    line: Line

    @initialize()
    def switch_on(self) -> None:
        self.app, self.order = self.line.run(self.line.begin())
        self.events: list[dict[str, Any]] = []
        self.arrived: set[int] = set()

    @rule(kind=st.sampled_from([*KINDS, *KINDS[:4], *KINDS[:4], "note"]))
    def something_happens(self, kind: str) -> None:
        if kind == "note":
            self.events.append(self.app.event("note", self.order, text="At the gate"))
        else:
            self.events += steps(self.app, self.order, kind)

    @precondition(lambda self: self.events)
    @rule(data=st.data(), answered=st.booleans())
    def some_are_sent(self, data: st.DataObject, *, answered: bool) -> None:
        numbers = st.lists(st.integers(0, len(self.events) - 1), max_size=8)
        chosen = [self.events[number] for number in data.draw(numbers)]
        before = set(self.arrived)
        self.arrived |= {event["device_seq"] for event in chosen}
        results = self._send(chosen)
        if answered:
            self._check_answers(chosen, results, before)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def one_comes_with_another_body(self, data: st.DataObject) -> None:
        event = self.events[data.draw(st.integers(0, len(self.events) - 1))]
        if event["device_seq"] in self.arrived:
            [result] = self._send([{**event, "type": "order.fail", "payload": {}}])
            assert result["status"] == "conflict"

    def teardown(self) -> None:
        if getattr(self, "events", None):
            self.arrived = {event["device_seq"] for event in self.events}
            self._send(self.events)
            self.all_is_done_once_and_in_order()

    @invariant()
    def all_is_done_once_and_in_order(self) -> None:
        if not getattr(self, "arrived", None):
            return
        expected, state, moves = self._model()
        rows = self.line.run(
            column(
                self.line.resources,
                "SELECT status FROM dispatch_device_event WHERE driver_id = :driver"
                " ORDER BY device_seq",
                driver=self.app.phone.id,
            )
        )
        assert rows == [expected[seq] for seq in sorted(self.arrived)]
        assert self.line.run(state_of(self.line.resources, self.order)) == state
        done = self.line.run(
            column(
                self.line.resources,
                "SELECT type FROM dispatch_order_event WHERE order_id = :order AND actor = :driver"
                " AND type NOT IN ('order.driver_note', 'order.flagged') ORDER BY seq",
                order=self.order.id,
                driver=f"driver:{self.app.phone.id}",
            )
        )
        assert done == moves

    def _send(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self.line.run(self.app.sync(*events))
        found: list[dict[str, Any]] = answer["results"]
        return found

    def _check_answers(
        self, sent: list[dict[str, Any]], results: list[dict[str, Any]], before: set[int]
    ) -> None:
        expected, _, _ = self._model()
        seen = set(before)
        for event, result in sorted(
            zip(sent, results, strict=True), key=lambda pair: pair[0]["device_seq"]
        ):
            seq = event["device_seq"]
            assert result["event_id"] == event["event_id"]
            assert (result["status"] == "duplicate") is (seq in seen)
            seen.add(seq)
            told = result["first"] or result["status"]
            # A repeat may tell of a wait that ends within the same request.
            assert told in (expected[seq], "held")

    def _model(self) -> tuple[dict[int, str], str, list[str]]:
        """What each event that arrived came to, and the order's state and steps by it."""
        state, moves, expected = OrderState.ACCEPTED, [], {}
        heard = 0
        while heard + 1 in self.arrived:
            heard += 1
        for event in self.events:
            seq = event["device_seq"]
            if seq not in self.arrived:
                continue
            if event["type"] == "note":
                expected[seq] = "accepted"
            elif seq > heard:
                expected[seq] = "held"
            else:
                action = STEPS[EventType(event["type"])][0]
                permitted = step(state, action)
                expected[seq] = "accepted" if permitted else "rejected"
                if permitted:
                    state = permitted.to
                    moves.append(EVENT_TYPES[action])
        return expected, state.value, moves


@pytest.mark.timeout(400)
def test_every_event_is_done_exactly_once_and_in_order(line: Line) -> None:
    machine = type("PhoneOnLine", (LossyPhone,), {"line": line})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=14,
            suppress_health_check=list(HealthCheck),
        ),
    )
