"""Changes of flags: who may, what has to be typed, who has to agree, and who comes second."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backend.flags import service
from backend.flags.role import turn
from backend.flags.schemas import (
    Confirmed,
    DecisionIn,
    FlagFilter,
    ImportIn,
    KillIn,
    RestoreIn,
    SaveIn,
    SegmentIn,
)
from backend.identity import service as identity
from backend.identity.schemas import GrantScope, Principal
from backend.platform import clock
from backend.platform.errors import Conflict, DomainError, Forbidden, Invalid
from backend.platform.resources import Resources
from tests.flags.conftest import ADA, ADMIN_TH, BO, SCRIPT, VIEWER, Flags, rule, spec
from tests.identity.conftest import enrolled

THAILAND = ("region", "any_of", ["TH"])


def codes(error: DomainError) -> dict[str, str]:
    return {fault.pointer: fault.code for fault in error.errors}


async def test_a_saved_flag_is_served_and_told_in_words(flags: Flags) -> None:
    assert (await flags.save(spec())).status == "published"
    assert await flags.served(country="TH") == "off"
    changed = spec(rules=[rule(1, THAILAND, ("app_version", "version_at_least", ["5.2"]))])
    result = await flags.save(changed, 1)
    assert (result.status, result.version) == ("published", 2)
    assert result.words == ["New rule: Thailand, app version 5.2 or newer: on 100 %"]
    assert await flags.served(country="TH", app_version="5.2.1") == "on"
    assert await flags.served(country="TH", app_version="5.1.9") == "off"
    found = await flags.get()
    assert (found.state, found.in_words) == ("partly", "on in 1 of 10 countries")
    [second, first] = await flags.call(service.flag_versions, ADA, "wallet-topup")
    assert (first.version, second.version, second.by_name) == (1, 2, "Ada Admin")
    assert any(line.startswith("+") and "sem_ver" in line for line in second.diff)


async def test_production_wants_the_key_typed_and_staging_does_not(flags: Flags) -> None:
    with pytest.raises(Invalid) as refused:
        await flags.save(spec(), confirm="wallet")
    assert codes(refused.value) == {"/confirm": "confirmation_needed"}
    assert (await flags.save(spec(), confirm="", environment="staging")).status == "published"
    assert await flags.served() is None


async def test_who_may_only_look_cannot_save(flags: Flags) -> None:
    with pytest.raises(Forbidden):
        await flags.save(spec(), by=VIEWER)
    page = await flags.call(service.list_flags, VIEWER, FlagFilter())
    assert page.items == []


async def test_an_admin_of_a_country_changes_what_only_that_country_notices(flags: Flags) -> None:
    both = [rule(1, THAILAND, share=0), rule(2, ("region", "any_of", ["VN"]), share=0)]
    await flags.save(spec(rules=both))
    raised = [rule(1, THAILAND, share=50_000), both[1]]
    assert (await flags.save(spec(rules=raised), 1, by=ADMIN_TH)).status == "published"
    for other in (
        [raised[0], rule(2, ("region", "any_of", ["VN"]), share=9)],
        [rule(1, ("region", "any_of", ["TH", "VN"]))],
        [raised[1], raised[0]],
    ):
        with pytest.raises(Forbidden):
            await flags.save(spec(rules=other), 2, by=ADMIN_TH)
    with pytest.raises(Forbidden):
        await flags.save(spec(rules=raised, default_variant="on"), 2, by=ADMIN_TH)


async def test_of_two_editors_the_second_is_told_what_the_first_did(flags: Flags) -> None:
    await flags.save(spec())

    async def edit(by: Any, share: int) -> Any:
        try:
            return await flags.save(spec(rules=[rule(1, share=share)]), 1, by=by)
        except Conflict as conflict:
            return conflict

    answers = await asyncio.gather(edit(ADA, 10_000), edit(BO, 20_000))
    [refused] = [answer for answer in answers if isinstance(answer, Conflict)]
    [done] = [answer for answer in answers if not isinstance(answer, Conflict)]
    winner = "Ada Admin" if answers[0] is done else "Bo Admin"
    assert done.version == 2
    assert refused.detail.startswith(f"{winner} made wallet-topup version 2 at ")
    assert "you saw version 1" in refused.detail


async def test_nothing_changes_where_the_same_is_saved(flags: Flags) -> None:
    await flags.save(spec())
    assert (await flags.save(spec(), 1)).status == "unchanged"
    assert (await flags.get()).version == 1


async def due_now(resources: Resources) -> None:
    """Let the moment of whatever is kept for one have come, and the worker look."""
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE flags_change SET publish_at = now()"))
    await turn(resources.database)


async def sensitive(flags: Flags) -> None:
    """A sensitive flag, off for everyone, in production."""
    result = await flags.save(spec(sensitive=True))
    assert result.status == "waiting"
    await flags.call(
        service.approve_change, BO, result.change_id, Confirmed(confirm="wallet-topup")
    )
    assert await flags.served() == "off"


async def test_a_sensitive_flag_waits_for_a_second_person(flags: Flags) -> None:
    await sensitive(flags)
    result = await flags.save(spec(sensitive=True, default_variant="on"), 1)
    assert (result.status, await flags.served()) == ("waiting", "off")
    assert (await flags.get()).waiting == 1
    typed = Confirmed(confirm="wallet-topup")
    for same in (ADA, SCRIPT):
        with pytest.raises(Forbidden, match=r"somebody else|A person"):
            await flags.call(service.approve_change, same, result.change_id, typed)
    with pytest.raises(Invalid):
        await flags.call(service.approve_change, BO, result.change_id, Confirmed())
    approved = await flags.call(service.approve_change, BO, result.change_id, typed)
    assert (approved.status, approved.version, await flags.served()) == ("published", 2, "on")
    [version, *_] = await flags.call(service.flag_versions, ADA, "wallet-topup")
    assert (version.by_name, version.approved_by_name) == ("Ada Admin", "Bo Admin")
    with pytest.raises(Conflict, match="published already by Bo Admin"):
        await flags.call(service.approve_change, BO, result.change_id, typed)


async def test_whose_program_asked_cannot_approve(flags: Flags, resources: Resources) -> None:
    await sensitive(flags)
    async with resources.database.unit_of_work() as session:
        issued = await identity.issue_api_token(session, BO, "bo-script", role="admin")
    program = await identity.principal_of_bearer(resources, issued.secret)
    assert program is not None
    result = await flags.save(spec(sensitive=True, default_variant="on"), 1, by=program)
    typed = Confirmed(confirm="wallet-topup")
    with pytest.raises(Forbidden, match="somebody else"):
        await flags.call(service.approve_change, BO, result.change_id, typed)
    assert (await flags.call(service.approve_change, ADA, result.change_id, typed)).version == 2


async def around(flags: Flags) -> list[Any]:
    """Every way of serving a sensitive flag's other variant that is not an edit of it."""
    calm = {"environment": "production", "reason": "one person alone", "confirm": "production"}
    insensitive = spec(default_variant="on")
    document = await flags.call(service.export_flags, ADA, "production")
    changed = document["flags"]["wallet-topup"]
    changed["metadata"].pop("sensitive")
    changed["defaultVariant"] = "on"
    seen = {"version_seen": 1, "reason": "one person alone", "confirm": "wallet-topup"}
    later = clock.now() + timedelta(hours=1)
    return [
        (service.save_flag, ADA, SaveIn(spec=insensitive, **seen)),
        (service.save_flag, ADA, SaveIn(spec=insensitive, publish_at=later, **seen)),
        (service.import_flags, ADA, ImportIn(document=document, **calm)),
        (service.restore_version, ADA, "wallet-topup", RestoreIn(version=1, **seen)),
        (service.archive_flag, ADA, "wallet-topup", RestoreIn(version=1, **seen)),
    ]


async def test_no_way_leads_around_the_second_person(flags: Flags, resources: Resources) -> None:
    await sensitive(flags)
    for verb, *args in await around(flags):
        result = await flags.call(verb, *args)
        assert result.status in ("waiting", "unchanged"), verb
    await due_now(resources)
    assert await flags.served() == "off"
    assert (await flags.get()).version == 1


async def test_nor_does_a_segment_or_a_flag_that_it_needs(flags: Flags) -> None:
    segment = {"name": "testers", "conditions": []}
    saved = SegmentIn(segment=segment, version_seen=0, reason="for the test", confirm="testers")
    assert (await flags.call(service.save_segment, ADA, saved)).status == "published"
    await flags.save(spec("parent"))
    wanted = spec(
        sensitive=True,
        rules=[rule(1, ("segment", "any_of", ["testers"]))],
        prerequisites=[{"key": "parent", "variant": "off"}],
    )
    result = await flags.save(wanted)
    await flags.call(service.approve_change, BO, result.change_id, Confirmed(confirm=wanted.key))
    wider = {
        "name": "testers",
        "conditions": [{"attribute": "app", "operator": "any_of", "values": ["shiptrack"]}],
    }
    saved = SegmentIn(segment=wider, version_seen=1, reason="for the test", confirm="testers")
    assert (await flags.call(service.save_segment, ADA, saved)).status == "waiting"
    assert (await flags.save(spec("parent", default_variant="on"), 1)).status == "waiting"


async def test_nor_does_making_the_flag_anew(flags: Flags) -> None:
    await sensitive(flags)
    away = RestoreIn(version=1, version_seen=1, reason="cleaned up", confirm="wallet-topup")
    result = await flags.call(service.archive_flag, ADA, "wallet-topup", away)
    typed = Confirmed(confirm="wallet-topup")
    await flags.call(service.approve_change, BO, result.change_id, typed)
    assert await flags.served() is None
    assert (await flags.save(spec(default_variant="on"), 2)).status == "waiting"


async def test_a_change_that_was_passed_by_is_closed(flags: Flags) -> None:
    await sensitive(flags)
    first = await flags.save(spec(sensitive=True, default_variant="on"), 1)
    second = await flags.save(spec(sensitive=True, owner="growth"), 1, by=BO)
    typed = Confirmed(confirm="wallet-topup")
    await flags.call(service.approve_change, ADA, second.change_id, typed)
    with pytest.raises(Conflict, match="overtaken"):
        await flags.call(service.approve_change, BO, first.change_id, typed)
    [closed] = await flags.call(service.list_changes, ADA, states=("overtaken",))
    assert (closed.id, closed.why) == (first.change_id, "Bo Admin changed it first.")


async def test_a_rejected_change_stays_unpublished(flags: Flags) -> None:
    await sensitive(flags)
    result = await flags.save(spec(sensitive=True, default_variant="on"), 1)
    decision = DecisionIn(reason="not on a Friday")
    rejected = await flags.call(service.reject_change, BO, result.change_id, decision)
    assert (rejected.state, rejected.why, await flags.served()) == (
        "rejected",
        "not on a Friday",
        "off",
    )


async def test_a_kill_needs_nobody_and_its_reason_comes_later(flags: Flags) -> None:
    await sensitive(flags)
    result = await flags.save(spec(sensitive=True, default_variant="on"), 1)
    typed = Confirmed(confirm="wallet-topup")
    await flags.call(service.approve_change, BO, result.change_id, typed)
    killed = await flags.call(service.kill_flag, ADA, "wallet-topup", KillIn())
    assert (killed.status, killed.version, await flags.served()) == ("published", 3, "off")
    found = await flags.get()
    assert (found.state, found.killed_by_name, found.kill_reason) == ("killed", "Ada Admin", "")
    await flags.call(service.give_kill_reason, ADA, "wallet-topup", "production", "it burned")
    assert (await flags.get()).kill_reason == "it burned"
    restore = RestoreIn(version=2, version_seen=3, reason="mended", confirm="wallet-topup")
    back = await flags.call(service.restore_version, ADA, "wallet-topup", restore)
    assert (back.status, await flags.served()) == ("waiting", "off")
    await flags.call(service.approve_change, BO, back.change_id, typed)
    found = await flags.get()
    assert (found.version, found.state, found.killed_at, await flags.served()) == (
        4,
        "on",
        None,
        "on",
    )


async def test_a_kill_is_not_for_everyone(flags: Flags) -> None:
    await flags.save(spec())
    for caller in (VIEWER, ADMIN_TH):
        with pytest.raises(Forbidden):
            await flags.call(service.kill_flag, caller, "wallet-topup", KillIn())


async def test_a_scheduled_change_comes_when_it_is_due(flags: Flags, resources: Resources) -> None:
    await flags.save(spec())
    due = clock.now() + timedelta(hours=1)
    result = await flags.save(spec(default_variant="on"), 1, publish_at=due)
    assert result.status == "scheduled"
    await turn(resources.database)
    assert await flags.served() == "off"
    await due_now(resources)
    assert await flags.served() == "on"
    [version, *_] = await flags.call(service.flag_versions, ADA, "wallet-topup")
    assert (version.cause, version.by_name) == ("schedule", "Ada Admin")


async def test_what_its_author_may_not_do_any_more_is_not_done_when_it_is_due(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec())
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, "Ines", GrantScope("admin", "*"))
    ines = Principal("user", f"user:{person_id}", "Ines", (GrantScope("admin", "*"),))
    due = clock.now() + timedelta(hours=1)
    asked = {"version_seen": 1, "reason": "for the test", "confirm": "wallet-topup"}
    wanted = SaveIn(spec=spec(default_variant="on"), publish_at=due, **asked)
    assert (await flags.call(service.save_flag, ines, wanted)).status == "scheduled"
    async with resources.database.unit_of_work() as session:
        await enrolled(session, "Ines")
    await due_now(resources)
    assert await flags.served() == "off"
    [closed] = await flags.call(service.list_changes, ADA, states=("overtaken",))
    assert closed.why == "Ines may not change this any more; somebody else has to ask."
    async with resources.database.unit_of_work() as session:
        await enrolled(session, "Ines", GrantScope("admin", "*"))
    assert (await flags.call(service.save_flag, ines, wanted)).status == "scheduled"
    await due_now(resources)
    assert await flags.served() == "on"


async def test_what_became_wrong_before_its_moment_is_closed_with_the_reason(
    flags: Flags, resources: Resources
) -> None:
    await flags.save(spec("parent"))
    await flags.save(spec())
    wanted = spec(prerequisites=[{"key": "parent", "variant": "on"}], default_variant="on")
    due = clock.now() + timedelta(hours=1)
    result = await flags.save(wanted, 1, publish_at=due)
    away = RestoreIn(version=1, version_seen=1, reason="cleaned up", confirm="parent")
    await flags.call(service.archive_flag, ADA, "parent", away)
    await due_now(resources)
    [closed] = await flags.call(service.list_changes, ADA, states=("overtaken",))
    assert (closed.id, closed.why) == (result.change_id, "There is no flag parent.")
    assert await flags.served() == "off"


async def test_two_who_approve_at_once_publish_once(flags: Flags) -> None:
    await sensitive(flags)
    cleo = Principal("user", "user:cleo", "Cleo Admin", (GrantScope("admin", "*"),))
    result = await flags.save(spec(sensitive=True, default_variant="on"), 1)
    typed = Confirmed(confirm="wallet-topup")
    answers = await asyncio.gather(
        *(flags.call(service.approve_change, by, result.change_id, typed) for by in (BO, cleo)),
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True]
    assert (await flags.get()).version == 2


async def test_the_past_is_no_moment_to_publish(flags: Flags) -> None:
    with pytest.raises(Invalid) as refused:
        await flags.save(spec(), publish_at=clock.now() - timedelta(seconds=1))
    assert codes(refused.value) == {"/publish_at": "past"}


async def test_an_archived_flag_is_gone_and_can_come_back(flags: Flags) -> None:
    await flags.save(spec(default_variant="on"))
    away = RestoreIn(version=1, version_seen=1, reason="cleaned up", confirm="wallet-topup")
    await flags.call(service.archive_flag, ADA, "wallet-topup", away)
    assert await flags.served() is None
    since = await flags.call(service.published, "production", 1)
    assert since.flags == {"wallet-topup": None}
    back = RestoreIn(version=1, version_seen=2, reason="needed yet", confirm="wallet-topup")
    await flags.call(service.restore_version, ADA, "wallet-topup", back)
    assert await flags.served() == "on"


async def test_every_process_is_told_of_a_publish_after_it(
    flags: Flags, resources: Resources
) -> None:
    async with resources.redis.pubsub() as listening:
        await listening.subscribe("flags:published")
        await flags.save(spec())
        await flags.save(spec(default_variant="on"), 1)
        heard = []
        while len(heard) < 2:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=30)
            if message:
                heard.append(message["data"])
    assert heard == [b"production 1", b"production 2"]
    assert await flags.call(service.published_version, "production") == 2
