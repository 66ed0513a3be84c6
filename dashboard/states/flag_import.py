"""Flags from a flagd document: all of it or nothing."""

from __future__ import annotations

import json
from typing import Any

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import ImportIn
from backend.platform.errors import Invalid
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.flag_words import environment_of
from dashboard.states.flags import FlagsState, fault_words
from dashboard.states.paging import form_text

_FAULTS_SHOWN = 12


class FlagImportState(rx.State):
    """The drawer that takes a document."""

    open: bool = False
    busy: bool = False
    faults: list[str] = []
    result: str = ""

    @rx.event
    @requires("flags:write")
    async def ask(self, open_it: bool) -> None:
        """Open the drawer, or close it."""
        self.open = open_it is True
        self.faults, self.result = [], ""

    @rx.event(background=True)
    @requires("flags:write")
    async def take(self, form: dict[str, Any]) -> Any:
        """Publish the document's flags together, or say everything that is wrong with it."""
        async with self:
            if self.busy:
                return None
            self.busy, self.faults, self.result = True, [], ""
        faults: list[str] = []
        result = ""
        try:
            wanted = ImportIn(
                environment=environment_of(form_text(form, "environment")),
                document=_document(form_text(form, "document")),
                reason=form_text(form, "reason"),
                confirm=form_text(form, "confirm"),
            )
            async with gateway.open(self) as (session, principal):
                done = await flags.import_flags(session, principal, wanted)
            waits = " A second person has to approve it." if done.status == "waiting" else ""
            result = (
                f"{len(done.created)} new, {len(done.changed)} changed, {done.unchanged} as "
                f"before.{waits}"
            )
        except DomainError as error:
            faults = [f"{each.pointer} {each.detail}" for each in error.errors] or [error.detail]
        except ValidationError as error:
            faults = [fault_words(error)]
        finally:
            async with self:
                self.busy = False
        async with self:
            shown = faults[:_FAULTS_SHOWN]
            left = len(faults) - len(shown)
            self.faults = [*shown, f"and {left} more"] if left else shown
            self.result = result
        return FlagsState.refresh


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid(f"This is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Invalid("A flagd document is a JSON object with flags.")
    return found
