"""The panel of the driver chosen on the map."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import shape
from dashboard.components.fleet_map import close_button, driver_live, driver_track, follow_button
from dashboard.components.frame_parts import ago


def driver_panel(
    driver: Any,
    *,
    fault: Any,
    revealed: Any,
    may_reveal: Any,
    on_reveal: Any,
) -> rx.Component:
    """Who the driver is, how they are doing this second, their trail, and what to do."""
    return rx.cond(
        driver["id"] != "",
        _known(driver, revealed=revealed, may_reveal=may_reveal, on_reveal=on_reveal),
        rx.cond(fault != "", _missing(fault), _bones()),
    )


def _known(
    driver: Any,
    *,
    revealed: Any,
    may_reveal: Any,
    on_reveal: Any,
) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.el.span(driver["code"], class_name="wpm-code"), " ", driver["name"]),
            rx.el.span(driver["vehicle"], class_name="wp-muted"),
            close_button(),
            class_name="wpm-panel-head",
        ),
        driver_live(driver=driver["id"], fallback=driver["fallback"]),
        rx.el.dl(
            _fact("Phone", _phone(driver["phone"], revealed, may_reveal, on_reveal)),
            _fact("Plate", _or_none(driver["plate"])),
            _fact("Hub", rx.cond(driver["hub"] != "", driver["hub"], driver["region"])),
            _fact("Shift", driver["shift"]),
            # A live driver's newest fix is told by the line above, every second.
            rx.cond(
                driver["fallback"] == "live",
                rx.fragment(),
                _fact("Last seen", ago(at=driver["last_seen"], zone=driver["zone"])),
            ),
            class_name="wpm-facts",
        ),
        driver_track(driver=driver["id"], zone=driver["zone"], day_start=driver["day_start"]),
        rx.el.div(
            follow_button(),
            rx.el.a(
                "Export track",
                href=driver["track"],
                download=driver["code"].to_string() + "-track.json",
                class_name="wp-button",
            ),
            class_name="wpm-actions",
        ),
        aria_label="Chosen driver",
    )


def _fact(name: str, value: rx.Component | Any) -> rx.Component:
    return rx.fragment(rx.el.dt(name), rx.el.dd(value))


def _or_none(value: Any) -> rx.Component:
    return rx.cond(value != "", value, rx.el.span("none", class_name="wp-muted"))


def _phone(
    masked: Any,
    revealed: Any,
    may_reveal: Any,
    on_reveal: Any,
) -> rx.Component:
    return rx.cond(
        revealed != "",
        rx.el.a(revealed, href="tel:" + revealed, class_name="wp-code"),
        rx.fragment(
            _or_none(masked),
            rx.cond(
                may_reveal,
                rx.el.button(
                    "Reveal",
                    type="button",
                    on_click=on_reveal,
                    title="Shows the whole number; the look is recorded",
                    class_name="wp-button wp-button-small",
                ),
            ),
        ),
    )


def _missing(fault: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2(shape("warning"), " ", fault), close_button(), class_name="wpm-panel-head"
        ),
        rx.el.p("It may work in a region that is not yours to see.", class_name="wp-muted"),
    )


def _bones() -> rx.Component:
    def bone(width: str) -> rx.Component:
        return rx.el.div(class_name="wp-bone wpm-bone", style={"width": width})

    return rx.el.div(
        rx.el.div(rx.el.h2(bone("70%")), close_button(), class_name="wpm-panel-head"),
        *[bone(width) for width in ("85%", "60%", "72%", "55%", "64%")],
        aria_busy="true",
        aria_label="Loading the driver",
        role="status",
    )
