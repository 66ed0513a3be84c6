"""Killing any one process with -9 during ingest loses nothing that was acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest

from tests.support.system import System, running_system

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

_COMMANDS = {
    "Valkey": "valkey-server",
    "PostgreSQL": "bin/postgres",
    "web": "granian",
    "worker": "backend.cli worker",
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system without a fleet of its own, so that every fix in it is this test's."""
    folder = tmp_path_factory.mktemp("faults") / "data"
    with running_system(folder, "--drivers", "0", "--no-browser-build") as running:
        yield running


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    """An operator's client."""
    minted = system.waypost("token", "--role", "admin")
    assert minted.returncode == 0, minted.stderr
    headers = {"Authorization": f"Bearer {minted.stdout.strip()}"}
    with httpx.Client(base_url=system.url, headers=headers, timeout=5) as client:
        yield client


class Phone(threading.Thread):
    """Sends one fix after another and keeps the times of those that were acknowledged."""

    def __init__(self, system: System, token: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[datetime] = set()
        self.failures = 0
        self._halt = threading.Event()
        self._client = httpx.Client(
            base_url=system.url, headers={"Authorization": f"Bearer {token}"}, timeout=5
        )

    def run(self) -> None:
        recorded = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
        while not self._halt.is_set():
            recorded += timedelta(seconds=1)
            self._send_until_answered(recorded)

    def _send_until_answered(self, recorded: datetime) -> None:
        fix = {"recorded_at": recorded.isoformat(), "lat": 13.75, "lon": 100.5, "speed": 3.0}
        while not self._halt.is_set():
            try:
                answer = self._client.post("/api/v1/positions", json=fix)
            except httpx.TransportError:
                self.failures += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 202:
                assert answer.json()["results"][0]["status"] in ("accepted", "duplicate")
                self.acknowledged.add(recorded)
                return
            assert answer.status_code in (429, 500, 502, 503), answer.text
            self.failures += 1
            time.sleep(0.05)

    def stop(self) -> None:
        """End the sending and wait for the answer in flight."""
        self._halt.set()
        self.join(10)
        self._client.close()


def _processes(system: System, part: str) -> list[psutil.Process]:
    wanted = _COMMANDS[part]
    supervisor = psutil.Process(system.process.pid)
    return [
        child
        for child in supervisor.children(recursive=part == "web")
        if wanted in " ".join(child.cmdline())
    ]


def _history(api: httpx.Client, driver: str) -> set[datetime]:
    found: set[datetime] = set()
    query: dict[str, str] = {
        "from": (datetime.now(UTC) - timedelta(hours=3)).isoformat(),
        "to": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    while True:
        answer = api.get(f"/api/v1/drivers/{driver}/track", params=query)
        answer.raise_for_status()
        body = answer.json()
        found |= {datetime.fromisoformat(fix["recorded_at"]) for fix in body["fixes"]}
        if not body["next_cursor"]:
            return found
        query["cursor"] = body["next_cursor"]


def _wait_for(condition: object, within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    last: BaseException | None = None
    while time.monotonic() < deadline:
        try:
            if condition():  # type: ignore[operator]
                return
        except (httpx.HTTPError, psutil.Error) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {within_s} s ({last!r})")


@pytest.mark.parametrize("part", list(_COMMANDS))
def test_every_acknowledged_fix_outlives_a_kill(
    system: System, api: httpx.Client, part: str
) -> None:
    created = api.post(
        "/api/v1/drivers",
        json={"name": f"Killed {part}", "region": "TH-10", "vehicle": "bike"},
    )
    created.raise_for_status()
    driver = created.json()["id"]
    minted = api.post(f"/api/v1/drivers/{driver}/device-token")
    minted.raise_for_status()

    phone = Phone(system, minted.json()["token"])
    phone.start()
    _wait_for(lambda: len(phone.acknowledged) > 20, 20, "a first acknowledgement")
    victims = _processes(system, part)
    assert victims, f"no process of {part} was found"
    for victim in victims:
        victim.kill()
    before = len(phone.acknowledged)
    _wait_for(lambda: len(phone.acknowledged) > before + 20, 60, "ingest going on after the kill")
    _wait_for(
        lambda: any(p.pid not in {v.pid for v in victims} for p in _processes(system, part)),
        30,
        f"{part} coming back",
    )
    phone.stop()

    acknowledged = set(phone.acknowledged)
    _wait_for(
        lambda: acknowledged <= _history(api, driver), 60, "every acknowledged fix in history"
    )


def test_ctrl_c_leaves_no_process_behind(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stopped") / "data"
    with running_system(folder, "--drivers", "0", "--no-browser-build") as running:
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert len(family) >= 4
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert running.process.returncode == 0
