"""Segments: people under a name that the rules of flags use."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import SegmentIn, SegmentOut
from backend.identity import service as identity
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.flag_words import SEGMENTS, ChangeRow, change_row, environment_of
from dashboard.states.flags import fault_words
from dashboard.states.paging import ListState, address, iso, loads
from dashboard.states.shell import tell

_EMPTY: dict[str, Any] = {"name": "", "description": "", "conditions": []}


class SegmentRow(TypedDict):
    """One segment of the list."""

    id: str
    link: str
    about: str
    words: str
    used: str
    used_note: str
    version: int
    updated_at: str
    changed_by: str
    chosen: bool


class SegmentsState(ListState, rx.State):
    """The segments of an environment."""

    environment: str = "production"
    rows: list[SegmentRow] = []
    changes: list[ChangeRow] = []
    chosen: dict[str, Any] = _EMPTY
    chosen_version: int = 0
    chosen_used: list[str] = []
    loaded: str = ""
    close_link: str = SEGMENTS
    may_write: bool = False
    save_fault: str = ""
    busy: bool = False
    _saves: int = 0

    @rx.event(background=True)
    @requires("flags:read")
    @loads
    async def load(self) -> None:
        """Show the segments, and the one that the address names."""
        async with self:
            environment = environment_of(self._asked("env"))
            wanted, text = self._asked("segment"), self._asked("q").lower()
            self.fault, self.save_fault = "", ""
        async with gateway.open(self) as (session, principal):
            found = await flags.list_segments(session, principal, environment)
            waiting = await flags.list_changes(session, principal, environment)
            may_write = identity.may(principal, "flags:write")
        env = "" if environment == "production" else environment
        chosen = next((each for each in found if each.segment.name == wanted), None)
        async with self:
            self.environment = environment
            self.rows = [
                _row(each, env, each is chosen)
                for each in found
                if text in f"{each.segment.name} {each.segment.description}".lower()
            ]
            self.changes = [change_row(each, principal.id) for each in waiting if not each.keys]
            self.chosen = chosen.segment.model_dump(mode="json") if chosen else _EMPTY
            self.chosen_version = chosen.version if chosen else 0
            self.chosen_used = chosen.used_by if chosen else []
            self.loaded = f"{environment}/{wanted}#{self._saves}"
            self.close_link = address(SEGMENTS, {"env": env})
            self.may_write = may_write
            self.ready = True

    @rx.event(background=True)
    @requires("flags:write")
    async def save(self, sent: dict[str, Any]) -> Any:
        """Publish the segment, or keep the change where a sensitive flag uses it."""
        async with self:
            if self.busy:
                return None
            self.busy, self.save_fault = True, ""
            environment = environment_of(self.environment)
        fault = ""
        try:
            wanted = SegmentIn.model_validate(
                {
                    "environment": environment,
                    "segment": sent.get("segment"),
                    "version_seen": sent.get("version_seen", 0),
                    "reason": sent.get("reason", ""),
                    "confirm": sent.get("confirm", ""),
                }
            )
            async with gateway.open(self) as (session, principal):
                done = await flags.save_segment(session, principal, wanted)
        except (DomainError, ValidationError) as error:
            fault = fault_words(error)
        finally:
            async with self:
                self.busy = False
        async with self:
            self.save_fault = fault
            if fault:
                return None
            self._saves += 1
            waits = done.status == "waiting"
            words = (
                "Kept: somebody else has to approve it." if waits else "The segment is published."
            )
            await tell(self, "good", words)
        return SegmentsState.load


def _row(each: SegmentOut, env: str, chosen: bool) -> SegmentRow:
    used = each.used_by
    return {
        "id": each.segment.name,
        "link": address(SEGMENTS, {"env": env, "segment": each.segment.name}),
        "about": each.segment.description,
        "words": each.in_words,
        "used": f"{len(used)} flag{'' if len(used) == 1 else 's'}" if used else "no flag",
        "used_note": ", ".join(used),
        "version": each.version,
        "updated_at": iso(each.updated_at),
        "changed_by": each.changed_by_name,
        "chosen": chosen,
    }
