"""The tickets that hang on an incident: how many, and answering them all at once."""

from __future__ import annotations

from typing import Any

import reflex as rx

from backend.identity import service as identity
from backend.support import service as support
from backend.support.schemas import AnswerResults, IncidentEscalations
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow, outcome_rows
from dashboard.gateway import DomainError, requires
from dashboard.states.incident import IncidentState
from dashboard.states.paging import address, form_text, uuid_or_none
from dashboard.states.shell import tell
from dashboard.states.support_words import PATH

_SHOWN = 200


class IncidentTicketsState(rx.State):
    """The part of an incident's page that tells of its tickets."""

    shown: bool = False
    head: str = ""
    words: str = ""
    link: str = ""
    answerable: int = 0
    may_answer: bool = False
    working: bool = False
    progress: str = ""
    answered: int = 0
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    _of: str = ""

    @rx.event(background=True)
    @requires("incidents:read")
    async def load(self) -> None:
        """Count the tickets of the incident that is shown."""
        await self._look()

    @rx.event(background=True)
    @requires("incidents:read", activity=False)
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            page = await self.get_state(IncidentState)
            incident = uuid_or_none(page._id)
            if page._id != self._of:
                self.shown, self.outcome, self._of = False, [], page._id
        if incident is None:
            return
        principal = await gateway.principal_of(self)
        if not identity.may(principal, "escalations:read"):
            return
        async with gateway.open(self) as (session, caller):
            found = await support.escalations_of_incident(session, caller, incident)
        async with self:
            if self._of != str(incident):
                return
            self._show(found)
            self.link = address(PATH, {"incident": str(incident), "state": "all"})
            self.may_answer = identity.may(principal, "escalations:answer_many")

    def _show(self, found: IncidentEscalations) -> None:
        self.shown, self.answerable = found.total > 0, found.unsolved
        self.head = f"{found.total:,} tickets" if found.total != 1 else "1 ticket"
        solved = found.total - found.unsolved
        self.words = f"{found.unsolved:,} unsolved, {solved:,} solved"
        if found.ready:
            self.words += f", {found.ready:,} ready to answer"

    @rx.event(background=True)
    @requires("escalations:answer_many")
    async def answer(self, form: dict[str, Any]) -> Any:
        """Answer all that wait, a page at a time; what was answered before is left alone."""
        async with self:
            incident = uuid_or_none(self._of)
            if incident is None or self.working:
                return None
            self.working, self.outcome, self.progress = True, [], ""
            whole = self.answerable
        text, solve = form_text(form, "text"), bool(form.get("solve"))
        if not text:
            async with self:
                self.working = False
                await tell(self, "critical", "Write what the customers read first.")
            return None
        rows: list[OutcomeRow] = []
        done, after, fault = 0, None, ""
        try:
            while True:
                async with gateway.open(self) as (session, principal):
                    part: AnswerResults = await support.answer_incident(
                        session, principal, incident, text, solve, after=after
                    )
                done += part.done
                rows += outcome_rows(part.results, {}, "answered")
                after = part.next_cursor
                if after is None:
                    break
                async with self:
                    self.progress = f"{done:,} of {whole:,} answered"
        except DomainError as error:
            fault = error.detail
        finally:
            async with self:
                self.working, self.progress = False, ""
        async with self:
            self.outcome = sorted(rows, key=lambda row: row["tone"] == "good")[:_SHOWN]
            self.outcome_words = f"{done:,} of {len(rows):,} are answered"
            self.answered += not fault
            if fault:
                await tell(self, "critical", fault)
        return IncidentTicketsState.load

    @rx.event
    @requires("incidents:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""
