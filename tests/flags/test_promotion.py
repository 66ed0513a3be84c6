"""A flag's rules on their way from staging to production: what goes along, and what is asked."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.flags import service
from backend.flags.schemas import (
    Confirmed,
    KillIn,
    PromoteIn,
    RestoreIn,
    RolloutIn,
    SaveResult,
    SegmentIn,
)
from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import issue_api_token
from backend.platform.errors import Conflict, Forbidden, Invalid
from backend.platform.resources import Resources
from tests.flags.conftest import ADA, ADMIN_TH, BO, VIEWER, Flags, rule, spec

KEY = "wallet-topup"
THAILAND = ("region", "any_of", ["TH"])
INDIA = ("region", "any_of", ["IN"])


async def stage(flags: Flags, seen: int = 0, **more: Any) -> None:
    """Publish the flag in staging."""
    await flags.save(spec(**more), seen, environment="staging", confirm="")


async def promote(
    flags: Flags, staging: int, seen: int, *, by: Principal = ADA, confirm: str = KEY
) -> SaveResult:
    """Promote with the key typed."""
    wanted = PromoteIn(
        staging_version=staging, version_seen=seen, reason="it stood the test", confirm=confirm
    )
    result: SaveResult = await flags.call(service.promote_flag, by, KEY, wanted)
    return result


async def test_a_flag_that_production_lacks_comes_whole(flags: Flags) -> None:
    await stage(flags, rules=[rule(1, THAILAND)], owner="growth", sensitive=False)
    assert await flags.served(country="TH") is None
    result = await promote(flags, 1, 0)
    assert (result.status, result.version) == ("published", 1)
    assert result.words == ["New flag wallet-topup", "Thailand: on 100 %"]
    assert await flags.served(country="TH") == "on"
    assert (await flags.get()).owner == "growth"


async def test_only_what_decides_who_gets_what_goes_along(flags: Flags) -> None:
    await flags.save(spec(rules=[{**rule(1, THAILAND, share=10_000), "id": "its-own"}]))
    await stage(
        flags,
        rules=[rule(7, THAILAND, share=50_000), rule(8, INDIA)],
        owner="experiments",
        description="Only tried here",
        on=False,
    )
    seen = await flags.call(service.preview_promotion, VIEWER, KEY)
    assert (seen.staging_version, seen.production_version) == (1, 1)
    assert seen.preview.words == ["Thailand: on 10 % to 50 %", "New rule: India: on 100 %"]
    assert (seen.preview.needs_confirmation, seen.preview.needs_approval) == (True, False)
    result = await promote(flags, 1, 1)
    assert result.words == seen.preview.words
    found = await flags.get()
    assert found.spec == seen.spec
    assert (found.owner, found.description, found.spec.on) == ("payments", "", True)
    assert [one.id for one in found.spec.rules] == ["its-own", "r8"]
    assert await flags.served(country="IN") == "on"
    [newest, *_] = await flags.call(service.flag_versions, ADA, KEY)
    assert (newest.cause, newest.reason, newest.by_name) == (
        "promote",
        "it stood the test",
        "Ada Admin",
    )
    assert (await promote(flags, 1, 2)).status == "unchanged"


async def test_what_was_killed_in_production_stays_killed(flags: Flags) -> None:
    await flags.save(spec(default_variant="on"))
    await flags.call(service.kill_flag, ADA, KEY, KillIn(reason="it burned"))
    await stage(flags, rules=[rule(1, THAILAND)])
    seen = await flags.call(service.preview_promotion, ADA, KEY)
    assert any("switched off in production" in each for each in seen.preview.warnings)
    assert (await promote(flags, 1, 2)).status == "published"
    found = await flags.get()
    assert (found.state, found.kill_reason) == ("killed", "it burned")
    assert await flags.served(country="TH") == "off"


async def test_a_sensitive_flag_waits_for_a_second_person_whatever_staging_says(
    flags: Flags,
) -> None:
    first = await flags.save(spec(sensitive=True))
    await flags.call(service.approve_change, BO, first.change_id, Confirmed(confirm=KEY))
    await stage(flags, rules=[rule(1, THAILAND)], sensitive=False)
    assert (await flags.call(service.preview_promotion, ADA, KEY)).preview.needs_approval
    result = await promote(flags, 1, 1)
    assert result.status == "waiting"
    with pytest.raises(Forbidden, match="somebody else"):
        await flags.call(service.approve_change, ADA, result.change_id, Confirmed(confirm=KEY))
    assert await flags.served(country="TH") == "off"
    await flags.call(service.approve_change, BO, result.change_id, Confirmed(confirm=KEY))
    assert await flags.served(country="TH") == "on"
    assert (await flags.get()).sensitive is True
    away = RestoreIn(version=2, version_seen=2, reason="cleaned up", confirm=KEY)
    gone = await flags.call(service.archive_flag, ADA, KEY, away)
    await flags.call(service.approve_change, BO, gone.change_id, Confirmed(confirm=KEY))
    assert (await promote(flags, 1, 3)).status == "waiting"


async def test_production_asks_for_the_key_and_for_a_right_in_each_region(flags: Flags) -> None:
    await flags.save(spec())
    await stage(flags, rules=[rule(1, THAILAND)])
    with pytest.raises(Invalid, match="Type wallet-topup"):
        await promote(flags, 1, 1, confirm="wallet")
    with pytest.raises(Forbidden):
        await promote(flags, 1, 1, by=VIEWER)
    assert (await promote(flags, 1, 1, by=ADMIN_TH)).status == "published"
    await stage(flags, 1, rules=[rule(1, THAILAND), rule(2, INDIA)])
    with pytest.raises(Forbidden):
        await promote(flags, 2, 2, by=ADMIN_TH)
    assert await flags.served(country="IN") == "off"


async def test_whoever_saw_other_versions_promotes_nothing(flags: Flags) -> None:
    await flags.save(spec())
    await stage(flags, rules=[rule(1, THAILAND)])
    await flags.save(spec(owner="growth"), 1, by=BO)
    with pytest.raises(service.Stale, match="Bo Admin made wallet-topup version 2 at"):
        await promote(flags, 1, 1)
    await stage(flags, 1, rules=[rule(1, INDIA)])
    with pytest.raises(service.Stale, match="version 2 in staging; you saw version 1"):
        await promote(flags, 1, 2)
    assert (await flags.get()).version == 2
    assert (await promote(flags, 2, 2)).status == "published"


async def test_a_rollout_in_production_comes_first(flags: Flags) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=0)]))
    await stage(flags, rules=[rule(1, THAILAND)])
    steps = [{"share": 5_000, "wait_s": 3_600}, {"share": 100_000, "wait_s": 0}]
    asked = RolloutIn(rule="r1", steps=steps, version_seen=1, reason="in steps", confirm=KEY)
    started = await flags.call(service.start_rollout, ADA, KEY, asked)
    seen = (await flags.get()).version
    with pytest.raises(Conflict, match="stop it first"):
        await promote(flags, 1, seen)
    await flags.call(service.stop_rollout, ADA, started.rollout.id)
    assert (await promote(flags, 1, seen)).status == "published"


async def test_what_production_cannot_serve_is_refused_and_what_differs_is_told(
    flags: Flags,
) -> None:
    people = {"name": "testers", "conditions": []}
    saved = SegmentIn(environment="staging", segment=people, version_seen=0, reason="for the test")
    await flags.call(service.save_segment, ADA, saved)
    await stage(flags, rules=[rule(1, ("segment", "any_of", ["testers"]))])
    with pytest.raises(Invalid) as refused:
        await flags.call(service.preview_promotion, ADA, KEY)
    assert "testers" in refused.value.errors[0].detail
    with pytest.raises(Invalid):
        await promote(flags, 1, 0)
    app = {"attribute": "app", "operator": "any_of", "values": ["drivemate"]}
    saved = SegmentIn(
        segment={**people, "conditions": [app]},
        version_seen=0,
        reason="for the test",
        confirm="testers",
    )
    await flags.call(service.save_segment, ADA, saved)
    seen = await flags.call(service.preview_promotion, ADA, KEY)
    assert "Segment testers is other people in production than in staging." in seen.preview.warnings


async def test_there_is_nothing_to_promote_where_staging_has_it_not(flags: Flags) -> None:
    await flags.save(spec())
    with pytest.raises(service.NoSuchFlag):
        await promote(flags, 1, 1)
    await stage(flags)
    away = RestoreIn(environment="staging", version=1, version_seen=1, reason="cleaned up")
    await flags.call(service.archive_flag, ADA, KEY, away)
    with pytest.raises(Conflict, match="archived in staging"):
        await promote(flags, 2, 1)


async def test_it_is_promoted_over_the_wire_once(
    client: httpx.AsyncClient, resources: Resources, flags: Flags, problem_of: Any
) -> None:
    await stage(flags, rules=[rule(1, THAILAND)])
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "flags-admin", role="admin")
        reader = await issue_api_token(
            session, SYSTEM, "reader", permissions=frozenset({"flags:read"}), regions=("*",)
        )
    path = f"/api/v1/flags/{KEY}"
    admin = {"Authorization": f"Bearer {issued.secret}", "Idempotency-Key": "one"}
    viewer = {"Authorization": f"Bearer {reader.secret}"}
    seen = (await client.get(f"{path}/promotion", headers=viewer)).json()
    assert seen["preview"]["words"] == ["New flag wallet-topup", "Thailand: on 100 %"]
    body = {
        "staging_version": seen["staging_version"],
        "version_seen": seen["production_version"],
        "reason": "over the wire",
        "confirm": KEY,
    }
    assert (await client.post(f"{path}/promote", json=body, headers=viewer)).status_code == 403
    answers = [await client.post(f"{path}/promote", json=body, headers=admin) for _ in range(2)]
    assert [(each.status_code, each.json()["version"]) for each in answers] == [(200, 1)] * 2
    again = {**admin, "Idempotency-Key": "two"}
    late = problem_of(await client.post(f"{path}/promote", json=body, headers=again))
    assert (late["status"], late["type"]) == (409, "urn:waypost:problem:changed_meanwhile")
