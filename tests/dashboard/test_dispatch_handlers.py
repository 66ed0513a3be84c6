"""The board's handlers over a real socket, as dispatchers' browsers call them."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

from backend.platform.resources import Resources
from tests.dashboard.conftest import SHELL, Connect, Console, SignIn
from tests.dispatch.orders import place_order

BOARD = f"{SHELL.removesuffix('shell____shell_state')}dispatch____dispatch_state"


async def _loaded(console: Console) -> dict[str, Any]:
    """The board's next load."""
    async with asyncio.timeout(30):
        while True:
            update = await console.updates.get()
            delta = (update.get("delta") or {}).get(BOARD, {})
            changed = {name.removesuffix("_rx_state_"): value for name, value in delta.items()}
            if changed.get("loaded"):
                return changed


async def test_a_board_whose_opening_was_lost_comes_right_with_its_next_refresh(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    wanted, _ = await place_order(resources), await place_order(resources)
    async with connect(await sign_in("Kit Disp", ("fleet_manager", "TH-10"))) as console:
        look = {"tab": "open", "sort": "late", "q": wanted.number}
        await console.send(f"{BOARD}.refresh", {"look": look}, path="/dispatch")
        shown = await _loaded(console)
    assert [line["number"] for line in shown["orders"]] == [wanted.number]
    assert shown["ready"] is True


async def test_the_file_of_the_board_asks_for_what_the_filters_show(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    async with connect(await sign_in("Kit Disp", ("fleet_manager", "TH-10"))) as console:
        look = {"tab": "held", "late": "1", "service": "express", "q": order.number}
        await console.send(f"{BOARD}.look", {"look": look}, path="/dispatch")
        file = urlsplit((await _loaded(console))["csv"])
    assert file.path == "/api/v1/orders.csv"
    assert parse_qs(file.query) == {
        "state": ["on_hold"],
        "lateness": ["late"],
        "service": ["express"],
        "q": [order.number],
        "sort": ["promised"],
    }
