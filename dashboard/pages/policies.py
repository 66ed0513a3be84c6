"""The policies page: the matrix of roles and permissions, and a question to it."""

from __future__ import annotations

import reflex as rx

from dashboard.components.forms import field
from dashboard.components.frame_parts import ago
from dashboard.components.tables import empty_state, trouble
from dashboard.shell import console_page
from dashboard.states.policies import PATH, PoliciesState
from dashboard.states.shell import ShellState


@console_page(PATH, "Policies", on_load=[PoliciesState.load])
def policies() -> rx.Component:
    """What each role may do."""
    return rx.el.div(
        trouble(PoliciesState.fault, PoliciesState.load),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("What each role may do"),
                    rx.el.span(
                        "policies/policy.csv, version ",
                        rx.el.code(PoliciesState.version),
                        class_name="wp-muted",
                    ),
                    class_name="wp-panel-head",
                ),
                _matrix(),
                rx.el.p(
                    rx.el.span(
                        rx.el.span(class_name="wp-mark-direct", aria_hidden="true"),
                        "held directly",
                        class_name="wp-state",
                    ),
                    rx.el.span(
                        rx.el.span(class_name="wp-mark-through", aria_hidden="true"),
                        "held through an included role",
                        class_name="wp-state",
                    ),
                    rx.el.span("Changed by review of the file, not here."),
                    class_name="wp-legend",
                ),
                class_name="wp-panel",
            ),
            rx.el.aside(_question(), class_name="wp-panel", aria_label="Who may"),
            class_name="wp-split",
        ),
        class_name="wp-page",
    )


def _matrix() -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Permission", scope="col"),
                    rx.foreach(
                        PoliciesState.roles,
                        lambda role: rx.el.th(role, scope="col", class_name="wp-center"),
                    ),
                )
            ),
            rx.el.tbody(rx.foreach(PoliciesState.rows, _permission)),
            class_name="wp-table wp-matrix",
            custom_attrs={"aria-busy": rx.cond(PoliciesState.ready, "false", "true")},
        ),
        class_name="wp-table-box",
        tab_index=0,
        role="region",
        aria_label="Roles and permissions",
    )


def _permission(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.th(rx.el.code(row["permission"]), scope="row"),
        rx.foreach(row["cells"].to(list[str]), _cell),
        class_name=rx.cond(row["first"], "wp-group-start", ""),
    )


def _cell(held: rx.Var) -> rx.Component:
    return rx.el.td(
        rx.match(
            held,
            ("", rx.el.span("no", class_name="wp-hidden-words")),
            (
                "direct",
                rx.el.span(
                    rx.el.span("yes", class_name="wp-hidden-words"), class_name="wp-mark-direct"
                ),
            ),
            rx.el.span(
                rx.el.span("through ", held, class_name="wp-hidden-words"),
                class_name="wp-mark-through",
                title="through " + held.to(str),
            ),
        ),
        class_name="wp-center",
    )


def _question() -> rx.Component:
    return rx.fragment(
        rx.el.div(rx.el.h2("Who may"), class_name="wp-panel-head"),
        rx.el.form(
            field(
                "Do what",
                rx.el.select(
                    rx.el.option("Choose a permission", value=""),
                    rx.foreach(
                        PoliciesState.permissions, lambda name: rx.el.option(name, value=name)
                    ),
                    name="permission",
                    class_name="wp-input",
                    default_value=PoliciesState.asked_permission,
                    key=PoliciesState.asked_permission + PoliciesState.permissions.length().to(str),
                ),
            ),
            field(
                "Where",
                rx.el.select(
                    rx.foreach(
                        ShellState.region_choices,
                        lambda each: rx.el.option(each["path"], value=each["code"]),
                    ),
                    name="region",
                    class_name="wp-input",
                    default_value=PoliciesState.asked_region,
                    key=PoliciesState.asked_region + ShellState.region_choices.length().to(str),
                ),
            ),
            rx.el.div(
                rx.el.button("Ask", type="submit", class_name="wp-button wp-button-main"),
                class_name="wp-form-end",
            ),
            on_submit=PoliciesState.ask,
            class_name="wp-item",
        ),
        rx.cond(PoliciesState.asked_permission != "", _answer()),
    )


def _answer() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.el.code(PoliciesState.asked_permission),
            " " + PoliciesState.asked_where + ": ",
            rx.el.strong(PoliciesState.answer_roles),
        ),
        rx.cond(
            PoliciesState.sees_people,
            rx.cond(
                PoliciesState.holders.length() == 0,
                empty_state("Nobody holds such a role there", "Roles are given under Access."),
                rx.foreach(PoliciesState.holders, _holder),
            ),
        ),
        class_name="wp-item",
        aria_live="polite",
    )


def _holder(holder: rx.Var) -> rx.Component:
    return rx.el.div(
        rx.el.span(holder["name"]),
        rx.el.span(
            holder["role"],
            " · ",
            holder["place"],
            rx.cond(holder["ends"] != "", rx.fragment(", ends ", ago(at=holder["ends"]))),
            class_name="wp-muted",
        ),
        class_name="wp-item-line",
    )
