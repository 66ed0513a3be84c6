"""Escalations over HTTP, and what the demo begins with."""

from __future__ import annotations

from typing import Any

import httpx

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from backend.support import demo, filling, service
from tests.dispatch.orders import place_order, seeded

from .world import ADMIN, do, look, queue

BASE = "/api/v1/escalations"


async def headers_of(resources: Resources, role: str) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "desk", role=role)
    return {"Authorization": f"Bearer {issued.secret}"}


async def test_an_integration_opens_answers_and_solves_one(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    headers = await headers_of(resources, "support_lead")
    body = {
        "order_number": order.number, "kind": "damaged", "subject": "Wet", "text": "All wet.",
    }  # fmt: skip
    once = {**headers, "Idempotency-Key": "k1"}
    first = await client.post(BASE, json=body, headers=once)
    again = await client.post(BASE, json=body, headers=once)
    assert (first.status_code, again.json()) == (201, first.json())
    row: Any = first.json()
    at = f"{BASE}/{row['id']}"
    for path, sent in (
        ("take", {}),
        ("priority", {"priority": "high"}),
        ("kind", {"kind": "refund"}),
        ("reply", {"text": "Sorry, {customer}.", "then": "pending"}),
        ("state", {"state": "solved"}),
    ):
        told = await client.post(
            f"{at}/{path}", json={**sent, "seen_version": row["version"]}, headers=headers
        )
        assert told.status_code == 200, told.text
        row = told.json()
    assert row["state"] == "solved"
    noted = await client.post(f"{at}/notes", json={"text": "Done."}, headers=headers)
    assert noted.status_code == 201
    stale = await client.post(
        f"{at}/state", json={"state": "open", "seen_version": 1}, headers=headers
    )
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:waypost:problem:moved_on")
    found = (await client.get(f"{BASE}/ESC-1", headers=headers)).json()
    assert [said["text"] for said in found["conversation"]] == ["All wet.", "Sorry, {customer}."]
    listed = await client.get(f"{BASE}?state=solved&kind=refund&limit=10", headers=headers)
    assert [each["number"] for each in listed.json()["items"]] == ["ESC-1"]
    counted = await client.get(f"{BASE}/counts?state=solved", headers=headers)
    assert counted.json()["by_priority"] == {"high": 1}


async def test_drafts_presence_and_settings_go_over_http(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    headers = await headers_of(resources, "support_lead")
    body = {"order_number": order.number, "kind": "late", "subject": "Late", "text": "Where?"}
    row = (await client.post(BASE, json=body, headers=headers)).json()
    at = f"{BASE}/{row['id']}"
    kept = await client.put(f"{at}/draft", json={"text": "H", "seen_version": 1}, headers=headers)
    assert (kept.status_code, kept.json()["text"]) == (200, "H")
    assert (await client.get(f"{at}/draft", headers=headers)).json()["outdated"] is False
    seen = await client.put(f"{at}/presence", json={"typing": True}, headers=headers)
    assert seen.json() == []
    assert (await client.delete(f"{at}/presence", headers=headers)).status_code == 204
    policy = (await client.get(f"{BASE}/sla", headers=headers)).json()
    changed = {
        key: policy[key]
        for key in ("targets", "round_robin", "close_solved_after_h", "late_after_min")
    } | {"seen_version": 0, "late_after_min": 20}
    saved = await client.put(f"{BASE}/sla", json=changed, headers=headers)
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    macro = {"name": "Hi", "text": "{customer}"}
    made = await client.put(f"{BASE}/macros", json=macro, headers=headers)
    assert made.status_code == 200
    gone = await client.delete(f"{BASE}/macros/{made.json()['id']}", headers=headers)
    assert gone.status_code == 204
    assert (await client.get(f"{BASE}/macros", headers=headers)).json() == []
    on = await client.put(f"{BASE}/availability", json={"available": True}, headers=headers)
    assert on.json()["available"] is True
    agents = await client.get(f"{BASE}/agents?region=TH-10", headers=headers)
    assert agents.status_code == 200


async def test_the_demo_begins_with_hours_macros_and_some_escalations(
    resources: Resources,
) -> None:
    await seeded(resources)
    async with resources.database.unit_of_work() as session:
        assert await demo.seed(session, SYSTEM) > 0
    async with resources.database.unit_of_work() as session:
        assert await demo.seed(session, SYSTEM) == 0
    calendars = await do(resources, service.list_calendars, ADMIN)
    assert {each.region for each in calendars} == {
        "BD", "ID", "IN", "LK", "MY", "NP", "PH", "SG", "TH", "VN"
    }  # fmt: skip
    macros = await do(resources, service.list_macros, ADMIN)
    for macro in macros:
        filling.check(macro.text)
    rows = await queue(resources)
    assert len(rows) == 6
    detail = await look(resources, rows[0].id)
    assert [each.kind for each in detail.timeline] == ["opened", "note"]
