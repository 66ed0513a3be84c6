"""A recorded trace goes through the public API, and every fix is accounted for."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from backend.simulation.operator import Refused
from backend.simulation.replay import replay
from backend.simulation.traces import BadTrace
from tests.simulation.conftest import InProcess

URL = "http://localhost:8000"
HEAD = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0\n0\n"


def beijing(folder: Path, count: int = 450) -> Path:
    """A walk through Beijing, outside every city, one fix each two seconds."""
    rows = [
        f"{39.98 + n * 1e-5:.6f},{116.31 + n * 1e-5:.6f},0,492,0,2008-10-23,"
        f"02:{n * 2 // 60:02d}:{n * 2 % 60:02d}"
        for n in range(count)
    ]
    path = folder / "004-beijing.plt"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def table(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("lat,lon,time\n" + "\n".join(rows) + "\n")
    return path


async def track(client: httpx.AsyncClient, token: str, driver: str) -> dict:
    headers = {"Authorization": f"Bearer {token}"}
    return (await client.get(f"/api/v1/drivers/{driver}", headers=headers)).json()


async def test_a_trace_from_anywhere_is_accepted_whole(
    transport: InProcess, client: httpx.AsyncClient, operator_token: str, tmp_path: Path
) -> None:
    report = await replay(
        [beijing(tmp_path)], URL, operator_token, speed="max", transport=transport
    )
    assert not report.failed
    assert report.as_dict()["sent"] == report.as_dict()["accepted"] == 450
    (row,) = report.traces
    assert row.driver == "RPL-004-BEIJING"
    driver = await track(client, operator_token, row.driver_id)
    # Its region is the nearest of the cities, 2,850 km away; where it is may be anywhere.
    assert driver["region"] == "PH-00"
    assert "450 accepted" in report.in_words()


@pytest.mark.parametrize("doorway", ["osmand", "owntracks"])
async def test_other_doorways_take_the_same_trace(
    transport: InProcess, operator_token: str, tmp_path: Path, doorway
) -> None:
    report = await replay(
        [beijing(tmp_path, 40)], URL, operator_token, doorway, "max", transport=transport
    )
    assert (report.tally.accepted, report.failed) == (40, False)


async def test_refusals_and_duplicates_are_counted_by_reason(
    transport: InProcess, operator_token: str, tmp_path: Path
) -> None:
    end = 1_700_000_000
    path = table(
        tmp_path,
        "odd.csv",
        f"13.7,100.5,{end - 60 * 3600}",
        f"13.7,100.5,{end - 60 * 3600 + 5}",
        f"13.7,100.5,{end - 30}",
        f"13.7001,100.5,{end - 20}",
        f"13.7001,100.5,{end - 20}",
        f"0,0,{end - 15}",
        f"13.7002,100.5,{end + 9_000_000}",
        f"95,100.5,{end - 10}",
        "13.7,100.5,",
        f"13.7003,100.5,{end}",
    )
    report = await replay([path], URL, operator_token, speed="max", transport=transport)
    found = report.as_dict()
    assert found["refused"] == {
        "too_old": 2, "null_island": 1, "in_future": 1, "out_of_range": 1,
    }  # fmt: skip
    assert (found["duplicate"], found["accepted"]) == (1, 3)
    assert found["sent"] == 9
    assert found["skipped"] == {"no_time": 1}


async def test_lost_answers_cost_a_retry_and_no_fix(
    transport: InProcess, operator_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.simulation.replay._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("backend.simulation.operator._FIRST_PAUSE_S", 0.01)
    transport.lose_every = 2
    report = await replay(
        [beijing(tmp_path)], URL, operator_token, speed="max", transport=transport
    )
    assert report.retries > 0
    assert report.tally.sent == 450
    assert not report.tally.refused


async def test_traces_of_one_named_driver_follow_each_other(
    transport: InProcess, client: httpx.AsyncClient, operator_token: str, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {operator_token}"}
    wanted = {"code": "DRV-7", "name": "Somchai", "region": "TH-10", "vehicle": "bike"}
    made = (await client.post("/api/v1/drivers", json=wanted, headers=headers)).json()
    for name in ("a.csv", "b.csv"):
        table(tmp_path, name, "13.7,100.5,1700000000", "13.7001,100.5,1700000010")
    for named in ("DRV-7", made["id"]):
        report = await replay(
            [tmp_path], URL, operator_token, speed="max", driver=named, transport=transport
        )
        assert [(t.driver, t.read) for t in report.traces] == [("DRV-7", 4)]
    assert report.tally.sent == 4
    with pytest.raises(Refused, match="no driver DRV-8"):
        await replay([tmp_path], URL, operator_token, driver="DRV-8", transport=transport)


async def test_at_60x_a_minute_takes_a_second_and_an_interrupt_reports_the_rest(
    transport: InProcess, operator_token: str, tmp_path: Path
) -> None:
    path = table(
        tmp_path, "t.csv", *[f"{13.7 + n * 1e-4},100.5,{1700000000 + n * 6}" for n in range(11)]
    )
    began = time.monotonic()
    report = await replay([path], URL, operator_token, speed="60x", transport=transport)
    assert 1 <= time.monotonic() - began < 30
    assert report.tally.accepted == 11
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.8, stop.set)
    report = await replay([path], URL, operator_token, transport=transport, stop=stop)
    assert report.failed
    assert report.unsent == 11 - report.tally.sent > 0
    assert "unsent" in report.in_words()


async def test_an_unreadable_file_among_others_is_told_and_the_others_go(
    transport: InProcess, operator_token: str, tmp_path: Path
) -> None:
    table(tmp_path, "good.csv", "13.7,100.5,1700000000")
    (tmp_path / "bad.gpx").write_text("<gpx>")
    report = await replay([tmp_path], URL, operator_token, speed="max", transport=transport)
    assert report.tally.accepted == 1
    assert list(report.unreadable) == [str(tmp_path / "bad.gpx")]
    assert report.failed
    with pytest.raises(BadTrace):
        await replay([tmp_path / "bad.gpx"], URL, operator_token, transport=transport)


async def test_a_wrong_token_is_one_clear_sentence(transport: InProcess, tmp_path: Path) -> None:
    path = table(tmp_path, "t.csv", "13.7,100.5,1700000000")
    with pytest.raises(Refused, match="401"):
        await replay([path], URL, "wrong", transport=transport)
