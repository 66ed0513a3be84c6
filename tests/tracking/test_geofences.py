"""Entering, leaving and dwelling in geofences, steady against drift."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from backend.platform.resources import Resources
from backend.tracking import projector
from backend.tracking.fencing import (
    CONFIRMING_FIXES,
    DWELL_MS,
    Crossing,
    Happening,
    Presence,
    Presences,
    Watched,
    follow,
    step,
)
from backend.tracking.positions import LoggedFix
from backend.tracking.projector import Projector
from tests.tracking.fleet import ago, fix, hire, send, somebody, work_off

DRIVER = b"d" * 16
FENCE = UUID(int=1)
SECOND = 1000


class Line:
    """One fence: east of longitude 0, a metre for each millionth of a degree."""

    def at(self, lat: float, lon: float) -> Collection[UUID]:
        return [FENCE] if lon > 0 else []

    def clearance_m(self, fence: UUID, lat: float, lon: float) -> float | None:
        return max(0.0, -lon * 1e6) if fence == FENCE else None


def at(seconds: float, metres: float, accuracy: float | None = 5.0) -> LoggedFix:
    """A fix so many metres inside, outside where negative."""
    ms = round(seconds * SECOND)
    return LoggedFix(DRIVER, ms, ms, 1.0, metres / 1e6, None, None, None, accuracy, None, None, 0)


def told(fixes: list[LoggedFix], known: Presences | None = None) -> list[tuple[Crossing, float]]:
    _, happened = follow(fixes, Watched(known or {}), Line())
    return [(crossing.kind, crossing.ms / SECOND) for crossing in happened]


def test_three_fixes_inside_enter_at_the_first_of_them() -> None:
    assert told([at(1, -50), at(2, 50), at(3, 50)]) == []
    assert told([at(1, -50), at(2, 50), at(3, 50), at(4, 50)]) == [(Crossing.ENTERED, 2)]


def test_two_fixes_that_span_twenty_seconds_are_enough() -> None:
    assert told([at(0, 50), at(19.9, 50)]) == []
    assert told([at(0, 50), at(20, 50)]) == [(Crossing.ENTERED, 0)]


def test_drift_over_the_edge_is_no_crossing() -> None:
    inside = {FENCE: Presence(inside=True, since_ms=0)}
    assert told([at(n, -30 if n % 3 else 30) for n in range(1, 60)], inside) == []
    assert told([at(n, 30 if n % 3 else -30) for n in range(1, 60)][2:]) == []


def test_fix_whose_circle_of_error_reaches_the_fence_does_not_say_outside() -> None:
    inside = {FENCE: Presence(inside=True, since_ms=0)}
    assert told([at(n, -40, accuracy=60) for n in range(1, 10)], inside) == []
    assert told([at(n, -40, accuracy=20) for n in range(1, 10)], inside) == [(Crossing.LEFT, 1)]


def test_very_inaccurate_fix_says_nothing() -> None:
    assert told([at(n, 500, accuracy=150) for n in range(1, 10)]) == []


def test_dwelling_is_told_once() -> None:
    drive = [at(n * 60, 50) for n in range(30)]
    assert told(drive) == [(Crossing.ENTERED, 0), (Crossing.DWELT, 600)]


def test_removed_fence_is_forgotten() -> None:
    gone = UUID(int=2)
    watched, happened = follow([at(1, -50)], Watched({gone: Presence(inside=True)}), Line())
    assert (watched.presences, happened) == ({}, [])


def test_crossing_keeps_its_id() -> None:
    first, again = (Happening(DRIVER, FENCE, Crossing.ENTERED, 5) for _ in range(2))
    assert first.id == again.id
    assert first.id != Happening(DRIVER, FENCE, Crossing.LEFT, 5).id


DRIVES = st.lists(
    st.tuples(st.integers(1, 60), st.floats(-200, 200), st.none() | st.floats(0, 200)),
    max_size=60,
).map(
    lambda steps: [
        at(sum(gap for gap, _, _ in steps[: n + 1]), metres, accuracy)
        for n, (_, metres, accuracy) in enumerate(steps)
    ]
)


@given(DRIVES)
def test_entering_and_leaving_take_turns_and_dwelling_lies_between(drive: list[LoggedFix]) -> None:
    kinds = [kind for kind, _ in told(drive)]
    turns = [kind for kind in kinds if kind is not Crossing.DWELT]
    assert (
        turns
        == [Crossing.ENTERED, Crossing.LEFT] * (len(turns) // 2) + turns[len(turns) // 2 * 2 :]
    )
    assert turns[-1:] != [Crossing.LEFT] or len(turns) % 2 == 0
    for before, kind in zip([None, *kinds], kinds, strict=False):
        assert kind is not Crossing.DWELT or before is Crossing.ENTERED


@given(DRIVES, st.integers(0, 60))
def test_batches_do_not_change_what_happened(drive: list[LoggedFix], cut: int) -> None:
    whole, together = follow(drive, Watched({}), Line())
    between, first = follow(drive[:cut], Watched({}), Line())
    end, second = follow(drive[cut:], between, Line())
    assert first + second == together
    assert end == whole


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_no_change_is_believed_on_less_than_three_fixes_a_second_apart(says: list[bool]) -> None:
    presence, run = Presence(), 0
    for n, inside in enumerate(says):
        run = run + 1 if inside != presence.inside else 0
        presence, kind = step(presence, inside=inside, ms=n * SECOND)
        if kind in (Crossing.ENTERED, Crossing.LEFT):
            assert run == CONFIRMING_FIXES
            run = 0
    assert len(says) * SECOND < DWELL_MS


@given(DRIVES)
def test_fixes_worked_on_twice_say_nothing_the_second_time(drive: list[LoggedFix]) -> None:
    watched, _ = follow(drive, Watched({}), Line())
    assert follow(drive, watched, Line()) == (watched, [])


# Through the projector

RING = [[100.50, 13.70], [100.52, 13.70], [100.52, 13.72], [100.50, 13.72], [100.50, 13.70]]
INSIDE, OUTSIDE = (13.71, 100.51), (13.71, 100.53)


async def events(resources: Resources) -> list[tuple[str, str]]:
    """The crossings in the outbox, in order, with their times."""
    async with resources.database.unit_of_work() as session:
        rows = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        found = [orjson.loads(value) for value in rows]
    return [
        (event["type"], event["device_at"])
        for event in found
        if event["type"] in {str(kind) for kind in Crossing}
    ]


async def fenced(resources: Resources, client: httpx.AsyncClient) -> None:
    wanted = {
        "kind": "no_go",
        "region": "TH-10",
        "name": "Sathon",
        "geometry": {"type": "Polygon", "coordinates": [RING]},
    }
    admin = await somebody(resources, "admin")
    answer = await client.post("/api/v1/geofences", json=wanted, headers=admin)
    assert answer.status_code == 201


async def test_driver_through_a_fence_makes_one_event_for_each_crossing(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await fenced(resources, client)
    places = [OUTSIDE] * 2 + [INSIDE] * 4 + [OUTSIDE] * 4
    times = [ago(1000 - 60 * n) for n in range(len(places))]
    for at_, place in zip(times, places, strict=True):
        await send(client, phone, fix(at_, *place, accuracy=5))
        await work_off(resources)
    told_ = await events(resources)
    assert [kind for kind, _ in told_] == ["geofence.entered", "geofence.left"]
    assert told_[0][1].startswith(times[2].isoformat()[:19])
    assert told_[1][1].startswith(times[6].isoformat()[:19])


async def test_late_drive_through_a_fence_is_no_news(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await fenced(resources, client)
    await send(client, phone, fix(ago(5), *OUTSIDE))
    await work_off(resources)
    await send(client, phone, [fix(ago(4000 - 60 * n), *INSIDE) for n in range(5)])
    await work_off(resources)
    assert await events(resources) == []


@pytest.mark.parametrize("places", [[INSIDE] * 5 + [OUTSIDE] * 5, [OUTSIDE] * 4 + [INSIDE] * 5])
async def test_crash_after_the_crossing_was_kept_tells_nothing_else(
    resources: Resources,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    places: list[tuple[float, float]],
) -> None:
    phone = await hire(resources)
    await fenced(resources, client)
    # An earlier batch, so that what is replayed is not all there is.
    await send(client, phone, [fix(ago(1200 - n), *places[0], accuracy=5) for n in range(4)])
    await work_off(resources)
    drive = [fix(ago(1000 - 60 * n), *place, accuracy=5) for n, place in enumerate(places)]
    await send(client, phone, drive)
    dying = Projector(resources)
    await dying.prepare()

    async def die(*_: object) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(resources.events, "acknowledge", die)
        with pytest.raises(ConnectionError):
            await dying.turn(wait_ms=10)
    before = await events(resources)
    assert before
    monkeypatch.setattr(projector, "_DEAD_AFTER_MS", 0)
    await work_off(resources)
    assert await events(resources) == before
