"""The web process as it is really served, with its stores and without any."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from backend.flags import disk
from backend.flags.delivery import delivering
from backend.flags.schemas import KillIn
from backend.flags.service import kill_flag
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from tests.flags.delivery.publishing import key_for
from tests.flags.delivery.test_demo import seeded
from tests.support.system import free_port

BULK = "/ofrep/v1/evaluate/flags"
THAI = {"context": {"targetingKey": "u", "country": "TH", "app": "shiptrack"}}


@asynccontextmanager
async def web(folder: Path, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    """The console's process, as soon as it answers at all."""
    port = free_port()
    environment = {
        **os.environ,
        "WAYPOST_PUBLIC_URL": f"http://localhost:{port}",
        "__REFLEX_SKIP_COMPILE": "true",
        **settings,
    }
    argv = (
        "-m", "granian", "--interface", "asgi", "--factory", "--http", "1",
        "--port", str(port), "--workers", "1", "--workers-kill-timeout", "5",
        "--log-level", "warning", "dashboard.dashboard:app",
    )  # fmt: skip
    log = folder / "web.log"
    with log.open("w") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, env=environment, stdout=sink, stderr=sink
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://localhost:{port}", timeout=10) as http:
            async with asyncio.timeout(120):
                while not await _answers(http):
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            yield http
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/api/health/live")).is_success
    except httpx.TransportError:
        return False


async def test_a_web_process_serves_pages_of_other_origins_and_hears_a_kill(
    resources: Resources, tmp_path: Path
) -> None:
    await seeded(resources)
    key = await key_for(resources)
    async with web(tmp_path) as http:
        asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        preflight = await http.options(BULK, headers=asked)
        assert preflight.is_success
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        sent = {"x-api-key": key, "origin": "https://shop.example"}
        one = f"{BULK}/wallet-topup"
        before = await http.post(one, json=THAI, headers=sent)
        assert before.json()["value"] is True
        assert before.headers.get_list("access-control-allow-origin") == ["*"]
        async with resources.database.unit_of_work() as session:
            await kill_flag(session, SYSTEM, "wallet-topup", KillIn())
        async with asyncio.timeout(30):
            while (await http.post(one, json=THAI, headers=sent)).json()["variant"] != "off":
                await asyncio.sleep(0.02)


async def test_a_web_process_without_any_store_serves_the_flags_from_disk(
    resources: Resources, tmp_path: Path
) -> None:
    await seeded(resources)
    key = await key_for(resources)
    async with delivering(resources) as delivery:
        assert await delivery.keys.open(key)
    assert disk.read_environment(disk.folder_of(resources.settings.data_dir), "production")
    nowhere = {
        "WAYPOST_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "WAYPOST_REDIS_URL": "redis://127.0.0.1:9/0",
    }
    async with web(tmp_path, **nowhere) as http:
        answer = await http.post(BULK, json=THAI, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        by_key = {flag["key"]: flag for flag in answer.json()["flags"]}
        assert by_key["wallet-topup"]["value"] is True
        health = await http.get("/api/health/ready")
        assert health.status_code == 503
        assert "the last known from disk" in health.text
