"""The control API: what comes over the wire, by whom, and what is said when it is wrong."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from backend.identity.schemas import SYSTEM, GrantScope
from backend.identity.service import Visitor, begin_session, issue_api_token
from backend.platform.resources import Resources
from tests.flags.conftest import Flags, rule, spec
from tests.flags.test_exchange import document
from tests.identity.conftest import enrolled

OWN = {"origin": "http://localhost:8000"}


@pytest.fixture
async def admin(resources: Resources, flags: Flags) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "flags-admin", role="admin")
    return {"Authorization": f"Bearer {issued.secret}"}


async def person(resources: Resources, name: str) -> dict[str, str]:
    """The headers of an admin's browser."""
    async with resources.database.unit_of_work() as session:
        found = await enrolled(session, name, GrantScope("admin", "*"))
    cookie = await begin_session(resources, Visitor(found, name, None, "10.0.0.1", "test"))
    return {"cookie": f"waypost={cookie}", **OWN}


def body(seen: int = 0, **more: Any) -> dict[str, Any]:
    wanted = spec(**more).model_dump(mode="json")
    return {
        "spec": wanted,
        "version_seen": seen,
        "reason": "over the wire",
        "confirm": "wallet-topup",
    }


PATH = "/api/v1/flags/wallet-topup"


async def test_a_flag_is_made_read_changed_and_listed(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    made = await client.put(PATH, json=body(), headers=admin)
    assert (made.status_code, made.json()["status"]) == (200, "published")
    thai = rule(1, ("region", "any_of", ["TH"]))
    await client.put(PATH, json=body(1, rules=[thai]), headers=admin)
    found = (await client.get(PATH, headers=admin)).json()
    assert (found["key"], found["version"], found["kind"]) == ("wallet-topup", 2, "release")
    assert found["definition"]["targeting"] == {"if": [{"in": [{"var": "country"}, ["TH"]]}, "on"]}
    listed = (await client.get("/api/v1/flags?limit=1", headers=admin)).json()
    assert ([flag["key"] for flag in listed["items"]], listed["next_cursor"]) == (
        ["wallet-topup"],
        None,
    )
    versions = (await client.get(f"{PATH}/versions", headers=admin)).json()
    assert [version["version"] for version in versions] == [2, 1]


async def test_what_is_wrong_is_pointed_at(
    client: httpx.AsyncClient, admin: dict[str, str], problem_of: Any
) -> None:
    wrong = body(variants={"on": True, "off": "no"})
    answer = problem_of(await client.put(PATH, json=wrong, headers=admin))
    assert answer["status"] == 422
    assert answer["errors"][0]["pointer"] == "/spec/variants/off"
    assert answer["errors"][0]["code"] == "mixed_types"
    untyped = {**body(), "confirm": ""}
    answer = problem_of(await client.put(PATH, json=untyped, headers=admin))
    assert [fault["pointer"] for fault in answer["errors"]] == ["/confirm"]
    other = await client.put("/api/v1/flags/other", json=body(), headers=admin)
    assert problem_of(other)["errors"][0]["code"] == "another_key"


async def test_the_second_editor_gets_a_conflict(
    client: httpx.AsyncClient, admin: dict[str, str], problem_of: Any
) -> None:
    await client.put(PATH, json=body(), headers=admin)
    await client.put(PATH, json=body(1, owner="growth"), headers=admin)
    late = problem_of(await client.put(PATH, json=body(1, owner="ops"), headers=admin))
    assert (late["status"], late["type"]) == (409, "urn:waypost:problem:changed_meanwhile")
    assert late["detail"].startswith("flags-admin made wallet-topup version 2")


async def test_a_second_person_approves_in_a_session_of_their_own(
    client: httpx.AsyncClient, resources: Resources, admin: dict[str, str], problem_of: Any
) -> None:
    ada, bo = await person(resources, "Ada"), await person(resources, "Bo")
    asked = await client.put(PATH, json=body(sensitive=True), headers=ada)
    assert asked.json()["status"] == "waiting"
    approve = f"/api/v1/flags/changes/{asked.json()['change_id']}/approve"
    typed = {"confirm": "wallet-topup"}
    for caller in (ada, admin):
        refused = problem_of(await client.post(approve, json=typed, headers=caller))
        assert (refused["status"], refused["type"]) == (
            403,
            "urn:waypost:problem:second_person_needed",
        )
    assert (await client.get(PATH, headers=ada)).status_code == 404
    waiting = (await client.get("/api/v1/flags/changes", headers=bo)).json()
    assert [(change["title"], change["asked_by_name"]) for change in waiting] == [
        ("wallet-topup", "Ada")
    ]
    assert (await client.post(approve, json=typed, headers=bo)).json()["version"] == 1
    assert (await client.get(PATH, headers=ada)).json()["sensitive"] is True


async def test_a_kill_over_the_wire_is_one_call(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    await client.put(PATH, json=body(default_variant="on"), headers=admin)
    killed = await client.post(f"{PATH}/kill", json={}, headers=admin)
    assert killed.json()["status"] == "published"
    reason = {"reason": "payments failed"}
    assert (await client.post(f"{PATH}/kill-reason", json=reason, headers=admin)).status_code == 204
    found = (await client.get(PATH, headers=admin)).json()
    assert (found["state"], found["kill_reason"]) == ("killed", "payments failed")


async def test_a_document_of_five_thousand_flags_fits_through_the_door(
    client: httpx.AsyncClient, admin: dict[str, str], problem_of: Any
) -> None:
    many = document(5_000)
    for flag in many["flags"].values():
        flag["metadata"] = {"description": "x" * 300, "owner": "payments"}
    wanted = {"environment": "staging", "document": many, "reason": "a large file"}
    raw = orjson.dumps(wanted)
    assert len(raw) > 2 * 1024 * 1024
    headers = {**admin, "content-type": "application/json"}
    many["flags"]["flag-7"]["targeting"] = {"nonsense": []}
    wrong = await client.post("/api/v1/flags/import", content=orjson.dumps(wanted), headers=headers)
    assert problem_of(wrong)["errors"][0]["pointer"] == "/flags/flag-7/targeting/nonsense"
    out = (await client.get("/api/v1/flags/export?environment=staging", headers=admin)).json()
    assert out["flags"] == {}
    done = await client.post("/api/v1/flags/import", content=raw, headers=headers, timeout=60)
    assert (done.status_code, len(done.json()["created"])) == (200, 5_000)
    elsewhere = await client.put(PATH, content=raw, headers=headers)
    assert elsewhere.status_code == 413


async def test_outcomes_are_counted_for_who_may_evaluate(
    client: httpx.AsyncClient, resources: Resources, admin: dict[str, str]
) -> None:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "phone-app", permissions=frozenset({"flags:evaluate"}), regions=("TH",)
        )
    phone = {"Authorization": f"Bearer {issued.secret}"}
    outcome = {"key": "wallet-topup", "variant": "on", "region": "TH-10", "good": 9, "bad": 1}
    path = "/api/v1/flags/outcomes"
    assert (await client.post(path, json=[outcome], headers=phone)).status_code == 202
    elsewhere = {**outcome, "region": "VN-SG"}
    assert (await client.post(path, json=[elsewhere], headers=phone)).status_code == 403
    assert (await client.get("/api/v1/flags", headers=phone)).status_code == 403
