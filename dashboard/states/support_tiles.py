"""What the overview shows of the support desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.support import service as support
from backend.support.schemas import EscalationCounts, EscalationFilter
from dashboard.drawing import sparkline
from dashboard.gateway import Session
from dashboard.states.paging import address
from dashboard.states.shell import EVERYWHERE
from dashboard.states.support_words import PATH
from dashboard.states.tiles import NeedRow, Tile, tile


async def support_of(
    session: Session, principal: Principal, region: str | None
) -> EscalationCounts | None:
    """The unsolved tickets of a region, None for who may not see them."""
    if not identity.may(principal, "escalations:read"):
        return None
    return await support.count_escalations(session, principal, EscalationFilter(region=region))


def support_sample(counts: EscalationCounts | None) -> dict[str, float]:
    """What the small line of the tile shows of this moment."""
    return {} if counts is None else {"tickets": counts.total}


def support_tiles(
    counts: EscalationCounts | None, region: str, seen: Sequence[Mapping[str, float]]
) -> list[Tile]:
    """Unsolved tickets with those over time among them, leading to the queue."""
    if counts is None:
        return []
    over, soon = _pressing(counts)
    note = f"{over:,} over time, {soon:,} due soon" if over or soon else "all in time"
    asked = {"region": "" if region == EVERYWHERE else region}
    line = [each["tickets"] for each in seen if "tickets" in each]
    return [
        tile(
            "Unsolved tickets", f"{counts.total:,}", note,
            "critical" if over else "warning" if soon else "good",
            address(PATH, asked), sparkline(line),
        )
    ]  # fmt: skip


def support_needs(counts: EscalationCounts | None, region: str) -> list[NeedRow]:
    """Tickets over time, and those that nobody has, as something that wants a person."""
    if counts is None:
        return []
    asked = {"region": "" if region == EVERYWHERE else region}
    over, soon = _pressing(counts)
    needs: list[NeedRow] = []
    if over:
        needs.append(
            {
                "tone": "critical", "word": "over time",
                "title": "1 ticket past its time" if over == 1 else f"{over:,} tickets past time",
                "detail": f"{soon:,} more due soon", "age": "now",
                "link": address(PATH, {**asked, "sla": "breached"}),
            }
        )  # fmt: skip
    if counts.ready_to_answer:
        needs.append(
            {
                "tone": "info", "word": "answer",
                "title": f"{counts.ready_to_answer:,} tickets whose incident is over",
                "detail": "answer them together", "age": "now",
                "link": address(PATH, {**asked, "look": "ready"}),
            }
        )  # fmt: skip
    return needs


def _pressing(counts: EscalationCounts) -> tuple[int, int]:
    by_sla = {str(key): count for key, count in counts.by_sla.items()}
    return by_sla.get("breached", 0), by_sla.get("soon", 0)
