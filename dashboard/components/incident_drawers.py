"""The drawers of the pages on incidents: a deed with what it asks, and a raw delivery."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.work_parts import drawer

_ROLES = (
    ("commander", "Commander"),
    ("responder", "Responder"),
    ("communicator", "Speaks to the others"),
)


def deed_drawer(acts: Any, spans: tuple[tuple[str, str], ...]) -> rx.Component:
    """The drawer of `acts`, a state with the vars and handlers of `IncidentActsState`."""
    asks = acts.asks
    return drawer(
        rx.el.form(
            rx.cond(acts.hint != "", rx.el.p(acts.hint, class_name="wp-muted")),
            rx.cond(asks["role"], field("Part", choice_input("role", _ROLES))),
            rx.cond(asks["pick"] != "", _choices(acts)),
            rx.cond(asks["region"], field("Where", choice_input("region", acts.regions))),
            rx.cond(asks["span"], field("For", choice_input("span", spans, default_value="60"))),
            rx.cond(
                asks["flag"],
                rx.el.div(
                    field("Flag", text_input("flag", required=True, max_length=80)),
                    field("In", text_input("environment", default_value="production")),
                    class_name="wp-two-cols",
                ),
            ),
            rx.cond(
                asks["text"],
                field(
                    "What they read",
                    rx.el.textarea(
                        name="text", rows=4, required=True, max_length=1000,
                        class_name="wp-input wp-textarea",
                    ),
                ),
            ),
            rx.cond(asks["name"], field("Title of the new incident", text_input("name"))),
            rx.cond(
                asks["ago"],
                field(
                    "Minutes ago",
                    text_input("ago", input_mode="numeric", placeholder="0, now"),
                ),
            ),
            rx.cond(
                asks["note"] != "",
                field(
                    rx.fragment(asks["note"], rx.cond(asks["note_needed"], "", ", if it helps")),
                    rx.el.textarea(
                        name="note", rows=2, max_length=300, required=asks["note_needed"],
                        class_name="wp-input wp-textarea", placeholder="Kept in the timeline",
                    ),
                ),
            ),
            rx.cond(
                asks["force"],
                rx.el.label(
                    rx.el.input(type="checkbox", name="force"),
                    rx.el.span("Although alerts still fire: they end by hand; say why above"),
                    class_name="wp-check",
                ),
            ),
            form_fault(acts.fault),
            form_end(acts.title, acts.leave, acts.working),
            on_submit=acts.act,
            key=acts.key,
            class_name="wp-drawer-form",
        ),
        open=acts.open,
        label=acts.title,
        on_leave=acts.leave,
    )  # fmt: skip


def _choices(acts: Any) -> rx.Component:
    many = acts.asks["many"]
    return rx.el.fieldset(
        rx.el.legend(acts.asks["pick"], class_name="wp-label"),
        rx.el.div(
            rx.foreach(
                acts.choices,
                lambda each: rx.el.label(
                    rx.cond(
                        many,
                        rx.el.input(type="checkbox", name="pick-" + each["value"].to(str)),
                        rx.el.input(
                            type="radio", name="pick", value=each["value"].to(str), required=True
                        ),
                    ),
                    rx.el.span(
                        rx.el.span(each["word"]),
                        rx.el.span(each["hint"]),
                        class_name="wp-cell-two wp-grow",
                    ),
                    class_name="wp-candidate",
                ),
            ),
            class_name="wp-candidates",
        ),
        rx.cond(
            acts.choices.length() == 0,
            rx.el.p("There is nothing to choose from.", class_name="wp-muted"),
        ),
        class_name="wp-fieldset",
    )


def raw_drawer(raw: Any) -> rx.Component:
    """The drawer of `raw`, a state with the vars of `RawEventState`."""
    return drawer(
        rx.el.div(
            rx.el.div(
                state_word(raw.tone, raw.state),
                rx.el.span(ago(at=raw.received), class_name="wp-muted"),
                rx.el.code(raw.kind, class_name="wp-muted"),
                class_name="wp-row",
            ),
            rx.cond(raw.why != "", rx.el.p(raw.why, class_name="wp-warn")),
            rx.el.dl(
                rx.foreach(
                    raw.headers,
                    lambda each: rx.fragment(rx.el.dt(each["name"]), rx.el.dd(each["value"])),
                ),
                class_name="wp-headers",
            ),
            rx.el.pre(
                raw.body,
                class_name="wp-body wp-body-tall",
                tab_index=0,
                role="region",
                aria_label="The payload",
            ),
            class_name="wp-drawer-form",
        ),
        open=raw.open,
        label=raw.title,
        on_leave=raw.leave,
    )
