"""A process that starts without database and Redis serves what was known last, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from backend.flags import disk
from backend.flags.delivery import Delivery, delivering
from backend.flags.keys import KnownKeys
from backend.platform import clock
from backend.platform.resources import Resources, open_resources
from backend.settings import Settings
from tests.flags.delivery.publishing import key_for, on_in, publish
from tests.support.in_process import shared_api

BULK = "/ofrep/v1/evaluate/flags"
THAI = {"context": {"targetingKey": "u", "country": "TH"}}


@pytest.fixture
def folder(resources: Resources) -> Path:
    folder = disk.folder_of(resources.settings.data_dir)
    for path in folder.glob("*"):
        path.unlink()
    return folder


@asynccontextmanager
async def without_stores(settings: Settings) -> AsyncIterator[Delivery]:
    """The same installation while neither PostgreSQL nor Redis listens."""
    nowhere = {
        "database_url": "postgresql://nobody@127.0.0.1:9/nothing",
        "redis_url": "redis://127.0.0.1:9/0",
    }
    cut_off = settings.model_copy(update=nowhere)
    async with open_resources(cut_off) as resources, delivering(resources) as delivery:
        yield delivery


def asking(key: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(shared_api(), raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


async def flags_part(http: httpx.AsyncClient) -> tuple[int, str]:
    health = await http.get("/api/health/ready")
    [part] = [part for part in health.json()["parts"] if part["name"] == "flags"]
    return health.status_code, part["detail"]


async def test_the_last_known_flags_are_served_and_said_to_come_from_disk(
    resources: Resources, folder: Path
) -> None:
    key = await key_for(resources)
    version = await publish(resources, {"otp-at-pickup": on_in("TH")})
    async with delivering(resources), asking(key) as http:
        before = await http.post(BULK, json=THAI)
        assert before.json()["flags"][0]["value"] is True
        assert await flags_part(http) == (
            200, f"production: version {version}; staging: nothing published yet",
        )  # fmt: skip
    async with without_stores(resources.settings), asking(key) as http:
        after = await http.post(BULK, json=THAI)
        assert after.content == before.content
        one = await http.post(f"{BULK}/otp-at-pickup", json=THAI)
        assert one.json()["value"] is True
        status, words = await flags_part(http)
        assert status == 503
        assert f"version {version}, the last known from disk" in words
        client = api.get_client()
        thai = EvaluationContext("u", {"country": "TH"})
        assert client.get_boolean_value("otp-at-pickup", False, thai) is True


async def test_without_stores_a_stranger_is_asked_to_come_back(
    resources: Resources, folder: Path
) -> None:
    async with without_stores(resources.settings), asking("wp_never_seen_before") as http:
        answer = await http.post(BULK, json=THAI)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["errorCode"] == "GENERAL"


async def test_no_secret_is_kept_on_disk(resources: Resources, folder: Path) -> None:
    key = await key_for(resources)
    await publish(resources, {"a": on_in("TH")})
    async with delivering(resources), asking(key) as http:
        assert (await http.post(BULK, json=THAI)).is_success
    kept = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    assert {"production.json", "keys.json"} <= set(kept)
    assert all(key.encode() not in content for content in kept.values())
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.json"))


async def test_a_key_is_believed_for_a_day_without_stores(
    resources: Resources, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await key_for(resources)
    async with delivering(resources), asking(key) as http:
        assert (await http.post(BULK, json=THAI)).is_success
    monkeypatch.setattr("backend.flags.keys._BELIEVED_FOR_S", 0)
    async with without_stores(resources.settings), asking(key) as http:
        assert (await http.post(BULK, json=THAI)).status_code == 503


async def test_a_revoked_key_is_forgotten_on_disk_too(resources: Resources, folder: Path) -> None:
    keys = KnownKeys(resources, folder)
    digest = "0" * 64
    disk.write_keys(
        folder, {digest: {"environment": "production", "holder": "x", "known_at": clock.now()}}
    )
    keys.load_from_disk()
    assert keys._believed(digest) is not None
    assert keys._known(digest, None) is None
    await keys.hand_over(resources)
    assert disk.read_keys(folder) == {}


async def test_what_is_on_disk_and_broken_is_no_obstacle(
    resources: Resources, folder: Path
) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in {"production": b'{"version": 3, "docu', "keys": b"[1]"}.items():
        (folder / f"{name}.json").write_bytes(content)
    key = await key_for(resources)
    async with without_stores(resources.settings) as delivery, asking(key) as http:
        assert delivery.environments["production"].origin == "nowhere"
        assert "nothing known yet" in (await flags_part(http))[1]
    version = await publish(resources, {"a": on_in("TH")})
    async with delivering(resources):
        kept = disk.read_environment(folder, "production")
        assert kept is not None
        assert kept.version == version


async def test_the_database_is_right_where_the_disk_holds_another_ones_flags(
    resources: Resources, folder: Path
) -> None:
    other = {"flags": {"of-another": on_in("TH")}, "$evaluators": {}}
    kept = disk.Kept(900, clock.now(), clock.now(), other)
    disk.write_environment(folder, "production", kept, whatever_is_there=False)
    version = await publish(resources, {"ours": on_in("TH")})
    async with delivering(resources) as delivery:
        # A first look that took over two seconds leaves what the disk holds for a moment.
        async with asyncio.timeout(30):
            while delivery.environments["production"].version != version:
                await asyncio.sleep(0.05)
        assert list(delivery.environments["production"].snapshot.flags) == ["ours"]
    found = disk.read_environment(folder, "production")
    assert found is not None
    assert found.version == version


def test_an_older_version_does_not_replace_a_newer_one_on_disk(tmp_path: Path) -> None:
    for version in (7, 5):
        kept = disk.Kept(version, clock.now(), clock.now(), {"flags": {}})
        disk.write_environment(tmp_path, "production", kept, whatever_is_there=False)
    found = disk.read_environment(tmp_path, "production")
    assert found is not None
    assert found.version == 7
