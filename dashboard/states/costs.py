"""The table of what running Waypost costs, by month and kind."""

from __future__ import annotations

from datetime import date
from typing import Any, TypedDict, get_args

import reflex as rx

from backend.identity import service as identity
from backend.insights import service as insights
from backend.insights.scorecard_schemas import CostIn, CostKind, CostRow
from backend.payments.formats import read_amount, with_code
from backend.platform import clock
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves, tells
from dashboard.states.paging import ListState, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import EVERYWHERE

KINDS: tuple[str, ...] = get_args(CostKind)
KIND_CHOICES = tuple((each, each) for each in KINDS)
CURRENCY = "USD"
_MONTHS_SHOWN = 12


class CostLine(TypedDict):
    """What one kind cost in one month."""

    id: str
    month: str
    kind: str
    amount: str
    note: str
    changed: str
    at: str


class MonthSum(TypedDict):
    """A month and what all of it cost."""

    month: str
    total: str
    width: str


class CostsState(ListState, FormState, rx.State):
    """The tab of costs."""

    rows: list[CostLine] = []
    months: list[MonthSum] = []
    may_write: bool = False
    may_read: bool = False
    this_month: str = ""
    _versions: dict[str, int] = {}
    _ids: dict[str, str] = {}

    @rx.event(background=True)
    @requires("console:use")
    @loads
    async def load(self) -> None:
        """Show this year's costs and those of the year before."""
        async with gateway.open(self) as (session, principal):
            may_read = identity.may(principal, "scorecard:read", EVERYWHERE)
            today = clock.now().date()
            found: list[CostRow] = []
            for year in (today.year, today.year - 1) if may_read else ():
                found += await insights.list_costs(session, principal, year)
            may_write = identity.may(principal, "costs:write", EVERYWHERE)
        async with self:
            self.rows = [_line(each) for each in found]
            self.months = _months(found)
            self._versions = {str(each.id): each.version for each in found}
            self._ids = {_name(each.month, each.kind): str(each.id) for each in found}
            self.may_read, self.may_write = may_read, may_write
            self.this_month = f"{today:%Y-%m}"
            self.fault, self.ready = "", True

    @rx.event(background=True)
    @requires("costs:write")
    @saves
    async def save(self, form: dict[str, Any]) -> str:
        """Keep what a kind cost in a month, at the version that this page shows."""
        month, kind = form_text(form, "month"), form_text(form, "kind")
        async with self:
            version = self._versions.get(self._ids.get(f"{month} {kind}", ""))
        wanted = CostIn.model_validate(
            {
                "month": f"{month}-01",
                "kind": kind,
                "amount": read_amount(form_text(form, "amount"), CURRENCY),
                "note": form_text(form, "note"),
                "version": version,
            }
        )
        async with gateway.open(self) as (session, principal):
            await insights.save_cost(session, principal, wanted)
        return ""

    @rx.event(background=True)
    @requires("costs:write")
    @tells
    async def remove(self, cost_id: str) -> str:
        """Take a row away, as this page shows it."""
        wanted = uuid_or_none(str(cost_id))
        async with self:
            version = self._versions.get(str(cost_id))
        if wanted is not None and version is not None:
            async with gateway.open(self) as (session, principal):
                await insights.remove_cost(session, principal, wanted, version)
        return ""


def _name(month: date, kind: str) -> str:
    return f"{month:%Y-%m} {kind}"


def _line(each: CostRow) -> CostLine:
    return {
        "id": str(each.id),
        "month": f"{each.month:%B %Y}",
        "kind": each.kind,
        "amount": with_code(each.amount.minor, each.amount.currency),
        "note": each.note,
        "changed": each.changed_by_name,
        "at": iso(each.changed_at),
    }


def _months(found: list[CostRow]) -> list[MonthSum]:
    """The newest months, each currency for itself, with their part of the dearest."""
    sums: dict[tuple[date, str], int] = {}
    for each in found:
        key = (each.month, each.amount.currency)
        sums[key] = sums.get(key, 0) + each.amount.minor
    newest = sorted(sums.items(), reverse=True)[:_MONTHS_SHOWN]
    dearest = max((minor for _, minor in newest), default=1) or 1
    return [
        {
            "month": f"{month:%b %Y}",
            "total": with_code(minor, currency),
            "width": f"{minor / dearest:.1%}",
        }
        for (month, currency), minor in newest
    ]
