"""Reviews of incidents: drafted from the timeline, saved in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository, views
from backend.incidents.acts import to_change
from backend.incidents.blast import radius_of
from backend.incidents.changes import touch
from backend.incidents.listing import incident_row
from backend.incidents.models import IncidentTable, TimelineRow
from backend.incidents.repository import number_of
from backend.incidents.review_schemas import Review
from backend.incidents.rules import IncidentState
from backend.incidents.schemas import BlastRadius, Clocks
from backend.platform import clock
from backend.platform.errors import NotNow
from backend.platform.money import plain
from backend.regions import service as regions

_ENDED = (IncidentState.RESOLVED, IncidentState.CLOSED)
_UNTOLD = frozenset({"review"})


async def review_draft(session: AsyncSession, principal: Principal, incident_id: UUID) -> Review:
    """The saved review, or a draft made of the timeline."""
    row = await incident_row(session, principal, incident_id)
    if row.review is not None:
        return _saved(row)
    timeline = await repository.timeline(session, row.id)
    radius = await radius_of(session, principal, row)
    text = draft(row, timeline, radius, await regions.region_names(session))
    return Review(
        incident_id=row.id, number=number_of(row), text=text, draft=True, saved_by=None,
        saved_at=None,
    )  # fmt: skip


async def save_review(
    session: AsyncSession, principal: Principal, incident_id: UUID, text: str, *, seen_version: int
) -> Review:
    """Keep a review of a resolved or closed incident."""
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state not in _ENDED:
        raise NotNow(f"{number_of(row)} is {row.state}; a review comes at the end.")
    first = row.review is None
    row.review, row.review_by, row.reviewed_at = text, principal.name, clock.now()
    touch(row, principal, "saved its review")
    words = "Saved the review." if first else "Changed the review."
    repository.write(session, row.id, "review", (principal.id, principal.name), words)
    await session.flush()
    await identity.record(
        session, principal, "incident.reviewed", f"incident:{number_of(row)}", region=row.region
    )
    return _saved(row)


def _saved(row: IncidentTable) -> Review:
    return Review(
        incident_id=row.id, number=number_of(row), text=row.review or "", draft=False,
        saved_by=row.review_by, saved_at=row.reviewed_at,
    )  # fmt: skip


def draft(
    row: IncidentTable,
    timeline: Sequence[TimelineRow],
    radius: BlastRadius,
    names: Mapping[str, str],
) -> str:
    """A review in Markdown with all that is known, and questions where only people know."""
    clocks = views.clocks_of(row)
    lines = [
        f"# {number_of(row)}: {row.title}",
        "",
        f"{row.severity}, {', '.join(row.services)}, {regions.place_words(row.regions, names)}.",
        "",
        "## What happened",
        "",
        _story(row),
        "",
        "## Whom it hurt",
        "",
        *_harm(radius),
        "",
        "## How long it took",
        "",
        *_table(row, clocks),
        "",
        "## Timeline (UTC)",
        "",
        *[
            f"- {entry.at:%Y-%m-%d %H:%M:%S} {_one_line(entry.text)} ({entry.actor_name})"
            for entry in timeline
            if entry.kind not in _UNTOLD
        ],
        "",
        "## Why it happened",
        "",
        "What broke, and what let it through?",
        "",
        "## What went well, what did not",
        "",
        "## What will be different",
        "",
        "| what | who | until |",
        "| --- | --- | --- |",
    ]
    return "\n".join(lines) + "\n"


def _story(row: IncidentTable) -> str:
    told = [f"Impact began at {_moment(row.impact_started_at)}."]
    if row.reopened:
        told.append(f"It came back {row.reopened} time{'' if row.reopened == 1 else 's'}.")
    if row.resolved_at is not None:
        told.append(f"It was over at {_moment(row.resolved_at)}.")
    told += [f"{each.name} was {each.role}." for each in views.roles_out(row)]
    return " ".join(told)


def _harm(radius: BlastRadius) -> list[str]:
    money = ", ".join(plain(each.minor, each.currency) for each in radius.money) or "none"
    return [
        f"- Orders: {radius.orders}, of them {radius.orders_late} late",
        f"- Drivers: {radius.drivers}",
        f"- Customers: {radius.customers}",
        f"- Payments: {radius.payments_failed} failed, {radius.payments_unknown} unknown",
        f"- Money held: {money}",
    ]


def _table(row: IncidentTable, clocks: Clocks) -> list[str]:
    steps = [
        ("detected", row.detected_at, clocks.detect_s),
        ("acknowledged", row.acknowledged_at, clocks.acknowledge_s),
        ("mitigated", row.mitigated_at, clocks.mitigate_s),
        ("resolved", row.resolved_at, clocks.resolve_s),
    ]
    return [
        "| | at | after |",
        "| --- | --- | --- |",
        *[
            f"| {name} | {_moment(at)} | {_took(after)} |"
            for name, at, after in steps
            if at is not None and after is not None
        ],
    ]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _took(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _one_line(text: str) -> str:
    return " ".join(text.split())
