"""The list of flags: what is on where, who looks after it, what waits, what could go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec

from backend.flags import service as flags
from backend.flags.schemas import (
    Environment,
    Exposure,
    FlagFilter,
    FlagOut,
    FlagSpec,
    KillIn,
    SaveIn,
    StaleFlag,
)
from backend.identity import service as identity
from backend.platform import clock
from backend.regions import service as regions
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow
from dashboard.drawing import spoken_seconds
from dashboard.gateway import DomainError, requires
from dashboard.states.flag_words import (
    FLAGS,
    ROLLOUT_TONES,
    TONES,
    ChangeRow,
    ShareRow,
    change_row,
    counts_as_on,
    environment_of,
    flag_link,
    in_sum,
    part_words,
    reach,
)
from dashboard.states.paging import PAGE_ROWS, ListState, address, form_text, iso, loads
from dashboard.states.shell import tell

FIELDS = ("q", "state", "kind", "owner", "show")
STATES = (
    ("", "Any state"),
    ("on", "On"),
    ("partly", "Partly on"),
    ("off", "Off"),
    ("killed", "Killed"),
)
KINDS = tuple(
    (name, name) for name in ("release", "operational", "experiment", "permission", "route")
)
SHOWN = (("", "In use"), ("stale", "Stale only"), ("archived", "Archived"))
_CSV = "/api/v1/flags.csv"
IMPORT = "/api/v1/flags/import"
_EXPORT = "/api/v1/flags/export"


class FlagRow(TypedDict):
    """One flag of the list."""

    id: str
    link: str
    about: str
    tone: str
    state: str
    words: str
    shares: list[ShareRow]
    shares_words: str
    asked: str
    on: str
    owner: str
    kind: str
    created_at: str
    updated_at: str
    changed_by: str
    stale: str
    waiting: str
    rollout: str
    rollout_tone: str
    sensitive: bool


class Tally(TypedDict):
    """How many flags are in a state that somebody should know of, and the list of them."""

    words: str
    tone: str
    link: str


class StaleRow(TypedDict):
    """A flag that could be cleaned up."""

    key: str
    link: str
    why: str
    suggestion: str
    since: str


class FlagsState(ListState, rx.State):
    """The list of flags."""

    environment: str = "production"
    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    export_link: str = ""
    rows: list[FlagRow] = []
    tallies: list[Tally] = []
    changes: list[ChangeRow] = []
    stale: list[StaleRow] = []
    may_write: bool = False
    may_kill: bool = False
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    making: bool = False
    importing: bool = False
    make_fault: str = ""

    @rx.event(background=True)
    @requires("flags:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            self.fault = ""
        await self._look()

    @rx.event(background=True)
    @requires("flags:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            environment = environment_of(self._asked("env"))
            after = self._asked("after")
        wanted = _wanted(filters, environment)
        async with gateway.open(self) as (session, principal):
            page = await flags.list_flags(
                session, principal, wanted, after=after or None, limit=PAGE_ROWS
            )
            names = {
                each.code: each.name
                for each in (await regions.directory(session, principal)).tops()
            }
            keys = [each.key for each in page.items]
            served = await flags.exposures(session, principal, keys, environment)
            rows = [_row(each, served[each.key], names) for each in page.items]
            changes = await flags.list_changes(session, principal, environment)
            stale = await flags.stale_flags(session, principal, environment)
            killed = await flags.list_flags(
                session, principal, FlagFilter(environment=environment, state="killed"), limit=200
            )
            held = {verb: identity.may(principal, f"flags:{verb}") for verb in ("write", "kill")}
            caller = principal.id
        query = {**filters, "env": "" if environment == "production" else environment}
        async with self:
            self.environment = environment
            self.filters = filters
            self.filters_key = address(environment, filters)
            self.export_link = address(_EXPORT, {"environment": environment})
            self.csv_link = address(_CSV, _query(wanted))
            self.rows = rows
            self.changes = [change_row(each, caller) for each in changes]
            self.stale = [_stale(each) for each in stale]
            self.tallies = _tallies(self.changes, self.stale, len(killed.items), environment)
            self.may_write, self.may_kill = held["write"], held["kill"]
            self._link_pages(query, page.next_cursor or "")
            self.ready = True

    @rx.event
    @requires("flags:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS}
        return rx.redirect(address(FLAGS, {**kept, "env": self._asked("env")}), replace=True)

    @rx.event(background=True)
    @requires("flags:kill")
    async def act(self, action: str, keys: list[str]) -> Any:
        """Kill the chosen flags, each for itself."""
        wanted = [str(key) for key in keys][:PAGE_ROWS] if isinstance(keys, list) else []
        if action != "kill" or not wanted:
            return None
        async with self:
            environment = environment_of(self.environment)
        found: list[OutcomeRow] = []
        for key in wanted:
            row: OutcomeRow = {"name": key, "tone": "good", "word": "killed", "detail": ""}
            try:
                async with gateway.open(self) as (session, principal):
                    done = await flags.kill_flag(
                        session, principal, key, KillIn(environment=environment)
                    )
                    row["detail"] = "; ".join(done.words)
            except DomainError as error:
                row = {"name": key, "tone": "critical", "word": "refused", "detail": error.detail}
            found.append(row)
        async with self:
            self.outcome = found
            killed = sum(row["tone"] == "good" for row in found)
            self.outcome_words = f"{killed} of {len(found)} are killed; each page asks why"
        return FlagsState.load

    @rx.event
    @requires("flags:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""

    @rx.event
    @requires("flags:write")
    async def ask_new(self, open_it: bool) -> None:
        """Open the form of a new flag, or close it."""
        self.making, self.make_fault = open_it is True, ""

    @rx.event
    @requires("flags:write")
    async def ask_import(self, open_it: bool) -> None:
        """Open the drawer that takes a document, or close it."""
        self.importing = open_it is True

    @rx.event(background=True)
    @requires("flags:write")
    async def make(self, form: dict[str, Any]) -> Any:
        """Make a flag that is off for everyone, and open its page."""
        async with self:
            environment = environment_of(self.environment)
        key = form_text(form, "key")
        try:
            wanted = SaveIn(
                environment=environment,
                spec=_new(form, key),
                version_seen=0,
                reason=form_text(form, "reason"),
                confirm=key,
            )
            async with gateway.open(self) as (session, principal):
                await flags.save_flag(session, principal, wanted)
        except (DomainError, ValidationError) as error:
            async with self:
                self.make_fault = fault_words(error)
            return None
        async with self:
            self.making = False
            await tell(self, "good", f"{key} is there, off for everyone.")
        return rx.redirect(flag_link(key, environment))


def fault_words(error: DomainError | ValidationError) -> str:
    """What is wrong, in a sentence or two."""
    if isinstance(error, DomainError):
        details = [each.detail for each in error.errors[:3]]
        return " ".join(dict.fromkeys([error.detail, *details]))
    fault = error.errors()[0]
    return f"{' '.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def _new(form: dict[str, Any], key: str) -> FlagSpec:
    return FlagSpec.model_validate(
        {
            "key": key,
            "kind": form_text(form, "kind") or "release",
            "description": form_text(form, "description"),
            "owner": form_text(form, "owner"),
            "variants": {"on": True, "off": False},
            "default_variant": "off",
            "off_variant": "off",
        }
    )


def _wanted(filters: dict[str, str], environment: Environment) -> FlagFilter:
    states = [name for name, _ in STATES if name]
    kinds = [name for name, _ in KINDS]
    return FlagFilter(
        environment=environment,
        q=filters["q"][:100] or None,
        kind=filters["kind"] if filters["kind"] in kinds else None,
        owner=filters["owner"][:80] or None,
        state=cast(Any, filters["state"]) if filters["state"] in states else None,
        stale=True if filters["show"] == "stale" else None,
        archived=filters["show"] == "archived",
    )


def _query(wanted: FlagFilter) -> dict[str, str]:
    """The same question to the HTTP doorway."""
    return {
        "environment": wanted.environment,
        "q": wanted.q or "",
        "kind": wanted.kind or "",
        "owner": wanted.owner or "",
        "state": wanted.state or "",
        "stale": "true" if wanted.stale else "",
        "archived": "true" if wanted.archived else "",
    }


def _row(each: FlagOut, exposures: Sequence[Exposure], names: dict[str, str]) -> FlagRow:
    off = str(each.definition.get("defaultVariant") or "off")
    shares = reach(exposures, each.definition, off, names)
    return {
        "id": each.key,
        "link": flag_link(each.key, each.environment),
        "about": each.description,
        "tone": TONES[each.state],
        "state": each.state,
        "words": each.in_words,
        "shares": shares,
        "shares_words": in_sum(shares),
        "on": part_words(*_on_of(each.definition, off, exposures)),
        "asked": f"{each.asked_last_hour:,}" if each.asked_last_hour else "none",
        "owner": each.owner,
        "kind": each.kind,
        "created_at": iso(each.created_at),
        "updated_at": iso(each.updated_at),
        "changed_by": each.changed_by_name,
        "stale": each.stale_because or "",
        "waiting": f"{each.waiting} to approve" if each.waiting else "",
        "rollout": f"rollout {each.rollout}" if each.rollout else "",
        "rollout_tone": ROLLOUT_TONES[each.rollout] if each.rollout else "off",
        "sensitive": each.sensitive,
    }


def _on_of(definition: dict[str, Any], off: str, exposures: Sequence[Exposure]) -> tuple[int, int]:
    """How many answers of the last hour were on, and how many there were."""
    on = sum(e.asked for e in exposures if counts_as_on(definition, off, e.variant))
    return on, sum(each.asked for each in exposures)


def _stale(each: StaleFlag) -> StaleRow:
    return {
        "key": each.key,
        "link": flag_link(each.key, each.environment),
        "why": each.why,
        "suggestion": each.suggestion,
        "since": spoken_seconds((clock.now() - each.since).total_seconds()),
    }


def _tallies(
    changes: list[ChangeRow], stale: list[StaleRow], killed: int, environment: str
) -> list[Tally]:
    env = "" if environment == "production" else environment
    waiting = sum(each["state"] == "awaits approval" for each in changes)
    found = [
        (waiting, "to approve", "warning", {}),
        (len(changes) - waiting, "scheduled", "info", {}),
        (killed, "killed", "critical", {"state": "killed"}),
        (len(stale), "stale", "warning", {"show": "stale"}),
    ]
    return [
        {
            "words": f"{number} {word}",
            "tone": tone if number else "off",
            "link": address(FLAGS, {**query, "env": env}),
        }
        for number, word, tone, query in found
    ]
