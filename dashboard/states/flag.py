"""The page of one flag: its rules as a draft is saved, its exposure, versions and changes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import (
    Environment,
    FlagFilter,
    FlagSpec,
    KillIn,
    RestoreIn,
    SaveIn,
)
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import NotFound
from backend.regions import service as regions
from dashboard import gateway
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.flag_facts import (
    NO_FACTS,
    Facts,
    Preview,
    RolloutRow,
    VersionRow,
    facts_of,
    guard_chart,
    no_preview,
    preview_of,
    rollout_row,
    version_row,
)
from dashboard.states.flag_words import (
    ChangeRow,
    ShareRow,
    by_variant,
    came_of,
    change_row,
    environment_of,
    in_sum,
    reach,
)
from dashboard.states.flags import fault_words
from dashboard.states.paging import ListState, form_text, loads
from dashboard.states.shell import tell

_Act = Callable[[Session, Principal, str, Environment], Awaitable[str]]
_VERSIONS = 30


class FlagState(ListState, rx.State):
    """One flag in one environment."""

    key: str = ""
    environment: str = "production"
    facts: Facts = NO_FACTS
    spec: dict[str, Any] = {}
    definition: str = ""
    notes: dict[str, str] = {}
    rule_choices: list[dict[str, str]] = []
    place: str = ""
    loaded: str = ""
    preview: Preview = no_preview("")
    segments: list[dict[str, str]] = []
    others: list[dict[str, Any]] = []
    shares: list[ShareRow] = []
    shares_words: str = ""
    variants_words: str = ""
    changes: list[ChangeRow] = []
    rollouts: list[RolloutRow] = []
    goes: dict[str, Any] = {}
    has_outcomes: bool = False
    versions: list[VersionRow] = []
    may_write: bool = False
    may_kill: bool = False
    busy: bool = False
    asking: str = ""
    _saves: int = 0

    @rx.event(background=True)
    @requires("flags:read")
    @loads
    async def load(self) -> None:
        """Show the flag that the address names."""
        async with self:
            self.fault, self.asking = "", ""
            same = self.facts["key"] == self._key() and self.facts["environment"] == self._env()
            if not same:
                self.facts, self.ready = NO_FACTS, False
        await self._look()

    @rx.event(background=True)
    @requires("flags:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            key, environment = self._key(), self._env()
        async with gateway.open(self) as (session, principal):
            waiting = await flags.list_changes(session, principal, environment, key=key)
            try:
                found = await flags.get_flag(session, principal, key, environment)
            except NotFound as error:
                async with self:
                    self.facts, self.fault, self.ready = NO_FACTS, error.detail, True
                    self.key, self.environment = key, environment
                    self.changes = [change_row(each, principal.id) for each in waiting]
                    if waiting:
                        self.fault = f"{key} is new: it is there once somebody else approves it."
                return
            versions = await flags.flag_versions(
                session, principal, key, environment, limit=_VERSIONS
            )
            exposures = await flags.exposure(session, principal, key, environment)
            minutes = await flags.outcome_minutes(session, principal, key, environment)
            segments = await flags.list_segments(session, principal, environment)
            wanted = FlagFilter(environment=environment)
            others = await flags.list_flags(session, principal, wanted, limit=200)
            tree = await regions.directory(session, principal)
            held = {verb: identity.may(principal, f"flags:{verb}") for verb in ("write", "kill")}
        names = {each.code: each.name for each in tree.tops()}
        shares = reach(exposures, found.definition, found.spec.off_variant, names)
        spec = found.spec.model_dump(mode="json")
        async with self:
            if (key, environment) != (self._key(), self._env()):
                return
            self.facts = facts_of(found)
            # Sent only when it is another one: the browser keeps a draft beside it.
            self.spec = spec
            self.definition = json.dumps(found.definition, indent=2, ensure_ascii=False)
            self.notes = {rule.id: rule.note for rule in found.rules if rule.note}
            self.rule_choices = [{"id": rule.id, "who": rule.who} for rule in found.rules]
            # Whose drafts of what: the browser keeps them under this name.
            self.place = f"{principal.id}/{environment}/{key}"
            self.loaded = f"{environment}/{key}#{self._saves}|{found.version}"
            self.segments = [
                {"code": each.segment.name, "name": each.segment.name} for each in segments
            ]
            self.others = [
                {"key": each.key, "variants": list(each.definition.get("variants", {}))}
                for each in others.items
            ]
            self.shares, self.shares_words = shares, in_sum(shares)
            self.variants_words = by_variant(exposures)
            self.key, self.environment = key, environment
            self.changes = [change_row(each, principal.id) for each in waiting]
            self.rollouts = [rollout_row(each, found, tree.names) for each in found.rollouts]
            self.goes = guard_chart(minutes, found.definition, found.spec.off_variant)
            self.has_outcomes = bool(minutes)
            self.versions = [version_row(each, found.version) for each in versions]
            self.may_write, self.may_kill = held["write"], held["kill"]
            self.fault, self.ready = "", True

    def _key(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2][:80]

    def _env(self) -> Environment:
        return environment_of(self._asked("env"))

    @rx.event(background=True)
    @requires("flags:write")
    async def draft(self, sent: dict[str, Any]) -> None:
        """Tell what the browser's draft would do, and to whom."""
        async with self:
            environment, key = self._env(), self._key()
        serial = str(sent.get("serial", ""))[:20]
        try:
            wanted = SaveIn(
                environment=environment,
                spec=_spec_of(sent, key),
                version_seen=_number(sent.get("version_seen")),
                reason="only looking",
            )
            async with gateway.open(self) as (session, principal):
                found = await flags.preview_change(session, principal, wanted)
                tree = await regions.directory(session, principal)
            preview = preview_of(found, serial, lambda code: getattr(tree.get(code), "name", code))
        except (DomainError, ValidationError) as error:
            preview = {**no_preview(serial), "fault": fault_words(error)}
        async with self:
            self.preview = preview

    @rx.event(background=True)
    @requires("flags:write")
    async def save(self, sent: dict[str, Any]) -> Any:
        """Publish the draft, keep it for a second person, or for later."""
        at = str(sent.get("publish_at") or "")

        async def act(
            session: Session, caller: Principal, key: str, environment: Environment
        ) -> str:
            wanted = SaveIn(
                environment=environment,
                spec=_spec_of(sent, key),
                version_seen=_number(sent.get("version_seen")),
                reason=str(sent.get("reason", "")),
                confirm=str(sent.get("confirm", "")),
                publish_at=datetime.fromisoformat(at) if at else None,
            )
            verb = flags.schedule_change if at else flags.save_flag
            return came_of(await verb(session, caller, wanted))

        return await self._act(act, sends_draft=True)

    @rx.event(background=True)
    @requires("flags:kill")
    async def kill(self) -> Any:
        """Serve the off variant to everyone now; the reason is asked for afterwards."""

        async def act(
            session: Session, caller: Principal, key: str, environment: Environment
        ) -> str:
            await flags.kill_flag(session, caller, key, KillIn(environment=environment))
            return "Killed: everyone gets the off variant."

        return await self._act(act)

    @rx.event(background=True)
    @requires("flags:kill")
    async def give_reason(self, form: dict[str, Any]) -> Any:
        """Say why the flag was killed."""
        reason = form_text(form, "reason")

        async def act(
            session: Session, caller: Principal, key: str, environment: Environment
        ) -> str:
            await flags.give_kill_reason(session, caller, key, environment, reason)
            return "The history says why."

        return await self._act(act)

    @rx.event
    @requires("flags:read")
    async def ask(self, what: str) -> None:
        """Open the form of an action, or close it."""
        self.asking = "" if what == self.asking else str(what)[:80]

    @rx.event(background=True)
    @requires("flags:write")
    async def restore(self, form: dict[str, Any]) -> Any:
        """Publish an earlier version again, as a new one."""
        return await self._act(self._back(form, flags.restore_version))

    @rx.event(background=True)
    @requires("flags:write")
    async def archive(self, form: dict[str, Any]) -> Any:
        """Take the flag out of what is served."""
        return await self._act(self._back(form, flags.archive_flag))

    def _back(self, form: dict[str, Any], verb: Any) -> _Act:
        async def act(
            session: Session, caller: Principal, key: str, environment: Environment
        ) -> str:
            wanted = RestoreIn(
                environment=environment,
                version=_number(form.get("version")),
                version_seen=_number(form.get("version_seen")),
                reason=form_text(form, "reason"),
                confirm=form_text(form, "confirm"),
            )
            return came_of(await verb(session, caller, key, wanted))

        return act

    async def _act(self, act: _Act, *, sends_draft: bool = False) -> Any:
        """Carry out one action once, tell what came of it, and show the flag anew.

        Only what sends the browser's draft ends it; a kill beside it leaves it there.
        """
        async with self:
            if self.busy:
                return None
            key, environment = self._key(), self._env()
            if self.key and (key, environment) != (self.key, self.environment):
                # A click meant what was shown, which is still the flag before this one.
                await tell(self, "warning", f"Wait until {key} is shown.")
                return None
            self.busy = True
        tone = "good"
        try:
            async with gateway.open(self) as (session, principal):
                words = await act(session, principal, key, environment)
        except (DomainError, ValidationError) as error:
            tone, words = "critical", fault_words(error)
        finally:
            async with self:
                self.busy = False
        async with self:
            if tone == "good":
                self.asking = ""
                self._saves += sends_draft
            await tell(self, tone, words)
        return FlagState.refresh


def _spec_of(sent: dict[str, Any], key: str) -> FlagSpec:
    """The draft's specification; its key is the address's."""
    spec = sent.get("spec")
    return FlagSpec.model_validate({**(spec if isinstance(spec, dict) else {}), "key": key})


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
