"""The demo fleet against a server that comes and goes."""

import asyncio
import stat
from pathlib import Path

import pytest

from backend.regions.rules import haversine_m
from backend.simulation.fleet import Fleet, Member, city_for
from backend.simulation.operator import Operator, Refused
from backend.simulation.wallet import Wallet
from tests.simulation.server import PretendServer
from tests.simulation.world import CITIES

START = 1_790_000_000.0
URL = "http://localhost:8000"


class Clock:
    """Time that moves when told."""

    now = START

    def __call__(self) -> float:
        return self.now


def members(count: int, folder: Path = Path("nowhere"), start: float = START) -> list[Member]:
    wallet = Wallet(folder, URL)
    crew = [Member(n, CITIES, "test", start, wallet) for n in range(1, count + 1)]
    for member in crew:
        member.phone.doorway = "native"
    return crew


def fleet_of(server: PretendServer, folder: Path, crew: list[Member], clock: Clock) -> Fleet:
    operator = Operator(server, "operator", patience=0)
    return Fleet(server, operator, crew, Wallet(folder, URL), clock)


async def _live(fleet: Fleet, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds / 2)):
        clock.now += 2
        fleet.turn()
        for _ in range(60):
            await asyncio.sleep(0)
    fleet.save()


async def test_drivers_are_enrolled_once_and_found_again_after_a_restart(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    await _live(fleet_of(server, tmp_path, members(12, tmp_path), clock), clock, 60)
    assert len(server.drivers) == 12
    assert {d["code"] for d in server.drivers.values()} >= {"DRV-0001", "DRV-0012"}
    tokens = dict(server.tokens)
    server.requests.clear()
    clock.now = START
    await _live(fleet_of(server, tmp_path, members(12, tmp_path), clock), clock, 60)
    assert server.tokens == tokens
    assert not [line for line in server.requests if "drivers" in line]


async def test_tokens_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    await _live(fleet_of(server, tmp_path / "new", members(3, tmp_path / "new"), clock), clock, 30)
    (kept,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text("torn")
    assert Wallet(tmp_path / "new", URL).get("DRV-0001") is None


async def test_a_new_database_or_a_lost_file_costs_new_tokens_only(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    await _live(fleet_of(server, tmp_path, members(4, tmp_path), clock), clock, 40)
    # Another file: the codes are taken, so the drivers are looked up by code.
    await _live(
        fleet_of(server, tmp_path / "other", members(4, tmp_path / "other"), clock), clock, 40
    )
    assert len(server.drivers) == 4
    # The first file's tokens are dead now: the fleet enrols again and goes on.
    crew = members(4, tmp_path)
    for member in crew:
        member.phone.live(clock.now)
    fleet = fleet_of(server, tmp_path, crew, clock)
    before = sum(map(len, server.fixes.values()))
    await _live(fleet, clock, 60)
    assert sum(map(len, server.fixes.values())) > before


async def test_nothing_is_lost_while_the_server_is_down(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    crew = members(10)
    fleet = fleet_of(server, tmp_path, crew, clock)
    await _live(fleet, clock, 60)
    server.down = True
    asked = len(server.requests)
    await _live(fleet, clock, 300)
    assert len(server.requests) == asked
    kept = fleet.unsent
    assert kept > 200
    server.down = False
    await _live(fleet, clock, 120)
    waiting = [m for m in crew if m.phone.reachable]
    assert sum(m.phone.unsent for m in waiting) < 3 * len(waiting)
    assert fleet.tally.accepted > kept
    assert fleet.tally.duplicate == 0
    for times in server.fixes.values():
        assert times == sorted(times)


async def test_a_lost_answer_sends_again_and_counts_duplicates(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    fleet = fleet_of(server, tmp_path, members(5, tmp_path), clock)
    await _live(fleet, clock, 60)
    server.lose_answers = True
    await _live(fleet, clock, 10)
    server.lose_answers = False
    await _live(fleet, clock, 60)
    assert fleet.tally.duplicate > 0
    assert not fleet.tally.refused


async def test_shifts_are_told_as_they_change(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    crew = members(40)
    await _live(fleet_of(server, tmp_path, crew, clock), clock, 120)
    off = [m for m in crew if not m.phone.on_shift and m.phone.told_shift is False]
    assert off
    for member in off:
        assert server.shifts[f"id-{member.code}"] == "off"
    assert set(server.shifts.values()) == {"on", "off"}


async def test_after_a_restart_everyone_goes_on_from_where_they_were(tmp_path: Path) -> None:
    server, clock = PretendServer(), Clock()
    crew = members(20, tmp_path)
    await _live(fleet_of(server, tmp_path, crew, clock), clock, 120)
    later = clock.now + 30
    again = members(20, tmp_path, later)
    seen = 0
    for before, after in zip(crew, again, strict=True):
        after.phone.live(later + 6)
        if before.phone.place and after.phone.place:
            seen += 1
            assert haversine_m(*before.phone.place, *after.phone.place) < 250
    assert seen > 10


async def test_a_token_without_the_right_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    server = PretendServer()
    server.refuse_operator = True
    fleet = fleet_of(server, tmp_path, members(10), Clock())
    with pytest.raises(Refused, match="403 forbidden: No"):
        await fleet.run(asyncio.Event())


def test_cities_share_drivers_by_weight_whatever_the_number() -> None:
    counts = dict.fromkeys((city.code for city in CITIES), 0)
    for number in range(1, 1001):
        counts[city_for(number, CITIES).code] += 1
    weights = {city.code: city.profile["weight"] for city in CITIES}
    for code, count in counts.items():
        assert count == pytest.approx(1000 * weights[code] / sum(weights.values()), abs=3)


def test_drivers_are_the_same_people_every_time() -> None:
    first, second = members(30), members(60)
    assert [m.wish for m in first] == [m.wish for m in second[:30]]
    assert len({m.wish.name for m in second}) > 45
    assert {m.wish.vehicle for m in second} == {"bike", "van", "truck"}
    for member in second:
        assert member.wish.plate
        assert "#" not in member.wish.plate
        assert member.wish.hub
        assert member.wish.hub.startswith(member.wish.region + ".")
