"""The scorecard: seven figures, the rows behind the chosen one, and the objectives."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.tables import NUMBER, empty_state, table, trouble, two_lines
from dashboard.shell import console_page
from dashboard.states.scorecard import ScorecardState
from dashboard.states.shell import ShellState
from dashboard.states.slo_words import SCORECARD

REFRESH_EVERY_S = 15.0
_FIGURES = 7
_WINDOWS = ("5 min", "1 h", "6 h", "1 d", "3 d")


@console_page(SCORECARD, "Scorecard", on_load=[ScorecardState.load], regional=True)
def scorecard() -> rx.Component:
    """What the company steers by."""
    return rx.el.div(
        trouble(ScorecardState.fault, ScorecardState.load),
        rx.el.div(
            rx.el.p(
                ShellState.region_path,
                ", as it stood ",
                ago(at=ScorecardState.at, zone=ShellState.region_zone, empty="now"),
                ". Point at a name for its definition; choose a figure for the rows behind it.",
            ),
            rx.el.label(
                rx.el.span("At the end of", class_name="wp-muted wp-nowrap"),
                rx.el.input(
                    type="date",
                    default_value=ScorecardState.until,
                    key=ScorecardState.until,
                    on_change=ScorecardState.choose_day,
                    class_name="wp-input",
                ),
                class_name="wp-row",
            ),
            rx.cond(
                ShellState.permissions.contains("costs:write"),
                link("Costs", to="/admin/on-call?tab=costs", class_name="wp-button"),
            ),
            class_name="wp-page-head",
        ),
        rx.el.section(
            rx.cond(
                ScorecardState.ready,
                rx.foreach(ScorecardState.figures, _figure),
                rx.fragment(*[_bone() for _ in range(_FIGURES)]),
            ),
            class_name="wp-scores",
            aria_label="Figures",
        ),
        rx.cond(ScorecardState.chosen != "", _behind()),
        _objectives(),
        pulse(seconds=REFRESH_EVERY_S, on_beat=ScorecardState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _figure(each: rx.Var) -> rx.Component:
    return link(
        rx.el.span(
            each["name"],
            rx.el.span(rx.icon("info", size=12), class_name="wp-hint", aria_hidden="true"),
            class_name="wp-score-name",
        ),
        rx.el.span(
            rx.el.span(each["value"]), rx.el.span(each["unit"]), class_name="wp-score-value"
        ),
        rx.el.span(
            shape(each["tone"]),
            rx.el.span(each["word"], ", target ", each["target"]),
            class_name="wp-score-target",
        ),
        rx.cond(
            each["line"] != "",
            rx.el.svg(
                rx.el.path(d=each["area"], class_name="wp-spark-area"),
                rx.el.path(d=each["line"], class_name="wp-spark-line"),
                view_box="0 0 120 32",
                preserve_aspect_ratio="none",
                class_name="wp-spark",
                custom_attrs={"data-tone": each["tone"]},
                aria_hidden="true",
            ),
            rx.el.span(class_name="wp-spark-none"),
        ),
        rx.el.span(each["trend"], class_name="wp-score-trend"),
        rx.el.span(each["definition"], class_name="wp-hint-words", role="tooltip"),
        to=each["link"].to(str),
        class_name="wp-score",
        custom_attrs={"aria-current": rx.cond(each["on"].to(bool), "true", "false")},
    )


def _bone() -> rx.Component:
    return rx.el.div(
        rx.el.span(class_name="wp-bone wp-bone-small"),
        rx.el.span(class_name="wp-bone wp-bone-large"),
        class_name="wp-score",
        aria_hidden="true",
    )


def _behind() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Behind: ", ScorecardState.chosen_name),
            rx.el.span(
                ScorecardState.rows.length(),
                rx.cond(ScorecardState.rows.length() == 1, " row", " rows"),
                class_name="wp-muted",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.p(ScorecardState.chosen_definition, class_name="wp-muted wp-panel-body"),
        rx.cond(
            ScorecardState.rows.length() > 0,
            rx.el.div(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.foreach(
                                ScorecardState.columns,
                                lambda word: rx.el.th(word, scope="col"),
                            )
                        )
                    ),
                    rx.el.tbody(rx.foreach(ScorecardState.rows, _row)),
                    class_name="wp-table",
                    custom_attrs={"aria-label": "Rows behind the figure"},
                ),
                class_name="wp-table-box wp-behind",
                tab_index=0,
                role="region",
                aria_label="Rows behind the figure",
            ),
            empty_state("No rows yet", "They come with the first facts that the figure counts."),
        ),
        class_name="wp-panel",
        aria_label="The chosen figure",
    )


def _row(row: rx.Var) -> rx.Component:
    def cell(word: rx.Var, at: rx.Var) -> rx.Component:
        return rx.el.td(
            rx.cond(
                (at == 0) & (row["link"] != ""),
                link(word, to=row["link"].to(str), class_name="wp-link"),
                rx.fragment(word),
            )
        )

    return rx.el.tr(rx.foreach(row["cells"].to(list[str]), cell))


def _objectives() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Objectives"),
            rx.cond(
                ScorecardState.ready,
                rx.cond(
                    ScorecardState.burning > 0,
                    state_word("critical", ScorecardState.burning.to(str) + " burning"),
                    state_word("good", "none burning"),
                ),
            ),
            class_name="wp-panel-head",
        ),
        table(
            [
                "Objective",
                ("Target", NUMBER),
                ("Attained", NUMBER),
                "Error budget",
                *[(f"Burn, {word}", NUMBER) for word in _WINDOWS],
                "State",
            ],
            ScorecardState.slos,
            _slo,
            ready=ScorecardState.ready,
            label="Objectives",
            empty=("No objective is defined", "They are kept in the file of objectives."),
        ),
        class_name="wp-panel",
        aria_label="Service level objectives",
    )


def _slo(each: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            rx.el.span(each["title"], title=each["means"], class_name="wp-slo-name"),
            class_name="wp-nowrap",
        ),
        rx.el.td(each["target"], class_name=NUMBER + " wp-nowrap"),
        rx.el.td(
            two_lines(
                rx.el.span(
                    shape(each["attained_tone"]),
                    each["attained"],
                    class_name="wp-state wp-row-end",
                ),
                each["counted"],
            ),
            class_name=NUMBER + " wp-nowrap",
        ),
        rx.el.td(
            rx.el.span(
                rx.el.span(each["budget"], class_name="wp-nowrap"),
                rx.el.span(
                    rx.el.span(style={"width": each["budget_width"]}),
                    class_name="wp-meter",
                    custom_attrs={"data-tone": each["budget_tone"]},
                ),
                class_name="wp-budget",
            )
        ),
        rx.foreach(
            each["burns"].to(list[dict[str, str]]),
            lambda burn: rx.el.td(
                rx.el.span(
                    burn["rate"], class_name="wp-burn", custom_attrs={"data-tone": burn["tone"]}
                ),
                class_name=NUMBER,
            ),
        ),
        rx.el.td(
            two_lines(state_word(each["tone"], each["state"].to(str)), each["reason"]),
            class_name="wp-wrap",
        ),
    )
