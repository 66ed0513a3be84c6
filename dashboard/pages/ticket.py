"""The page of one ticket: what was said and the answer, its clocks, properties and order beside."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.page_states import thing_bones, thing_missing
from dashboard.components.support_parts import composer, due, hotkeys, newest
from dashboard.components.support_rows import kind_mark, priority_mark
from dashboard.components.tables import trouble
from dashboard.components.ticket_rows import clock, said
from dashboard.components.work_parts import changed, copied
from dashboard.pages.ticket_beside import other_tickets, properties, the_order, the_story
from dashboard.shell import console_page
from dashboard.states.support_words import PATH
from dashboard.states.ticket import TicketState
from dashboard.states.ticket_acts import TicketActsState

REFRESH_EVERY_S = 3.0
_facts = TicketState.facts
_zone = _facts["zone"].to(str)


@console_page(
    PATH + "/[ticket]",
    "Ticket",
    on_load=[TicketState.load],
    keys=[
        ("r", "Write an answer"),
        ("n", "Write a note"),
        ("a", "Take the ticket"),
        ("e", "Solve it"),
        ("o", "Open the order"),
        ("u", "Back to the queue"),
        ("j k", "Next and previous ticket of the queue"),
    ],
)
def ticket() -> rx.Component:
    """One ticket."""
    return rx.el.div(
        trouble(TicketState.fault, TicketState.load),
        rx.cond(
            _facts["id"] != "",
            _known(),
            rx.cond(
                TicketState.fault == "",
                thing_bones("Loading the ticket"),
                thing_missing(
                    "This ticket cannot be shown",
                    "Check the number, or ask someone of its region: it may be outside yours.",
                    ("Back to the queue", PATH),
                ),
            ),
        ),
        hotkeys(),
        changed(value=TicketActsState.serial, on_other=TicketState.refresh),
        pulse(seconds=REFRESH_EVERY_S, on_beat=TicketState.refresh),
        on_unmount=TicketActsState.depart,
        class_name="wp-ticket-page",
    )


def _known() -> rx.Component:
    acts = TicketActsState
    return rx.el.div(
        rx.el.div(
            _head(),
            newest(
                rx.foreach(TicketState.talk, lambda each: said(each, _zone)),
                count=TicketState.talk.length(),
            ),
            rx.el.div(
                rx.el.p(
                    rx.cond(
                        TicketState.here_words != "",
                        rx.fragment(
                            rx.foreach(TicketState.here, _colleague),
                            rx.el.span(TicketState.here_words),
                        ),
                    ),
                    class_name="wp-here",
                    aria_live="polite",
                ),
                composer(
                    ticket=_facts["id"].to(str),
                    draft=TicketState.draft,
                    draft_at=TicketState.draft_at,
                    outdated=TicketState.draft_outdated,
                    known=TicketState.draft_known,
                    sent=acts.sent,
                    version=TicketState.version,
                    last=TicketState.last,
                    last_by=TicketState.last_by,
                    macros=TicketState.macros,
                    may_reply=TicketState.allowed.contains("reply"),
                    may_note=TicketState.allowed.contains("add_note"),
                    working=acts.working,
                    fault=acts.fault,
                    on_send=acts.send,
                    on_draft=acts.keep,
                    on_typing=acts.write,
                ),
                class_name="wp-ticket-foot",
            ),
            class_name="wp-ticket-main",
        ),
        rx.el.aside(
            rx.el.section(
                rx.foreach(TicketState.clocks, lambda each: clock(each, _zone)),
                class_name="wp-ticket-clocks",
                aria_label="Clocks",
            ),
            properties(),
            the_order(),
            other_tickets(),
            the_story(),
            class_name="wp-ticket-side",
            aria_label="About the ticket",
        ),
        class_name="wp-ticket",
    )


def _head() -> rx.Component:
    acts = TicketActsState
    return rx.el.header(
        rx.el.div(
            link(
                rx.icon("arrow-left", size=14, aria_hidden="true"),
                to=PATH,
                class_name="wp-icon-button",
                aria_label="Back to the queue",
                custom_attrs={"data-hotkey": "u"},
            ),
            rx.el.code(_facts["number"], class_name="wp-muted"),
            copied(text=_facts["number"].to(str)),
            rx.el.span(
                state_word(_facts["tone"], _facts["state"].to(str)),
                rx.cond(_facts["note"] != "", rx.el.span(_facts["note"], class_name="wp-muted")),
                class_name="wp-row",
                aria_live="polite",
            ),
            due(
                state=_facts["clock"].to(str),
                due=_facts["clock_due"].to(str),
                left=_facts["clock_left"].to(int),
                word=_facts["clock_word"].to(str),
                zone=_zone,
            ),
            rx.el.span(class_name="wp-grow"),
            _walk(TicketState.previous_link, "Previous ticket of the queue", "chevron-up", "k"),
            _walk(TicketState.next_link, "Next ticket of the queue", "chevron-down", "j"),
            rx.cond(
                TicketState.allowed.contains("take") & (_facts["agent_id"] != TicketState.me),
                rx.el.button(
                    "Take it",
                    type="button",
                    on_click=acts.change("agent", "me"),
                    disabled=acts.working,
                    custom_attrs={"data-hotkey": "a"},
                    class_name="wp-button wp-button-small",
                ),
            ),
            rx.cond(
                TicketState.allowed.contains("set_state"),
                rx.match(
                    _facts["state"],
                    ("solved", _state_button("Open again", "open", "")),
                    ("closed", _state_button("Open again", "open", "")),
                    _state_button("Solve", "solved", "e"),
                ),
            ),
            class_name="wp-ticket-line",
        ),
        rx.el.h2(_facts["subject"]),
        rx.el.p(
            kind_mark(_facts["kind"], _facts["kind_word"]),
            priority_mark(_facts["priority"], _facts["priority_word"]),
            rx.el.span(_facts["place"]),
            rx.el.span("opened ", ago(at=_facts["opened"].to(str), zone=_zone), " ",
                       _facts["opened_by"]),
            class_name="wp-inc-sub",
        ),
        class_name="wp-ticket-head",
    )  # fmt: skip


def _state_button(word: str, state: str, key: str) -> rx.Component:
    return rx.el.button(
        word,
        type="button",
        on_click=TicketActsState.change("state", state),
        disabled=TicketActsState.working,
        custom_attrs={"data-hotkey": key} if key else {},
        class_name="wp-button wp-button-small",
    )


def _walk(to: rx.Var[str], label: str, icon: str, key: str) -> rx.Component:
    return rx.cond(
        to != "",
        link(
            rx.icon(icon, size=14, aria_hidden="true"),
            to=to,
            class_name="wp-icon-button",
            aria_label=label,
            custom_attrs={"data-hotkey": key},
        ),
    )


def _colleague(each: rx.Var) -> rx.Component:
    return rx.el.span(
        each["initials"],
        class_name="wp-person wp-person-small",
        title=each["name"],
        aria_hidden="true",
        custom_attrs={"data-typing": rx.cond(each["typing"].to(bool), "true", "false")},
    )
