"""The page of one incident: clocks, whom it hurts, alerts and people, and its story beside."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.incident_chart import failures
from dashboard.components.incident_drawers import deed_drawer, raw_drawer
from dashboard.components.incident_parts import draft, running
from dashboard.components.incident_rows import beat, clock, hurt, severity_mark
from dashboard.components.page_states import thing_bones, thing_missing
from dashboard.components.tables import trouble
from dashboard.components.work_parts import changed, copied
from dashboard.pages.incident_review import review_panel, runbook_panel
from dashboard.pages.incident_tickets import incident_tickets
from dashboard.shell import console_page
from dashboard.states.incident import PATH, IncidentState
from dashboard.states.incident_acts import IncidentActsState
from dashboard.states.incident_deeds import SPANS
from dashboard.states.incident_tickets import IncidentTicketsState
from dashboard.states.raw_event import RawEventState

REFRESH_EVERY_S = 3.0
_facts = IncidentState.facts
_zone = _facts["zone"].to(str)


@console_page(
    PATH + "/[incident]", "Incident", on_load=[IncidentState.load, IncidentTicketsState.load]
)
def incident() -> rx.Component:
    """One incident."""
    return rx.fragment(
        trouble(IncidentState.fault, IncidentState.load),
        rx.cond(
            _facts["id"] != "",
            _known(),
            rx.cond(
                IncidentState.fault == "",
                thing_bones("Loading the incident"),
                thing_missing(
                    "This incident cannot be shown",
                    "Check the number, or ask someone of its region: it may be outside yours.",
                    ("Back to the list", PATH),
                ),
            ),
        ),
        deed_drawer(IncidentActsState, SPANS),
        raw_drawer(RawEventState),
        changed(value=IncidentActsState.serial, on_other=IncidentState.refresh),
        changed(value=_facts["id"], on_other=IncidentTicketsState.refresh),
        pulse(
            seconds=REFRESH_EVERY_S, on_beat=[IncidentState.refresh, IncidentTicketsState.refresh]
        ),
    )


def _known() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            _head(),
            _acts(),
            rx.el.section(
                rx.foreach(IncidentState.clocks, lambda each: clock(each, _zone)),
                class_name="wp-panel wp-clocks",
                aria_label="Clocks",
            ),
            _blast(),
            incident_tickets(),
            rx.cond(
                IncidentState.failures_title != "",
                failures(
                    IncidentState.failures,
                    IncidentState.failures_title,
                    IncidentState.failures_note,
                ),
            ),
            _alerts(),
            rx.el.div(_people(), _deeper(), class_name="wp-two-cols"),
            rx.cond(IncidentState.runbook != "", runbook_panel()),
            rx.cond(IncidentState.review != "", review_panel()),
            class_name="wp-inc-work",
        ),
        rx.el.aside(_story(), class_name="wp-inc-story", aria_label="Timeline"),
        class_name="wp-inc",
    )


def _head() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            severity_mark(_facts["tone"], _facts["severity"]),
            rx.el.span(state_word(_facts["state_tone"], _facts["state"]), aria_live="polite"),
            rx.cond(_facts["note"] != "", rx.el.span(_facts["note"], class_name="wp-muted")),
            rx.el.code(_facts["number"], class_name="wp-muted"),
            class_name="wp-inc-line",
        ),
        rx.el.h2(_facts["title"]),
        rx.el.p(
            rx.el.span(_facts["services"], ", ", _facts["place"]),
            rx.el.span(
                "Commander ",
                rx.cond(_facts["commander"] != "", _facts["commander"], "nobody yet"),
            ),
            rx.el.span("Opened by ", _facts["opened_by"]),
            rx.cond(
                _facts["follows"] != "",
                link("follows ", _facts["follows"], to=PATH + "/" + _facts["follows"].to(str),
                     class_name="wp-link"),
            ),
            rx.cond(
                _facts["merged_into"] != "",
                link("merged into ", _facts["merged_into"],
                     to=PATH + "/" + _facts["merged_into"].to(str), class_name="wp-link"),
            ),
            class_name="wp-inc-sub",
        ),
        class_name="wp-inc-head",
        aria_label="Incident",
    )  # fmt: skip


def _acts() -> rx.Component:
    return rx.cond(
        IncidentState.deeds.length() > 0,
        rx.el.div(
            rx.foreach(IncidentState.deeds, _deed),
            class_name="wp-inc-bar",
            role="group",
            aria_label="Act",
        ),
    )


def _deed(each: rx.Var) -> rx.Component:
    kind = rx.match(
        each["group"],
        ("next", "wp-button wp-button-main"),
        ("action", rx.cond(each["risk"].to(bool), "wp-button wp-button-risk", "wp-button")),
        "wp-button wp-button-quiet",
    )
    return rx.el.button(
        each["word"],
        type="button",
        disabled=IncidentActsState.working,
        title=each["hint"],
        on_click=IncidentActsState.begin(each["key"]),
        class_name=kind,
        custom_attrs={"data-group": each["group"]},
    )


def _blast() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Blast radius"),
            rx.el.span(
                "counted ", ago(at=IncidentState.hurt_words, zone=_zone), class_name="wp-muted"
            ),
            class_name="wp-panel-head",
        ),
        rx.el.div(rx.foreach(IncidentState.hurts, hurt), class_name="wp-blast"),
        class_name="wp-panel",
        aria_label="Blast radius",
    )


def _alerts() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Alerts"),
            rx.cond(
                _facts["firing"] != "",
                state_word("critical", _facts["firing"].to(str) + " firing"),
                rx.el.span("none firing", class_name="wp-muted"),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(
            IncidentState.alerts.length() > 0,
            rx.el.div(rx.foreach(IncidentState.alerts, _alert), class_name="wp-lanes"),
            rx.el.p(
                "A person declared it: no alert belongs to it yet.",
                class_name="wp-muted wp-panel-body",
            ),
        ),
        class_name="wp-panel",
        aria_label="Alerts",
    )


def _alert(each: rx.Var) -> rx.Component:
    return rx.el.div(
        state_word(each["status_tone"], each["status"].to(str)),
        rx.el.span(
            rx.el.span(each["title"], class_name="wp-clip"),
            rx.el.code(each["key"], class_name="wp-alert-key", title=each["labels"]),
            class_name="wp-cell-two",
        ),
        rx.el.span(
            rx.el.span(
                style={
                    "left": each["bar"].to(dict[str, str])["left"],
                    "width": each["bar"].to(dict[str, str])["width"],
                },
                custom_attrs={"data-tone": each["status_tone"]},
            ),
            class_name="wp-lane",
            aria_hidden="true",
        ),
        rx.el.span(
            running(since=each["started"].to(str), until=each["ended"].to(str)),
            class_name="wp-nowrap",
            title=each["count"],
        ),
        rx.el.span(
            rx.cond(
                each["url"] != "",
                rx.el.a("Source", href=each["url"].to(str), target="_blank", rel="noreferrer",
                        class_name="wp-button wp-button-small wp-button-quiet"),
            ),
            rx.cond(
                each["event"] != "",
                rx.el.button(
                    "Raw",
                    type="button",
                    on_click=RawEventState.show(each["event"]),
                    aria_label="Raw payload of " + each["title"].to(str),
                    class_name="wp-button wp-button-small wp-button-quiet",
                ),
            ),
            class_name="wp-row-end wp-row",
        ),
        key=each["id"].to(str),
        class_name="wp-lane-row",
    )  # fmt: skip


def _people() -> rx.Component:
    acts = IncidentActsState

    def person(each: rx.Var) -> rx.Component:
        return rx.el.div(
            rx.el.span(each["role"]),
            rx.el.span(each["name"], rx.cond(each["me"].to(bool), " (you)", "")),
            rx.el.button(
                "Take away",
                type="button",
                on_click=acts.drop(each["role"], each["id"]),
                disabled=~IncidentState.may_note,
                aria_label="Take " + each["role"].to(str) + " from " + each["name"].to(str),
                class_name="wp-button wp-button-small wp-button-quiet",
            ),
            class_name="wp-people-row",
        )

    return rx.el.section(
        rx.el.div(
            rx.el.h2("People"),
            rx.cond(
                IncidentState.may_note & ~_facts["over"],
                rx.el.div(
                    rx.el.button("Command", type="button", on_click=acts.take("commander"),
                                 class_name="wp-button wp-button-small"),
                    rx.el.button("Join", type="button", on_click=acts.take("responder"),
                                 class_name="wp-button wp-button-small"),
                    class_name="wp-row",
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(
            IncidentState.people.length() > 0,
            rx.el.div(rx.foreach(IncidentState.people, person), class_name="wp-people"),
            rx.el.p("Nobody works on it yet.", class_name="wp-muted wp-panel-body"),
        ),
        class_name="wp-panel",
        aria_label="People",
    )  # fmt: skip


def _deeper() -> rx.Component:
    def way(each: rx.Var) -> rx.Component:
        words = rx.fragment(rx.el.span(each["kind"], class_name="wp-muted"), each["title"])
        return rx.cond(
            each["url"] == "",
            rx.el.span(
                rx.el.span(each["kind"], class_name="wp-muted"),
                rx.el.code(each["title"]),
                copied(text=each["title"].to(str), label="the trace's id"),
                class_name="wp-chip",
            ),
            rx.cond(
            each["inside"].to(bool),
            link(words, to=each["url"].to(str), class_name="wp-chip"),
            rx.el.a(words, href=each["url"].to(str), target="_blank", rel="noreferrer",
                    class_name="wp-chip"),
            ),
        )  # fmt: skip

    return rx.el.section(
        rx.el.div(rx.el.h2("Look deeper"), class_name="wp-panel-head"),
        rx.cond(
            IncidentState.links.length() > 0,
            rx.el.div(rx.foreach(IncidentState.links, way), class_name="wp-look"),
            rx.el.p("No trace or dashboard is known for it.", class_name="wp-muted wp-panel-body"),
        ),
        class_name="wp-panel",
        aria_label="Look deeper",
    )


def _story() -> rx.Component:
    acts = IncidentActsState
    return rx.el.div(
        rx.el.div(
            rx.el.h2("Timeline"),
            rx.el.span(IncidentState.story.length(), class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.cond(
            IncidentState.may_note,
            rx.el.form(
                draft(
                    name="note",
                    draft="note-" + _facts["id"].to(str),
                    serial=acts.noted,
                    label="Note",
                    rows=2,
                    placeholder="What you see, try or rule out. Ctrl Enter adds it.",
                    required=True,
                ),
                rx.el.div(
                    rx.el.button("Add note", type="submit", disabled=acts.working,
                                 class_name="wp-button wp-button-small"),
                    class_name="wp-form-end",
                ),
                on_submit=acts.note,
                class_name="wp-note-form",
            ),
            rx.fragment(),
        ),
        rx.el.ol(
            rx.foreach(IncidentState.story, lambda each: beat(each, _zone)),
            class_name="wp-story",
            aria_live="polite",
            aria_label="What happened, newest first",
            tab_index=0,
        ),
        class_name="wp-inc-story-in",
    )  # fmt: skip
