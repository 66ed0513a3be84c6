"""The pages on flags over a real socket: drafts, approvals that cannot be got around, the kill."""

from __future__ import annotations

from typing import Any

import pytest

from backend.flags import service as flags
from backend.flags.schemas import Confirmed, Environment, FlagDetail, SaveIn
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from backend.regions import service as regions
from tests.dashboard.conftest import NAMESPACE, SHELL, Connect, Console, SignIn
from tests.dashboard.test_acting import until

STATES = SHELL.removesuffix("dashboard___states___shell____shell_state")
FLAG = f"{STATES}dashboard___states___flag____flag_state"
CHANGES = f"{STATES}dashboard___states___flag_changes____flag_changes_state"
LIST = f"{STATES}dashboard___states___flags____flags_state"
TRY = f"{STATES}dashboard___states___flag_try____flag_try_state"
PROMOTE = f"{STATES}dashboard___states___flag_promote____flag_promote_state"
ROLLOUT = f"{STATES}dashboard___states___flag_rollout____flag_rollout_state"
SEGMENTS = f"{STATES}dashboard___states___segments____segments_state"
ADA = Principal("user", "user:ada", "Ada", (GrantScope("admin", "*"),))
BO = Principal("user", "user:bo", "Bo", (GrantScope("admin", "*"),))
ADMIN = ("admin", "*")
THAILAND = {
    "id": "th",
    "conditions": [{"attribute": "region", "operator": "any_of", "values": ["TH"]}],
    "serve": [{"variant": "on", "share": 25_000}],
}


@pytest.fixture(autouse=True)
async def places(resources: Resources) -> None:
    """The sample regions."""
    async with resources.database.unit_of_work() as session:
        await regions.seed(session, SYSTEM)


def spec(**more: Any) -> dict[str, Any]:
    """A flag that is off for everyone."""
    return {
        "key": "wallet-topup", "variants": {"on": True, "off": False}, "default_variant": "off",
        "off_variant": "off", **more,
    }  # fmt: skip


async def keep(
    resources: Resources, wanted: dict[str, Any], seen: int = 0, where: Environment = "production"
) -> None:
    """Publish a flag, with a second person where one is needed."""
    asked = SaveIn(
        environment=where, spec=wanted, version_seen=seen, reason="for a test",
        confirm="wallet-topup",
    )  # fmt: skip
    async with resources.database.unit_of_work() as session:
        done = await flags.save_flag(session, ADA, asked)
        if done.change_id is not None:
            yes = Confirmed(confirm="wallet-topup")
            await flags.approve_change(session, BO, done.change_id, yes)


async def flag_of(resources: Resources) -> FlagDetail:
    """The flag as it stands."""
    async with resources.database.unit_of_work() as session:
        return await flags.get_flag(session, ADA, "wallet-topup")


async def fire(console: Console, name: str, payload: Any = None, path: str = "") -> None:
    """Fire an event from the page of the flag, or from another one."""
    at = path or "/flags/wallet-topup"
    pathname = "/flags/[flag]" if not path else path.partition("?")[0]
    query = dict(pair.split("=") for pair in at.partition("?")[2].split("&") if pair)
    event = {
        "name": name, "payload": payload or {},
        "router_data": {"pathname": pathname, "query": query, "asPath": at},
    }  # fmt: skip
    await console.socket.emit("event", event, namespace=NAMESPACE)


async def test_a_draft_is_weighed_and_published_only_with_the_key_typed(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec())
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{FLAG}.load")
        facts = await until(console, FLAG, "facts", lambda found: found["key"])
        assert (facts["version"], facts["state"]) == (1, "off")
        draft = {"serial": 7, "spec": spec(rules=[THAILAND]), "version_seen": 1}
        await fire(console, f"{FLAG}.draft", {"sent": draft})
        preview = await until(console, FLAG, "preview", lambda found: found["serial"] == "7")
        assert (preview["fault"], preview["needs_confirmation"]) == ("", True)
        assert preview["words"]
        assert '"targeting"' in preview["definition"]
        sent = {**draft, "reason": "a start", "confirm": "", "publish_at": ""}
        await fire(console, f"{FLAG}.save", {"sent": sent})
        await console.notice_like("Type wallet-topup")
        assert (await flag_of(resources)).version == 1
        await fire(console, f"{FLAG}.save", {"sent": {**sent, "confirm": "wallet-topup"}})
        await console.notice_like("Published as version")
    assert (await flag_of(resources)).spec.rules[0].serve[0].share == 25_000


async def test_a_draft_that_is_wrong_is_told_in_words(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec())
    wrong = {**THAILAND, "serve": [{"variant": "blue", "share": 1_000}]}
    async with connect(await sign_in("Nan", ADMIN)) as console:
        for serial, rules in (("1", [wrong]), ("2", "rules"), ("3", [{"id": "?"}])):
            draft = {"serial": serial, "spec": spec(rules=rules), "version_seen": 1}
            await fire(console, f"{FLAG}.draft", {"sent": draft})
            found = await until(
                console, FLAG, "preview", lambda each, serial=serial: each["serial"] == serial
            )
            assert found["fault"], serial


async def test_a_sensitive_change_is_approved_by_another_person_alone(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(sensitive=True))
    sent = {
        "spec": spec(sensitive=True, rules=[THAILAND]), "version_seen": 1, "reason": "a start",
        "confirm": "wallet-topup", "publish_at": "",
    }  # fmt: skip
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{FLAG}.save", {"sent": sent})
        await console.notice_like("somebody else has to approve it")
        await fire(console, f"{FLAG}.load")
        [change] = await until(console, FLAG, "changes", len)
        assert change["mine"] is True
        form = {"change": change["id"], "confirm": "wallet-topup"}
        await fire(console, f"{CHANGES}.approve", {"form": form})
        await console.notice_like("somebody else has to approve it")
    assert (await flag_of(resources)).version == 1
    async with connect(await sign_in("Somchai", ADMIN)) as console:
        await fire(console, f"{FLAG}.load")
        [change] = await until(console, FLAG, "changes", len)
        assert change["mine"] is False
        await fire(console, f"{CHANGES}.approve", {"form": {**form, "confirm": "wallet"}})
        await console.notice_like("Type wallet-topup")
        await fire(console, f"{CHANGES}.approve", {"form": form})
        await console.notice_like("Published as version")
        versions = await until(console, FLAG, "versions", lambda rows: rows[0]["version"] == 2)
        assert "approved by Somchai" in versions[0]["by"]
    assert (await flag_of(resources)).version == 2


async def test_a_click_on_the_flag_before_this_one_does_nothing(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(default_variant="on"))
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{FLAG}.load")
        await until(console, FLAG, "facts", lambda found: found["key"])
        await fire(console, f"{FLAG}.kill", None, "/flags/another-flag")
        await console.notice_like("Wait until another-flag is shown")
    assert (await flag_of(resources)).state == "on"


async def test_the_kill_switch_asks_why_afterwards(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(default_variant="on"))
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{FLAG}.kill")
        await console.notice_like("Killed")
        assert (await flag_of(resources)).state == "killed"
        await fire(console, f"{FLAG}.give_reason", {"form": {"reason": "charged twice"}})
        await console.notice_like("The history says why")
        form = {
            "version": "1",
            "version_seen": "2",
            "reason": "it is mended",
            "confirm": "wallet-topup",
        }
        await fire(console, f"{FLAG}.restore", {"form": form})
        await console.notice_like("Published as version")
    found = await flag_of(resources)
    assert (found.state, found.version) == ("on", 3)


async def test_a_rollout_is_started_held_and_ended(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(rules=[{**THAILAND, "serve": [{"variant": "on", "share": 0}]}]))
    form = {
        "rule": "th", "steps": "5 % for 1 h, 25.5 % for 30 min, 100 %", "slo": "",
        "region": "*", "most_errors": "2", "version_seen": "1", "reason": "step by step",
        "confirm": "wallet-topup",
    }  # fmt: skip
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{ROLLOUT}.start", {"form": {**form, "steps": "a bit, then more"}})
        fault = await until(console, ROLLOUT, "fault", len)
        assert "is no step" in fault
        await fire(console, f"{ROLLOUT}.start", {"form": form})
        await console.notice_like("The rollout is under way")
        [row] = await until(console, FLAG, "rollouts", len)
        assert [step["share"] for step in row["steps"]] == ["5 %", "25.5 %", "100 %"]
        assert row["guard"] == "halts at 2 % more errors"
        await fire(console, f"{ROLLOUT}.pause", {"rollout_id": row["id"]})
        await console.notice_like("It stays at this step")
        await fire(console, f"{ROLLOUT}.stop", {"rollout_id": row["id"]})
        await console.notice_like("Ended")
    [rollout] = (await flag_of(resources)).rollouts
    assert rollout.state == "stopped"


async def test_a_promotion_is_looked_at_and_sent_over_the_versions_that_were_shown(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec())
    await keep(resources, spec(rules=[THAILAND]), where="staging")
    at = "/flags/wallet-topup?env=staging"
    sent = {"sent": {"reason": "it stood the test", "confirm": "wallet-topup"}}
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{PROMOTE}.look", None, at)
        first = await until(console, PROMOTE, "shown", len)
        assert first == "wallet-topup#1-1"
        await keep(resources, spec(owner="growth"), 1)
        await fire(console, f"{PROMOTE}.send", sent, at)
        assert "made wallet-topup version 2" in await until(console, PROMOTE, "fault", len)
        assert (await flag_of(resources)).version == 2
        await fire(console, f"{PROMOTE}.send", sent, at)
        await console.notice_like("Production: Published as version 3")
    found = await flag_of(resources)
    assert (found.owner, [rule.id for rule in found.spec.rules]) == ("growth", ["th"])


async def test_the_playground_explains_rule_by_rule(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(rules=[{**THAILAND, "serve": [{"variant": "on"}]}]))
    async with connect(await sign_in("Vi", ("viewer", "VN"))) as console:
        form = {"targetingKey": "somebody", "region": "TH-10", "segment": "", "more": ""}
        await fire(console, f"{TRY}.explain", {"form": form})
        answer = await until(console, TRY, "answer", lambda found: found["variant"])
        assert (answer["variant"], answer["value"]) == ("on", "true")
        await fire(console, f"{TRY}.explain", {"form": {**form, "more": "{"}})
        assert "no JSON" in await until(console, TRY, "fault", len)


async def test_a_segment_that_a_sensitive_flag_uses_waits_on_its_page(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    segment = {"name": "prepaid", "description": "", "conditions": []}
    sent = {"segment": segment, "version_seen": 0, "reason": "a start", "confirm": "prepaid"}
    async with connect(await sign_in("Nan", ADMIN)) as console:
        await fire(console, f"{SEGMENTS}.save", {"sent": sent}, "/flags/segments")
        await console.notice_like("The segment is published")
        uses = {"attribute": "segment", "operator": "any_of", "values": ["prepaid"]}
        rule = {**THAILAND, "conditions": [uses]}
        await keep(resources, spec(sensitive=True, rules=[rule]))
        narrowed = {"attribute": "app", "operator": "any_of", "values": ["shiptrack"]}
        sent = {**sent, "segment": {**segment, "conditions": [narrowed]}, "version_seen": 1}
        await fire(console, f"{SEGMENTS}.save", {"sent": sent}, "/flags/segments")
        await console.notice_like("somebody else has to approve it")
    async with connect(await sign_in("Somchai", ADMIN)) as console:
        await fire(console, f"{SEGMENTS}.load", None, "/flags/segments")
        [change] = await until(console, SEGMENTS, "changes", len)
        form = {"change": change["id"], "confirm": change["typed"]}
        await fire(console, f"{CHANGES}.approve", {"form": form}, "/flags/segments")
        await console.notice_like("Published")


async def test_the_list_kills_several_and_makes_new_flags(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await keep(resources, spec(default_variant="on"))
    async with connect(await sign_in("Nan", ADMIN)) as console:
        form = {"key": "Not a key!", "reason": "a start"}
        await fire(console, f"{LIST}.make", {"form": form}, "/flags")
        assert await until(console, LIST, "make_fault", len)
        await fire(console, f"{LIST}.make", {"form": {**form, "key": "cod-cap"}}, "/flags")
        await console.notice_like("cod-cap is there")
        chosen = {"action": "kill", "keys": ["wallet-topup", "none-such"]}
        await fire(console, f"{LIST}.act", chosen, "/flags")
        outcome = await until(console, LIST, "outcome", len)
        assert [row["word"] for row in outcome] == ["killed", "refused"]
        await fire(console, f"{LIST}.load", None, "/flags?state=killed")
        rows = await until(console, LIST, "rows", lambda found: len(found) == 1)
        assert rows[0]["id"] == "wallet-topup"
