"""The handlers of the pages on incidents over a real socket, as people's browsers call them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from backend.identity import service as identity
from backend.identity.schemas import GrantScope, Principal
from backend.incidents import service as incidents
from backend.incidents.rules import Severity
from backend.incidents.schemas import IncidentIn, IncidentRow
from backend.platform.resources import Resources
from backend.regions.service import seed
from tests.dashboard.conftest import Connect, SignIn, seen, send, state_of

LEAD = ("support_lead", "IN")
AGENT = ("support_agent", "IN-KA")
ADMIN = ("admin", "*")
PAGE = state_of("incident")
ACTS = state_of("incident_acts")
LIST = state_of("incidents")
BELL = state_of("bell")


async def _declare(resources: Resources, title: str, severity: str = "SEV2") -> IncidentRow:
    """An incident of Bengaluru that somebody else declares."""
    other = Principal("user", "user:other", "Nan P.", (GrantScope("admin", "*"),))
    wanted = IncidentIn(
        title=title, severity=Severity(severity), region="IN-KA", service="payments"
    )
    async with resources.database.unit_of_work() as session:
        await seed(session, other)
        return await incidents.open_incident(session, other, wanted)


async def test_the_second_responder_is_told_who_was_quicker(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _declare(resources, f"Refunds hang {uuid4().hex[:6]}")
    path = f"/incidents/{opened.number}"
    lead, agent = await sign_in("Arjun Menon", LEAD), await sign_in("Meera Kulkarni", AGENT)
    async with connect(lead) as first, connect(agent) as second:
        for console in (first, second):
            await send(console, f"{PAGE}.load", path)
            assert await seen(
                console, PAGE, lambda now: now.get("facts", {}).get("number") == opened.number
            )
        await send(first, f"{ACTS}.begin", path, {"key": "acknowledge"})
        await first.notice_like("yours")
        await send(second, f"{ACTS}.begin", path, {"key": "acknowledge"})
        words = await second.notice_like("Arjun Menon acknowledged it at")
        assert "acknowledged now" in words
        await send(second, f"{PAGE}.refresh", path)
        people = await seen(second, PAGE, lambda now: now.get("people"))
        assert [(each["role"], each["name"]) for each in people] == [("commander", "Arjun Menon")]


async def test_the_bell_tells_what_waits_and_starts_a_shift(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _declare(resources, f"Cards fail {uuid4().hex[:6]}", "SEV1")
    async with connect(await sign_in("Meera K", AGENT)) as console:
        await send(console, f"{BELL}.refresh", "/orders")
        rows = await seen(console, BELL, lambda now: now.get("rows"))
        row = next(each for each in rows if each["number"] == opened.number)
        assert (row["severity"], row["tone"], row["waits"]) == ("SEV1", "critical", True)
        await send(console, f"{BELL}.shift", "/orders", {"start": True})
        assert await console.notice_like("rings")
    async with resources.database.unit_of_work() as session:
        shift = await incidents.current_shift(
            session, await _principal(resources, "Meera K", AGENT)
        )
    assert shift is not None


async def _principal(resources: Resources, name: str, grant: tuple[str, str]) -> Principal:
    admin = Principal("user", "user:a", "", (GrantScope("admin", "*"),))
    async with resources.database.unit_of_work() as session:
        person = (await identity.list_persons(session, admin, text=name))[0]
    return Principal("user", f"user:{person.id}", name, (GrantScope(*grant),))


async def test_what_lies_elsewhere_is_not_listed_nor_shown(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    word = uuid4().hex[:6]
    opened = await _declare(resources, f"Elsewhere {word}")
    async with connect(await sign_in("Lan", ("viewer", "VN-SG"))) as console:
        await send(console, f"{LIST}.load", "/incidents", query=f"q={word}")
        await seen(console, LIST, lambda now: now.get("ready"))
        await send(console, f"{PAGE}.load", f"/incidents/{opened.number}")
        fault = await seen(console, PAGE, lambda now: now.get("fault"))
        assert "no such incident" in fault


async def test_many_are_changed_as_they_were_seen_each_with_its_result(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    word = uuid4().hex[:6]
    stale, fresh = await _declare(resources, f"A {word}"), await _declare(resources, f"B {word}")
    async with connect(await sign_in("Arjun M", LEAD)) as console:
        await send(console, f"{LIST}.load", "/incidents", query=f"q={word}")
        rows = await seen(console, LIST, lambda now: now.get("rows"))
        assert {each["number"] for each in rows} == {stale.number, fresh.number}
        other = Principal("user", "user:other", "Nan P.", (GrantScope("admin", "*"),))
        async with resources.database.unit_of_work() as session:
            await incidents.acknowledge(session, other, stale.id, seen_version=stale.version)
        ids = [str(stale.id), str(fresh.id)]
        act = {"action": "acknowledge", "incident_ids": ids}
        await send(console, f"{LIST}.act", "/incidents", act, query=f"q={word}")
        outcome = await seen(console, LIST, lambda now: now.get("outcome"))
    told = {each["name"]: (each["word"], each["detail"]) for each in outcome}
    assert told[fresh.number][0] == "acknowledged"
    assert told[stale.number][0] == "refused"
    assert "Nan P. acknowledged it" in told[stale.number][1]


async def test_what_is_ticked_is_merged(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    target = await _declare(resources, f"Target {uuid4().hex[:6]}")
    other = await _declare(resources, f"Same thing {uuid4().hex[:6]}")
    path = f"/incidents/{target.number}"
    async with connect(await sign_in("Arjun Q", LEAD)) as console:
        await send(console, f"{PAGE}.load", path)
        await seen(console, PAGE, lambda now: now.get("facts", {}).get("number"))
        await send(console, f"{ACTS}.begin", path, {"key": "merge"})
        choices = await seen(console, ACTS, lambda now: now.get("choices"))
        assert str(other.id) in [each["value"] for each in choices]
        await send(console, f"{ACTS}.act", path, {"form": {f"pick-{other.id}": True}})
        await console.notice_like("Merged")


async def test_a_note_too_long_is_refused_not_cut(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _declare(resources, f"Long story {uuid4().hex[:6]}")
    path = f"/incidents/{opened.number}"
    async with connect(await sign_in("Arjun S", LEAD)) as console:
        await send(console, f"{PAGE}.load", path)
        await seen(console, PAGE, lambda now: now.get("facts", {}).get("number"))
        await send(console, f"{ACTS}.note", path, {"form": {"note": "n" * 4001}})
        await console.notice_like("A note holds 4,000 characters; this one has 4,001.")
        await send(console, f"{PAGE}.refresh", path)
        story = await seen(console, PAGE, lambda now: now.get("story"))
    assert "note" not in [each["kind"] for each in story]


async def test_a_note_and_a_review_end_up_in_the_story(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    opened = await _declare(resources, f"Codes are late {uuid4().hex[:6]}")
    path = f"/incidents/{opened.number}"
    async with connect(await sign_in("Arjun R", LEAD)) as console:

        async def do(handler: str, payload: dict[str, Any]) -> dict[str, Any]:
            await send(console, f"{ACTS}.{handler}", path, payload)
            await seen(console, ACTS, lambda now: now.get("serial"))
            await send(console, f"{PAGE}.load", path)
            shown: dict[str, Any] = await seen(
                console, PAGE, lambda now: now if "story" in now else None
            )
            return shown

        await send(console, f"{PAGE}.load", path)
        await seen(console, PAGE, lambda now: now.get("facts", {}).get("number"))
        shown = await do("note", {"form": {"note": "The carrier drops them"}})
        assert shown["story"][0]["text"] == "The carrier drops them"
        await send(console, f"{ACTS}.begin", path, {"key": "resolve"})
        await seen(console, ACTS, lambda now: now.get("open"))
        shown = await do("act", {"form": {"note": "They arrive again", "force": True}})
        assert "They arrive again" in shown["review"]
        assert shown["may_review"]
        shown = await do("review", {"form": {"review": shown["review"] + "\nWatch the carrier."}})
        assert shown["review_note"] == "saved by Arjun R"
        assert shown["review"].endswith("Watch the carrier.")
