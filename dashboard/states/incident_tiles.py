"""What the overview shows of incidents and objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentRow, OpenCount
from backend.insights import service as insights
from backend.insights.slo_schemas import BurningSlo
from dashboard.drawing import sparkline, spoken_seconds
from dashboard.gateway import Session
from dashboard.states.bell import bell_words
from dashboard.states.incident_words import PATH, SEVERITY_TONES
from dashboard.states.incident_worst import worst_open
from dashboard.states.paging import address
from dashboard.states.shell import EVERYWHERE
from dashboard.states.slo_words import ALARM_TONES, SCORECARD, budget_words
from dashboard.states.tiles import NeedRow, Tile, tile

_LISTED = 4


@dataclass(slots=True)
class Trouble:
    """What is open and what burns at one moment; None for what the person may not see."""

    count: OpenCount | None = None
    worst: Sequence[IncidentRow] = ()
    burning: Sequence[BurningSlo] | None = None


async def trouble_of(session: Session, principal: Principal, region: str | None) -> Trouble:
    """The trouble in a region that the caller may see."""
    found = Trouble()
    if identity.may(principal, "incidents:read"):
        found.count = await incidents.count_open(session, principal, region)
        found.worst = await worst_open(session, principal, found.count, region=region, most=_LISTED)
    if identity.may(principal, "scorecard:read"):
        found.burning = await insights.burning_slos(session, principal, region)
    return found


def trouble_sample(found: Trouble) -> dict[str, float]:
    """What the small lines of the tiles show of this moment."""
    sample: dict[str, float] = {}
    if found.count is not None:
        sample["incidents"] = found.count.total
    if found.burning is not None:
        sample["burning"] = len(found.burning)
    return sample


def trouble_tiles(found: Trouble, region: str, seen: Sequence[Mapping[str, float]]) -> list[Tile]:
    """Burning objectives and open incidents, each leading to its list."""
    asked = {"region": "" if region == EVERYWHERE else region}
    tiles: list[Tile] = []

    def line(name: str) -> tuple[str, str]:
        return sparkline([each[name] for each in seen if name in each])

    if found.burning is not None:
        worst = next(iter(found.burning), None)
        tiles.append(
            tile(
                "Objectives burning", f"{len(found.burning):,}",
                f"{worst.title}, {budget_words(worst.budget_left)}" if worst else "budgets hold",
                ALARM_TONES[worst.alarm] if worst else "good",
                address(SCORECARD, asked), line("burning"),
            )
        )  # fmt: skip
    if found.count is not None:
        tone, words = bell_words(found.count)
        since = f", for {spoken_seconds(found.worst[0].running_s)}" if found.worst else ""
        tiles.append(
            tile(
                "Open incidents", f"{found.count.total:,}", words + since or "none is open",
                tone if words else "good", address(PATH, asked), line("incidents"),
            )
        )  # fmt: skip
    return tiles


def trouble_needs(found: Trouble) -> list[NeedRow]:
    """The worst open incidents, each leading to its page."""
    return [
        {
            "tone": SEVERITY_TONES[each.severity],
            "word": each.severity,
            "title": each.title,
            "detail": f"{each.number}, {each.state}"
            + (f", {each.commander}" if each.commander else ", nobody has it"),
            "age": spoken_seconds(each.running_s),
            "link": f"{PATH}/{each.number}",
        }
        for each in found.worst
    ]
