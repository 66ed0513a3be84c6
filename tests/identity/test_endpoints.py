"""The HTTP doorways of identity: who gets in, what is answered, what is recorded."""

from __future__ import annotations

import asyncio
import base64
import csv
import io

import httpx
import pytest
from sqlalchemy import text

from backend.identity.audit import list_audit
from backend.identity.schemas import SYSTEM, AuditFilter, GrantScope
from backend.identity.tokens import issue_api_token
from backend.platform.resources import Resources

from .conftest import ADMIN, enrolled
from .signing_in import sign_in

OWN = {"origin": "http://localhost:8000"}
LISTS = ["tokens", "persons", "sessions", "audit"]
READS = ["grants", "policies", *LISTS, *(f"{name}.csv" for name in LISTS)]


async def bearer(resources: Resources, role: str, *regions: str) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, f"test-{role}".replace("_", "-"), role=role, regions=regions or ("*",)
        )
    return {"authorization": f"Bearer {issued.secret}"}


@pytest.mark.parametrize("what", ["me", *READS])
async def test_strangers_are_sent_away(client: httpx.AsyncClient, what: str) -> None:
    answer = await client.get(f"/api/v1/{what}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("what", READS)
async def test_a_viewer_is_refused_and_the_refusal_recorded(
    client: httpx.AsyncClient, resources: Resources, what: str
) -> None:
    answer = await client.get(f"/api/v1/{what}", headers=await bearer(resources, "viewer"))
    assert answer.status_code == 403
    async with resources.database.unit_of_work() as session:
        (row,) = await list_audit(session, ADMIN, AuditFilter(outcome="denied"))
    assert row.actor == "service:test-viewer"
    assert row.object == f"GET /api/v1/{what}"


@pytest.mark.parametrize("what", LISTS)
async def test_an_export_holds_no_secret_and_is_recorded(
    client: httpx.AsyncClient, resources: Resources, what: str
) -> None:
    admin = await bearer(resources, "admin")
    async with resources.database.unit_of_work() as session:
        await enrolled(session, "=1+1", GrantScope("viewer", "TH"))
    answer = await client.get(f"/api/v1/{what}.csv", headers=admin)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert admin["authorization"].split()[1] not in answer.text
    async with resources.database.unit_of_work() as session:
        (row,) = await list_audit(session, ADMIN, AuditFilter(action=f"{what}.exported"))
    assert row.actor == "service:test-admin"
    assert row.after["rows"] == len(rows)


@pytest.mark.parametrize("what", ["me", *READS])
async def test_an_admin_reads_everything(
    client: httpx.AsyncClient, resources: Resources, what: str
) -> None:
    answer = await client.get(f"/api/v1/{what}", headers=await bearer(resources, "admin"))
    assert answer.status_code == 200, answer.text


async def test_basic_password_carries_a_token_too(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    token = (await bearer(resources, "viewer"))["authorization"].split()[1]
    basic = base64.b64encode(f"grafana:{token}".encode()).decode()
    answer = await client.get("/api/v1/me", headers={"authorization": f"Basic {basic}"})
    assert answer.json()["id"] == "service:test-viewer"
    broken = await client.get("/api/v1/me", headers={"authorization": "Basic !!!"})
    assert broken.status_code == 401


@pytest.mark.parametrize(
    "asked",
    [
        "persons?text=%00",
        "audit?actor=%00",
        "tokens?kind=%00",
        # 10 to the power of 26: no row has such a number.
        "audit?cursor=MTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw",
    ],
)
async def test_a_value_no_database_can_hold_is_the_callers_fault(
    client: httpx.AsyncClient, resources: Resources, asked: str
) -> None:
    answer = await client.get(f"/api/v1/{asked}", headers=await bearer(resources, "admin"))
    assert answer.status_code == 400, answer.text


@pytest.mark.usefixtures("no_refill")
async def test_a_caller_who_asks_too_often_waits_and_nobody_else(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.identity.callers.CALLS_AT_ONCE", 5)
    monkeypatch.setattr("backend.identity.callers.CALLS_PER_S", 0.1)
    busy, other = await bearer(resources, "viewer"), await bearer(resources, "admin")
    answers = [await client.get("/api/v1/me", headers=busy) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit"].startswith('"default";r=4;')
    assert answers[5].headers["ratelimit"].startswith('"default";r=0;')
    assert 1 <= int(answers[5].headers["retry-after"]) <= 10
    assert (await client.get("/api/v1/me", headers=other)).status_code == 200


@pytest.mark.usefixtures("no_refill")
async def test_guessing_tokens_is_slowed_down(client: httpx.AsyncClient) -> None:
    answers = [
        await client.get("/api/v1/me", headers={"authorization": f"Bearer wpt_{n}"})
        for n in range(70)
    ]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429


async def test_a_token_is_made_shown_once_listed_and_revoked(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    admin = await bearer(resources, "admin")
    wanted = {"name": "market", "permissions": ["drivers:read"], "regions": ["TH-10"]}
    made = (await client.post("/api/v1/tokens", json=wanted, headers=admin)).json()
    mine = {"authorization": f"Bearer {made['token']}"}
    me = (await client.get("/api/v1/me", headers=mine)).json()
    assert me["permissions"] == {"drivers:read": ["TH-10"]}
    listed = (await client.get("/api/v1/tokens", headers=admin)).json()["items"]
    assert made["token"] not in str(listed)
    gone = await client.delete(f"/api/v1/tokens/{made['id']}", headers=admin)
    assert gone.status_code == 204
    await asyncio.sleep(0.6)
    assert (await client.get("/api/v1/me", headers=mine)).status_code == 401


async def test_the_same_key_repeats_the_secret_although_it_is_kept_nowhere(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    headers = {**await bearer(resources, "admin"), "idempotency-key": "k-1"}
    wanted = {"name": "market", "role": "viewer"}
    first = await client.post("/api/v1/tokens", json=wanted, headers=headers)
    again = await client.post("/api/v1/tokens", json=wanted, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await client.post("/api/v1/tokens", json={**wanted, "role": "auditor"}, headers=headers)
    assert other.status_code == 422
    async with resources.database.unit_of_work() as session:
        bodies = await session.scalars(text("SELECT body FROM platform_idempotency"))
        assert all(first.json()["token"].encode() not in bytes(body) for body in bodies)


async def test_wrong_fields_are_named(client: httpx.AsyncClient, resources: Resources) -> None:
    admin = await bearer(resources, "admin")
    wanted = {"name": "market", "role": "viewer", "regions": ["bangkok"]}
    answer = await client.post("/api/v1/tokens", json=wanted, headers=admin)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/regions"


async def test_a_cookie_changes_things_only_from_our_own_pages(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client, "ananya.iyer")
    wanted = {"name": "market", "role": "viewer"}
    for headers in ({}, {"origin": "https://evil.example"}):
        answer = await client.post("/api/v1/tokens", json=wanted, headers=headers)
        assert answer.status_code == 403
    answer = await client.post("/api/v1/tokens", json=wanted, headers=OWN)
    assert answer.status_code == 201


async def test_a_role_is_given_and_taken_back(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    admin = await bearer(resources, "admin", "TH")
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, "Nok", GrantScope("viewer", "TH-10"))
    wanted = {
        "person_id": str(person_id),
        "role": "fleet_manager",
        "region": "TH-10",
        "reason": "covers for Chai",
    }
    made = await client.post("/api/v1/grants", json=wanted, headers=admin)
    assert made.status_code == 201, made.text
    assert made.json()["granted_by"] == "service:test-admin"
    assert (await client.post("/api/v1/grants", json=wanted, headers=admin)).status_code == 409
    elsewhere = {**wanted, "region": "IN-KA"}
    assert (await client.post("/api/v1/grants", json=elsewhere, headers=admin)).status_code == 403
    grants = (await client.get("/api/v1/grants", headers=admin)).json()["items"]
    assert {grant["source"] for grant in grants} == {"entra", "console"}
    directory = next(grant for grant in grants if grant["source"] == "entra")
    refused = await client.delete(f"/api/v1/grants/{directory['id']}?reason=tidying", headers=admin)
    assert refused.status_code == 409
    gone = await client.delete(
        f"/api/v1/grants/{made.json()['id']}?reason=Chai+is+back", headers=admin
    )
    assert gone.status_code == 204
    (person,) = (await client.get("/api/v1/persons?text=nok", headers=admin)).json()["items"]
    assert [grant["role"] for grant in person["grants"]] == ["viewer"]


async def test_nobody_gives_a_role_to_themselves(client: httpx.AsyncClient) -> None:
    await sign_in(client, "ananya.iyer")
    me = (await client.get("/api/v1/me")).json()
    wanted = {
        "person_id": me["id"].removeprefix("user:"),
        "role": "support_lead",
        "region": "*",
        "reason": "because",
    }
    answer = await client.post("/api/v1/grants", json=wanted, headers=OWN)
    assert answer.status_code == 403


async def test_a_person_sees_and_ends_their_own_session(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    person_id = (await client.get("/api/v1/me")).json()["id"].removeprefix("user:")
    path = f"/api/v1/sessions?person_id={person_id}"
    (own,) = (await client.get(path)).json()["items"]
    gone = await client.delete(f"/api/v1/sessions/{own['id']}", headers=OWN)
    assert gone.status_code == 204
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_lists_go_on_by_cursor(client: httpx.AsyncClient, resources: Resources) -> None:
    admin = await bearer(resources, "admin")
    for _ in range(4):
        await bearer(resources, "viewer")
    seen, cursor = [], ""
    while cursor is not None:
        path = f"/api/v1/tokens?limit=2{f'&cursor={cursor}' if cursor else ''}"
        page = (await client.get(path, headers=admin)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    assert (await client.get("/api/v1/tokens?cursor=%21", headers=admin)).status_code == 400
    assert (await client.get("/api/v1/audit?cursor=eA", headers=admin)).status_code == 400


async def test_the_export_is_csv_that_no_spreadsheet_runs(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    admin = await bearer(resources, "admin")
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, "=cmd()", GrantScope("viewer", "TH-10"))
    wanted = {
        "person_id": str(person_id),
        "role": "viewer",
        "region": "SG",
        "reason": "=HYPERLINK(1)",
    }
    await client.post("/api/v1/grants", json=wanted, headers=admin)
    answer = await client.get("/api/v1/audit.csv?action=grant.given", headers=admin)
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["reason"] == "'=HYPERLINK(1)"
    listed = await client.get("/api/v1/audit?action=audit.exported", headers=admin)
    assert listed.json()["items"][0]["after"] == {"rows": 1, "action": "grant.given"}
