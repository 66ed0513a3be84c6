"""Recipients of the demo, against the real API: they ask, go on when answered, and give stars."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from backend.simulation import recipients as recipients_module
from backend.simulation.recipients import Recipients, phrases
from backend.support import service
from backend.support.rules import State
from backend.support.schemas import EscalationFilter, EscalationRow, ReplyIn
from tests.dispatch.orders import marketplace, order_body, seeded
from tests.dispatch.phones import column
from tests.simulation.conftest import InProcess
from tests.simulation.test_market import Clock, open_market

AGENT = Principal("user", "user:ann", "Ann", (GrantScope("support_agent", "*"),))
OCCASIONS = {
    "late", "address", "otp", "driver", "damaged", "payment", "refund", "other", "thanks", "still",
    "good", "bad",
}  # fmt: skip


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody asks, and everybody rates."""
    monkeypatch.setattr(recipients_module, "_ASKS", 1.0)
    monkeypatch.setattr(recipients_module, "_RATES", 1.0)


async def waiting(
    client: httpx.AsyncClient, resources: Resources, clock: Clock
) -> tuple[Recipients, str]:
    """One recipient and the number of their order."""
    await seeded(resources)
    _, headers = await marketplace(resources)
    made = await client.post("/api/v1/orders", json=order_body(), headers=headers)
    number = made.json()["number"]
    people = Recipients(InProcess(client), clock)
    people.expect(number, "TH-10", headers["Authorization"].removeprefix("Bearer "))
    return people, number


async def pass_time(people: Recipients, clock: Clock, seconds: float = 1600) -> None:
    until = clock.now + seconds
    while clock.now < until:
        clock.now += 200
        await people.turn()


async def queue(resources: Resources) -> list[EscalationRow]:
    async with resources.database.unit_of_work() as session:
        wanted = EscalationFilter(states=list(State))
        return (await service.list_escalations(session, AGENT, wanted)).items


@pytest.mark.usefixtures("eager")
async def test_who_asks_is_heard_once_and_goes_on_when_answered(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    clock = Clock(time.time())
    people, number = await waiting(client, resources, clock)
    await pass_time(people, clock)
    [row] = await queue(resources)
    assert (row.order_number, row.origin, people.asked) == (number, "customer", 1)
    wanted = ReplyIn.model_validate(
        {"text": "It is near.", "then": "solved", "seen_version": row.version}
    )
    async with resources.database.unit_of_work() as session:
        await service.reply(session, AGENT, row.id, wanted)
    await pass_time(people, clock)
    [row] = await queue(resources)
    assert (row.state, row.customer_waits) == ("open", True)
    async with resources.database.unit_of_work() as session:
        found = await service.get_escalation(session, AGENT, row.id)
    said = [(each.author, each.text) for each in found.conversation]
    assert [author for author, _ in said] == ["customer", "agent", "customer"]
    known = phrases()["en"], phrases()["th"]
    assert any(said[2][1] in words["thanks"] + words["still"] for words in known)


@pytest.mark.usefixtures("eager")
async def test_who_got_their_order_gives_it_stars_once(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    clock = Clock(time.time())
    people, number = await waiting(client, resources, clock)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET state = 'delivered', ended_at = now()")
        )
    await pass_time(people, clock, 3000)
    assert people.rated == 1
    assert await column(resources, "SELECT order_number FROM insights_rating") == [number]


@pytest.mark.usefixtures("eager")
async def test_a_link_that_was_taken_back_is_left_alone(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    clock = Clock(time.time())
    people, number = await waiting(client, resources, clock)
    await pass_time(people, clock)
    async with resources.database.unit_of_work() as session:
        order_id = await dispatch.order_id_of(session, number)
        await dispatch.revoke_tracking(session, SYSTEM, order_id, "sent to a stranger")
    await pass_time(people, clock)
    transport = people._transport
    assert isinstance(transport, InProcess)
    before = transport.count
    await pass_time(people, clock)
    assert transport.count == before


@pytest.mark.usefixtures("eager")
async def test_lost_answers_open_nothing_twice(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    clock = Clock(time.time())
    people, _ = await waiting(client, resources, clock)
    transport = people._transport
    assert isinstance(transport, InProcess)
    transport.lose_every = 2
    await pass_time(people, clock, 4000)
    transport.lose_every = 0
    await pass_time(people, clock)
    [row] = await queue(resources)
    async with resources.database.unit_of_work() as session:
        found = await service.get_escalation(session, AGENT, row.id)
    assert len(found.conversation) == 1


async def test_of_a_markets_customers_a_few_say_something(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    clock = Clock(time.time())
    people = Recipients(InProcess(client), clock)
    market = await open_market(client, resources, tmp_path, clock, 20_000)
    market._sold = people.expect
    clock.now += 55
    await market.turn()
    asking = sum(each.asks for each in people._waiting)
    assert 0 < len(people._waiting) < market.sent / 2
    assert asking < market.sent / 10


def test_every_language_has_words_for_every_occasion() -> None:
    assert all(set(spoken) == OCCASIONS for spoken in phrases().values())
    assert all(words and all(words) for spoken in phrases().values() for words in spoken.values())
