"""One search over drivers: code, plate, phone and name find them, where one may look."""

from __future__ import annotations

import pytest

from backend.identity.schemas import GrantScope, Principal
from backend.platform.resources import Resources
from backend.tracking import service
from backend.tracking.schemas import DriverFound

from .fleet import hire

AGENT = Principal("user", "user:agent", "Agent", (GrantScope("support_agent", "TH-10"),))
ELSEWHERE = Principal("user", "user:other", "Other", (GrantScope("support_agent", "IN-KA"),))


async def find(resources: Resources, q: str, principal: Principal = AGENT) -> list[DriverFound]:
    async with resources.database.unit_of_work() as session:
        return await service.search_drivers(session, principal, q)


@pytest.mark.parametrize(
    ("typed", "by"),
    [
        ("DRV-7001", "code"),
        ("drv 7001", "code"),
        ("KA 05 MX 1234", "plate"),
        ("ka05mx1234", "plate"),
        ("KA-05-MX-1243", "plate"),
        ("MX 1234", "plate"),
        ("4321", "phone"),
        ("Somchai Saetang", "name"),
        ("saetang somchai", "name"),
        ("Somchay", "name"),
    ],
)
async def test_a_driver_is_found_by_what_people_say(
    resources: Resources, typed: str, by: str
) -> None:
    phone = await hire(
        resources,
        code="DRV-7001",
        name="Somchai Saetang",
        plate="KA 05 MX 1234",
        phone="+66800004321",
    )
    await hire(resources, code="DRV-8002", name="Wichai Boonmee", plate="1กข 9988")
    [found] = await find(resources, typed)
    assert (found.id, found.matched_by) == (phone.id, by)
    assert await find(resources, typed, ELSEWHERE) == []


async def test_a_plate_in_letters_of_the_country_is_found(resources: Resources) -> None:
    phone = await hire(resources, name="Wichai", plate="1กข 9988")
    for typed in ("1กข 9988", "1กข9988", "9988"):
        assert [found.id for found in await find(resources, typed)] == [phone.id]


@pytest.mark.parametrize("typed", ["", "x", "\x00\x00", "%%", "__", "'"])
async def test_odd_queries_find_nobody(resources: Resources, typed: str) -> None:
    await hire(resources, plate="KA 05 MX 1234")
    assert await find(resources, typed) == []
