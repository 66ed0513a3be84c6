"""Change notices over server-sent events, as a phone or a page hears them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from backend.flags import streams
from backend.flags.delivery import delivering
from backend.platform import clock
from tests.flags.delivery.conftest import Phones
from tests.flags.delivery.publishing import on_in, publish, shared


@dataclass(slots=True)
class Ear:
    """An EventSource: what it heard, and the id it would come back with."""

    answer: httpx.Response
    lines: AsyncIterator[str]
    last_id: str = ""

    async def event(self, within_s: float = 30) -> dict[str, Any]:
        """The next event's data."""
        async with asyncio.timeout(within_s):
            data = ""
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "data":
                    data = value
                elif not line and data:
                    return dict(json.loads(data))
        raise ConnectionError("the stream ended")

    async def greeted(self) -> str:
        """The id that the server gives at the start, which is no event."""
        async with asyncio.timeout(30):
            async for line in self.lines:
                if line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                    return self.last_id
        raise ConnectionError("the stream ended")


@asynccontextmanager
async def listening(phones: Phones, path: str = streams.PATH, **headers: str) -> AsyncIterator[Ear]:
    async with phones.http.stream("GET", path, headers=headers, timeout=20) as answer:
        yield Ear(answer, answer.aiter_lines())


async def test_a_publish_is_heard_and_its_new_values_read(phones: Phones) -> None:
    await phones.knowing(await publish(phones.resources, {"otp-at-pickup": on_in("VN")}))
    context = {"targetingKey": "u", "country": "TH"}
    before = await phones.ask(context)
    assert before.json()["flags"][0]["value"] is False
    async with listening(phones) as ear:
        assert ear.answer.headers["content-type"].startswith("text/event-stream")
        await ear.greeted()
        await publish(phones.resources, {"otp-at-pickup": on_in("TH")})
        told = await ear.event()
        assert told["type"] == "refetchEvaluation"
        after = await phones.http.post(
            "/ofrep/v1/evaluate/flags",
            params={"flagConfigEtag": told["etag"], "flagConfigLastModified": told["lastModified"]},
            json={"context": context},
            headers={"if-none-match": before.headers["etag"]},
        )
        assert after.json()["flags"][0]["value"] is True


async def test_a_publish_is_heard_even_where_its_message_is_lost(phones: Phones) -> None:
    async with listening(phones) as ear:
        await ear.greeted()
        await publish(phones.resources, {"otp-at-pickup": on_in("TH")}, tell=False)
        await ear.event()


async def test_the_ticket_of_a_bulk_answer_opens_the_stream_without_a_header(
    phones: Phones,
) -> None:
    offered = (await phones.ask({})).json()["eventStreams"]
    assert [stream["type"] for stream in offered] == ["sse"]
    assert offered == (await phones.ask({"country": "TH"})).json()["eventStreams"]
    url = urlsplit(offered[0]["url"])
    path = f"{url.path}?{url.query}"
    async with listening(phones, path, authorization="") as ear:
        await ear.greeted()
        await publish(phones.resources, {"otp-at-pickup": on_in("TH")})
        await ear.event()
    for wrong in (path[:-1], path.replace("production", "staging"), streams.PATH):
        refused = await phones.http.get(wrong, headers={"authorization": ""})
        assert refused.status_code == 401


async def test_a_ticket_ends_with_the_day_after_its_own(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = streams.ticket_of(phones.resources, "production", "holder")
    now = clock.now().timestamp()
    for days, opens in ((0, "production"), (1, "production"), (2, None)):
        monkeypatch.setattr(streams, "time", lambda days=days: now + 86_400 * days)
        assert streams.environment_of_ticket(phones.resources, ticket) == opens


async def test_who_comes_back_hears_at_once_what_was_missed(phones: Phones) -> None:
    await phones.knowing(await publish(phones.resources, {"a": on_in("TH")}))
    async with listening(phones) as ear:
        last_id = await ear.greeted()
    await phones.knowing(await publish(phones.resources, {"a": on_in("VN")}))
    async with listening(phones, **{"last-event-id": last_id}) as ear:
        assert (await ear.event())["type"] == "refetchEvaluation"
        caught_up = ear.last_id
    async with listening(phones, **{"last-event-id": caught_up}) as ear:
        assert await ear.greeted() == caught_up
        # Nothing was missed, so the first event is that of the next publish.
        version = await publish(phones.resources, {"a": shared(5)})
        await ear.event()
        assert ear.last_id == str(version)


async def test_a_stream_survives_the_loss_of_redis_and_hears_the_next_publish(
    phones: Phones,
) -> None:
    async with listening(phones) as ear:
        await ear.greeted()
        await phones.resources.redis.client_kill_filter(_type="pubsub", skipme=False)
        await publish(phones.resources, {"a": on_in("TH")}, tell=False)
        await ear.event()


async def test_every_process_hears_a_publish(phones: Phones) -> None:
    async with delivering(phones.resources) as other:
        heard = other.environments["production"]
        before = heard.version
        version = await publish(phones.resources, {"a": on_in("TH")})
        assert await heard.newer_than(before, within_s=30)
        assert heard.version == version
        await phones.knowing(version)


async def test_streams_that_are_closed_are_let_go(phones: Phones) -> None:
    before = streams.streams_open()
    async with listening(phones) as ear:
        await ear.greeted()
        assert streams.streams_open() == before + 1
    async with asyncio.timeout(30):
        while streams.streams_open() != before:
            await asyncio.sleep(0.01)


async def test_a_client_told_by_another_process_waits_until_this_one_knows_too(
    phones: Phones,
) -> None:
    await phones.knowing(await publish(phones.resources, {"a": on_in("VN")}))
    asked = phones.http.post(
        "/ofrep/v1/evaluate/flags",
        params={"flagConfigEtag": f'"v{phones.delivery.environments["production"].version + 1}"'},
        json={"context": {"country": "TH"}},
    )
    answer = asyncio.create_task(asked)
    await asyncio.sleep(0)
    await publish(phones.resources, {"a": on_in("TH")})
    assert (await answer).json()["flags"][0]["value"] is True
