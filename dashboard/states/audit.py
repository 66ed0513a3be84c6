"""The audit trail: filter it, look into one row, check its seals, take it along as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

import orjson
import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import AuditEntry, AuditFilter
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.paging import PAGE_ROWS, ListState, address, day_start, form_text, iso, loads
from dashboard.states.shell import EVERYWHERE, RegionChoice, ShellState, place_names

PATH = "/admin/audit"
FIELDS = ("q", "action", "actor", "object", "region", "outcome", "from", "to")
OUTCOMES = (("", "Any outcome"), ("done", "Done"), ("denied", "Denied"), ("failed", "Failed"))
_TONES = {"done": "good", "denied": "warning", "failed": "critical"}
_CSV = "/api/v1/audit.csv"


class AuditRow(TypedDict):
    """One line of the trail."""

    seq: str
    at: str
    who: str
    who_id: str
    action: str
    object: str
    place: str
    outcome: str
    tone: str
    reason: str
    link: str


class ChangeRow(TypedDict):
    """One field before and after."""

    field: str
    before: str
    after: str


class Entry(TypedDict):
    """The chosen row, whole."""

    seq: str
    at: str
    exactly: str
    who: str
    who_id: str
    action: str
    object: str
    place: str
    outcome: str
    tone: str
    reason: str
    session: str
    address: str
    trace: str


class Place(TypedDict):
    """A region to narrow by."""

    code: str
    path: str


class Chain(TypedDict):
    """What the last walk over the seals found."""

    tone: str
    text: str
    at: str


_NOTHING: Entry = {
    "seq": "", "at": "", "exactly": "", "who": "", "who_id": "", "action": "", "object": "",
    "place": "", "outcome": "", "tone": "off", "reason": "", "session": "", "address": "",
    "trace": "",
}  # fmt: skip


class AuditState(ListState, rx.State):
    """The audit page."""

    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    places: list[Place] = []
    rows: list[AuditRow] = []
    chosen: Entry = _NOTHING
    changes: list[ChangeRow] = []
    close_link: str = PATH
    chain: Chain = {"tone": "off", "text": "not checked yet", "at": ""}
    checking: bool = False

    @rx.event(background=True)
    @requires("audit:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for: filters, a page, a chosen row."""
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            after, row = self._asked("after"), self._asked("row")
            shell = await self.get_state(ShellState)
            choices, names = list(shell.region_choices), await place_names(self)
            self.fault = ""
        before = int(after) if after.isdigit() else None
        async with gateway.open(self) as (session, principal):
            found = await identity.list_audit(
                session, principal, _wanted(filters), before_seq=before, limit=PAGE_ROWS
            )
            chosen = next((each for each in found if str(each.seq) == row), None)
            if chosen is None and row.isdigit():
                near = await identity.list_audit(
                    session, principal, AuditFilter(), before_seq=int(row) + 1, limit=1
                )
                chosen = next((each for each in near if str(each.seq) == row), None)
        query = {**filters, "after": after}
        async with self:
            self.places = places(choices, names)
            self.filters = filters
            self.filters_key = address("", filters)
            self.csv_link = address(_CSV, _query(filters))
            self.rows = [_row(each, query, names) for each in found]
            self._link_pages(filters, str(found[-1].seq) if len(found) == PAGE_ROWS else "")
            self.chosen = _entry(chosen, names) if chosen else _NOTHING
            self.changes = changes(chosen.before, chosen.after) if chosen else []
            self.close_link = address(PATH, query)
            self.ready = True

    @rx.event
    @requires("audit:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        return rx.redirect(
            address(PATH, {name: form_text(form, name) for name in FIELDS}), replace=True
        )

    @rx.event(background=True)
    @requires("audit:read")
    async def check(self) -> None:
        """Walk the whole chain of seals."""
        async with self:
            if self.checking:
                return
            self.checking = True
        try:
            result = await identity.verify_audit(gateway.resources())
        finally:
            async with self:
                self.checking = False
        async with self:
            if result.broken_seq is None:
                self.chain = _chain("good", f"{result.checked:,} rows, every seal holds")
            else:
                self.chain = _chain("critical", f"broken at row {result.broken_seq}: {result.why}")


def places(choices: Sequence[RegionChoice], names: Mapping[str, str]) -> list[Place]:
    """The regions to narrow by: those of the switcher, all of them for whoever has no switcher."""
    if choices:
        known = [(each["code"], each["path"]) for each in choices if each["code"] != EVERYWHERE]
    else:
        known = sorted(names.items(), key=lambda each: each[1])
    return [{"code": code, "path": path} for code, path in known]


def _chain(tone: str, text: str) -> Chain:
    return {"tone": tone, "text": text, "at": iso(datetime.now(UTC))}


def _query(filters: dict[str, str]) -> dict[str, str]:
    """The same question to the HTTP doorway."""
    same = {name: filters[name] for name in ("actor", "action", "object", "region", "outcome")}
    since, until = day_start(filters["from"]), day_start(filters["to"], days=1)
    return {**same, "text": filters["q"], "since": iso(since), "until": iso(until)}


def _wanted(filters: dict[str, str]) -> AuditFilter:
    return AuditFilter(
        actor=filters["actor"] or None,
        action=filters["action"] or None,
        object=filters["object"] or None,
        region=filters["region"] or None,
        outcome=filters["outcome"] or None,
        since=day_start(filters["from"]),
        until=day_start(filters["to"], days=1),
        text=filters["q"] or None,
    )


def _row(entry: AuditEntry, query: dict[str, str], names: Mapping[str, str]) -> AuditRow:
    return {
        "seq": str(entry.seq),
        "at": iso(entry.at),
        "who": entry.actor_name,
        "who_id": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "place": place_words([entry.region], names) if entry.region else "",
        "outcome": entry.outcome,
        "tone": _TONES.get(entry.outcome, "off"),
        "reason": entry.reason or "",
        "link": address(PATH, {**query, "row": str(entry.seq)}),
    }


def _entry(entry: AuditEntry, names: Mapping[str, str]) -> Entry:
    return {
        "seq": str(entry.seq),
        "at": iso(entry.at),
        "exactly": entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC",
        "who": entry.actor_name,
        "who_id": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "place": place_words([entry.region], names) if entry.region else "",
        "outcome": entry.outcome,
        "tone": _TONES.get(entry.outcome, "off"),
        "reason": entry.reason or "",
        "session": (entry.session_id or "")[:12],
        "address": entry.address or "",
        "trace": entry.trace_id or "",
    }


def changes(before: Any, after: Any) -> list[ChangeRow]:
    """Field by field, what was and what is; both come masked from the trail."""
    old, new = _fields(before), _fields(after)
    return [
        {"field": name, "before": old.get(name, ""), "after": new.get(name, "")}
        for name in dict.fromkeys([*old, *new])
    ]


def _fields(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return {str(name): _spoken(inner) for name, inner in value.items()}
    return {"value": _spoken(value)}


def _spoken(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "none" if value is None else orjson.dumps(value).decode()
