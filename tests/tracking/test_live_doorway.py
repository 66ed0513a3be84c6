"""The live feed's doorway: who is let in, who is put out, and what is said to garbage."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend.identity.service import end_session, principal_of_session, session_id_of
from backend.tracking.live_frames import FrameKind
from backend.tracking.live_hub import VIEWERS_PER_PERSON
from tests.tracking.live_support import MANAGER, LiveFeed, on_the_map


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_foreign_origin_is_refused_even_with_a_valid_session(
    feed: LiveFeed, origin: str | None
) -> None:
    cookie = await feed.sign_in(MANAGER)
    with pytest.raises(InvalidStatus) as refused:
        await feed.open(cookie, origin=origin)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("cookie", [None, "forged"])
async def test_stranger_is_told_to_sign_in(feed: LiveFeed, cookie: str | None) -> None:
    async with feed.open(cookie) as opened:
        assert json.loads(await opened.recv())["code"] == "unauthenticated"
        with pytest.raises(ConnectionClosed):
            await opened.recv()
        assert opened.close_code == 4401


async def test_person_without_the_permission_is_refused(feed: LiveFeed) -> None:
    async with feed.open(await feed.sign_in(("auditor", "*"))) as opened:
        assert json.loads(await opened.recv())["code"] == "forbidden"
        with pytest.raises(ConnectionClosed):
            await opened.recv()
        assert opened.close_code == 4403


async def test_revoked_session_is_closed(feed: LiveFeed) -> None:
    cookie = await feed.sign_in(MANAGER)
    async with on_the_map(feed.open(cookie)) as shown:
        await shown.look()
        await end_session(feed.resources, session_id_of(cookie), "revoked")
        with pytest.raises(ConnectionClosed):
            await shown.until(lambda: False)
        assert shown.socket.close_code == 4401
        assert shown.errors[-1]["code"] == "session_ended"
    assert await principal_of_session(feed.resources, cookie) is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "bad_message"),
        ("[]", "bad_message"),
        ("{}", "bad_message"),
        ('{"type":"dance"}', "bad_message"),
        ('{"type":"ack","tick":-1}', "bad_message"),
        ('{"type":"view"}', "bad_view"),
        ('{"type":"view","bbox":[1,2,3],"zoom":1}', "bad_view"),
        ('{"type":"view","bbox":[0,10,1,-10],"zoom":1}', "bad_view"),
        ('{"type":"view","bbox":[0,0,1e999,1],"zoom":1}', "bad_message"),
        ('{"type":"view","bbox":[0,0,1,1],"zoom":1,"filters":{"status":["happy"]}}', "bad_view"),
        ('{"type":"view","bbox":[0,0,1,1],"zoom":1,"filters":{"q":5}}', "bad_view"),
        ("[" * 5000, "bad_message"),
    ],
)
async def test_garbage_is_answered_and_the_map_goes_on(
    feed: LiveFeed, message: str, code: str
) -> None:
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.socket.send(message)
        await shown.until(lambda: shown.errors)
        assert shown.errors[0]["code"] == code
        assert shown.errors[0]["detail"]
        await shown.look()
        assert shown.header.kind is FrameKind.SNAPSHOT


async def test_garbage_without_end_is_closed(feed: LiveFeed) -> None:
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        for _ in range(40):
            await shown.socket.send(b"\x00\xff")
        with pytest.raises(ConnectionClosed):
            await shown.until(lambda: False)
        assert shown.socket.close_code == 4429


async def test_oversized_message_is_closed(feed: LiveFeed) -> None:
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.socket.send("x" * 20_000)
        with pytest.raises(ConnectionClosed):
            await shown.until(lambda: False)
        assert shown.socket.close_code == 1009


async def test_ping_is_answered(feed: LiveFeed) -> None:
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.say(type="ping")
        await shown.until(lambda: shown.pongs == 1)


async def test_one_person_cannot_take_every_place(feed: LiveFeed) -> None:
    cookie = await feed.sign_in(MANAGER)
    opened = [await feed.open(cookie) for _ in range(VIEWERS_PER_PERSON)]
    async with feed.open(cookie) as more:
        assert json.loads(await more.recv())["code"] == "too_many_viewers"
    other = await feed.sign_in(MANAGER)
    async with on_the_map(feed.open(other)) as shown:
        await shown.look()
    for socket in opened:
        await socket.close()
    async with asyncio.timeout(30):
        while feed.hub.viewers:
            await asyncio.sleep(0.02)
