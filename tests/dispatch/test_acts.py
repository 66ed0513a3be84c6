"""Orders changed by hand: what is allowed, who may, and two people at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.dispatch.rules import Action
from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import list_audit
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import act, advance, marketplace, place_order
from tests.tracking.fleet import Phone, hire, somebody

Problem = Callable[[httpx.Response], dict[str, Any]]
TO_DOOR = (
    Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART, Action.ARRIVE,
)  # fmt: skip


@pytest.fixture
async def phone(resources: Resources) -> Phone:
    return await hire(resources)


@pytest.fixture
async def nok(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "fleet_manager", "TH-10")


async def test_a_dispatcher_gives_takes_back_and_holds(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    other = await hire(resources)
    order = await place_order(resources)
    why = {"reason": "Rain in Sathorn"}
    steps = [
        ("assign", {"driver_id": str(phone.id)}, "assigned", str(phone.id)),
        ("reassign", {"driver_id": str(other.id)}, "assigned", str(other.id)),
        ("unassign", why, "ready", None),
        ("assign", {"driver_id": str(phone.id)}, "assigned", str(phone.id)),
        ("hold", why, "on_hold", None),
        ("release", {}, "ready", None),
        ("cancel", why, "cancelled", None),
    ]
    for verb, body, state, driver in steps:
        answer = await act(client, nok, order, verb, **body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["driver_id"]) == (state, driver), verb
    events = await client.get(f"/api/v1/orders/{order.id}/events", headers=nok)
    told = [(step["type"], step["reason"]) for step in events.json()]
    assert told[-1] == ("order.cancelled", "Rain in Sathorn")
    assert len(told) == 9
    late = await act(client, nok, order, "release")
    assert (late.status_code, late.json()["type"]) == (409, "urn:waypost:problem:wrong_state")


async def test_a_failed_order_goes_back(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    order = await place_order(resources)
    await advance(resources, order.id, *TO_DOOR, driver=phone.id)
    assert (await act(client, nok, order, "cancel", reason="Too late")).status_code == 409
    for verb, state in (("fail", "failed"), ("send-back", "returning"), ("give-back", "returned")):
        answer = await act(client, nok, order, verb, reason="recipient_absent")
        assert (answer.json()["state"], answer.json()["driver_id"]) == (state, str(phone.id))


async def test_who_looked_at_an_older_version_is_told_who_did_what(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str],
    problem_of: Problem,
) -> None:  # fmt: skip
    order = await place_order(resources)
    await act(client, nok, order, "hold", reason="Wrong address")
    answer = await act(
        client, nok, order, "assign", driver_id=str(phone.id), seen_version=order.version
    )
    told = problem_of(answer)
    assert (answer.status_code, told["type"]) == (409, "urn:waypost:problem:moved")
    assert "test-fleet_manager, held" in told["detail"]


@pytest.mark.parametrize(
    ("driver", "changes", "code"),
    [
        ({"region": "IN-KA"}, {}, "other_city"),
        ({"on_shift": False}, {}, "off_shift"),
        ({}, {"vehicle": "van"}, "vehicle"),
        ({}, {"skills": ["cold"]}, "skills"),
        ({}, {"parcels": [{"barcode": "A", "weight_g": 31_000}]}, "too_large"),
    ],
)
async def test_an_unfit_driver_is_refused_and_no_force_helps(
    client: httpx.AsyncClient,
    resources: Resources,
    problem_of: Problem,
    driver: dict[str, Any],
    changes: dict[str, Any],
    code: str,
) -> None:
    phone = await hire(resources, **{"region": "TH-10", **driver})
    order = await place_order(resources, **changes)
    admin = await somebody(resources, "admin")
    answer = await act(
        client, admin, order, "assign", driver_id=str(phone.id), force=True, reason="Please"
    )
    told = problem_of(answer)
    assert (answer.status_code, told["type"]) == (409, "urn:waypost:problem:driver_unfit")
    assert code in [error["code"] for error in told["errors"]]


async def test_a_full_driver_is_given_more_only_with_a_reason(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str],
    problem_of: Problem,
) -> None:  # fmt: skip
    body = {"most_orders": 1, "most_weight_g": 9_000, "most_volume_cm3": 90_000}
    await client.put(f"/api/v1/drivers/{phone.id}/capacity", json=body, headers=nok)
    first, second = [await place_order(resources) for _ in range(2)]
    give = {"driver_id": str(phone.id)}
    assert (await act(client, nok, first, "assign", **give)).status_code == 200
    refused = await act(client, nok, second, "assign", **give)
    assert [e["code"] for e in problem_of(refused)["errors"]] == ["full"]
    assert (await act(client, nok, second, "assign", **give, force=True)).status_code == 422
    forced = await act(client, nok, second, "assign", **give, force=True, reason="Same building")
    assert forced.status_code == 200
    events = (await client.get(f"/api/v1/orders/{second.id}/events", headers=nok)).json()
    assert (events[-1]["data"]["overridden"], events[-1]["reason"]) == (["full"], "Same building")


async def test_a_driver_whose_shift_ends_soon_is_a_soft_reason(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str],
    problem_of: Problem,
) -> None:  # fmt: skip
    now = clock.now()
    plan = {
        "starts_at": (now - timedelta(hours=8)).isoformat(),
        "ends_at": (now + timedelta(minutes=20)).isoformat(),
    }
    await client.post(f"/api/v1/drivers/{phone.id}/shifts", json=plan, headers=nok)
    order = await place_order(resources)
    refused = await act(client, nok, order, "assign", driver_id=str(phone.id))
    assert [e["code"] for e in problem_of(refused)["errors"]] == ["shift_ends"]


async def test_of_many_who_assign_one_order_at_once_one_wins(
    client: httpx.AsyncClient, resources: Resources, nok: dict[str, str]
) -> None:
    order = await place_order(resources)
    phones = [await hire(resources) for _ in range(6)]
    answers = await asyncio.gather(
        *(act(client, nok, order, "assign", driver_id=str(phone.id)) for phone in phones)
    )
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    assert {a.json()["type"] for a in answers if a not in won} == {
        "urn:waypost:problem:wrong_state"
    }
    now = (await client.get(f"/api/v1/orders/{order.id}", headers=nok)).json()
    assert (now["driver_id"], now["version"]) == (won[0].json()["driver_id"], order.version + 1)


async def test_of_many_who_decide_by_one_version_one_wins(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    order = await place_order(resources)
    seen = {"seen_version": order.version}
    answers = await asyncio.gather(
        act(client, nok, order, "assign", driver_id=str(phone.id), **seen),
        *(act(client, nok, order, "hold", reason="Stop it", **seen) for _ in range(3)),
        *(act(client, nok, order, "cancel", reason="Stop it", **seen) for _ in range(3)),
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 6
    for answer in answers:
        if answer.status_code == 409:
            assert order.number in answer.json()["detail"]
            assert "test-fleet_manager" in answer.json()["detail"]
    events = (await client.get(f"/api/v1/orders/{order.id}/events", headers=nok)).json()
    assert len(events) == order.version + 1


async def test_a_driver_never_gets_more_than_they_carry_from_two_dispatchers(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    orders = [await place_order(resources) for _ in range(10)]
    answers = await asyncio.gather(
        *(act(client, nok, order, "assign", driver_id=str(phone.id)) for order in orders)
    )
    assert [answer.status_code for answer in answers].count(200) == 6
    row = (await client.get(f"/api/v1/roster/{phone.id}", headers=nok)).json()
    assert row["load"]["orders"] == row["capacity"]["most_orders"] == 6


async def test_a_marketplace_cancels_its_own_orders_and_no_others(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    market, headers = await marketplace(resources)
    _, other = await marketplace(resources, "other")
    order = await place_order(resources, market)
    assert (await act(client, other, order, "cancel", reason="Mine")).status_code == 404
    assert (await act(client, headers, order, "hold", reason="Mine")).status_code == 403
    assert (await act(client, headers, order, "cancel", reason="Sold out")).status_code == 200


async def test_who_may_not_dispatch_there_is_refused(
    client: httpx.AsyncClient, resources: Resources, phone: Phone
) -> None:
    order = await place_order(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    agent = await somebody(resources, "support_agent", "TH-10")
    abroad = await somebody(resources, "fleet_manager", "IN")
    give = {"driver_id": str(phone.id)}
    for headers, status in ((viewer, 403), (agent, 403), (abroad, 404)):
        assert (await act(client, headers, order, "assign", **give)).status_code == status
    assert (await act(client, agent, order, "hold", reason="Asked to")).status_code == 200


async def test_a_change_is_checked_and_kept_in_the_history(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str],
    problem_of: Problem,
) -> None:  # fmt: skip
    order = await place_order(resources)
    path = f"/api/v1/orders/{order.number}"
    until = clock.now() + timedelta(hours=6)
    body = {
        "reason": "The recipient moved",
        "drop_point": [13.7563, 100.5018],
        "drop_address": "1 Ratchadamnoen Avenue",
        "drop_window": [clock.now().isoformat(), until.isoformat()],
        "tags": ["vip"],
    }
    changed = (await client.patch(path, json=body, headers=nok)).json()
    assert (changed["drop"]["lat"], changed["drop"]["address"], changed["tags"]) == (
        13.7563, "1 Ratchadamnoen Avenue", ["vip"],
    )  # fmt: skip
    assert changed["version"] == order.version + 1
    last = (await client.get(f"{path}/events", headers=nok)).json()[-1]
    assert (last["type"], last["data"]["before"]["tags"]) == ("order.changed", [])
    wrong = {
        "/drop_point/0": {"drop_point": [48.2, 16.4]},
        "/drop_window": {"drop_window": [until.isoformat(), clock.now().isoformat()]},
        "/promised_at": {"promised_at": "2020-01-01T00:00:00Z"},
        "": {"tags": None},
    }
    for pointer, change in wrong.items():
        answer = await client.patch(path, json={"reason": "Because", **change}, headers=nok)
        assert answer.status_code == 422
        assert problem_of(answer)["errors"][0]["pointer"] == pointer
    await advance(resources, order.id, *TO_DOOR, driver=phone.id)
    window = {"reason": "Because", "pickup_window": None}
    assert (await client.patch(path, json=window, headers=nok)).status_code == 409
    await advance(resources, order.id, Action.DELIVER, driver=phone.id)
    late = await client.patch(path, json={"reason": "Because", "tags": []}, headers=nok)
    assert late.status_code == 409


async def test_evidence_that_comes_late_flags_a_delivered_order_and_leaves_its_state(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    order = await place_order(resources)
    await advance(resources, order.id, *TO_DOOR, Action.DELIVER, driver=phone.id)
    flagged = (await act(client, nok, order, "flag", text="Photo shows another door")).json()
    assert (flagged["state"], flagged["flagged"]) == ("delivered", "Photo shows another door")
    listed = await client.get("/api/v1/orders", params={"flagged": True}, headers=nok)
    assert len(listed.json()["items"]) == 1
    settled = (await act(client, nok, order, "settle-flag", reason="It was the back door")).json()
    assert (settled["state"], settled["flagged"]) == ("delivered", None)


async def test_a_reveal_is_one_field_and_recorded(
    client: httpx.AsyncClient, resources: Resources, nok: dict[str, str]
) -> None:
    order = await place_order(resources)
    agent = await somebody(resources, "support_agent", "TH-10")
    assert (await act(client, nok, order, "reveal", field="drop.phone")).status_code == 403
    shown = await act(client, agent, order, "reveal", field="drop.phone")
    assert shown.json() == {"field": "drop.phone", "value": "+66812345678"}
    assert (await act(client, agent, order, "reveal", field="drop.lat")).status_code == 422
    async with resources.database.unit_of_work() as session:
        wanted = AuditFilter(action="order.field_revealed")
        [entry] = await list_audit(session, SYSTEM, wanted)
    assert entry.after == {"number": order.number, "field": "drop.phone"}
