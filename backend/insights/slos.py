"""How far each service level objective is kept, and which of them burn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import authorize, scopes
from backend.insights import count_repository, signal_repository
from backend.insights.definitions import Objective, objectives
from backend.insights.slo_rules import WINDOWS, Burning, Tally, budget_left, burn_rate, burning
from backend.insights.slo_schemas import Burn, BurningSlo, SloRow
from backend.platform import clock
from backend.platform.scopes import EVERYWHERE, covers, narrowed
from backend.regions.service import directory

DETECTOR = "slo_burn"
_READ = "scorecard:read"
_ALARMS = ("page", "ticket")


@dataclass(frozen=True, slots=True)
class Burns:
    """An objective that burns in a region; `recent` is its burn rate of the last five minutes."""

    name: str
    objective: Objective
    region: str
    found: Burning
    recent: float

    @property
    def pressure(self) -> float:
        """How fast what pages burns in the last five minutes, over the rate at which it pages.

        Its long window remembers what has been mended since. A ticket is about that memory: 1.
        """
        return 1.0 if self.found.pair.alarm == "ticket" else self.recent / self.found.pair.rate


async def slo_status(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[SloRow]:
    """Every objective over `region`, or over all that the caller sees; one row each.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    within = _within(principal, region)
    now, names = clock.now(), await _names(session)
    windows = await count_repository.windows(session, list(objectives()), now)
    begun = await count_repository.begun(session, list(objectives()))
    rows = []
    for name, objective in objectives().items():
        since = now - timedelta(days=objective.window_days)
        whole = await count_repository.totals(session, [name], since, now)
        counted = _sum(tally for (_, at), tally in whole.items() if _seen(within, at))
        place = region or (within[0] if len(within) == 1 else EVERYWHERE)
        burnt = _added(windows, name, within)
        counted_for = now - begun.get(name, now)
        rows.append(_row(name, objective, place, names, burnt, counted, counted_for))
    return rows


def _row(
    name: str,
    objective: Objective,
    region: str,
    names: Mapping[str, str],
    windows: Mapping[str, Tally],
    whole: Tally,
    counted_for: timedelta,
) -> SloRow:
    found = burning(windows, objective.target, objective.least_bad, counted_for)
    return SloRow(
        name=name,
        title=objective.title,
        valid_means=objective.valid,
        good_means=objective.good,
        region=region,
        region_name=names.get(region, region),
        target=objective.target,
        window_days=objective.window_days,
        valid=whole.valid,
        good=whole.good,
        attained=whole.good / whole.valid if whole.valid else None,
        budget_left=budget_left(whole, objective.target),
        burns=[
            Burn(window=window, rate=burn_rate(tally, objective.target),
                 valid=tally.valid, bad=tally.bad)
            for window in WINDOWS
            for tally in (windows.get(window, Tally()),)
        ],
        burning=found.pair.alarm if found else None,
        reason=found.in_words if found else None,
    )  # fmt: skip


async def burning_slos(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[BurningSlo]:
    """What burns in the caller's regions, pages before tickets, one row for each SLO and region.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    within = _within(principal, region)
    now, names = clock.now(), await _names(session)
    since = {row.key: row.since for row in await signal_repository.bad(session, DETECTOR)}
    burns = [one for one in await burning_now(session, now) if _seen(within, one.region)]
    rows = []
    for one in burns:
        start = now - timedelta(days=one.objective.window_days)
        whole = await count_repository.totals(session, [one.name], start, now)
        counted = _sum(t for (_, at), t in whole.items() if covers(one.region, at))
        rows.append(
            BurningSlo(
                name=one.name,
                title=one.objective.title,
                region=one.region,
                region_name="everywhere"
                if one.region == EVERYWHERE
                else names.get(one.region, one.region),
                alarm=one.found.pair.alarm,
                reason=one.found.in_words,
                budget_left=budget_left(counted, one.objective.target),
                since=since.get(burn_key(one.name, one.region), now),
            )
        )
    return sorted(rows, key=lambda row: (_ALARMS.index(row.alarm), row.since))


async def burning_now(session: AsyncSession, now: datetime) -> list[Burns]:
    """What burns, by city; the whole company in place of its cities where most of them burn."""
    counted = await count_repository.windows(session, list(objectives()), now)
    begun = await count_repository.begun(session, list(objectives()))
    return [
        burns
        for name, objective in objectives().items()
        for burns in _burning_places(
            name, objective, {at: tallies for (named, at), tallies in counted.items()
                              if named == name},
            now - begun.get(name, now),
        )
    ]  # fmt: skip


def _burning_places(
    name: str,
    objective: Objective,
    counted: Mapping[str, Mapping[str, Tally]],
    counted_for: timedelta,
) -> list[Burns]:
    found = []
    for city in sorted(counted):
        burns = burning(counted[city], objective.target, objective.least_bad, counted_for)
        if burns is not None and city != EVERYWHERE:
            found.append(_burns(name, objective, city, burns, counted[city]))
    if found and 2 * len(found) <= len(counted.keys() - {EVERYWHERE}):
        return found
    everything = {window: _sum(each.get(window, Tally()) for each in counted.values())
                  for window in WINDOWS}  # fmt: skip
    whole = burning(everything, objective.target, objective.least_bad, counted_for)
    if whole is None or len(found) == 1:
        return found
    return [_burns(name, objective, EVERYWHERE, whole, everything)]


def _burns(
    name: str, objective: Objective, region: str, found: Burning, windows: Mapping[str, Tally]
) -> Burns:
    recent = burn_rate(windows.get("5m", Tally()), objective.target) or 0.0
    return Burns(name, objective, region, found, recent)


def burn_key(name: str, region: str) -> str:
    """The stable key of an objective's burning in a region."""
    return f"slo-burn:slo={name},region={region}"


def _within(principal: Principal, region: str | None) -> Sequence[str]:
    authorize(principal, _READ, region)
    held = scopes(principal, _READ)
    return held if region is None else narrowed(held, region)


async def _names(session: AsyncSession) -> dict[str, str]:
    return {region.code: region.name for region in await directory(session, SYSTEM)}


def _added(counted: count_repository.Tallies, name: str, within: Sequence[str]) -> dict[str, Tally]:
    mine = [
        tallies for (named, at), tallies in counted.items() if named == name and _seen(within, at)
    ]
    return {window: _sum(each.get(window, Tally()) for each in mine) for window in WINDOWS}


def _seen(within: Sequence[str], region: str) -> bool:
    return any(covers(scope, region) for scope in within)


def _sum(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())
