"""What the page of one incident shows of it, as rows of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from backend.incidents.on_call_schemas import PageOut
from backend.incidents.schemas import BlastRadius, IncidentDetail
from backend.payments.formats import with_code
from backend.regions.service import place_words
from dashboard.states.incident_story import Beat, story_of
from dashboard.states.incident_words import (
    PATH,
    SEVERITY_TONES,
    STATE_TONES,
    spent,
    state_note,
)
from dashboard.states.paging import address, iso

DETECT_GOAL_S, RESOLVE_GOAL_S = 60, 660
"""The targets for detecting and resolving an incident, of the figures to reach."""
ACTIONS = {
    "redispatch": ("Re-dispatch", "orders not picked up go to other drivers"),
    "pause_matching": ("Pause matching", "in a city, until resumed"),
    "resume_matching": ("Resume matching", "in a city"),
    "message_customers": ("Message customers", "those whom it hurts"),
    "flag_off": ("Turn a flag off", "everywhere in one environment"),
}
_TRACES = 4
_CURRENCIES = 3
_ELSEWHERE = "its clock runs in the other"
_RISKY = ("pause_matching", "flag_off")


class Facts(TypedDict):
    """The head of the page."""

    id: str
    number: str
    title: str
    severity: str
    tone: str
    state: str
    state_tone: str
    note: str
    kind: str
    place: str
    zone: str
    services: str
    opened_by: str
    commander: str
    follows: str
    merged_into: str
    firing: str
    reopened: str
    impact: str
    over: bool


class Clock(TypedDict):
    """One clock: `at` is the moment reached, `running` the moment it runs from."""

    name: str
    at: str
    value: str
    running: str
    goal: float
    note: str
    tone: str
    state: str


class Hurt(TypedDict):
    """One count of the blast radius, and where its rows are."""

    name: str
    value: str
    note: str
    hint: str
    tone: str
    link: str


class Person(TypedDict):
    """Somebody's part in the incident."""

    id: str
    role: str
    name: str
    since: str
    me: bool


class LinkRow(TypedDict):
    """A way to look deeper."""

    kind: str
    title: str
    url: str
    inside: bool


class Deed(TypedDict):
    """Something that can be done with or from the incident."""

    key: str
    word: str
    hint: str
    group: str
    risk: bool


NOTHING: Facts = {
    "id": "", "number": "", "title": "", "severity": "", "tone": "off", "state": "",
    "state_tone": "off", "note": "", "kind": "", "place": "", "zone": "UTC", "services": "",
    "opened_by": "", "commander": "", "follows": "", "merged_into": "", "firing": "",
    "reopened": "", "impact": "", "over": False,
}  # fmt: skip


def facts_of(found: IncidentDetail, names: Mapping[str, str], zones: Mapping[str, str]) -> Facts:
    """The head of the page; its times are told in the zone of its first region."""
    return {
        "id": str(found.id),
        "number": found.number,
        "title": found.title,
        "severity": found.severity,
        "tone": SEVERITY_TONES[found.severity],
        "state": found.state,
        "state_tone": STATE_TONES[found.state],
        "note": state_note(found),
        "kind": "" if found.kind == "real" else found.kind.replace("_", " "),
        "place": place_words(found.regions, names),
        "zone": zones.get(found.region, "UTC"),
        "services": ", ".join(found.services),
        "opened_by": found.opened_by,
        "commander": found.commander or "",
        "follows": found.follows_number or "",
        "merged_into": found.merged_into_number or "",
        "firing": f"{found.firing:,}" if found.firing else "",
        "reopened": str(found.reopened) if found.reopened else "",
        "impact": iso(found.impact_started_at),
        "over": found.state in ("resolved", "closed", "merged"),
    }


def clocks_of(found: IncidentDetail) -> list[Clock]:
    """The five clocks, from the first bad sample to verified recovery."""
    clocks = found.clocks
    detected_late = clocks.detect_s > DETECT_GOAL_S
    over = found.resolved_at is not None
    took = (clocks.resolve_s if over else clocks.running_s) or 0
    late = took > RESOLVE_GOAL_S
    merged = found.state == "merged"
    running = "" if over or merged else iso(found.impact_started_at)

    def reached(name: str, seconds: float | None, note: str, waiting: str) -> Clock:
        there = seconds is not None
        unreached, waiting = ("not here", _ELSEWHERE) if merged else ("not yet", waiting)
        return {
            "name": name, "at": "", "value": spent(seconds) if there else unreached,
            "running": "", "goal": 0, "note": note if there else waiting,
            "tone": "", "state": "reached" if there else "waiting",
        }  # fmt: skip

    return [
        {
            "name": "Impact since", "at": iso(found.impact_started_at), "value": "", "running": "",
            "goal": 0, "note": "first bad sample" if found.alerts else "as declared", "tone": "",
            "state": "reached",
        },
        {
            "name": "Detected", "at": "", "value": spent(clocks.detect_s), "running": "", "goal": 0,
            "note": "target 60 s", "tone": "warning" if detected_late else "good",
            "state": "reached",
        },
        reached("Acknowledged", clocks.acknowledge_s, found.commander or "", "nobody has it"),
        reached("Mitigated", clocks.mitigate_s, "the harm has stopped", "the harm goes on"),
        {
            "name": "Resolved", "at": "",
            "value": spent(clocks.resolve_s) if over else "" if running else "merged",
            "running": running, "goal": RESOLVE_GOAL_S,
            "note": _ELSEWHERE if merged else "goal 11:00",
            "tone": "" if merged else "critical" if late else "good" if over else "",
            "state": "reached" if over else "waiting" if merged else "running",
        },
    ]  # fmt: skip


def hurts_of(found: BlastRadius) -> tuple[list[Hurt], str]:
    """The four counts of the blast radius, and over which span they were counted."""
    region = found.regions[0] if len(found.regions) == 1 else ""
    sums = [with_code(each.minor, each.currency) for each in found.money if each.minor]
    money = " + ".join(sums) or "none held"
    unknown = f"{found.payments_unknown:,} unknown"
    hurts: list[Hurt] = [
        {
            "name": "Orders", "hint": "", "value": f"{found.orders:,}",
            "note": f"{found.orders_waiting:,} not picked up, {found.orders_late:,} late",
            "tone": "warning" if found.orders_late else "",
            "link": address("/orders", {"region": region}),
        },
        {
            "name": "Drivers", "hint": "", "value": f"{found.drivers:,}",
            "note": "nobody knows who is silent"
            if found.drivers_silent is None
            else f"{found.drivers_silent:,} silent",
            "tone": "warning" if found.drivers_silent else "",
            "link": address("/map", {"region": region, "status": "stale,offline"}),
        },
        {
            "name": "Customers", "hint": "", "value": f"{found.customers:,}",
            "note": "who sent or wait for them", "tone": "",
            "link": address("/orders", {"region": region}),
        },
        {
            "name": "Money held",
            "value": money if len(sums) < _CURRENCIES else f"{len(sums)} currencies",
            "hint": money,
            "note": f"{found.payments_failed:,} payments failed, {unknown}",
            "tone": "critical" if found.payments_failed else "",
            "link": address("/payments", {"region": region, "state": "failed"}),
        },
    ]  # fmt: skip
    return hurts, iso(found.at)


def beats(found: IncidentDetail, calls: Iterable[PageOut]) -> list[Beat]:
    """The story of the incident."""
    return story_of(found.timeline, calls)


def people_of(found: IncidentDetail, me: str) -> list[Person]:
    """Who does what, the commander first."""
    order = ("commander", "communicator", "responder")
    return [
        {
            "id": each.person_id,
            "role": each.role,
            "name": each.name,
            "since": iso(each.since),
            "me": each.person_id == me,
        }
        for each in sorted(found.roles, key=lambda each: order.index(each.role))
    ]


def links_of(found: IncidentDetail) -> list[LinkRow]:
    """Ways to look deeper."""
    links: list[LinkRow] = [
        {
            "kind": each.kind,
            "title": each.title,
            "url": each.url,
            "inside": each.url.startswith("/") and not each.url.startswith("//"),
        }
        for each in found.links
        if each.url.startswith(("/", "https://", "http://"))
    ]
    if not any(link["kind"] == "trace" for link in links):
        # Nothing says where traces are kept: their ids can be copied.
        links += [
            {"kind": "trace", "title": trace, "url": "", "inside": False}
            for trace in found.traces[:_TRACES]
        ]
    if found.follows_number:
        links.append(
            {
                "kind": "incident", "title": f"Follows {found.follows_number}",
                "url": f"{PATH}/{found.follows_number}", "inside": True,
            }
        )  # fmt: skip
    return links


def deeds_of(found: IncidentDetail) -> list[Deed]:
    """What may be done now: the next step first, then actions on the ground, then the rest.

    Once somebody has it, the next step is to stop the harm; acknowledging again keeps it from
    lapsing.
    """
    allowed = set(found.allowed)
    had = found.state != "triggered"
    words = {
        **({} if had else {"acknowledge": ("Acknowledge", "you command until another is named")}),
        "mitigate": ("Mitigated", "the harm has stopped"),
        "resolve": ("Resolve when verified", "its indicator must be well again"),
        "close": ("Close", ""),
    }
    steps = [key for key in words if key in allowed]
    deeds = [_deed(key, *words[key], "next" if key == steps[0] else "action") for key in steps]
    deeds += [_deed(key, *ACTIONS[key], "action", key in _RISKY) for key in found.actions]
    others = {
        **({"acknowledge": ("Acknowledge again", "it would lapse otherwise")} if had else {}),
        "reopen": ("Reopen", "its clock has run through"),
        "set_severity": ("Severity", ""),
        "set_role": ("Roles", ""),
        "set_kind": ("Not real", "a test or a false positive stays out of the figures"),
        "snooze": ("Snooze", "calls wait, the clock runs"),
        "merge": ("Merge", ""),
        "split": ("Split", ""),
    }
    deeds += [_deed(key, *told, "other") for key, told in others.items() if key in allowed]
    return deeds


def _deed(key: str, word: str, hint: str, group: str, risk: bool = False) -> Deed:
    return {"key": key, "word": word, "hint": hint, "group": group, "risk": risk}
