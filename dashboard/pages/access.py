"""The access page: persons on the left, the chosen one's roles on the right."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import empty_state, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.access import PATH, ROLE_CHOICES, AccessState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(PATH, "Access", on_load=[AccessState.load, ViewsState.load])
def access() -> rx.Component:
    """Who may do what where."""
    return rx.el.div(
        trouble(AccessState.fault, AccessState.load),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("People"),
                    filter_form(
                        text_input(
                            "q",
                            type="search",
                            placeholder="Name or e-mail",
                            aria_label="Find a person",
                            default_value=AccessState.text,
                            key=AccessState.text,
                        ),
                        on_submit=AccessState.search,
                        clear=PATH,
                    ),
                    class_name="wp-panel-head",
                ),
                listing(
                    "access",
                    ["Person", "Roles", "Last sign-in"],
                    AccessState.persons,
                    _person,
                    state=AccessState,
                    label="People",
                    empty=("Nobody found", "People appear here after their first sign-in."),
                    csv=AccessState.csv_link,
                    momentary=["person"],
                ),
                class_name="wp-panel wp-cards",
            ),
            rx.el.aside(
                rx.cond(AccessState.chosen_id != "", _chosen(), _nobody()),
                class_name=rx.cond(AccessState.chosen_id != "", "wp-panel wp-chosen", "wp-panel"),
                aria_label="The chosen person",
            ),
            class_name="wp-split",
        ),
        class_name="wp-page",
    )


def _person(person: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                two_lines(person["name"], person["email"]),
                to=person["link"],
                class_name="wp-row-link",
            )
        ),
        rx.el.td(
            rx.el.div(
                rx.foreach(
                    person["holds"].to(list[str]),
                    lambda held: rx.el.span(held, class_name="wp-chip"),
                ),
                class_name="wp-chips",
            )
        ),
        rx.el.td(ago(at=person["seen_at"]), class_name="wp-nowrap wp-muted"),
        custom_attrs={
            "aria-selected": rx.cond(person["id"] == AccessState.chosen_id, "true", "false")
        },
    )


def _nobody() -> rx.Component:
    return empty_state("No one chosen", "Choose a person to see, give or take back roles.")


def _chosen() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.div(
                rx.el.h2(AccessState.chosen_name),
                rx.el.p(AccessState.chosen_email, class_name="wp-muted"),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(
            AccessState.grants.length() == 0,
            empty_state("No role you can see", "Without a role nothing can be opened."),
            rx.foreach(AccessState.grants, _grant),
        ),
        rx.cond(AccessState.may_write, _give_form()),
    )


def _grant(grant: rx.Var) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(
                rx.el.strong(grant["role"]),
                rx.el.span(" · ", grant["region"], class_name="wp-muted"),
            ),
            rx.cond(
                grant["mine_to_take"],
                rx.el.button(
                    "Take back",
                    type="button",
                    on_click=AccessState.ask_why(grant["id"]),
                    class_name="wp-button wp-button-small wp-button-risk",
                ),
                rx.cond(
                    grant["source"] == "entra",
                    rx.el.span("Entra ID", class_name="wp-chip", title="Change it in Entra ID"),
                ),
            ),
            class_name="wp-item-line",
        ),
        rx.el.p(
            grant["reason"],
            ", by ",
            grant["given_by"],
            " ",
            ago(at=grant["given_at"], zone=ShellState.region_zone),
            rx.cond(
                grant["ends_at"] != "",
                rx.fragment(", ends ", ago(at=grant["ends_at"], zone=ShellState.region_zone)),
            ),
            class_name="wp-muted",
        ),
        rx.cond(
            AccessState.taking == grant["id"],
            rx.el.form(
                rx.el.input(type="hidden", name="grant", value=grant["id"], read_only=True),
                text_input(
                    "reason",
                    placeholder="Why",
                    aria_label="Why the role is taken back",
                    required=True,
                    min_length=3,
                    auto_focus=True,
                ),
                rx.el.button("Confirm", type="submit", class_name="wp-button wp-button-risk"),
                on_submit=AccessState.take,
                class_name="wp-row",
            ),
        ),
        class_name="wp-item",
    )


def _give_form() -> rx.Component:
    return rx.el.form(
        rx.el.h3("Give a role", class_name="wp-label"),
        rx.el.div(
            field("Role", choice_input("role", ROLE_CHOICES)),
            field("Where", choice_input("region", ShellState.region_choices)),
            field("Until, none for no end", text_input("until", type="date")),
            class_name="wp-form",
        ),
        field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
        rx.el.div(
            rx.el.button(
                "Give role",
                type="submit",
                disabled=AccessState.giving,
                class_name="wp-button wp-button-main",
            ),
            class_name="wp-form-end",
        ),
        on_submit=AccessState.give,
        reset_on_submit=True,
        class_name="wp-item",
        key=AccessState.chosen_id,
    )
