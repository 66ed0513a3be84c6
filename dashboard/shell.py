"""The frame around every page: rail, top bar, command palette, messages and the on-load guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from dashboard.components.basics import link, shape
from dashboard.components.bell import bell
from dashboard.components.frame_parts import link_lost, notice, palette, pulse, starting
from dashboard.states.bell import BellState
from dashboard.states.search import SearchState
from dashboard.states.shell import NAVIGATION, REGIONAL, NavEntry, ShellState

FRESHNESS_EVERY_S = 5.0
BELL_EVERY_S = 4.0


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A page to add to the app."""

    route: str
    title: str
    component: Callable[[], rx.Component]
    on_load: Sequence[Any]


PAGES: list[ConsolePage] = []


def console_page(
    route: str,
    title: str,
    *,
    on_load: Sequence[Any] = (),
    flush: bool = False,
    regional: bool = False,
    keys: Sequence[tuple[str, str]] = (),
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Register a page inside the frame; `ShellState.enter` runs before its own `on_load`.

    `flush` leaves out padding and scrolling (maps), `regional` shows the region switcher,
    `keys` are listed under `?`.
    """

    def register(content: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        @wraps(content)
        def framed() -> rx.Component:
            return page_frame(
                content(), route=route, title=title, flush=flush, regional=regional, keys=keys
            )

        if regional:
            REGIONAL.add(route)
        PAGES.append(ConsolePage(route, title, framed, [ShellState.enter, *on_load]))
        return content

    return register


def kiosk_page(
    route: str, title: str, *, on_load: Sequence[Any] = ()
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Register a page without the frame, for a screen that nobody touches."""

    def register(content: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        @wraps(content)
        def alone() -> rx.Component:
            return rx.fragment(content(), _begun())

        REGIONAL.add(route)
        PAGES.append(ConsolePage(route, title, alone, [ShellState.enter, *on_load]))
        return content

    return register


def _begun() -> rx.Component:
    return rx.cond(ShellState.person == "", starting())


def page_frame(
    *content: rx.Component,
    route: str,
    title: str,
    flush: bool = False,
    regional: bool = False,
    keys: Sequence[tuple[str, str]] = (),
) -> rx.Component:
    """The whole console around `content`."""
    return rx.el.div(
        _rail(route),
        _bar(title, regional),
        rx.el.main(
            *content,
            id="content",
            tab_index=-1,
            class_name="wp-main wp-main-flush" if flush else "wp-main",
        ),
        _bottom_bar(route),
        rx.cond(has_connection_errors, link_lost()),
        _begun(),
        notice(
            text=ShellState.notice.text,
            tone=ShellState.notice.tone,
            serial=ShellState.notice.serial,
        ),
        palette(
            pages=ShellState.pages,
            regions=ShellState.region_choices,
            found=SearchState.found,
            found_for=SearchState.found_for,
            extra_keys=[{"keys": key, "label": label} for key, label in keys],
            on_find=SearchState.find,
            on_region=ShellState.choose_region,
        ),
        # The overview looks for itself, oftener.
        rx.fragment()
        if route == "/"
        else pulse(seconds=FRESHNESS_EVERY_S, on_beat=ShellState.look_at_freshness),
        class_name="wp-app",
    )


def _rail(route: str) -> rx.Component:
    return rx.el.nav(
        rx.el.button(
            "Skip to content",
            type="button",
            class_name="wp-skip",
            custom_attrs={"data-wp-action": "skip"},
        ),
        link(
            rx.el.span("W", class_name="wp-mark", aria_hidden="true"),
            rx.el.span("Waypost", class_name="wp-word"),
            to="/",
            class_name="wp-logo",
            aria_label="Waypost, overview",
        ),
        *[_rail_link(entry, route) for entry in NAVIGATION],
        rx.el.div(class_name="wp-grow"),
        rx.el.button(
            rx.icon("panel-left", size=16, aria_hidden="true"),
            rx.el.span("Collapse", class_name="wp-word"),
            type="button",
            class_name="wp-rail-link",
            custom_attrs={"data-wp-action": "rail"},
            title="Collapse or widen ( [ )",
            aria_label="Collapse or widen the rail",
        ),
        class_name="wp-rail",
        aria_label="Main",
    )


def _here(entry: NavEntry, route: str) -> dict[str, str]:
    """Marks the entry of the page, also on pages below it that have none of their own."""
    own = any(each.href == route for each in NAVIGATION)
    below = entry.href != "/" and route.startswith(f"{entry.href}/") and not own
    return {"aria-current": "page"} if entry.href == route or below else {}


def _rail_link(entry: NavEntry, route: str) -> rx.Component:
    here = _here(entry, route)
    return rx.cond(
        ShellState.permissions.contains(entry.permission),
        link(
            rx.icon(entry.icon, size=16, aria_hidden="true"),
            rx.el.span(entry.label, class_name="wp-word"),
            to=entry.href,
            class_name="wp-rail-link",
            title=f"{entry.label} ( {entry.keys} )",
            custom_attrs=here,
        ),
    )


def _bottom_bar(route: str) -> rx.Component:
    def tab(entry: NavEntry) -> rx.Component:
        here = _here(entry, route)
        return rx.cond(
            ShellState.permissions.contains(entry.permission),
            link(
                rx.icon(entry.icon, size=18, aria_hidden="true"),
                rx.el.span(entry.short),
                to=entry.href,
                class_name="wp-tab",
                custom_attrs=here,
            ),
        )

    return rx.el.nav(
        *[tab(entry) for entry in NAVIGATION], class_name="wp-tabs", aria_label="Main, phone"
    )


def _bar(title: str, regional: bool) -> rx.Component:
    return rx.el.header(
        rx.el.h1(title, class_name="wp-bar-title"),
        _region_switcher() if regional else rx.fragment(),
        rx.el.div(
            rx.el.button(
                rx.icon("search", size=14, aria_hidden="true", class_name="wp-search-icon"),
                rx.el.span("Search orders, phones, names, barcodes", class_name="wp-search-words"),
                rx.el.kbd("Ctrl K"),
                type="button",
                class_name="wp-search",
                aria_label="Search and commands",
                custom_attrs={"data-wp-action": "palette"},
            ),
            class_name="wp-bar-middle",
        ),
        rx.el.div(
            rx.cond(
                ShellState.freshness.text != "",
                rx.el.span(
                    shape(ShellState.freshness.tone),
                    rx.el.span(ShellState.freshness.text, class_name="wp-fresh-words"),
                    class_name="wp-fresh",
                    title=ShellState.freshness.title,
                ),
            ),
            rx.el.span(ShellState.environment, class_name="wp-env"),
            _bell(),
            _person_menu(),
            class_name="wp-bar-end",
        ),
        class_name="wp-bar",
    )


def _bell() -> rx.Component:
    return rx.cond(
        ShellState.permissions.contains("incidents:read"),
        bell(
            rows=BellState.rows,
            known=BellState.known,
            tone=BellState.tone,
            words=BellState.words,
            seconds=BELL_EVERY_S,
            on_beat=BellState.refresh,
            on_shift=BellState.shift,
        ),
    )


def _region_switcher() -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            rx.el.span("Region ", class_name="wp-muted wp-wide-only"),
            ShellState.region_path,
            rx.icon("chevron-down", size=14, aria_hidden="true"),
            class_name="wp-select",
            aria_label="Region: " + ShellState.region_path,
        ),
        rx.el.div(
            rx.foreach(
                ShellState.region_menu,
                lambda choice: rx.el.button(
                    rx.el.span(choice["name"]),
                    rx.el.span(choice["code"], class_name="wp-code"),
                    type="button",
                    on_click=ShellState.choose_region(choice["code"]),
                    class_name="wp-menu-row",
                    custom_attrs={
                        "data-depth": choice["depth"],
                        "aria-pressed": rx.cond(
                            ShellState.region == choice["code"], "true", "false"
                        ),
                    },
                ),
            ),
            class_name="wp-menu-list wp-region-list",
        ),
        class_name="wp-menu",
    )


def _person_menu() -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            ShellState.initials,
            class_name="wp-person",
            aria_label="You: " + ShellState.person,
        ),
        rx.el.div(
            rx.el.div(
                rx.el.strong(ShellState.person),
                rx.el.span(ShellState.roles, class_name="wp-muted"),
                class_name="wp-menu-head",
            ),
            rx.el.button(
                "Dark or light",
                rx.el.kbd("t"),
                type="button",
                class_name="wp-menu-row",
                custom_attrs={"data-wp-action": "theme"},
            ),
            rx.el.button(
                "Keyboard",
                rx.el.kbd("?"),
                type="button",
                class_name="wp-menu-row",
                custom_attrs={"data-wp-action": "keys"},
            ),
            link("Your sessions", to="/account", class_name="wp-menu-row"),
            rx.el.button(
                "Sign out",
                type="button",
                class_name="wp-menu-row",
                custom_attrs={"data-wp-action": "sign-out"},
            ),
            class_name="wp-menu-list wp-menu-right",
        ),
        class_name="wp-menu",
    )
