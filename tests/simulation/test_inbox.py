"""The demo's phones say where pushes go, find them and acknowledge them through the real API."""

from __future__ import annotations

import time

import httpx

from backend.identity.schemas import SYSTEM
from backend.notifications import service
from backend.notifications.message_schemas import MessageIn, MessageOut
from backend.platform.resources import Resources
from backend.simulation.courier import Courier
from backend.simulation.doorways import Device
from backend.simulation.line import Line
from backend.simulation.motion import Journey
from backend.simulation.transport import Answer, Request, Unreachable
from tests.notifications.outbox import get, messenger_of, send
from tests.simulation.conftest import InProcess
from tests.simulation.world import CITIES
from tests.tracking.fleet import Phone, hire

CITY = next(city for city in CITIES if city.code == "TH-10")


async def pushed(resources: Resources, phone: Phone) -> MessageOut:
    wanted = MessageIn(driver_id=phone.id, to="driver", text="Call the hub", urgent=True)
    async with resources.database.unit_of_work() as session:
        made = await service.queue_message(session, SYSTEM, wanted)
    async with messenger_of(resources) as messenger:
        await send(messenger)
    return await get(resources, made.id)


async def test_a_push_is_acknowledged_whatever_answers_are_lost(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    phone = await hire(resources)
    device = Device(str(phone.id), phone.code, phone.token)
    transport = InProcess(client)

    async def over_a_bad_line(request: Request) -> Answer | None:
        try:
            return await transport.send(request)
        except Unreachable:
            return None

    async def no_code(_: str) -> dict[str, str]:
        return {}

    now = time.time()
    courier = Courier(CITY, Journey(CITY, CITY.hubs[0], "bike", "reads", now), "reads", now)
    line = Line(courier, over_a_bad_line, no_code, "reads")
    for _ in range(3):
        now += 80
        await line.speak(device, now)
    first = await pushed(resources, phone)
    assert (first.state, first.channel, first.via) == ("sent", "push", "sandbox")
    transport.lose_every = 3
    for _ in range(20):
        now += 80
        await line.speak(device, now)
        if (await get(resources, first.id)).state == "delivered":
            break
    seen = await get(resources, first.id)
    assert [each.outcome for each in seen.tried] == ["sent", "delivered"]
