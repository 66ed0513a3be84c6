"""The audit page: filters, the rows, and the chosen row beside them."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.audit import OUTCOMES, PATH, AuditState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(PATH, "Audit trail", on_load=[AuditState.load, ViewsState.load])
def audit() -> rx.Component:
    """Who did what."""
    return rx.el.div(
        trouble(AuditState.fault, AuditState.load),
        rx.el.section(
            _filters(),
            class_name="wp-panel wp-filter-panel",
            aria_label="Filters",
        ),
        rx.el.div(
            rx.el.section(
                rx.el.div(rx.el.h2("Rows"), _tools(), class_name="wp-panel-head"),
                listing(
                    "audit",
                    ["When", "Who", "What", "Where", "Outcome"],
                    AuditState.rows,
                    _row,
                    state=AuditState,
                    label="Audit trail",
                    empty=("No rows match", "Widen or clear the filters."),
                    csv=AuditState.csv_link,
                    bones=12,
                ),
                class_name="wp-panel wp-cards",
            ),
            rx.cond(AuditState.chosen.seq != "", _chosen()),
            class_name=rx.cond(AuditState.chosen.seq != "", "wp-split", ""),
        ),
        class_name="wp-page",
    )


def _filters() -> rx.Component:
    def words(name: str, label: str, placeholder: str = "") -> rx.Component:
        return field(
            label,
            text_input(name, placeholder=placeholder, default_value=AuditState.filters[name]),
        )

    return filter_form(
        words("q", "Who or what", "any words"),
        words("action", "Action", "grant.given"),
        words("object", "Object", "user:…"),
        field(
            "Region",
            rx.el.select(
                rx.el.option("Anywhere", value=""),
                rx.foreach(
                    AuditState.places, lambda each: rx.el.option(each["path"], value=each["code"])
                ),
                name="region",
                class_name="wp-input",
                default_value=AuditState.filters["region"],
                key=AuditState.filters["region"] + AuditState.places.length().to(str),
            ),
        ),
        field(
            "Outcome",
            choice_input("outcome", OUTCOMES, default_value=AuditState.filters["outcome"]),
        ),
        field(
            "From",
            text_input("from", type="date", default_value=AuditState.filters["from"]),
        ),
        field("To", text_input("to", type="date", default_value=AuditState.filters["to"])),
        on_submit=AuditState.narrow,
        clear=PATH,
        key=AuditState.filters_key,
    )


def _tools() -> rx.Component:
    return rx.el.div(
        rx.el.span(
            shape(AuditState.chain.tone),
            rx.el.span("Chain: ", AuditState.chain.text),
            rx.cond(AuditState.chain.at != "", ago(at=AuditState.chain.at)),
            class_name="wp-state wp-muted",
            aria_live="polite",
        ),
        rx.el.button(
            rx.cond(AuditState.checking, "Checking", "Check seals"),
            type="button",
            on_click=AuditState.check,
            disabled=AuditState.checking,
            class_name="wp-button",
        ),
        class_name="wp-row wp-row-end",
    )


def _row(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                ago(at=row["at"], zone=ShellState.region_zone),
                to=row["link"],
                class_name="wp-row-link",
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["who"]),
        rx.el.td(two_lines(rx.el.code(row["action"]), row["object"]), class_name="wp-wrap"),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        rx.el.td(state_word(row["tone"], row["outcome"])),
        custom_attrs={
            "aria-selected": rx.cond(row["seq"] == AuditState.chosen.seq, "true", "false")
        },
    )


def _fact(name: str, value: rx.Var | rx.Component, when: rx.Var | bool = True) -> rx.Component:
    """A line of the chosen row; left out where it has nothing to say."""
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _chosen() -> rx.Component:
    chosen = AuditState.chosen
    return rx.el.aside(
        rx.el.div(
            rx.el.h2("Row ", chosen.seq),
            link(
                rx.icon("x", size=14, aria_hidden="true"),
                to=AuditState.close_link,
                class_name="wp-icon-button",
                aria_label="Close this row",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.dl(
            _fact("When", ago(at=chosen.at, zone=ShellState.region_zone)),
            _fact("Exactly", rx.el.code(chosen.exactly)),
            _fact("Who", two_lines(chosen.who, rx.el.code(chosen.who_id))),
            _fact(
                "From",
                two_lines(rx.el.code(chosen.address), rx.el.code(chosen.session)),
                chosen.address != "",
            ),
            _fact("What", rx.el.code(chosen.action)),
            _fact("On", rx.el.code(chosen.object)),
            _fact("Where", chosen.place, chosen.place != ""),
            _fact("Outcome", state_word(chosen.tone, chosen.outcome)),
            _fact("Why", chosen.reason, chosen.reason != ""),
            _fact("Trace", rx.el.code(chosen.trace), chosen.trace != ""),
            class_name="wp-facts wp-panel-body",
        ),
        rx.cond(
            AuditState.changes.length() > 0,
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th("Field", scope="col"),
                        rx.el.th("Before", scope="col"),
                        rx.el.th("After", scope="col"),
                    )
                ),
                rx.el.tbody(
                    rx.foreach(
                        AuditState.changes,
                        lambda change: rx.el.tr(
                            rx.el.td(change["field"]),
                            rx.el.td(rx.el.code(change["before"]), class_name="wp-wrap"),
                            rx.el.td(rx.el.code(change["after"]), class_name="wp-wrap"),
                        ),
                    )
                ),
                class_name="wp-table",
                custom_attrs={"aria-label": "What changed"},
            ),
        ),
        class_name="wp-panel wp-chosen",
        aria_label="The chosen row",
    )
