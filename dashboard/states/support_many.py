"""Many tickets at once: done right away, or asked about in a drawer, with a result for each."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from backend.support import service as support
from backend.support.schemas import BulkIn, BulkItem
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow, outcome_rows
from dashboard.gateway import requires
from dashboard.states.forms import Refusal
from dashboard.states.paging import form_text, uuids
from dashboard.states.shell import tell
from dashboard.states.support import SupportState

AT_ONCE: dict[str, dict[str, str]] = {
    "take": {"verb": "take"},
    "wait": {"verb": "set_state", "state": "pending", "waiting_on": "customer"},
    "solve": {"verb": "set_state", "state": "solved"},
}
"""What each button of the bar does without asking."""
DONE = {
    "take": "yours",
    "wait": "waiting on the customer",
    "solve": "solved",
    "assign": "given away",
    "release": "back in the queue",
    "set_priority": "changed",
    "set_kind": "changed",
    "link_incident": "linked",
    "unlink_incident": "off their incident",
    "reply": "answered",
    "add_note": "noted",
}
"""What is said of the tickets after."""
VERBS = (
    ("assign", "Give to somebody"),
    ("release", "Put back into the queue"),
    ("set_priority", "Change the priority"),
    ("set_kind", "Change what they are about"),
    ("link_incident", "Link to an incident"),
    ("unlink_incident", "Take off their incident"),
    ("reply", "Answer the customers"),
    ("add_note", "Write a note"),
)


class AgentChoice(TypedDict):
    """Somebody to give tickets to."""

    value: str
    word: str


class SupportManyState(rx.State):
    """The bar and the drawer of the chosen tickets."""

    open: bool = False
    verb: str = "assign"
    title: str = ""
    agents: list[AgentChoice] = []
    working: bool = False
    fault: str = ""
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    _chosen: list[str] = []

    @rx.event(background=True)
    @requires("escalations:write")
    async def act(self, action: str, ticket_ids: list[str]) -> Any:
        """Do one thing with each of the chosen, or ask which in the drawer."""
        if action in AT_ONCE:
            return await self._do(
                action, AT_ONCE[action], [str(each) for each in uuids(ticket_ids)]
            )
        async with self:
            page = await self.get_state(SupportState)
            known = dict(page._regions)
        chosen = [str(each) for each in uuids(ticket_ids) if str(each) in known]
        if not chosen:
            return None
        async with gateway.open(self) as (session, principal):
            agents = await support.agents_on(session, principal, known[chosen[0]])
        async with self:
            self._chosen = chosen
            self.agents = [
                {
                    "value": each.person_id,
                    "word": f"{each.name}, {'takes tickets' if each.available else 'away'}, "
                    f"has {each.unsolved:,}",
                }
                for each in agents
            ]
            self.title = f"Change {len(chosen):,} tickets" if len(chosen) > 1 else "Change 1 ticket"
            self.verb, self.fault, self.working, self.open = "assign", "", False, True
        return None

    @rx.event
    @requires("escalations:write")
    async def choose(self, verb: str) -> None:
        """Ask for what another verb needs."""
        if verb in dict(VERBS):
            self.verb, self.fault = verb, ""

    @rx.event
    @requires("escalations:read")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event(background=True)
    @requires("escalations:write")
    async def submit(self, form: dict[str, Any]) -> Any:
        """Do what the drawer asks about."""
        async with self:
            if self.working or not self.open:
                return None
            self.working, self.fault = True, ""
            verb, chosen = self.verb, list(self._chosen)
        asked = {
            name: text
            for name in ("text", "assignee", "priority", "kind", "incident")
            if (text := form_text(form, name))
        }
        return await self._do(verb, {"verb": verb, **asked}, chosen)

    async def _do(self, action: str, asked: dict[str, str], chosen: list[str]) -> Any:
        """One verb on each as the page shows it; what has moved on is refused with why."""
        async with self:
            page = await self.get_state(SupportState)
            versions = dict(page._versions)
            names = {row["id"]: row["number"] for row in page.rows}
        results = None
        with Refusal() as refused:
            wanted = BulkIn.model_validate(
                {
                    **asked,
                    "items": [
                        BulkItem.model_validate({"id": each, "seen_version": versions[each]})
                        for each in chosen
                        if each in versions
                    ],
                }
            )
            async with gateway.open(self) as (session, principal):
                results = await support.act_on_escalations(session, principal, wanted)
        async with self:
            self.working = False
            if results is None:
                self.fault = refused.words
                if not self.open:
                    await tell(self, "critical", refused.words)
                return None
            self.open = False
            self.outcome = outcome_rows(results.results, names, DONE[action])
            verb = "is" if len(chosen) == 1 else "are"
            self.outcome_words = f"{results.done:,} of {len(chosen):,} {verb} {DONE[action]}"
        return SupportState.load

    @rx.event
    @requires("escalations:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""
