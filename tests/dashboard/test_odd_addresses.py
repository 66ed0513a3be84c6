"""Addresses of pages as nobody means them: read for what they can mean, never a fault of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from backend.identity.schemas import SYSTEM
from backend.incidents import service as incidents
from backend.incidents.rules import Severity
from backend.incidents.schemas import IncidentIn
from backend.platform.resources import Resources
from backend.regions.service import seed
from dashboard.states.paging import day_start
from tests.dashboard.conftest import Connect, SignIn, seen, send, state_of

LIST, WALL = state_of("incidents"), state_of("wall")


@pytest.mark.parametrize(
    ("text", "days", "wanted"),
    [
        ("2026-02-28", 0, datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28", 1, datetime(2026, 3, 1, tzinfo=UTC)),
        ("0001-01-01", 0, datetime(1900, 1, 1, tzinfo=UTC)),
        ("0001-01-01", 1, datetime(1900, 1, 2, tzinfo=UTC)),
        ("9999-12-31", 0, datetime(2200, 12, 31, tzinfo=UTC)),
        ("9999-12-31", 1, datetime(2200, 12, 31, tzinfo=UTC)),
        ("2026-02-30", 0, None),
        ("", 0, None),
    ],
)
def test_a_day_far_off_is_the_nearest_that_can_be_counted_with(
    text: str, days: int, wanted: datetime | None
) -> None:
    assert day_start(text, days=days) == wanted


async def test_a_list_between_years_nobody_meant_shows_what_lies_between(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    word = uuid4().hex[:8]
    wanted = IncidentIn(
        title=f"Cards {word}", severity=Severity.SEV3, region="IN-KA", service="payments"
    )
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        opened = await incidents.open_incident(session, SYSTEM, wanted)
    async with connect(await sign_in("Arjun T", ("support_lead", "IN"))) as console:
        query = f"q={word}&from=0001-01-01&to=9999-12-31"
        await send(console, f"{LIST}.load", "/incidents", query=query)
        rows = await seen(console, LIST, lambda now: now.get("rows"))
    assert [each["number"] for each in rows] == [opened.number]


async def test_what_no_text_can_hold_is_left_out_of_a_region(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with connect(await sign_in("Ananya U", ("admin", "*"))) as console:
        await send(console, f"{WALL}.load", "/wall", query="region=IN%00")
        assert await seen(console, WALL, lambda now: now.get("ready"))
