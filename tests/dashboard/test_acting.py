"""Acting from the console over a real socket: shifts planned and called off, orders in bulk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backend.dispatch import service as dispatch
from backend.dispatch.schemas import OrderIn
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dashboard.conftest import SHELL, Connect, Console, SignIn
from tests.dispatch.orders import place_order
from tests.tracking.fleet import hire

STATES = SHELL.removesuffix("dashboard___states___shell____shell_state")
SHIFTS = f"{STATES}dashboard___states___shifts____shifts_state"
DEEDS = f"{STATES}dashboard___states___order_deeds____order_deeds_state"
ACTS = f"{STATES}dashboard___states___order_acts____order_acts_state"


def order_in(reference: str) -> OrderIn:
    """An order of Bangkok."""
    place = {"phone": "+66812345678", "address": "12 Sala Daeng Road", "lat": 13.73, "lon": 100.54}
    return OrderIn.model_validate(
        {
            "reference": reference,
            "region": "TH-10",
            "pickup": {**place, "name": "Siam Books"},
            "drop": {**place, "name": "Malee Srisuk", "lat": 13.74},
            "parcels": [{"barcode": f"PC-{reference}", "weight_g": 900}],
            "payment": {"terms": "prepaid", "amount": {"minor": 100, "currency": "THB"}},
        }
    )


async def until(console: Console, state: str, variable: str, wanted: Any) -> Any:
    """The next value of a state's variable that `wanted` accepts."""
    name = f"{variable}_rx_state_"
    while True:
        update = await console.updates.get()
        changed = (update.get("delta") or {}).get(state, {})
        if name in changed and wanted(changed[name]):
            return changed[name]


async def test_a_shift_is_planned_and_called_off(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    phone = await hire(resources, "TH-10")
    cookie = await sign_in("Nan", ("fleet_manager", "TH-10"))
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    async with connect(cookie) as console:
        await console.send(f"{SHIFTS}.ask", {"action": "plan", "driver_ids": [str(phone.id)]})
        assert await until(console, SHIFTS, "open", bool)
        form = {"first": day, "last": "", "begins": "22:00", "ends": "06:00"}
        await console.send(f"{SHIFTS}.plan", {"form": form})
        assert await console.notice_like("The shifts of 1 driver are planned")
        async with resources.database.unit_of_work() as session:
            (shift,) = await dispatch.list_shifts(session, SYSTEM, phone.id)
        assert shift.ends_at - shift.starts_at == timedelta(hours=8)
        ids = {"driver_id": str(phone.id), "shift_id": str(shift.id)}
        await console.send(f"{SHIFTS}.cancel", ids)
        assert await console.notice_like("The shift is cancelled")
    async with resources.database.unit_of_work() as session:
        (shift,) = await dispatch.list_shifts(session, SYSTEM, phone.id)
    assert shift.cancelled_at is not None


async def test_shifts_of_a_driver_elsewhere_are_refused_by_name(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    mine, theirs = await hire(resources, "TH-10"), await hire(resources, "BD-13")
    cookie = await sign_in("Nan", ("fleet_manager", "TH-10"))
    both = {"action": "plan", "driver_ids": [str(mine.id), str(theirs.id)]}
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    form = {"first": day, "last": "", "begins": "09:00", "ends": "18:00"}
    async with connect(cookie) as console:
        await console.send(f"{SHIFTS}.ask", both)
        assert await until(console, SHIFTS, "open", bool)
        await console.send(f"{SHIFTS}.plan", {"form": form})
        outcomes = await until(console, SHIFTS, "outcomes", len)
    assert [(each["code"], each["word"]) for each in outcomes] == [
        (str(theirs.id), "refused"),
        (mine.code, "planned"),
    ]


async def test_a_bulk_action_tells_what_became_of_each_order(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    await hire(resources, "TH-10")
    async with resources.database.unit_of_work() as session:
        made = [await dispatch.create_order(session, SYSTEM, order_in(f"M-{n}")) for n in "ab"]
    first, second = (each.id for each in made)
    async with resources.database.unit_of_work() as session:
        await dispatch.hold_order(session, SYSTEM, first, reason="held before")
    cookie = await sign_in("Nan", ("fleet_manager", "TH-10"))
    async with connect(cookie) as console:
        ids = {"action": "hold", "order_ids": [str(first), str(second)]}
        await console.send(f"{ACTS}.ask", ids)
        assert await until(console, ACTS, "open", bool)
        await console.send(f"{ACTS}.act", {"form": {}})
        assert "Say why" in await until(console, ACTS, "fault", len)
        await console.send(f"{ACTS}.act", {"form": {"reason": "the street is flooded"}})
        outcomes = await until(console, ACTS, "outcomes", len)
    assert [each["word"] for each in outcomes] == ["refused", "on hold"]
    assert "cannot be held" in outcomes[0]["detail"]


async def test_a_tracking_link_is_replaced_with_a_reason(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    order = await place_order(resources)
    page = f"/orders/{order.number}"
    cookie = await sign_in("Nan", ("support_agent", "TH-10"))
    async with connect(cookie) as console:
        await console.send(f"{DEEDS}.begin", {"deed": "link"}, path=page)
        assert await until(console, DEEDS, "open", bool)
        form = {"reason": "sent to a wrong number"}
        await console.send(f"{DEEDS}.do", {"form": form}, path=page)
        assert await console.notice_like("leads nowhere now")
    async with resources.database.unit_of_work() as session:
        now = await dispatch.get_order(session, SYSTEM, order.number)
        steps = await dispatch.order_history(session, SYSTEM, order.id)
    assert now.tracking_url != order.tracking_url
    assert (steps[-1].type, steps[-1].reason) == ("order.link_replaced", form["reason"])
