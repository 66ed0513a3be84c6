"""One flag as its page shows it: facts, versions, rollouts, and what a draft would do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any, TypedDict

from backend.flags.schemas import ChangePreview, FlagDetail, FlagVersion, Rollout
from backend.flags.service import OutcomeMinute, share_words
from backend.platform.shares import percent
from backend.regions.service import in_place
from dashboard import theme
from dashboard.drawing import spoken_seconds
from dashboard.states.flag_words import ROLLOUT_TONES, TONES, counts_as_on
from dashboard.states.paging import iso

_TONES_OF_CAUSES = {
    "edit": "info", "kill": "critical", "restore": "warning", "schedule": "good",
    "rollout": "good", "halt": "critical", "import": "info", "archive": "off",
    "promote": "good",
}  # fmt: skip
_BY_ITSELF = {"schedule": "by schedule", "rollout": "by rollout", "halt": "by its guard"}


class Facts(TypedDict):
    """What stands at the head and the side of the page."""

    key: str
    environment: str
    version: int
    tone: str
    state: str
    words: str
    about: str
    owner: str
    kind: str
    created_at: str
    updated_at: str
    changed_by: str
    expires_at: str
    sensitive: bool
    stale: str
    killed: bool
    killed_at: str
    killed_by: str
    kill_reason: str
    asked: str
    needed_by: str
    before_kill: int


NO_FACTS: Facts = {
    "key": "", "environment": "", "version": 0, "tone": "off", "state": "", "words": "",
    "about": "", "owner": "", "kind": "", "created_at": "", "updated_at": "", "changed_by": "",
    "expires_at": "", "sensitive": False, "stale": "", "killed": False, "killed_at": "",
    "killed_by": "", "kill_reason": "", "asked": "", "needed_by": "", "before_kill": 0,
}  # fmt: skip


class Preview(TypedDict):
    """What a draft would do; `serial` is the draft's own."""

    serial: str
    fault: str
    words: list[str]
    warnings: list[str]
    definition: str
    needs_approval: bool
    needs_confirmation: bool
    blast: dict[str, Any]


class VersionRow(TypedDict):
    """One version in the history."""

    version: int
    tone: str
    words: str
    by: str
    reason: str
    at: str
    diff: str
    now: bool


class StepRow(TypedDict):
    """One step of a rollout."""

    share: str
    note: str
    state: str


class RolloutRow(TypedDict):
    """A rollout and where it stands."""

    id: str
    title: str
    tone: str
    state: str
    guard: str
    by: str
    halted: str
    next_at: str
    steps: list[StepRow]
    open: bool
    running: bool


def no_preview(serial: str) -> Preview:
    """What is shown before anything is known."""
    return {
        "serial": serial, "fault": "", "words": [], "warnings": [], "definition": "",
        "needs_approval": False, "needs_confirmation": True, "blast": {},
    }  # fmt: skip


def facts_of(found: FlagDetail) -> Facts:
    """Head and side of the page."""
    return {
        "key": found.key,
        "environment": found.environment,
        "version": found.version,
        "tone": TONES[found.state],
        "state": found.state,
        "words": found.in_words,
        "about": found.description,
        "owner": found.owner,
        "kind": found.kind,
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "changed_by": found.changed_by_name,
        "expires_at": iso(found.expires_at),
        "sensitive": found.sensitive,
        "stale": found.stale_because or "",
        "killed": found.state == "killed",
        "killed_at": iso(found.killed_at),
        "killed_by": found.killed_by_name or "",
        "kill_reason": found.kill_reason or "",
        "asked": f"{found.asked_last_hour:,}",
        "needed_by": ", ".join(found.needed_by),
        "before_kill": max(found.version - 1, 1),
    }


def preview_of(found: ChangePreview, serial: str, name_of: Callable[[str], str]) -> Preview:
    """What the draft `serial` would do, regions by their names."""
    blast = found.blast.model_dump(mode="json")
    regions = sorted(blast["regions"], key=lambda each: -each["changed"])
    blast["regions"] = [
        {**each, "name": name_of(each["region"])} for each in regions if each["changed"]
    ]
    return {
        "serial": serial,
        "fault": "",
        "words": found.words,
        "warnings": found.warnings,
        "definition": json.dumps(found.definition, indent=2, ensure_ascii=False),
        "needs_approval": found.needs_approval,
        "needs_confirmation": found.needs_confirmation,
        "blast": blast,
    }


def version_row(each: FlagVersion, current: int) -> VersionRow:
    """One line of the history."""
    by = _BY_ITSELF.get(each.cause, each.by_name)
    if each.approved_by_name:
        by += f", approved by {each.approved_by_name}"
    return {
        "version": each.version,
        "tone": _TONES_OF_CAUSES.get(each.cause, "info"),
        "words": "; ".join(each.words) or each.cause,
        "by": by,
        "reason": each.reason,
        "at": iso(each.at),
        "diff": "\n".join(each.diff),
        "now": each.version == current,
    }


def rollout_row(each: Rollout, flag: FlagDetail, places: Mapping[str, str]) -> RolloutRow:
    """A rollout with its steps on a line."""
    rule = next((rule for rule in flag.rules if rule.id == each.rule), None)
    guard = []
    if each.slo:
        where = f" {in_place(each.region, places)}" if each.region else ""
        guard.append(f"guarded by {each.slo}{where}")
    if each.most_errors:
        guard.append(f"halts at {percent(each.most_errors, 3)} more errors")
    return {
        "id": str(each.id),
        "title": rule.who if rule else each.rule,
        "tone": ROLLOUT_TONES[each.state],
        "state": each.state,
        "guard": ", ".join(guard) or "not guarded",
        "by": each.started_by_name,
        "halted": each.halted_because or "",
        "next_at": iso(each.next_at),
        "steps": [
            {
                "share": share_words(step.share),
                "note": _step_note(each, at),
                "state": _step_state(each, at),
            }
            for at, step in enumerate(each.steps)
        ],
        "open": each.state in ("waiting", "running", "paused"),
        "running": each.state == "running",
    }


def _step_state(rollout: Rollout, at: int) -> str:
    if rollout.state == "done" or at < rollout.step:
        return "done"
    if at > rollout.step:
        return "to come"
    return "halted" if rollout.state == "halted" else "now"


def _step_note(rollout: Rollout, at: int) -> str:
    state = _step_state(rollout, at)
    if state == "now" and rollout.next_at and rollout.state == "running":
        return f"until {rollout.next_at.astimezone(UTC):%H:%M} UTC"
    wait = rollout.steps[at].wait_s
    waited = f"for {spoken_seconds(wait)}" if wait else "to stay"
    return state if state in ("halted", "now") else waited


def guard_chart(
    minutes: Sequence[OutcomeMinute], definition: Mapping[str, Any], off: str
) -> dict[str, Any]:
    """Two lines: what went well, minute by minute, for those who got it and for the others."""

    def line(name: str, on: bool, color: str, dash: str) -> dict[str, Any]:
        sums: dict[str, tuple[int, int]] = {}
        for each in minutes:
            if counts_as_on(definition, off, each.variant) is on:
                good, bad = sums.get(iso(each.minute), (0, 0))
                sums[iso(each.minute)] = (good + each.good, bad + each.bad)
        return {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": list(sums),
            "y": [round(100 * good / max(good + bad, 1), 2) for good, bad in sums.values()],
            "line": {"color": color, "dash": dash, "width": 1.5},
        }

    return {
        "data": [
            line("got it", True, theme.ACCENT, "solid"),
            line("the others", False, theme.OFF, "dot"),
        ],
        "layout": {"yaxis": {"ticksuffix": " %", "rangemode": "normal"}},
    }
