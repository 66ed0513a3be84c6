"""The console's small shared pieces: links, tabs, and states by shape and word."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink


def link(*children: Any, to: str | rx.Var[str], **props: Any) -> rx.Component:
    """A link that changes the page without loading the document again."""
    return ReactRouterLink.create(*children, to=to, **props)


def tab_link(word: str, path: str, tab: str, shown: rx.Var[str]) -> rx.Component:
    """A tab that leads to `?tab=` of its page, the first one to the page itself."""
    return link(
        word,
        to=f"{path}?tab={tab}" if tab else path,
        class_name="wp-tab-link",
        custom_attrs={"aria-current": rx.cond(shown == tab, "page", "false")},
    )


def shape(tone: str | rx.Var[str]) -> rx.Component:
    """The mark that tells a state by shape and colour; put the word beside it."""
    return rx.el.span(class_name="wp-shape", custom_attrs={"data-tone": tone}, aria_hidden="true")


def state_word(tone: str | rx.Var[str], word: str | rx.Var[str]) -> rx.Component:
    """A state as shape and word."""
    return rx.el.span(shape(tone), rx.el.span(word), class_name="wp-state")
