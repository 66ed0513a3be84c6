"""The verbs of escalations that pages, customers and the worker call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.support.case_acts import act_on_case
from backend.support.cases import case_of
from backend.support.customer_schemas import CustomerConversation, HelpIn
from backend.support.finding import search
from backend.support.rules import Kind, Priority, State, WaitingOn
from backend.support.schemas import (
    AnswerResults,
    BulkIn,
    BulkResults,
    Draft,
    EntryOut,
    EscalationCounts,
    EscalationDetail,
    EscalationFilter,
    EscalationIn,
    EscalationPage,
    EscalationRow,
    IncidentEscalations,
    ReplyIn,
    Viewer,
)
from backend.support.settings_schemas import (
    AgentOut,
    CalendarIn,
    CalendarOut,
    MacroIn,
    MacroOut,
    SlaPolicy,
    SlaPolicyIn,
)


async def list_escalations(
    session: AsyncSession,
    principal: Principal,
    wanted: EscalationFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EscalationPage:
    """Escalations of the caller's regions; needs `escalations:read`."""
    raise NotImplementedError


async def count_escalations(
    session: AsyncSession, principal: Principal, wanted: EscalationFilter
) -> EscalationCounts:
    """How many match, each way of looking at them."""
    raise NotImplementedError


async def get_escalation(
    session: AsyncSession, principal: Principal, named: UUID | str
) -> EscalationDetail:
    """One by its id or its number (`ESC-12`); raises NoSuchEscalation."""
    raise NotImplementedError


async def open_escalation(
    session: AsyncSession, principal: Principal, wanted: EscalationIn
) -> EscalationRow:
    """Open one by hand."""
    raise NotImplementedError


async def reply(
    session: AsyncSession, principal: Principal, escalation_id: UUID, wanted: ReplyIn
) -> EscalationRow:
    """Answer the customer; raises MovedOn saying who did what."""
    raise NotImplementedError


async def add_note(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    text: str,
    *,
    key: str | None = None,
) -> EntryOut:
    """Write into the timeline; no customer reads it."""
    raise NotImplementedError


async def assign(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    person_id: str,
    *,
    seen_version: int,
) -> EscalationRow:
    """Give it to somebody who may work on it there."""
    raise NotImplementedError


async def take(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Take it oneself."""
    raise NotImplementedError


async def release(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Give it back to the queue."""
    raise NotImplementedError


async def set_state(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    state: State,
    *,
    seen_version: int,
    waiting_on: WaitingOn | None = None,
    note: str | None = None,
) -> EscalationRow:
    """Put it into another state."""
    raise NotImplementedError


async def set_priority(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    priority: Priority,
    *,
    seen_version: int,
    note: str | None = None,
) -> EscalationRow:
    """Change how soon it has to be done; both clocks are set anew."""
    raise NotImplementedError


async def set_kind(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    kind: Kind,
    *,
    seen_version: int,
) -> EscalationRow:
    """Change what it is about."""
    raise NotImplementedError


async def link_incident(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    incident: UUID | str,
    *,
    seen_version: int,
) -> EscalationRow:
    """Hang it on an incident, by id or number."""
    raise NotImplementedError


async def unlink_incident(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Take it off its incident."""
    raise NotImplementedError


async def act_on_escalations(
    session: AsyncSession, principal: Principal, wanted: BulkIn
) -> BulkResults:
    """One verb on many, with a result for each."""
    raise NotImplementedError


async def answer_incident(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    text: str,
    solve: bool,
    *,
    after: str | None = None,
    limit: int = 200,
) -> AnswerResults:
    """Answer the unsolved escalations of an incident, a page at a time; each once."""
    raise NotImplementedError


async def escalations_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[EscalationRow]:
    """An order's escalations, newest first."""
    raise NotImplementedError


async def escalations_of_incident(
    session: AsyncSession, principal: Principal, incident_id: UUID
) -> IncidentEscalations:
    """An incident's escalations."""
    raise NotImplementedError


async def open_by_customer(
    session: AsyncSession, token: str, wanted: HelpIn
) -> CustomerConversation:
    """A customer asks for help; raises NoSuchLink."""
    raise NotImplementedError


async def conversation_of_customer(session: AsyncSession, token: str) -> CustomerConversation:
    """All that was said on the order of a customer's link; raises NoSuchLink."""
    raise NotImplementedError


async def customer_says(
    session: AsyncSession, token: str, text: str, *, key: str | None = None
) -> CustomerConversation:
    """A customer goes on; what was solved opens again. Raises NoSuchLink."""
    raise NotImplementedError


async def presence(
    session: AsyncSession, principal: Principal, escalation_id: UUID
) -> list[Viewer]:
    """The others who have it before them."""
    raise NotImplementedError


async def look_at(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, typing: bool = False
) -> list[Viewer]:
    """Say that one looks at it, every 10 s; answers the others."""
    raise NotImplementedError


async def leave(session: AsyncSession, principal: Principal, escalation_id: UUID) -> None:
    """Say that one looks at it no longer."""
    raise NotImplementedError


async def draft_of(
    session: AsyncSession, principal: Principal, escalation_id: UUID
) -> Draft | None:
    """The caller's own draft."""
    raise NotImplementedError


async def save_draft(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    text: str,
    *,
    seen_version: int,
) -> Draft | None:
    """Keep the caller's own draft; an empty one is forgotten."""
    raise NotImplementedError


async def list_macros(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: Kind | None = None,
) -> list[MacroOut]:
    """Macros of the caller's regions, those for `region` and `kind` where they are named."""
    raise NotImplementedError


async def save_macro(session: AsyncSession, principal: Principal, wanted: MacroIn) -> MacroOut:
    """Keep a macro."""
    raise NotImplementedError


async def remove_macro(session: AsyncSession, principal: Principal, macro_id: UUID) -> None:
    """Forget a macro."""
    raise NotImplementedError


async def list_calendars(session: AsyncSession, principal: Principal) -> list[CalendarOut]:
    """Business hours by region."""
    raise NotImplementedError


async def save_calendar(
    session: AsyncSession, principal: Principal, wanted: CalendarIn
) -> CalendarOut:
    """Keep a region's business hours; running clocks are set anew."""
    raise NotImplementedError


async def sla_policy(session: AsyncSession, principal: Principal) -> SlaPolicy:
    """Targets by priority, and how the queue runs itself."""
    raise NotImplementedError


async def save_sla_policy(
    session: AsyncSession, principal: Principal, wanted: SlaPolicyIn
) -> SlaPolicy:
    """Keep them; running clocks are set anew."""
    raise NotImplementedError


async def set_available(session: AsyncSession, principal: Principal, available: bool) -> AgentOut:
    """Say whether one takes what comes in; lapses after 12 hours."""
    raise NotImplementedError


async def agents_on(session: AsyncSession, principal: Principal, region: str) -> list[AgentOut]:
    """Who may work on escalations in a region, the available first."""
    raise NotImplementedError


__all__ = ["act_on_case", "case_of", "search"]
