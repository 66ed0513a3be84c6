"""Deliveries that no honest sender makes: refused, or read for what they are."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.tokens import issue_api_token
from backend.incidents import service
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.service import seed

from .payloads import ago, alertmanager, cloudevent, firing, pagerduty
from .world import ADMIN, alerts, do

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
BINARY = {
    "content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x",
    "ce-type": "x.firing",
}  # fmt: skip


@pytest.fixture
async def admin_headers(resources: Resources) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        issued = await issue_api_token(session, SYSTEM, "admin", role="admin")
    return {"authorization": f"Bearer {issued.secret}"}


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "0002-01-01T00:00:00Z"],
)
async def test_a_moment_out_of_reach_counts_for_none(
    resources: Resources,
    monitor: httpx.AsyncClient,
    moment: str,
) -> None:
    before = clock.now()
    sent = [
        ("alertmanager", alertmanager(firing(startsAt=moment)), {}),
        ("cloudevents", cloudevent(time=moment, data={}), STRUCTURED),
        ("pagerduty", pagerduty(payload={**pagerduty()["payload"], "timestamp": moment}), {}),
    ]
    for doorway, body, headers in sent:
        answer = await monitor.post(f"/api/hooks/{doorway}", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
    found = await alerts(resources)
    assert len(found) == 3
    assert all(one.started_at >= before for one in found)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("doorway", "body", "headers"),
    [
        ("alertmanager", b'{"version":"4","alerts":[{"labels":{"a":%b}}]}', {}),
        ("grafana", b'{"version":"1","alerts":[{"annotations":{"a":%b}}]}', {}),
        ("pagerduty", b'{"event_action":"trigger","payload":{"custom_details":%b}}', {}),
        ("cloudevents", b'{"specversion":"1.0","id":"1","data":%b}', STRUCTURED),
        ("cloudevents", b'[{"specversion":"1.0","id":"1","data":%b}]', BATCH),
        ("cloudevents", b"%b", BINARY),
    ],
)
async def test_a_body_nested_out_of_all_measure_is_refused(
    monitor: httpx.AsyncClient,
    doorway: str,
    body: bytes,
    headers: dict[str, str],
    problem_of: Any,
) -> None:
    answer = await monitor.post(
        f"/api/hooks/{doorway}", content=body % nested(500), headers=headers
    )
    assert problem_of(answer)["status"] == 400


async def test_the_level_that_headers_add_counts_too(
    monitor: httpx.AsyncClient,
) -> None:
    for levels in range(250, 258):
        answer = await monitor.post(
            "/api/hooks/cloudevents", content=nested(levels), headers=BINARY
        )
        assert answer.status_code in (202, 400)


async def test_a_region_that_is_no_word_counts_for_none(
    resources: Resources,
    monitor: httpx.AsyncClient,
) -> None:
    for number, region in enumerate((["TH-10"], {"code": "TH-10"}, 7)):
        body = cloudevent(id=str(number), subject=str(number), data={"region": region})
        answer = await monitor.post("/api/hooks/cloudevents", json=body, headers=STRUCTURED)
        assert answer.status_code == 202, answer.text
    assert {one.region for one in await alerts(resources)} == {"TH"}


async def test_a_routing_key_is_hidden_however_it_was_written(
    resources: Resources,
    client: httpx.AsyncClient,
    token: str,
) -> None:
    body = pagerduty(dedup_key="a", routing_key=token)
    body["payload"]["custom_details"] = {"sent_with": f"key {token}"}
    escaped = "".join(f"\\u{ord(character):04x}" for character in token)
    text = orjson.dumps(body).decode().replace(token, escaped)
    answer = await client.post("/api/hooks/pagerduty", content=text)
    assert answer.status_code == 202, answer.text
    [one] = await alerts(resources)
    assert one.event_id is not None
    raw = await do(resources, service.get_raw_event, ADMIN, one.event_id)
    shown = orjson.loads(raw.body)
    assert shown["routing_key"] == "***"
    assert shown["payload"]["custom_details"] == {"sent_with": "key ***"}
    assert escaped not in raw.body


async def test_a_short_routing_key_beside_a_token_spoils_nothing(
    resources: Resources,
    monitor: httpx.AsyncClient,
) -> None:
    body = pagerduty(dedup_key="a", routing_key="e")
    assert (await monitor.post("/api/hooks/pagerduty", json=body)).status_code == 202
    [one] = await alerts(resources)
    assert one.title == body["payload"]["summary"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("incidents", {"title": "x", "severity": "SEV3", "service": "x", "region": "TH",
                       "impact_started_at": "9999-12-31T23:59:59-12:00"}),
        ("on-call/maintenance", {"region": "TH", "since": ago(0), "reason": "x",
                                 "until": "9999-12-31T23:59:59-12:00"}),
        ("on-call/schedules", {"name": "x", "region": "TH", "starts_at": "9999-12-31T00:00:00Z",
                               "people": [{"person_id": "user:x", "name": "X"}],
                               "steps": [{"after_s": 0, "channels": ["console"]}]}),
        ("on-call/schedules", {"name": "x", "region": "TH", "starts_at": "2026-01-01T00:00:00Z",
                               "people": [{"person_id": "user:x", "name": "X"}],
                               "steps": [{"after_s": 0, "channels": ["console"]}],
                               "overrides": [{"person_id": "user:x",
                                              "since": "0001-01-01T00:00:00+12:00",
                                              "until": "9999-12-31T23:59:59-12:00"}]}),
    ],
)  # fmt: skip
async def test_people_cannot_name_moments_out_of_reach_either(
    client: httpx.AsyncClient,
    admin_headers: dict[str, str],
    path: str,
    body: dict[str, Any],
    problem_of: Any,
) -> None:
    answer = await client.post(f"/api/v1/{path}", json=body, headers=admin_headers)
    assert problem_of(answer)["status"] == 422
    assert "between the years" in answer.text


async def test_figures_are_asked_for_moments_within_reach(
    client: httpx.AsyncClient, admin_headers: dict[str, str], problem_of: Any
) -> None:
    for until in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"):
        asked = {"until": until, "since": until}
        for path in ("scorecard", "incidents/figures", "incidents"):
            answer = await client.get(f"/api/v1/{path}", params=asked, headers=admin_headers)
            assert problem_of(answer)["status"] == 422


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "/orders", 7])
async def test_only_an_address_of_the_web_is_led_to(
    resources: Resources,
    monitor: httpx.AsyncClient,
    address: object,
) -> None:
    body = alertmanager(firing("bad", generatorURL=address), firing("good"))
    assert (await monitor.post("/api/hooks/alertmanager", json=body)).status_code == 202
    found = {one.key: one.url for one in await alerts(resources)}
    assert found == {"bad": None, "good": firing()["generatorURL"]}


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("text/plain", "Der Kühlraum ist warm".encode(), "Der Kühlraum ist warm"),
        ("application/octet-stream", b"\xff\xfe\x00", "//4A"),
    ],
)
async def test_an_event_whose_data_is_no_json_is_taken_as_it_is(
    resources: Resources,
    monitor: httpx.AsyncClient,
    kind: str,
    body: bytes,
    shown: str,
) -> None:
    headers = {**BINARY, "content-type": kind}
    answer = await monitor.post("/api/hooks/cloudevents", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    [one] = await alerts(resources)
    assert one.event_id is not None
    assert shown in (await do(resources, service.get_raw_event, ADMIN, one.event_id)).body
    claimed = {**BINARY, "ce-id": "2"}
    answer = await monitor.post("/api/hooks/cloudevents", content=body, headers=claimed)
    assert answer.status_code == 400
