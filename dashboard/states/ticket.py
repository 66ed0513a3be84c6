"""The page of one ticket: its clocks, what was said, who else is here, and its order beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import reflex as rx

from backend.dispatch import service as dispatch
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentFilter, IncidentRow
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageOut
from backend.support import service as support
from backend.support.schemas import Draft, EscalationDetail, EscalationRow, Viewer
from backend.support.settings_schemas import AgentOut, MacroOut
from backend.tracking import service as tracking
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.incident_story import Beat
from dashboard.states.paging import ListState, iso, loads
from dashboard.states.shell import ShellState, place_names, tell
from dashboard.states.support import SupportState
from dashboard.states.support_words import TicketRow
from dashboard.states.ticket_facts import (
    NOTHING,
    Beside,
    Choice,
    Here,
    MacroChoice,
    Said,
    TicketClock,
    TicketFacts,
    beside_of,
    clocks_of,
    facts_of,
    initials,
    last_word,
    macro_choices,
    others_of,
    talk_of,
)
from dashboard.states.ticket_story import story_of

PHONE_ID = "ticket-phone"
TYPING_FOR_S = 6.0
"""How long after the last key somebody counts as writing."""


@dataclass(slots=True)
class Around:
    """What belongs to a ticket, as far as the caller may see it."""

    order: OrderOut | None = None
    driver: str = ""
    others: list[EscalationRow] = field(default_factory=list)
    messages: dict[str, MessageOut] = field(default_factory=dict)


@dataclass(slots=True)
class Choices:
    """Whom a ticket may be given to, what it may be linked to, and what may be answered."""

    agents: list[AgentOut] = field(default_factory=list)
    incidents: list[IncidentRow] = field(default_factory=list)
    macros: list[MacroOut] = field(default_factory=list)


class TicketState(ListState, rx.State):
    """The ticket that the address names."""

    facts: TicketFacts = NOTHING
    clocks: list[TicketClock] = []
    talk: list[Said] = []
    story: list[Beat] = []
    here: list[Here] = []
    here_words: str = ""
    order: Beside | None = None
    others: list[TicketRow] = []
    agents: list[Choice] = []
    incidents: list[Choice] = []
    macros: list[MacroChoice] = []
    allowed: list[str] = []
    draft: str = ""
    draft_at: str = ""
    draft_outdated: bool = False
    draft_known: bool = False
    version: int = 0
    last: str = ""
    last_by: str = ""
    next_link: str = ""
    previous_link: str = ""
    may_reveal: bool = False
    me: str = ""
    _id: str = ""
    _typing_until: float = 0.0

    def _named(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2][:64]

    @rx.event(background=True)
    @requires("escalations:read")
    @loads
    async def load(self) -> None:
        """Show the ticket that the address names, and what one has begun to write to it."""
        async with self:
            if self._named() not in (self.facts["number"], self.facts["id"]):
                self.facts, self.ready, self.fault = NOTHING, False, ""
                self.draft, self.draft_known, self.order = "", False, None
        await self._look(begin=True)

    @rx.event(background=True)
    @requires("escalations:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again, and let colleagues see that one is here; a timer, not an activity."""
        await self._look()

    async def _look(self, *, begin: bool = False) -> None:
        async with self:
            wanted = self._named()
            names = await place_names(self)
            shell = await self.get_state(ShellState)
            zones = {choice["code"]: choice["zone"] for choice in shell.region_choices}
            queue = await self.get_state(SupportState)
            walk = [row["number"] for row in queue.rows]
            typing = monotonic() < self._typing_until
        draft = None
        async with gateway.open(self) as (session, principal):
            found = await support.get_escalation(session, principal, wanted)
            around = await around_of(session, principal, found)
            choices = await choices_of(session, principal, found) if begin else None
            if may_write := identity.may(principal, "escalations:write", found.region):
                found.viewers = await support.look_at(session, principal, found.id, typing=typing)
                draft = await support.draft_of(session, principal, found.id) if begin else None
        async with self:
            if wanted != self._named():
                return
            self._show(found, around, names, zones, principal)
            if choices is not None:
                self._offer(choices, found, principal)
            self._walk(walk, found.number)
            if begin:
                self._begin(draft, known=may_write)
            self.fault, self.ready = "", True

    def _show(
        self,
        found: EscalationDetail,
        around: Around,
        names: dict[str, str],
        zones: dict[str, str],
        principal: Principal,
    ) -> None:
        self._id, self.version, self.me = str(found.id), found.version, principal.id
        self.facts = facts_of(found, names, zones)
        self.clocks = clocks_of(found)
        customer = str(around.order.drop["name"]) if around.order else ""
        self.talk = talk_of(found, around.messages, customer)
        self.story = story_of(found)
        self.here, self.here_words = here_of(found.viewers)
        self.last, self.last_by = last_word(found, principal.id)
        self.allowed = list(found.allowed)
        zone = self.facts["zone"]
        self.order = (
            beside_of(around.order, driver=around.driver, zone=zone) if around.order else None
        )
        self.may_reveal = identity.may(principal, "orders:reveal", found.region)
        self.others = others_of(around.others, self._id, names)

    def _offer(self, choices: Choices, found: EscalationDetail, principal: Principal) -> None:
        """What may be chosen from; looked up when the page opens, not on every beat."""
        self.agents = agent_choices(choices.agents, found, principal.id)
        self.incidents = [
            {"value": str(each.id), "word": f"{each.number} {each.title}"}
            for each in choices.incidents
        ]
        filled = {
            "number": found.order_number or "",
            "agent": principal.name,
            "incident": found.incident_number or "",
        }
        self.macros = macro_choices(choices.macros, filled)

    def _walk(self, walk: list[str], number: str) -> None:
        """The tickets before and after this one in the queue that was looked at last."""
        at = walk.index(number) if number in walk else -1
        self.previous_link = f"/support/{walk[at - 1]}" if at > 0 else ""
        self.next_link = f"/support/{walk[at + 1]}" if -1 < at < len(walk) - 1 else ""

    def _begin(self, draft: Draft | None, *, known: bool) -> None:
        self.draft = draft.text if draft else ""
        self.draft_at = iso(draft.saved_at) if draft else ""
        self.draft_outdated = draft.outdated if draft else False
        self.draft_known = known

    @rx.event(background=True)
    @requires("orders:reveal")
    async def reveal(self) -> Any:
        """Show the customer's phone number for a while, past the state; the look is recorded."""
        async with self:
            number = self.facts["order"]
        try:
            async with gateway.open(self) as (session, principal):
                found = await dispatch.reveal_field(session, principal, number, "drop.phone")
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        yield rx.set_value(PHONE_ID, found.value)


async def around_of(
    session: gateway.Session, principal: Principal, found: EscalationDetail
) -> Around:
    """The order of a ticket, its messages and its other tickets."""
    around = Around()
    place = found.region
    if found.order_number and identity.may(principal, "orders:read", place):
        around.order = await dispatch.get_order(session, principal, found.order_number)
        around.others = await support.escalations_of_order(session, principal, around.order.id)
        if around.order.driver_id and identity.may(principal, "drivers:read", place):
            named = await tracking.name_drivers(session, principal, {around.order.driver_id})
            around.driver = next((each.code for each in named.values()), "")
        if identity.may(principal, "messages:read", place):
            sent = await notifications.messages_of_order(session, principal, around.order.id)
            around.messages = {str(each.id): each for each in sent}
    return around


async def choices_of(
    session: gateway.Session, principal: Principal, found: EscalationDetail
) -> Choices:
    """What the caller may choose from; nothing for whoever may only look."""
    choices = Choices()
    place = found.region
    if not identity.may(principal, "escalations:write", place):
        return choices
    choices.agents = await support.agents_on(session, principal, place)
    choices.macros = await support.list_macros(session, principal, region=place, kind=found.kind)
    if identity.may(principal, "incidents:read", place):
        page = await incidents.list_incidents(session, principal, IncidentFilter(region=place))
        choices.incidents = list(page.items)
    return choices


def here_of(viewers: list[Viewer]) -> tuple[list[Here], str]:
    """Who else has the ticket before them, and that in words."""
    rows: list[Here] = [
        {"name": each.name, "initials": initials(each.name), "typing": each.typing}
        for each in viewers
    ]
    if not rows:
        return [], ""
    typing = [row["name"] for row in rows if row["typing"]]
    who = ", ".join(row["name"] for row in rows)
    words = f"{who} {'is' if len(rows) == 1 else 'are'} also here"
    if typing:
        words += ", typing" if len(rows) == 1 else f", {', '.join(typing)} typing"
    return rows, words


def agent_choices(agents: list[AgentOut], found: EscalationDetail, me: str) -> list[Choice]:
    """Whom the ticket may be given to, oneself first; who has it is always among them."""
    known = {
        each.person_id: f"{each.name}, {each.unsolved:,}" + ("" if each.available else ", away")
        for each in sorted(agents, key=lambda each: each.person_id != me)
    }
    if found.assignee and found.assignee not in known:
        known[found.assignee] = found.assignee_name or found.assignee
    return [{"value": person, "word": word} for person, word in {"": "nobody", **known}.items()]
