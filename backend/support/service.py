"""The verbs of escalations that pages, customers and the worker call."""

from backend.platform.errors import MovedOn, NotNow
from backend.support.acts import assign, release, set_kind, set_priority, set_state, take
from backend.support.agents import agents_on, set_available
from backend.support.bulk import act_on_escalations
from backend.support.calendars import (
    list_calendars,
    save_calendar,
    save_sla_policy,
    sla_policy,
)
from backend.support.case_acts import act_on_case
from backend.support.cases import case_of
from backend.support.customers import conversation_of_customer, customer_says, open_by_customer
from backend.support.drafts import draft_of, save_draft
from backend.support.errors import NoSuchEscalation, NoSuchMacro
from backend.support.finding import search
from backend.support.linking import answer_incident, link_incident, unlink_incident
from backend.support.listing import (
    count_escalations,
    escalations_of_incident,
    escalations_of_order,
    get_escalation,
    list_escalations,
)
from backend.support.looking import leave, look_at, presence
from backend.support.macros import list_macros, remove_macro, save_macro
from backend.support.opening import open_escalation
from backend.support.replying import add_note, reply

__all__ = [
    "MovedOn",
    "NoSuchEscalation",
    "NoSuchMacro",
    "NotNow",
    "act_on_case",
    "act_on_escalations",
    "add_note",
    "agents_on",
    "answer_incident",
    "assign",
    "case_of",
    "conversation_of_customer",
    "count_escalations",
    "customer_says",
    "draft_of",
    "escalations_of_incident",
    "escalations_of_order",
    "get_escalation",
    "leave",
    "link_incident",
    "list_calendars",
    "list_escalations",
    "list_macros",
    "look_at",
    "open_by_customer",
    "open_escalation",
    "presence",
    "release",
    "remove_macro",
    "reply",
    "save_calendar",
    "save_draft",
    "save_macro",
    "save_sla_policy",
    "search",
    "set_available",
    "set_kind",
    "set_priority",
    "set_state",
    "sla_policy",
    "take",
    "unlink_incident",
]
