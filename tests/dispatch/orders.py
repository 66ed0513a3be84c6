"""Orders of Bangkok on real stores, as the tests of dispatch need them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx

from backend.dispatch import service
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderIn, OrderOut
from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import issue_api_token
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.service import seed

SIAM = {"lat": 13.7456, "lon": 100.5341}
LUMPINI = {"lat": 13.7307, "lon": 100.5418}
_numbers = count(1)


def order_body(**changes: Any) -> dict[str, Any]:
    """A valid order as a marketplace sends it, with a reference of its own."""
    number = next(_numbers)
    body = {
        "reference": f"MKT-{number}",
        "region": "TH-10",
        "service": "standard",
        "pickup": {
            "name": "Siam Books",
            "phone": "+6621234567",
            "address": "991 Rama I Road",
            **SIAM,
        },
        "drop": {
            "name": "Malee Srisuk",
            "phone": "+66812345678",
            "address": "12 Sala Daeng Road",
            **LUMPINI,
        },
        "parcels": [{"barcode": f"PC{number:08d}", "weight_g": 900, "volume_cm3": 2000}],
        "payment": {"terms": "prepaid", "amount": {"minor": 12_500, "currency": "THB"}},
        "promised_at": (clock.now() + timedelta(hours=3)).isoformat(),
        "tags": [],
    }
    return body | changes


def order_in(**changes: Any) -> OrderIn:
    """The same, read."""
    return OrderIn.model_validate(order_body(**changes))


async def seeded(resources: Resources) -> None:
    """The twelve cities, once."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)


async def place_order(
    resources: Resources, principal: Principal = SYSTEM, **changes: Any
) -> OrderOut:
    """A new order; the regions are seeded where there are none."""
    await seeded(resources)
    async with resources.database.unit_of_work() as session:
        return await service.create_order(session, principal, order_in(**changes))


def link_of(order: OrderOut) -> str:
    """The customer's link, of an order as somebody read it who is told of it."""
    assert order.tracking_url is not None
    return order.tracking_url


async def advance(resources: Resources, order_id: UUID, *actions: Action, driver: UUID) -> OrderOut:
    """Take the order through the actions as the system does; `driver` is the one assigned."""
    async with resources.database.unit_of_work() as session:
        for action in actions:
            order = await service.order_to_change(session, SYSTEM, "orders:write", order_id)
            await service.move(session, SYSTEM, order, action, driver_id=driver)
        return await service.get_order(session, SYSTEM, order_id)


async def marketplace(
    resources: Resources, name: str = "market", *regions: str
) -> tuple[Principal, dict[str, str]]:
    """An integration that may create, read and cancel orders, and its headers."""
    permissions = frozenset({"orders:create", "orders:read", "orders:cancel"})
    held = regions or ("*",)
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, name, permissions=permissions, regions=held)
    principal = Principal("service", f"service:{name}", name, (), permissions, held)
    return principal, {"Authorization": f"Bearer {issued.secret}"}


async def act(
    client: httpx.AsyncClient, headers: dict[str, str], order: OrderOut, verb: str, **body: Any
) -> httpx.Response:
    """What the API answers to an action on the order."""
    return await client.post(f"/api/v1/orders/{order.number}/{verb}", json=body, headers=headers)
