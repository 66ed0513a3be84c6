"""What is shown of flags: lists, exposure, stale flags, whom a change touches, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from backend.flags import count_repository, service
from backend.flags.samples import kept, people_key, sample_key, slot_of
from backend.flags.schemas import ContextIn, FlagFilter, KillIn, SaveIn, SegmentIn
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.resources import Resources
from tests.flags.conftest import ADA, VIEWER, Flags, rule, spec

THAILAND = ("region", "any_of", ["TH"])


async def shown(flags: Flags, **wanted: Any) -> list[str]:
    keys: list[str] = []
    after = None
    while True:
        page = await flags.call(
            service.list_flags, VIEWER, FlagFilter(**wanted), after=after, limit=2
        )
        keys += [flag.key for flag in page.items]
        after = page.next_cursor
        if after is None:
            return keys


async def test_the_list_is_found_by_state_kind_owner_and_words(flags: Flags) -> None:
    await flags.save(spec("a-on", default_variant="on", kind="operational"))
    await flags.save(spec("b-off", description="Cash on delivery cap"))
    await flags.save(spec("c-partly", rules=[rule(1, THAILAND)], owner="growth"))
    await flags.save(spec("d-killed", default_variant="on"))
    await flags.save(spec("e-staging"), environment="staging")
    await flags.call(service.kill_flag, ADA, "d-killed", KillIn(reason="it burned"))
    assert await shown(flags) == ["a-on", "b-off", "c-partly", "d-killed"]
    for state, key in (
        ("on", "a-on"),
        ("off", "b-off"),
        ("partly", "c-partly"),
        ("killed", "d-killed"),
    ):
        assert await shown(flags, state=state) == [key]
    assert await shown(flags, kind="operational") == ["a-on"]
    assert await shown(flags, owner="growth") == ["c-partly"]
    assert await shown(flags, q="cash ON") == ["b-off"]
    assert await shown(flags, q="%") == []
    assert await shown(flags, environment="staging") == ["e-staging"]


async def count(
    flags: Flags, at: datetime, key: str, variant: str, region: str, asked: int
) -> None:
    hour = at.replace(minute=0, second=0, microsecond=0)
    row = {
        "environment": "production", "key": key, "hour": hour,
        "region": region, "variant": variant, "asked": asked,
    }  # fmt: skip
    await flags.call(count_repository.add_exposure, [row])


async def test_exposure_is_added_up_and_bound_to_ones_regions(flags: Flags) -> None:
    await flags.save(spec())
    now = clock.now()
    for _ in range(2):
        await count(flags, now, "wallet-topup", "on", "TH-10", 5)
    await count(flags, now, "wallet-topup", "off", "VN-SG", 7)
    await count(flags, now - timedelta(hours=5), "wallet-topup", "on", "TH-10", 100)
    seen = await flags.call(service.exposure, ADA, "wallet-topup")
    assert [(e.region, e.variant, e.asked) for e in seen] == [
        ("TH-10", "on", 10),
        ("VN-SG", "off", 7),
    ]
    seen = await flags.call(service.exposure, VIEWER, "wallet-topup")
    assert [(e.region, e.asked) for e in seen] == [("VN-SG", 7)]
    seen = await flags.call(service.exposure, ADA, "wallet-topup", hours=6)
    assert sum(e.asked for e in seen) == 117
    assert (await flags.get()).asked_last_hour == 17


async def test_stale_flags_are_found_with_a_reason(flags: Flags, resources: Resources) -> None:
    now = clock.now()
    for key in ("fresh", "unread", "one-sided", "mixed", "lasting"):
        kind = "operational" if key == "lasting" else "release"
        await flags.save(spec(key, kind=kind))
    await flags.save(spec("expired", expires_at=now - timedelta(days=1)))
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "UPDATE flags_flag SET created_at = now() - interval '40 days',"
                " updated_at = now() - interval '35 days' WHERE key NOT IN ('fresh', 'expired')"
            )
        )
    for key in ("one-sided", "mixed", "lasting"):
        await count(flags, now, key, "off", "TH-10", 5)
    await count(flags, now, "mixed", "on", "TH-10", 5)
    found = await flags.call(service.stale_flags, VIEWER)
    assert {stale.key: stale.why for stale in found} == {
        "expired": "past its date",
        "one-sided": "one-sided for 30 days",
        "unread": "not read for 14 days",
    }
    assert await shown(flags, stale=True) == ["expired", "one-sided", "unread"]


async def sample(resources: Resources, contexts: list[dict[str, Any]], people: int) -> None:
    """Contexts as evaluation leaves them behind, of an app with so many people."""
    slots = {str(slot_of(one["targetingKey"])): orjson.dumps(kept(one)) for one in contexts}
    assert len(slots) == len(contexts)
    await resources.redis.hset(sample_key("production"), mapping=slots)
    app = contexts[0]["app"]
    everyone = [f"{app}-{number}" for number in range(people)]
    await resources.redis.pfadd(people_key("production", app, clock.now()), *everyone)


def people(app: str, city: str, numbers: range) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for number in numbers:
        key = f"{app}-{city}-{number}"
        found.setdefault(slot_of(key), {"targetingKey": key, "app": app, "city": city})
    return list(found.values())


async def preview(flags: Flags, wanted: Any, seen: int) -> Any:
    asked = SaveIn(spec=wanted, version_seen=seen, reason="just looking")
    return await flags.call(service.preview_change, ADA, asked)


async def test_a_preview_tells_whom_it_touches_and_changes_nothing(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec(rules=[rule(1, THAILAND, share=10_000)]))
    thai, other = people("shiptrack", "TH-10", range(400)), people("shiptrack", "VN-SG", range(400))
    known = {slot_of(one["targetingKey"]) for one in thai}
    other = [one for one in other if slot_of(one["targetingKey"]) not in known]
    await sample(resources, thai + other, 10_000)
    found = await preview(flags, spec(rules=[rule(1, THAILAND, share=50_000)]), 1)
    blast = found.blast
    assert found.words == ["Thailand: on 10 % to 50 %"]
    assert (found.needs_approval, found.needs_confirmation) == (False, True)
    assert blast.sampled == len(thai) + len(other)
    assert 0.3 < blast.changed / len(thai) < 0.5
    assert (blast.gains, blast.losses, blast.drivers) == (blast.changed, 0, 0)
    assert blast.moves == {"off → on": blast.changed}
    expected = blast.changed / blast.sampled * 10_000
    assert abs(blast.users - expected) < 0.05 * expected
    assert 0 < blast.users_margin < blast.users
    assert [(r.region, r.changed) for r in blast.regions] == [
        ("TH-10", blast.changed),
        ("VN-SG", 0),
    ]
    assert await flags.served(country="TH", targetingKey="anyone") in ("on", "off")
    assert (await flags.get()).version == 1


async def test_a_preview_counts_drivers_apart_and_whom_it_takes_out(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec(rules=[rule(1, ("app", "any_of", ["drivemate"]))]))
    drivers = people("drivemate", "TH-10", range(100))
    await sample(resources, drivers, len(drivers))
    blast = (await preview(flags, spec(), 1)).blast
    assert (blast.users, blast.losses, blast.gains) == (0, len(drivers), 0)
    assert abs(blast.drivers - len(drivers)) <= 2


async def test_without_a_sample_nothing_is_made_up(flags: Flags) -> None:
    await flags.save(spec())
    blast = (await preview(flags, spec(default_variant="on"), 1)).blast
    assert (blast.sampled, blast.users, blast.regions) == (0, 0, [])


async def test_a_preview_warns_of_what_is_probably_not_meant(flags: Flags) -> None:
    found = await preview(flags, spec(owner="", rules=[rule(1), rule(2, THAILAND)]), 0)
    assert found.warnings == [
        "Rule 1 is for everyone: the 1 after it never apply.",
        "Nobody owns this flag.",
        "This flag has no date by which it should be gone.",
    ]


async def test_why_somebody_is_served_what_they_are(flags: Flags) -> None:
    segment = {"name": "testers", "conditions": []}
    saved = SegmentIn(segment=segment, version_seen=0, reason="for the test", confirm="testers")
    await flags.call(service.save_segment, ADA, saved)
    await flags.save(spec("parent", default_variant="on"))
    await flags.save(
        spec(
            prerequisites=[{"key": "parent", "variant": "on"}],
            rules=[
                rule(1, ("segment", "any_of", ["testers"])),
                rule(2, THAILAND, ("app_version", "version_at_least", ["5.2"]), share=30_000),
            ],
        )
    )

    async def why(**context: Any) -> Any:
        asked = ContextIn(context={"targetingKey": "user-1", **context})
        return await flags.call(service.explain, VIEWER, "wallet-topup", asked)

    found = await why(segment=["testers"])
    assert (found.variant, [step.what for step in found.steps if step.decided]) == (
        "on", ["Rule 1: Segment testers"],
    )  # fmt: skip
    found = await why(city="TH-10", app_version="5.1.0")
    assert [(step.what, step.passed) for step in found.steps] == [
        ("The flag is on", True),
        ("Needs parent to be on", True),
        ("Rule 1: Segment testers", False),
        ("Rule 2: Thailand, app version 5.2 or newer", False),
        ("Everyone else", True),
    ]
    assert (
        found.steps[3].detail == "app version 5.2 or newer does not hold: app_version is '5.1.0'."
    )
    found = await why(city="TH-10", app_version="5.3")
    assert found.steps[-1].decided
    assert found.variant == ("on" if found.bucket < 30 else "off")
    await flags.call(service.kill_flag, ADA, "parent", KillIn())
    found = await why(segment=["testers"])
    assert (found.variant, found.steps[-1].what, found.steps[-1].passed) == (
        "off", "Needs parent to be on", False,
    )  # fmt: skip


async def test_what_is_not_there_is_not_found(flags: Flags) -> None:
    for verb, *args in (
        (service.get_flag, ADA, "gone"),
        (service.flag_versions, ADA, "gone"),
        (service.kill_flag, ADA, "gone", KillIn()),
        (service.explain, ADA, "gone", ContextIn(context={})),
    ):
        with pytest.raises(NotFound):
            await flags.call(verb, *args)


async def test_segments_say_who_uses_them(flags: Flags) -> None:
    segment = {
        "name": "big_sellers",
        "conditions": [
            {"attribute": "orders", "operator": "at_least", "values": [50]},
            {"attribute": "region", "operator": "any_of", "values": ["IN"]},
        ],
    }
    saved = SegmentIn(segment=segment, version_seen=0, reason="for the test", confirm="big_sellers")
    await flags.call(service.save_segment, ADA, saved)
    await flags.save(spec(rules=[rule(1, ("segment", "any_of", ["big_sellers"]))]))
    [found] = await flags.call(service.list_segments, VIEWER)
    assert (found.in_words, found.used_by) == ("Orders at least 50, India", ["wallet-topup"])
    assert await flags.served(country="IN", orders=50) == "on"
    assert await flags.served(country="IN") == "off"
