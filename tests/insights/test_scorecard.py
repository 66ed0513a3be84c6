"""The seven figures from real rows: values, targets, trends, and what is behind each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch.customer_rules import new_token
from backend.dispatch.models import OrderRow
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.identity.tokens import issue_api_token
from backend.incidents.schemas import AlertIn
from backend.incidents.service import raise_alert
from backend.insights import count_repository
from backend.insights.figure_parts import Asked
from backend.insights.scorecard_schemas import CostIn, Figure
from backend.insights.service import save_cost, scorecard
from backend.platform import clock
from backend.platform.indicators import LATENCY_BOUNDS_S, Counts, Place
from backend.platform.money import Money
from backend.platform.resources import Resources
from tests.dispatch.city import open_city, order_row

ADMIN = Principal("user", "user:1", "Asha", (GrantScope("admin", "*"),))
MANAGER = Principal("user", "user:2", "Malee", (GrantScope("fleet_manager", "TH-10"),))


async def figures(
    resources: Resources, caller: Principal = ADMIN, region: str | None = None
) -> dict[str, Figure]:
    """The scorecard by key."""
    async with resources.database.unit_of_work() as session:
        found = await scorecard(session, caller, region)
    return {each.key: each for each in found.figures}


async def delivered(resources: Resources, **details: object) -> OrderRow:
    """An order that was delivered just now."""
    now = clock.now()
    row = order_row(
        state="delivered", created_at=now, updated_at=now, ended_at=now,
        tracking_token=new_token(), **details,
    )  # fmt: skip
    async with resources.database.unit_of_work() as session:
        session.add(row)
    return row


async def test_an_empty_system_has_seven_figures_and_says_what_is_not_known(
    resources: Resources,
) -> None:
    found = await figures(resources)
    assert list(found) == [
        "api_p95", "monthly_active", "availability", "critical_incidents", "mttr",
        "cost_per_thousand", "satisfaction",
    ]  # fmt: skip
    for key in ("api_p95", "availability", "mttr", "cost_per_thousand", "satisfaction"):
        assert (found[key].value, found[key].met) == (None, None)
        assert found[key].why_unknown
    assert (found["critical_incidents"].value, found["critical_incidents"].met) == (0, True)
    assert all(each.definition and each.columns for each in found.values())


async def test_p95_is_that_of_the_busiest_hour(resources: Resources) -> None:
    hour = int(clock.now().timestamp()) // 3600
    busy, quiet = Counts(), Counts()
    step = next(i for i, bound in enumerate(LATENCY_BOUNDS_S) if bound >= 0.2)
    busy.latency.update({(hour, 10): 940, (hour, step): 60})
    quiet.latency.update({(hour - 1, 90): 100})
    async with resources.database.unit_of_work() as session:
        await count_repository.add(session, busy)
        await count_repository.add(session, quiet)
    found = (await figures(resources))["api_p95"]
    assert found.value == pytest.approx(200, rel=0.1)
    assert found.met is True
    assert "1,000" in found.rows[0].cells
    assert len(found.trend) == 30


async def test_availability_is_of_the_callers_regions(resources: Resources) -> None:
    await open_city(resources)
    minute = int(clock.now().timestamp()) // 60
    counts = Counts()
    for name, region, valid, good in (
        ("ingest", "TH-10", 9_000, 9_000),
        ("order_api", "TH-10", 1_000, 990),
        ("order_api", "SG-01", 1_000, 0),
        ("payments", "TH-10", 1_000, 0),
    ):
        counts.valid[Place(name, region, minute)] = valid
        counts.good[Place(name, region, minute)] = good
    async with resources.database.unit_of_work() as session:
        await count_repository.add(session, counts)
    mine = (await figures(resources, MANAGER))["availability"]
    assert mine.value == pytest.approx(0.999)
    assert mine.met is True
    assert mine.trend[-1].value == mine.value
    assert mine.rows[0].cells == ["Order API", "Bangkok", "1,000", "10", "99 %"]
    whole = (await figures(resources))["availability"]
    assert whole.value == pytest.approx(9_990 / 11_000)
    with pytest.raises(Denied):
        await figures(resources, MANAGER, "SG-01")


async def test_people_are_counted_once_however_often_they_come(resources: Resources) -> None:
    await open_city(resources)
    for phone in ("+66810000001", "+66810000001", "+66810000002"):
        await delivered(resources, drop_phone=phone)
    found = (await figures(resources, MANAGER))["monthly_active"]
    assert found.value == 2
    assert found.trend[-1].value == 2
    assert [row.cells for row in found.rows] == [["Recipients", "2"], ["Drivers", "0"]]


async def test_cost_is_put_over_the_deliveries_of_its_month(resources: Resources) -> None:
    await open_city(resources)
    for _ in range(4):
        await delivered(resources)
    month = clock.now().date()
    async with resources.database.unit_of_work() as session:
        for kind, minor in (("compute", 1_500), ("maps", 500)):
            amount = Money(minor=minor, currency="USD")
            await save_cost(
                session, ADMIN, CostIn.model_validate(
                    {"month": month, "kind": kind, "amount": amount})
            )  # fmt: skip
    found = (await figures(resources))["cost_per_thousand"]
    # 20.00 USD over 4 deliveries is 5,000 for a thousand.
    assert (found.value, found.currency, found.met) == (pytest.approx(5_000.0), "USD", False)
    assert found.rows[0].cells[1:] == ["20.00 USD", "4", "5000.00 USD"]
    local = (await figures(resources, MANAGER))["cost_per_thousand"]
    assert local.value is None
    assert local.why_unknown == "Costs are kept for the whole company and not for a region."


async def test_incidents_of_the_quarter_and_the_time_they_took(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await raise_alert(
            session,
            AlertIn.model_validate(
                {"integration": "waypost", "key": "k", "title": "Bangkok is silent",
                 "severity": "SEV1", "service": "tracking", "region": "TH-10",
                 "started_at": clock.now() - timedelta(minutes=7)}
            ),
        )  # fmt: skip
    found = await figures(resources)
    critical = found["critical_incidents"]
    assert (critical.value, critical.met, critical.trend[-1].value) == (1, True, 1)
    assert critical.rows[0].cells[1] == "Bangkok is silent"
    assert critical.rows[0].link == f"/incidents/{critical.rows[0].cells[0]}"
    assert found["mttr"].value is None
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE incidents_incident SET state = 'resolved', resolved_at = "
                 "impact_started_at + interval '9 minutes'")
        )  # fmt: skip
    mttr = (await figures(resources))["mttr"]
    assert (mttr.value, mttr.met) == (pytest.approx(9.0), True)


async def test_a_recipient_rates_a_delivery_once_by_the_link_alone(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await open_city(resources)
    row = await delivered(resources)
    address = f"/api/track/{row.tracking_token}/rating"
    assert (await client.post(address, json={"stars": 2})).status_code == 200
    changed = await client.post(address, json={"stars": 5, "words": "Quick and kind"})
    assert changed.json()["stars"] == 5
    found = (await figures(resources, MANAGER))["satisfaction"]
    assert (found.value, found.met) == (5.0, True)
    assert found.rows[0].cells[1:] == [row.number, "Bangkok", "5", "Quick and kind"]
    for wrong in ({"stars": 0}, {"stars": 6}, {"stars": "5"}, {"stars": 3, "more": 1}, {}):
        assert (await client.post(address, json=wrong)).status_code == 422
    nowhere = await client.post(f"/api/track/{'x' * 43}/rating", json={"stars": 5})
    assert nowhere.status_code == 404


async def test_a_recipient_rates_by_the_form_of_their_page(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await open_city(resources)
    row = await delivered(resources)
    path = f"/track/{row.tracking_token}"
    assert "data-lit" not in (await client.get(path)).text
    sent = await client.post(f"{path}/rating?lang=en", data={"stars": "3"})
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        f"{path}?lang=en&done=rating#rating",
    )
    page = (await client.get(f"{path}?lang=en")).text
    assert page.count("data-lit") == 3
    assert "Thank you for 3 of 5 stars." in page
    said = {"stars": "4", "words": "<b>Kind</b> & quick"}
    assert (await client.post(f"{path}/rating", data=said)).status_code == 303
    page = (await client.get(path)).text
    assert page.count("data-lit") == 4
    assert "&lt;b&gt;Kind&lt;/b&gt; &amp; quick" in page
    found = (await figures(resources, MANAGER))["satisfaction"]
    assert found.rows[0].cells[1:] == [row.number, "Bangkok", "4", "<b>Kind</b> & quick"]


@pytest.mark.parametrize(
    "body",
    [b"", b"stars=", b"stars=6", b"stars=x", b"stars=5&words=" + b"a" * 501, b"stars=5&words=%00",
     b"\xff\xfe", b"stars=5&" + b"x=1&" * 60, b"a" * 70_000],
)  # fmt: skip
async def test_a_form_of_rubbish_is_told_on_a_page_and_keeps_nothing(
    resources: Resources, client: httpx.AsyncClient, body: bytes
) -> None:
    await open_city(resources)
    row = await delivered(resources)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.post(
        f"/track/{row.tracking_token}/rating?lang=en", content=body, headers=headers
    )
    assert answer.status_code == 422
    assert "That did not work" in answer.text
    assert f'href="/track/{row.tracking_token}"' in answer.text
    assert "data-lit" not in (await client.get(f"/track/{row.tracking_token}")).text
    nowhere = await client.post(f"/track/{'x' * 43}/rating", data={"stars": "5"})
    assert nowhere.status_code == 404


async def test_what_is_not_delivered_cannot_be_rated(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await open_city(resources)
    row = order_row(state="ready", tracking_token=new_token())
    async with resources.database.unit_of_work() as session:
        session.add(row)
    answer = await client.post(f"/api/track/{row.tracking_token}/rating", json={"stars": 5})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:waypost:problem:not_delivered")


def test_spans_of_a_scorecard_end_where_it_does() -> None:
    asked = Asked(None, ADMIN, None, ("*",), datetime(2026, 1, 15, tzinfo=UTC), {})  # type: ignore[arg-type]
    assert asked.days(3) == [date(2026, 1, 13), date(2026, 1, 14), date(2026, 1, 15)]
    assert asked.months(3) == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]


async def test_a_region_that_does_not_exist_is_not_found(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await open_city(resources)
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "board", role="viewer", regions=("*",))
    client.headers["authorization"] = f"Bearer {issued.secret}"
    for path in ("/api/v1/slos", "/api/v1/scorecard"):
        assert (await client.get(path, params={"region": "TH-10"})).status_code == 200
        assert (await client.get(path, params={"region": "*"})).status_code == 200
        missing = await client.get(path, params={"region": "XX-99"})
        assert missing.status_code == 404
        assert missing.json()["title"] == "There is no such region"
