"""How the support desk works: business hours, targets, macros, and who takes tickets."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word, tab_link
from dashboard.components.frame_parts import ago
from dashboard.components.support_parts import calendar_editor
from dashboard.components.support_rows import availability
from dashboard.components.tables import NUMBER, empty_state, table, trouble
from dashboard.components.work_parts import drawer
from dashboard.pages.support_tabs import macros_tab, targets_tab
from dashboard.shell import console_page
from dashboard.states.macros import MacrosState
from dashboard.states.shell import ShellState
from dashboard.states.support_settings import SupportSettingsState
from dashboard.states.support_words import PATH, SETTINGS

_TABS = (("", "Business hours"), ("targets", "Targets"), ("macros", "Macros"), ("people", "People"))


@console_page(
    SETTINGS,
    "Support settings",
    on_load=[SupportSettingsState.load, MacrosState.load],
    regional=True,
)
def support_settings() -> rx.Component:
    """The tab that the address asks for."""
    state = SupportSettingsState
    return rx.el.div(
        trouble(state.fault, state.load),
        rx.el.div(
            rx.el.nav(
                link(
                    rx.icon("arrow-left", size=14, aria_hidden="true"),
                    to=PATH,
                    class_name="wp-icon-button",
                    aria_label="Back to the queue",
                ),
                *[tab_link(word, SETTINGS, name, state.tab) for name, word in _TABS],
                class_name="wp-row wp-grow",
                aria_label="Support settings",
            ),
            rx.cond(
                state.may_configure,
                rx.match(
                    state.tab,
                    ("", _add("New hours", state.begin(""))),
                    ("macros", _add("New macro", MacrosState.begin(""))),
                    rx.fragment(),
                ),
            ),
            class_name="wp-tabs-row",
        ),
        rx.match(
            state.tab,
            ("targets", targets_tab()),
            ("macros", macros_tab()),
            ("people", _people()),
            _calendars(),
        ),
        drawer(
            calendar_editor(
                calendar=state.form,
                serial=state.form_key,
                regions=ShellState.region_choices,
                working=state.working,
                fault=state.form_fault,
                on_save=state.save,
                on_leave=state.leave,
            ),
            open=state.open,
            label="Business hours",
            on_leave=state.leave,
        ),
        class_name="wp-page",
        custom_attrs={"aria-busy": rx.cond(state.ready, "false", "true")},
    )


def _add(word: str, event: rx.event.EventSpec) -> rx.Component:
    return rx.el.button(word, type="button", on_click=event, class_name="wp-button wp-button-small")


def _calendars() -> rx.Component:
    state = SupportSettingsState
    return rx.cond(
        state.ready & (state.calendars.length() == 0),
        rx.el.section(
            empty_state(
                "No business hours are kept",
                "Without them clocks run day and night: add a country's hours.",
            ),
            class_name="wp-panel",
        ),
        rx.el.div(rx.foreach(state.calendars, _calendar), class_name="wp-calendars"),
    )


def _calendar(each: rx.Var) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2(each["place"]),
                rx.el.span(each["zone"], ", ", each["changed"], class_name="wp-muted"),
            ),
            rx.cond(
                each["may_change"].to(bool),
                rx.el.button(
                    "Change",
                    type="button",
                    on_click=SupportSettingsState.begin(each["key"]),
                    aria_label="Change the hours of " + each["place"].to(str),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.el.div(
            rx.el.div(
                *[rx.el.span(hour) for hour in ("0", "6", "12", "18", "24")],
                class_name="wp-hours",
                aria_hidden="true",
            ),
            rx.foreach(each["days"].to(list[dict[str, str]]), _day),
            class_name="wp-week",
        ),
        rx.el.p(
            rx.el.strong(each["holidays"]),
            rx.foreach(
                each["ahead"].to(list[str]), lambda day: rx.el.span(day, class_name="wp-chip")
            ),
            class_name="wp-holidays",
        ),
        class_name="wp-panel",
        aria_label=each["place"].to(str),
    )


def _day(day: rx.Var) -> rx.Component:
    return rx.el.div(
        rx.el.span(day["name"]),
        rx.el.span(
            rx.foreach(
                day["spans"].to(list[dict[str, str]]),
                lambda span: rx.el.span(style={"left": span["left"], "width": span["width"]}),
            ),
            class_name="wp-strip",
            aria_hidden="true",
        ),
        rx.el.span(day["words"], class_name="wp-muted"),
        class_name="wp-week-day",
    )


def _people() -> rx.Component:
    state = SupportSettingsState
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Who takes tickets in ", state.place),
            rx.cond(state.may_write, availability(state.available, state.turn)),
            class_name="wp-panel-head",
        ),
        table(
            ["Who", "Now", "Until", ("Unsolved", NUMBER)],
            state.people,
            _person,
            ready=state.ready,
            label="People",
            empty=("Nobody may take tickets here", "Give somebody the role of a support agent."),
        ),
        class_name="wp-panel",
        aria_label="Who takes tickets",
    )


def _person(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row["name"], rx.cond(row["me"].to(bool), " (you)", "")),
        rx.el.td(state_word(row["tone"], row["word"].to(str))),
        rx.el.td(ago(at=row["until"].to(str), empty="")),
        rx.el.td(row["unsolved"], class_name=NUMBER),
    )
