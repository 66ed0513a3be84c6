"""What strangers and careless people send is refused or taken, and never a fault of ours."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order

from .world import token_of

_WORDS = [
    "%%", "_%\\", "\\\\", "'; --", "ESC-" + "9" * 15, "9" * 100, "\ufffd" * 50, "{0}", "a" * 100,
    "WP-\u0660\u0661", "+66\u0663\u0663\u0663\u0663", "\u0e01" * 60, "=1+1", "\u0130\u0130",
]  # fmt: skip
_FIRST, _LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.fixture
async def agent(resources: Resources) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "desk", role="support_lead")
    return {"Authorization": f"Bearer {issued.secret}"}


async def test_any_search_is_answered(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    await place_order(resources)
    faults = []
    for words in _WORDS:
        for path in ("/api/v1/search", "/api/v1/escalations", "/api/v1/escalations/counts"):
            answer = await client.get(f"{path}?q={quote(words)}", headers=agent)
            if answer.status_code != 200:
                faults.append((path, words, answer.status_code))
        path = f"/api/v1/escalations/{quote(words[:40], safe='')}"
        answer = await client.get(path, headers=agent)
        if answer.status_code not in (404, 405):
            faults.append((path, words, answer.status_code))
    assert faults == []


@pytest.mark.parametrize("at", [_FIRST, _LAST])
async def test_times_at_the_ends_of_the_calendar_are_no_fault(
    client: httpx.AsyncClient, agent: dict[str, str], at: str
) -> None:
    for name in ("since", "until"):
        answer = await client.get("/api/v1/messages", params={name: at}, headers=agent)
        assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "\\ud800"}', b'{"text": "\\u0000"}', b'{"text": "a", "key": "\\u0000"}',
        b'{"text": "a", "key": "\\udfff"}', b'{"text": {"a": 1}}', b"[" * 5000, b"\xff",
        b'{"text": "a", "kind": "nothing"}', b'{"text": "' + b"\xc3\xa9" * 1001 + b'"}',
    ],
)  # fmt: skip
async def test_whatever_a_customer_sends_is_kept_or_refused(
    resources: Resources, client: httpx.AsyncClient, body: bytes
) -> None:
    token = token_of(await place_order(resources))
    json = {"Content-Type": "application/json"}
    for path in ("help", "help/words"):
        answer = await client.post(f"/api/track/{token}/{path}", content=body, headers=json)
        assert 400 <= answer.status_code < 500, answer.text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("help", "talk", "preferences", "rating"):
        answer = await client.post(f"/track/{token}/{path}", content=body, headers=form)
        assert 400 <= answer.status_code < 500, answer.text


async def test_quiet_hours_of_another_clock_are_refused(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    token = token_of(await place_order(resources))
    for begins in ("21:00:00+05:30", "21:00Z", "23:59:59.999999", "24:00", -1, 86_400, 1e300):
        wanted = {"language": "th", "progress": True, "trouble": True,
                  "quiet": {"begins": begins, "ends": "08:00"}}  # fmt: skip
        answer = await client.put(f"/api/track/{token}/preferences", json=wanted)
        assert answer.status_code in (200, 422), (begins, answer.text)
        assert (await client.get(f"/track/{token}")).status_code == 200
        kept = (await client.get(f"/api/track/{token}/preferences")).json()
        assert answer.status_code == 422 or answer.json() == kept, begins
