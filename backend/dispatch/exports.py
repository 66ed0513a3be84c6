"""Orders as a table file, written while they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import order_list_repository
from backend.dispatch.models import OrderRow
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.order_views import contact
from backend.dispatch.orders import viewer_of
from backend.dispatch.rules import OrderState, lateness
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.money import plain
from backend.platform.spreadsheet import lines

MOST_ROWS = 50_000
_AT_ONCE = 1_000
_COLUMNS = (
    "number", "reference", "merchant", "region", "hub", "service", "state", "lateness",
    "created_at", "promised_at", "ended_at", "driver_id", "pickup_name", "pickup_phone",
    "pickup_address", "drop_name", "drop_phone", "drop_address", "weight_g", "terms", "amount",
    "tags", "flagged",
)  # fmt: skip


async def note_export(session: AsyncSession, principal: Principal, wanted: OrderFilter) -> None:
    """Record that the caller takes these orders along; needs `orders:read`."""
    identity.authorize(principal, "orders:read")
    filters = {name: value for name, value in asdict(wanted).items() if value}
    await identity.record(
        session, principal, "orders.exported", "orders", region=wanted.region, after=filters
    )


async def export_orders(
    session: AsyncSession, principal: Principal, wanted: OrderFilter
) -> AsyncIterator[str]:
    """The caller's orders as parts of a CSV file, contacts masked as in a list.

    Ends after 50,000 rows. Begins with a byte-order mark, by which spreadsheets know UTF-8.
    """
    identity.authorize(principal, "orders:read")
    yield "\ufeff" + lines([_COLUMNS])
    async for part in order_list_repository.every(
        session,
        viewer_of(principal),
        wanted,
        limit=MOST_ROWS,
        at_once=_AT_ONCE,
    ):
        yield lines([_cells(row, principal) for row in part])


def _cells(row: OrderRow, principal: Principal) -> list[object]:
    state = OrderState(row.state)
    whole = principal.id == row.merchant
    shown: dict[str, object] = {
        **row.model_dump(include=set(_COLUMNS)),
        "lateness": lateness(state, row.promised_at, row.ended_at, row.eta_high, clock.now()),
        "amount": plain(row.amount_minor, row.currency),
        "tags": " ".join(row.tags),
    }
    for end in ("pickup", "drop"):
        name, phone = contact(row, end, whole=whole)
        shown |= {f"{end}_name": name, f"{end}_phone": phone}
    for moment in ("created_at", "promised_at", "ended_at"):
        at = getattr(row, moment)
        shown[moment] = at.isoformat() if at else None
    return [shown[name] for name in _COLUMNS]
