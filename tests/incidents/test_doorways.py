"""Alerts from outside: each sender's format, its traps, and what bad input gets."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.tokens import issue_api_token
from backend.incidents import service
from backend.incidents.on_call_schemas import HeartbeatIn
from backend.platform.resources import Resources

from .payloads import ago, alertmanager, cloudevent, firing, grafana, pagerduty, resolved
from .world import ADMIN, VIEWER, alerts, do, incidents, look, work


async def test_alertmanager_is_answered_at_once_and_worked_in_afterwards(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    answer = await monitor.post("/api/hooks/alertmanager", json=alertmanager(firing()))
    assert answer.status_code == 202
    assert [each["status"] for each in answer.json()["results"]] == ["accepted"]
    assert await incidents(resources) == []
    [one] = await alerts(resources)
    assert one.integration.startswith("alertmanager/prometheus#")
    assert one.key == "09e9fe2d4c7a6d31"
    assert (one.title, one.severity, one.service) == (
        "Gateway errors over 10 %",
        "SEV1",
        "payments",
    )
    assert one.status == "firing", "an end in the year 1 is none"
    assert one.ended_at is None
    [incident] = await incidents(resources)
    assert 60 <= incident.running_s < 70
    links = (await look(resources, incident.id)).links
    assert [each.url for each in links] == ["http://prometheus.example.com/graph?g0.expr=errors"]


async def test_the_raw_delivery_is_kept_and_shown_to_those_it_concerns(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    body = orjson.dumps(alertmanager(firing()))
    await monitor.post("/api/hooks/alertmanager", content=body)
    [one] = await alerts(resources)
    assert one.event_id is not None
    raw = await do(resources, service.get_raw_event, VIEWER, one.event_id)
    assert raw.body.encode() == body
    assert (raw.state, raw.doorway, raw.why) == ("done", "alertmanager", None)
    assert "authorization" not in raw.headers


async def test_a_retry_of_the_same_bytes_is_a_duplicate(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    body = alertmanager(firing())
    first = await monitor.post("/api/hooks/alertmanager", json=body)
    again = await monitor.post("/api/hooks/alertmanager", json=body)
    assert [each["status"] for each in again.json()["results"]] == ["duplicate"]
    assert first.status_code == again.status_code == 202
    [one] = await alerts(resources)
    assert one.deliveries == 1


async def test_a_late_resolved_ends_when_it_says(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    told = firing(ago_s=900)
    await monitor.post("/api/hooks/alertmanager", json=alertmanager(told))
    await work(resources)
    over = resolved(told, ago_s=300)
    await monitor.post("/api/hooks/alertmanager", json=alertmanager(over, status="resolved"))
    [one] = await alerts(resources)
    assert one.status == "resolved"
    [incident] = await incidents(resources, states=["resolved"])
    assert incident.resolved_at == incident.detected_at, "nothing ends before it was detected"


async def test_messages_of_an_older_episode_change_nothing(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    old, new = firing(ago_s=900), firing(ago_s=10)
    for each in (old, resolved(old, ago_s=600), new):
        await monitor.post("/api/hooks/alertmanager", json=alertmanager(each))
    late_end = alertmanager(resolved(old, ago_s=700), receiver="second")
    await monitor.post("/api/hooks/alertmanager", json=late_end)
    found = await alerts(resources)
    assert [each.status for each in found][-1] == "firing"
    for each in (new, resolved(new, ago_s=5)):
        await monitor.post("/api/hooks/alertmanager", json=alertmanager(each, receiver="third"))
    await work(resources, later_s=120)
    late_start = alertmanager(new, receiver="fourth")
    await monitor.post("/api/hooks/alertmanager", json=late_start)
    assert {each.status for each in await alerts(resources)} == {"resolved"}


async def test_one_bad_alert_does_not_lose_the_others(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    nameless = firing("")
    answer = await monitor.post(
        "/api/hooks/alertmanager", json=alertmanager(nameless, firing("b"), "what?")
    )
    assert answer.status_code == 202
    assert [(each["status"], each["code"]) for each in answer.json()["results"]] == [
        ("rejected", "missing_fingerprint"), ("accepted", None), ("rejected", "not_an_object")
    ]  # fmt: skip
    assert [each.key for each in await alerts(resources)] == ["b"]


@pytest.mark.parametrize(
    ("doorway", "body", "code"),
    [
        ("alertmanager", alertmanager(firing(), version="3"), "unknown_version"),
        ("alertmanager", grafana(firing()), "unknown_version"),
        ("grafana", alertmanager(firing()), "unknown_version"),
        ("alertmanager", alertmanager(), "missing"),
        ("alertmanager", alertmanager(firing("")), "missing_fingerprint"),
        ("alertmanager", alertmanager({**firing(), "status": "odd"}), "unknown_status"),
        ("cloudevents", cloudevent(specversion="0.3"), "unknown_version"),
        ("cloudevents", cloudevent(id=""), "missing"),
        ("pagerduty", pagerduty("explode", dedup_key="a"), "unknown_action"),
        ("pagerduty", pagerduty("resolve"), "missing"),
        ("pagerduty", pagerduty(dedup_key="k" * 256), "bad_key"),
        ("pagerduty", pagerduty(payload={"summary": "x"}), "missing"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_name(
    resources: Resources,
    monitor: httpx.AsyncClient,
    doorway: str,
    body: dict[str, Any],
    code: str,
) -> None:
    kind = "application/cloudevents+json" if doorway == "cloudevents" else "application/json"
    answer = await monitor.post(
        f"/api/hooks/{doorway}", content=orjson.dumps(body), headers={"content-type": kind}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["code"] == code
    assert await alerts(resources) == []


@pytest.mark.parametrize("doorway", ["alertmanager", "grafana", "pagerduty", "cloudevents"])
async def test_bodies_that_are_none_or_too_large(
    client: httpx.AsyncClient, token: str, doorway: str
) -> None:
    path, keys = f"/api/hooks/{doorway}", {"authorization": f"Bearer {token}"}
    for body in (b"", b"not json", b"[1]"):
        assert (await client.post(path, content=body, headers=keys)).status_code == 400
    huge = await client.post(path, content=b" " * 10_000_000, headers=keys)
    assert huge.status_code == 413


@pytest.mark.parametrize("doorway", ["alertmanager", "grafana", "pagerduty", "cloudevents"])
async def test_strangers_and_the_wrong_ones_stay_outside(
    resources: Resources, client: httpx.AsyncClient, doorway: str
) -> None:
    path, body = f"/api/hooks/{doorway}", pagerduty(dedup_key="a")
    assert (await client.post(path, json=body)).status_code == 401
    wrong = {"authorization": "Bearer wpt_wrong"}
    assert (await client.post(path, json=body, headers=wrong)).status_code == 401
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "someone", role="viewer")
    viewer = {"authorization": f"Bearer {issued.secret}"}
    assert (await client.post(path, json=body, headers=viewer)).status_code == 403


async def test_a_token_speaks_of_its_own_regions_alone(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    foreign = firing(labels={"alertname": "x", "region": "IN-KA"})
    answer = await monitor.post("/api/hooks/alertmanager", json=alertmanager(foreign))
    assert answer.status_code == 403
    cloud = firing("aws", labels={"alertname": "x", "region": "us-east-1"})
    await monitor.post("/api/hooks/alertmanager", json=alertmanager(cloud))
    [one] = await alerts(resources)
    assert one.region == "TH", "a region that is not one of ours is a label like others"
    assert one.labels["region"] == "us-east-1"


@pytest.mark.usefixtures("no_refill")
async def test_floods_are_told_to_wait(client: httpx.AsyncClient, token: str) -> None:
    body = pagerduty(dedup_key="flood")
    answers = [
        (await client.post("/api/hooks/pagerduty", json={**body, "routing_key": "wrong"}))
        for _ in range(80)
    ]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert "retry-after" in answers[-1].headers


async def test_basic_passwords_open_the_door_too(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post(
        "/api/hooks/alertmanager", json=alertmanager(firing()), auth=("waypost", token)
    )
    assert answer.status_code == 202


async def test_grafana_tells_its_value_and_its_dashboard(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    answer = await monitor.post("/api/hooks/grafana", json=grafana(firing("g1"), firing("g2")))
    assert answer.status_code == 202
    one, two = await alerts(resources)
    assert (one.integration.partition("#")[0], one.value) == ("grafana/prometheus", 44.23)
    assert one.incident_id == two.incident_id
    assert one.incident_id is not None
    links = {each.kind for each in (await look(resources, one.incident_id)).links}
    assert links == {"alert", "dashboard"}


async def test_pagerduty_makes_a_key_and_resolves_by_it(
    resources: Resources, client: httpx.AsyncClient, token: str
) -> None:
    made = await client.post("/api/hooks/pagerduty", json={**pagerduty(), "routing_key": token})
    assert made.status_code == 202
    answer = made.json()
    assert (answer["status"], answer["message"]) == ("success", "Event processed")
    key = answer["dedup_key"]
    [one] = await alerts(resources)
    assert (one.key, one.severity, one.service, one.region) == (key, "SEV2", "database", "TH-10")
    assert one.event_id is not None
    raw = await do(resources, service.get_raw_event, ADMIN, one.event_id)
    assert token not in raw.body, "what opens the door is not shown"
    over = {"event_action": "resolve", "dedup_key": key, "routing_key": token}
    assert (await client.post("/api/hooks/pagerduty", json=over)).status_code == 202
    await work(resources, later_s=61)
    [one] = await alerts(resources)
    assert one.status == "resolved"


async def test_a_token_of_the_same_name_ends_nothing_of_anothers_and_counts_as_heard(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    await monitor.post("/api/hooks/alertmanager", json=alertmanager(firing()))
    async with resources.database.unit_of_work() as session:
        other = await issue_api_token(
            session, SYSTEM, "prometheus", permissions=frozenset({"alerts:write"}), regions=("TH",)
        )
        wanted = HeartbeatIn(integration="alertmanager/prometheus", every_s=300, region="TH")
        before = await service.save_heartbeat(session, SYSTEM, wanted)
    await monitor.post(
        "/api/hooks/alertmanager",
        json=alertmanager(resolved(firing())),
        headers={"authorization": f"Bearer {other.secret}"},
    )
    [one] = await alerts(resources)
    assert (one.status, one.clears_at) == ("firing", None)
    [beat] = await do(resources, service.list_heartbeats, ADMIN)
    assert beat.heard_at > before.heard_at


async def test_pagerduty_knows_no_episodes(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    trigger, over = pagerduty(dedup_key="d"), pagerduty("resolve", dedup_key="d")
    timed = {**trigger, "payload": {**trigger["payload"], "timestamp": ago(600)}}
    for body in (timed, over, timed):
        await monitor.post("/api/hooks/pagerduty", json=body)
    [one] = await alerts(resources)
    assert (one.status, one.flaps, one.clears_at) == ("firing", 1, None)
    await monitor.post("/api/hooks/pagerduty", json=pagerduty("acknowledge", dedup_key="d"))
    [one] = await alerts(resources)
    assert one.acknowledged_by_name is not None
    assert one.acknowledged_by_name.startswith("pagerduty/prometheus#")
    unknown = await monitor.post("/api/hooks/pagerduty", json=pagerduty("resolve", dedup_key="x"))
    assert unknown.status_code == 202
    assert len(await alerts(resources)) == 1


async def test_cloudevents_come_in_three_ways(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    path = "/api/hooks/cloudevents"
    structured = await monitor.post(
        path, content=orjson.dumps(cloudevent()),
        headers={"content-type": "application/cloudevents+json; charset=utf-8"},
    )  # fmt: skip
    binary = await monitor.post(
        path, json={"title": "Fridge is warm", "region": "TH-10"},
        headers={
            "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/fridges", "ce-time": ago(9),
            "ce-type": "com.example.fridge.warm", "ce-subject": "fr%C3%ADo",
        },
    )  # fmt: skip
    batch = await monitor.post(
        path,
        content=orjson.dumps([cloudevent(id="3", subject="crates"), cloudevent(), {"id": "4"}]),
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    assert [each.status_code for each in (structured, binary, batch)] == [202, 202, 202]
    assert [each["status"] for each in batch.json()["results"]] == [
        "accepted", "duplicate", "rejected"
    ]  # fmt: skip
    assert [each.key for each in await alerts(resources)] == [
        "com.example.queue.stuck parcels",
        "com.example.fridge.warm frío",
        "com.example.queue.stuck crates",
    ]


async def test_a_cloudevent_ends_what_one_of_its_type_and_subject_began(
    resources: Resources, monitor: httpx.AsyncClient
) -> None:
    kind = {"content-type": "application/cloudevents+json"}
    begun = cloudevent(type="com.example.door.opened", data={"severity": "low"})
    over = cloudevent(id="5", type="com.example.door.resolved", time=ago(1), data=None)
    for event in (begun, over):
        await monitor.post("/api/hooks/cloudevents", content=orjson.dumps(event), headers=kind)
    await work(resources, later_s=61)
    [one] = await alerts(resources)
    assert (one.key, one.status) == ("com.example.door parcels", "resolved")
    stray = await monitor.post("/api/hooks/cloudevents", json={"title": "x"})
    assert stray.status_code == 400
