"""The table of what running Waypost costs, kept by admins."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.insights import cost_repository
from backend.insights.models import CostRow as Row
from backend.insights.scorecard_schemas import CostIn, CostRow
from backend.platform import clock
from backend.platform.errors import Conflict, NotFound
from backend.platform.ids import uuid7
from backend.platform.money import Money, plain
from backend.platform.scopes import EVERYWHERE

_READ, _WRITE = "scorecard:read", "costs:write"


class CostChanged(Conflict):
    """Somebody else changed the row first; the detail says who and when."""


class NoSuchCost(NotFound):
    """There is no such row."""

    title = "There is no such cost"


async def list_costs(session: AsyncSession, principal: Principal, year: int) -> list[CostRow]:
    """The costs of a year, the newest month first; needs `scorecard:read` everywhere."""
    identity.authorize(principal, _READ, EVERYWHERE)
    rows = await cost_repository.between(session, date(year, 1, 1), date(year, 12, 31))
    return [_out(row) for row in rows]


async def save_cost(session: AsyncSession, principal: Principal, wanted: CostIn) -> CostRow:
    """Keep what a kind cost in a month; needs `costs:write` everywhere.

    A month and kind have one row: raises CostChanged where it is not at the version seen.
    """
    identity.authorize(principal, _WRITE, EVERYWHERE)
    month = wanted.month.replace(day=1)
    row = await cost_repository.of_month(session, month, wanted.kind)
    if (row.version if row else None) != wanted.version:
        raise _changed(row)
    before = None if row is None else _told(row)
    if row is None:
        row = _written(Row(id=uuid7(), month=month, kind=wanted.kind, version=0, note="",
                           minor=0, currency="", changed_by="", changed_by_name="",
                           changed_at=clock.now()), principal, wanted)  # fmt: skip
        if not await cost_repository.add(session, row):
            raise _changed(await cost_repository.of_month(session, month, wanted.kind))
    else:
        _written(row, principal, wanted)
    await identity.record(
        session, principal, "cost.saved", f"cost:{month:%Y-%m}:{wanted.kind}",
        before=before, after=_told(row), reason=wanted.note or None,
    )  # fmt: skip
    return _out(row)


async def remove_cost(
    session: AsyncSession, principal: Principal, cost_id: UUID, version: int
) -> None:
    """Take a row away; raises CostChanged where it is not at that version, NoSuchCost without."""
    identity.authorize(principal, _WRITE, EVERYWHERE)
    row = await cost_repository.by_id(session, cost_id)
    if row is None:
        raise NoSuchCost
    if row.version != version:
        raise _changed(row)
    await cost_repository.remove(session, row)
    await identity.record(
        session, principal, "cost.removed", f"cost:{row.month:%Y-%m}:{row.kind}",
        before=_told(row),
    )  # fmt: skip


def _written(row: Row, principal: Principal, wanted: CostIn) -> Row:
    row.minor, row.currency = wanted.amount.minor, wanted.amount.currency
    row.note = wanted.note
    row.version += 1
    row.changed_by, row.changed_by_name = principal.id, principal.name
    row.changed_at = clock.now()
    return row


def _changed(row: Row | None) -> CostChanged:
    if row is None:
        return CostChanged("The row was taken away meanwhile.")
    amount = plain(row.minor, row.currency)
    return CostChanged(
        f"{row.changed_by_name} set {row.kind} of {row.month:%B %Y} to {amount} "
        f"on {row.changed_at:%d %b %H:%M} UTC."
    )


def _told(row: Row) -> dict[str, object]:
    return {"amount": plain(row.minor, row.currency), "note": row.note}


def _out(row: Row) -> CostRow:
    return CostRow(
        amount=Money(minor=row.minor, currency=row.currency),
        **row.model_dump(exclude={"minor", "currency", "changed_by"}),
    )
