"""What the overview shows of payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.payments.schemas import PaymentTotals
from backend.platform.shares import percent
from dashboard.drawing import sparkline
from dashboard.states.money import PAYMENTS, REFUNDS
from dashboard.states.paging import address
from dashboard.states.tiles import NeedRow, Tile, tile

_GOOD, _FAIR = 0.95, 0.85


def money_sample(totals: PaymentTotals | None) -> dict[str, float]:
    """What the small line of the tile shows of this moment."""
    return {} if totals is None or totals.success is None else {"paid": totals.success * 100}


def money_tiles(
    totals: PaymentTotals | None, region: str, seen: Sequence[Mapping[str, float]]
) -> list[Tile]:
    """How many payments succeed; leads to those that failed."""
    if totals is None:
        return []
    failed = totals.counts.get("failed", 0)
    success = totals.success
    return [
        tile(
            "Payment success", "none yet" if success is None else percent(success),
            f"{failed:,} failed in 24 h", _tone(success),
            address(PAYMENTS, {"region": region, "state": "failed" if failed else ""}),
            sparkline([each["paid"] for each in seen if "paid" in each]),
        )
    ]  # fmt: skip


def money_needs(totals: PaymentTotals | None, region: str) -> list[NeedRow]:
    """Refunds that wait for a second person, and money that is late."""
    if totals is None:
        return []
    needs: list[NeedRow] = []
    if totals.awaiting_approval:
        needs.append(
            {
                "tone": "warning", "word": "refund", "age": "",
                "title": f"{totals.awaiting_approval:,} refunds wait for approval",
                "detail": "a second person decides",
                "link": address(REFUNDS, {"region": region, "state": "requested"}),
            }
        )  # fmt: skip
    if totals.late:
        needs.append(
            {
                "tone": "warning", "word": "money", "age": "",
                "title": f"{totals.late:,} payments settle late",
                "detail": "delivered, and the money is not there",
                "link": address(PAYMENTS, {"region": region, "late": "yes"}),
            }
        )  # fmt: skip
    return needs


def _tone(success: float | None) -> str:
    if success is None:
        return "off"
    return "good" if success >= _GOOD else "warning" if success >= _FAIR else "critical"
