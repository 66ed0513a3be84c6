"""The overview's figures of orders: how many are open and late, and how many will come in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.dispatch.order_schemas import OrderCounts
from backend.platform.shares import percent
from dashboard.drawing import sparkline
from dashboard.states.order_query import states_of
from dashboard.states.paging import address
from dashboard.states.tiles import NeedRow, Tile, tile

_GOOD_SHARE = 0.95
_FAIR_SHARE = 0.85


def order_sample(counts: OrderCounts | None) -> dict[str, float]:
    """What the small lines show of this moment."""
    if counts is None:
        return {}
    total, late, risk = _sums(counts)
    return {"orders": total, "late": late, "in_time": total - late - risk}


def _sums(counts: OrderCounts) -> tuple[int, int, int]:
    """All open orders, the late ones, and those at risk."""
    late, risk = counts.by_lateness.get("late", 0), counts.by_lateness.get("at_risk", 0)
    return sum(counts.by_state.values()), late, risk


def order_tiles(
    counts: OrderCounts | None, region: str, seen: Sequence[Mapping[str, float]]
) -> list[Tile]:
    """Open orders with the late ones among them, and the forecast; each leads to its list."""
    if counts is None:
        return []
    total, late, risk = _sums(counts)
    waiting = sum(counts.by_state.get(state, 0) for state in states_of("waiting"))
    surely = (total - late - risk) / total if total else None
    at_best = f"up to {percent((total - late) / total)} if those at risk make it" if total else ""

    def line(name: str) -> tuple[str, str]:
        return sparkline([each[name] for each in seen if name in each])

    def orders(**asked: str) -> str:
        return address("/orders", {"region": region, "state": "open", **asked})

    return [
        tile(
            "Open orders", f"{total:,}", f"{waiting:,} wait for a driver",
            "info" if total else "off", orders(), line("orders"),
        ),
        tile(
            "Late orders", f"{late:,}", f"{risk:,} more at risk",
            "critical" if late else "warning" if risk else "good" if total else "off",
            orders(late="late" if late or not risk else "at_risk"), line("late"),
        ),
        tile(
            "Promises kept", "none open" if surely is None else percent(surely),
            at_best or "forecast of the open orders",
            _tone(surely), orders(late="at_risk"), line("in_time"),
        ),
    ]  # fmt: skip


def order_needs(counts: OrderCounts | None, region: str) -> list[NeedRow]:
    """Late orders as something that wants a person."""
    if counts is None:
        return []
    _, late, risk = _sums(counts)
    if not late:
        return []
    return [
        {
            "tone": "critical",
            "word": "late",
            "title": "1 order past its promise" if late == 1 else f"{late:,} orders past promise",
            "detail": f"{risk:,} more at risk",
            "age": "now",
            "link": address("/orders", {"region": region, "state": "open", "late": "late"}),
        }
    ]


def _tone(share: float | None) -> str:
    if share is None:
        return "off"
    return "good" if share >= _GOOD_SHARE else "warning" if share >= _FAIR_SHARE else "critical"
