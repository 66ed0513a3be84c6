"""Rollouts: step by step, halted by a burn, stopped by whoever changes the flag."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import guard, service
from backend.flags.role import turn
from backend.flags.schemas import Confirmed, KillIn, Outcome, RolloutIn
from backend.identity.schemas import Principal
from backend.platform.errors import Conflict, Forbidden, Invalid
from backend.platform.resources import Resources
from tests.flags.conftest import ADA, ADMIN_TH, BO, VIEWER, Flags, rule, spec

THAILAND = ("region", "any_of", ["TH"])


class Watcher:
    """Service levels that burn when told to."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.asked: list[tuple[str, str | None, datetime]] = []

    async def burning(
        self, session: AsyncSession, slo: str, region: str | None, since: datetime
    ) -> str | None:
        if slo != "payment-success":
            raise LookupError(slo)
        self.asked.append((slo, region, since))
        return self.reason


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    service.register_guard(made)
    yield made
    guard.forget_guard()


def steps(*shares: int, wait_s: int = 600) -> list[dict[str, int]]:
    return [{"share": share, "wait_s": wait_s} for share in shares]


async def start(flags: Flags, *, by: Principal = ADA, seen: int = 1, **more: Any) -> Any:
    wanted = {
        "rule": "r1", "steps": steps(10_000, 50_000, 100_000), "version_seen": seen,
        "reason": "growing", "confirm": "wallet-topup", **more,
    }  # fmt: skip
    return await flags.call(
        service.start_rollout, by, "wallet-topup", RolloutIn.model_validate(wanted)
    )


async def wait_over(resources: Resources) -> None:
    """Let the waiting time of the step in force be over, and the worker look."""
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE flags_rollout SET next_at = now() WHERE next_at > now()")
        )
    await turn(resources.database)


async def share_of(flags: Flags) -> int:
    return (await flags.get()).spec.rules[0].serve[0].share


async def events(resources: Resources) -> list[dict[str, Any]]:
    async with resources.database.unit_of_work() as session:
        rows = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        return [orjson.loads(row) for row in rows]


async def test_a_share_grows_step_by_step_and_ends(flags: Flags, resources: Resources) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=0)]))
    started = await start(flags)
    assert (started.result.status, started.rollout.step, await share_of(flags)) == (
        "published",
        0,
        10_000,
    )
    await turn(resources.database)
    assert await share_of(flags) == 10_000
    for share in (50_000, 100_000):
        assert "at " in (await flags.get()).rules[0].note
        await wait_over(resources)
        assert await share_of(flags) == share
    await wait_over(resources)
    found = await flags.get()
    assert (found.rollouts[0].state, found.rollout, found.rules[0].note) == ("done", None, "")
    versions = await flags.call(service.flag_versions, ADA, "wallet-topup")
    assert [version.cause for version in versions] == ["rollout"] * 3 + ["edit"]
    assert versions[0].words == ["Thailand: on 50 % to 100 %"]


async def test_a_burn_halts_it_and_takes_it_back(
    flags: Flags, resources: Resources, watcher: Watcher
) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=5_000)]))
    await start(flags, slo="payment-success", region="TH")
    await wait_over(resources)
    assert await share_of(flags) == 50_000
    watcher.reason = "payment-success burns 14.4 times too fast"
    await turn(resources.database)
    found = await flags.get()
    assert (await share_of(flags), found.rollouts[0].state) == (5_000, "halted")
    assert found.rollouts[0].halted_because == watcher.reason
    [version, *_] = await flags.call(service.flag_versions, ADA, "wallet-topup")
    assert (version.cause, version.by) == ("halt", "system")
    [halted] = [e for e in await events(resources) if e["type"] == "flag.rollout_halted"]
    told = {
        name: halted["data"][name]
        for name in ("flag", "environment", "step", "reason", "slo", "region")
    }
    assert told == {
        "flag": "wallet-topup", "environment": "production", "step": 2,
        "reason": watcher.reason, "slo": "payment-success", "region": "TH",
    }  # fmt: skip
    watcher.reason = None
    await wait_over(resources)
    assert await share_of(flags) == 5_000


async def test_errors_of_the_exposed_group_halt_it(flags: Flags, resources: Resources) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=0)]))
    await start(flags, most_errors=0.05)

    async def report(region: str, variant: str, good: int, bad: int) -> None:
        outcome = Outcome(key="wallet-topup", variant=variant, region=region, good=good, bad=bad)
        await flags.call(service.report_outcomes, ADA, [outcome])
        await turn(resources.database)

    await report("VN-SG", "on", 0, 500)
    await report("TH-10", "off", 90, 10)
    await report("TH-10", "on", 4, 6)
    assert await share_of(flags) == 10_000
    await report("TH-10", "on", 60, 30)
    found = await flags.get()
    assert (await share_of(flags), found.rollouts[0].state) == (0, "halted")
    assert (
        found.rollouts[0].halted_because == "36 % of those served on had errors, 10 % of the others"
    )


async def test_nobody_watching_pauses_it(flags: Flags, resources: Resources) -> None:
    await flags.save(spec(rules=[rule(1, share=0)]))
    await start(flags, slo="payment-success")
    await wait_over(resources)
    found = (await flags.get()).rollouts[0]
    assert (found.state, found.halted_because, await share_of(flags)) == (
        "paused", "Nobody watches payment-success here.", 10_000,
    )  # fmt: skip


async def test_an_unknown_service_level_is_refused_where_it_can_be_told(
    flags: Flags, watcher: Watcher
) -> None:
    await flags.save(spec(rules=[rule(1, share=0)]))
    with pytest.raises(Invalid) as refused:
        await start(flags, slo="no-such-level")
    assert refused.value.errors[0].pointer == "/slo"


async def test_pausing_holds_the_step_and_going_on_waits_anew(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=0)]))
    rollout = (await start(flags)).rollout
    for stranger in (VIEWER,):
        with pytest.raises(Forbidden):
            await flags.call(service.pause_rollout, stranger, rollout.id)
    await flags.call(service.pause_rollout, ADMIN_TH, rollout.id)
    await wait_over(resources)
    assert (await share_of(flags), (await flags.get()).rollout) == (10_000, "paused")
    await flags.call(service.resume_rollout, ADMIN_TH, rollout.id)
    await wait_over(resources)
    assert await share_of(flags) == 50_000
    stopped = await flags.call(service.stop_rollout, ADMIN_TH, rollout.id)
    assert (stopped.state, await share_of(flags)) == ("stopped", 50_000)
    with pytest.raises(Conflict, match="stopped"):
        await flags.call(service.resume_rollout, ADA, rollout.id)


async def test_an_edit_waits_for_the_rollout_and_a_kill_does_not(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec(rules=[rule(1, share=0)]))
    await start(flags)
    with pytest.raises(Conflict, match="stop it first"):
        await flags.save(spec(owner="growth", rules=[rule(1, share=0)]), 2)
    with pytest.raises(Conflict, match="stop it first"):
        await start(flags, seen=2)
    await flags.call(service.kill_flag, ADA, "wallet-topup", KillIn(reason="enough"))
    found = await flags.get()
    assert (found.state, found.rollouts[0].state) == ("killed", "stopped")
    await wait_over(resources)
    assert (await flags.get()).version == found.version


async def test_a_sensitive_flags_rollout_waits_as_a_whole(
    flags: Flags, resources: Resources
) -> None:
    wanted = spec(sensitive=True, rules=[rule(1, share=0)])
    result = await flags.save(wanted)
    typed = Confirmed(confirm=wanted.key)
    await flags.call(service.approve_change, BO, result.change_id, typed)
    started = await start(flags)
    assert (started.result.status, started.rollout, await share_of(flags)) == ("waiting", None, 0)
    with pytest.raises(Forbidden):
        await flags.call(service.approve_change, ADA, started.result.change_id, typed)
    await flags.call(service.approve_change, BO, started.result.change_id, typed)
    assert await share_of(flags) == 10_000
    await wait_over(resources)
    assert await share_of(flags) == 50_000


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        (steps(50_000, 20_000), "/steps/1/share"),
        (steps(1_000), "/steps/0/share"),
    ],
)
async def test_a_rollout_only_raises(flags: Flags, wanted: Any, pointer: str) -> None:
    await flags.save(spec(rules=[rule(1, share=2_000)]))
    with pytest.raises(Invalid) as refused:
        await start(flags, steps=wanted)
    assert refused.value.errors[0].pointer == pointer
