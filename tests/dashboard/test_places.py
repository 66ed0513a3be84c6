"""Every list of a region over a real socket: the address's region counts, else the frame's."""

from __future__ import annotations

import pytest

from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from backend.regions.service import seed
from dashboard.states.shell import EVERYWHERE
from tests.dashboard.conftest import SHELL, Connect, SignIn, seen, send, state_of
from tests.dashboard.test_incident_handlers import ADMIN

LISTS = {
    "/": "overview",
    "/orders": "orders",
    "/drivers": "drivers",
    "/messages": "messages",
    "/support": "support",
    "/wall": "wall",
    "/scorecard": "scorecard",
    "/payments": "payments",
    "/payments/cash": "cash",
    "/payments/ledger": "ledger",
    "/payments/reconciliation": "reconciliation",
    "/payments/refunds": "refunds",
    "/payments/wallets": "wallets",
}


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_opens_everywhere_and_in_the_region_of_its_address(
    connect: Connect, sign_in: SignIn, resources: Resources, path: str
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    state = state_of(LISTS[path])
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        for query in ("", "region=TH-10"):
            await send(console, f"{state}.load", path, query=query)
            shown = await seen(console, state, lambda now: now if "ready" in now else None)
            assert shown["ready"]
            assert not shown.get("fault")


async def test_a_list_without_a_region_shows_the_one_that_the_frame_looks_at(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    refunds = state_of("refunds")
    async with connect(await sign_in("Ananya Iyer", ADMIN)) as console:
        for looked_at, query, wanted in (
            ("TH-10", "", "region=TH-10"),
            ("TH-10", "region=VN-SG", "region=VN-SG"),
            (EVERYWHERE, "", ""),
        ):
            await send(console, f"{SHELL}.enter", "/payments/refunds", query=f"region={looked_at}")
            await send(console, f"{refunds}.load", "/payments/refunds", query=query)
            link = await seen(console, refunds, lambda now: now.get("csv_link"))
            assert link == f"/api/v1/refunds.csv{'?' if wanted else ''}{wanted}"
