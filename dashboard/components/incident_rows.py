"""Small pieces of the pages on incidents: a severity, a clock, a count, a beat of the story."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape
from dashboard.components.incident_parts import clock_time, running


def severity_mark(tone: Any, word: Any) -> rx.Component:
    """A severity as shape and word."""
    return rx.el.span(
        shape(tone), rx.el.span(word), class_name="wp-severity", custom_attrs={"data-tone": tone}
    )


def clock(each: rx.Var, zone: rx.Var[str]) -> rx.Component:
    """One of the incident's clocks: a moment, a length, or one that runs."""
    return rx.el.div(
        rx.el.span(each["name"]),
        rx.el.span(
            rx.cond(
                each["running"] != "",
                running(since=each["running"].to(str), goal=each["goal"].to(float), word="running"),
                rx.cond(
                    each["at"] != "", clock_time(at=each["at"].to(str), zone=zone), each["value"]
                ),
            )
        ),
        rx.el.span(rx.cond(each["tone"] != "", shape(each["tone"])), each["note"]),
        class_name="wp-clock",
        custom_attrs={"data-state": each["state"]},
    )


def hurt(each: rx.Var) -> rx.Component:
    """One count of the blast radius, leading to its rows."""
    return link(
        rx.el.span(each["name"]),
        rx.el.span(each["value"]),
        rx.el.span(rx.cond(each["tone"] != "", shape(each["tone"])), each["note"]),
        to=each["link"].to(str),
        class_name="wp-clock",
        title=each["hint"],
    )


def beat(each: rx.Var, zone: rx.Var[str]) -> rx.Component:
    """One entry of the story."""
    return rx.el.li(
        shape(each["tone"]),
        clock_time(at=each["at"].to(str), zone=zone),
        rx.el.div(
            rx.el.span(
                rx.cond(each["kind"] == "note", rx.fragment(each["who"], " wrote"), each["head"]),
                class_name=rx.cond(each["loud"].to(bool), "wp-strong", ""),
            ),
            rx.cond(
                (each["who"] != "") & (each["kind"] != "note"),
                rx.el.span(" ", each["who"]),
            ),
            rx.cond(
                each["late"] != "",
                rx.el.span(" told at ", clock_time(at=each["late"].to(str), zone=zone, day=False)),
            ),
            rx.cond(each["text"] != "", rx.el.span(each["text"], class_name="wp-beat-note")),
            class_name="wp-beat-words",
        ),
        key=each["id"].to(str),
        class_name="wp-beat",
        custom_attrs={"data-kind": each["kind"]},
    )
