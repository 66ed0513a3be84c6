"""Pure decisions about incidents: states, the order of their moments, and clocks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise


class Severity(StrEnum):
    """How much an incident hurts; SEV1 is worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class IncidentState(StrEnum):
    """Where an incident stands; `merged` ended in another one."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"


def is_link(url: object) -> bool:
    """Whether a sender's word may become an address on our page: the web's own schemes alone."""
    return isinstance(url, str) and url.lower().startswith(("https://", "http://"))


class AlertStatus(StrEnum):
    """Whether the condition behind an alert holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """Whether an incident counts in the figures: tests and false positives do not."""

    REAL = "real"
    TEST = "test"
    FALSE_POSITIVE = "false_positive"


class Role(StrEnum):
    """What somebody does in an incident."""

    COMMANDER = "commander"
    RESPONDER = "responder"
    COMMUNICATOR = "communicator"


class Channel(StrEnum):
    """How a person on call is told; the console shows, sounds and notifies the desktop."""

    CONSOLE = "console"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


CHANNEL_WORDS: Mapping[str, str] = {
    Channel.CONSOLE: "console",
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.WEBHOOK: "webhook",
}
"""The ways as they stand within a sentence."""
OPEN = (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED)


class Act(StrEnum):
    """What moves an incident from one state to another."""

    ACKNOWLEDGE = "acknowledge"
    LAPSE = "lapse"
    MITIGATE = "mitigate"
    RELAPSE = "relapse"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    MERGE = "merge"


S = IncidentState
ALLOWED: dict[Act, frozenset[IncidentState]] = {
    Act.ACKNOWLEDGE: frozenset({S.TRIGGERED, S.ACKNOWLEDGED}),
    Act.LAPSE: frozenset({S.ACKNOWLEDGED}),
    Act.MITIGATE: frozenset({S.TRIGGERED, S.ACKNOWLEDGED}),
    Act.RELAPSE: frozenset({S.MITIGATED}),
    Act.RESOLVE: frozenset(OPEN),
    Act.CLOSE: frozenset({S.RESOLVED}),
    Act.REOPEN: frozenset({S.RESOLVED, S.CLOSED}),
    Act.MERGE: frozenset({*OPEN, S.RESOLVED}),
}


class Refused(Exception):
    """The act does not go from this state, or its moment does not fit between the others."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When an incident reached each of its states; each is at or after the ones before it."""

    impact_started_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def in_order(self) -> bool:
        """Whether no moment is before one that has to come first."""
        known = [at for at in self._all() if at is not None]
        return all(a <= b for a, b in pairwise(known))

    @property
    def latest(self) -> datetime:
        """The last of them."""
        return max(at for at in self._all() if at is not None)

    def _all(self) -> tuple[datetime | None, ...]:
        return (
            self.impact_started_at,
            self.detected_at,
            self.acknowledged_at,
            self.mitigated_at,
            self.resolved_at,
            self.closed_at,
        )


def step(
    state: IncidentState, moments: Moments, act: Act, at: datetime, *, by_person: bool
) -> tuple[IncidentState, Moments]:
    """The state and moments after an act at a moment; raises Refused.

    Whoever mitigates or resolves has taken the incident on with it. A reopening takes back its end
    and nothing before: the clock has run through. The first acknowledgement stays the one that
    counts.
    """
    if state not in ALLOWED[act]:
        raise Refused(f"An incident that is {state} cannot be {_DONE[act]}.")
    if act in (Act.ACKNOWLEDGE, Act.MITIGATE, Act.RESOLVE, Act.CLOSE):
        moments = _reached(moments, act, at, by_person=by_person)
        if not moments.in_order:
            raise Refused("It cannot have happened before what came first.")
    elif act in (Act.REOPEN, Act.RELAPSE):
        moments = replace(moments, mitigated_at=None, resolved_at=None, closed_at=None)
    if act is Act.RELAPSE and moments.acknowledged_at is not None:
        return S.ACKNOWLEDGED, moments
    return _LEADS_TO[act], moments


_DONE = {
    Act.ACKNOWLEDGE: "acknowledged", Act.LAPSE: "left", Act.MITIGATE: "mitigated",
    Act.RELAPSE: "worse again", Act.RESOLVE: "resolved", Act.CLOSE: "closed",
    Act.REOPEN: "reopened", Act.MERGE: "merged",
}  # fmt: skip
_LEADS_TO = {
    Act.ACKNOWLEDGE: S.ACKNOWLEDGED, Act.LAPSE: S.TRIGGERED, Act.MITIGATE: S.MITIGATED,
    Act.RELAPSE: S.TRIGGERED, Act.RESOLVE: S.RESOLVED, Act.CLOSE: S.CLOSED,
    Act.REOPEN: S.TRIGGERED, Act.MERGE: S.MERGED,
}  # fmt: skip


def _reached(moments: Moments, act: Act, at: datetime, *, by_person: bool) -> Moments:
    if act is Act.CLOSE:
        return replace(moments, closed_at=at)
    if by_person and moments.acknowledged_at is None:
        moments = replace(moments, acknowledged_at=at)
    if act is Act.MITIGATE:
        moments = replace(moments, mitigated_at=at)
    if act is Act.RESOLVE:
        moments = replace(moments, mitigated_at=moments.mitigated_at or at, resolved_at=at)
    return moments


def merged_moments(target: Moments, others: Sequence[Moments]) -> Moments:
    """The target's moments after others ended in it: the earliest impact, detection and answer.

    The whole of it is mitigated when the last of them is, and not before.
    """
    every = [target, *others]
    answers = [each.acknowledged_at for each in every if each.acknowledged_at is not None]
    mitigations = [each.mitigated_at for each in every if each.mitigated_at is not None]
    return replace(
        target,
        impact_started_at=min(each.impact_started_at for each in every),
        detected_at=min(each.detected_at for each in every),
        acknowledged_at=min(answers, default=None),
        mitigated_at=None if len(mitigations) < len(every) else max(mitigations),
    )


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of them; SEV1 is worst."""
    return min(severities)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took over several incidents, in seconds; None without any."""

    n: int
    mean_s: float | None
    median_s: float | None
    p90_s: float | None


def spread(seconds: Sequence[float]) -> Spread:
    """Mean, median and nearest-rank 90th percentile."""
    if not seconds:
        return Spread(0, None, None, None)
    ordered = sorted(seconds)
    rank = max(0, math.ceil(0.9 * len(ordered)) - 1)
    return Spread(
        len(ordered), statistics.fmean(ordered), statistics.median(ordered), ordered[rank]
    )
