"""The console's small shared pieces: links, state shapes, tiles, empty and loading states."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink


def link(*children: Any, to: str | rx.Var[str], **props: Any) -> rx.Component:
    """A link that changes the page without loading the document again."""
    return ReactRouterLink.create(*children, to=to, **props)


def shape(tone: str | rx.Var[str]) -> rx.Component:
    """The mark that tells a state by shape and colour; put the word beside it."""
    return rx.el.span(class_name="wp-shape", custom_attrs={"data-tone": tone}, aria_hidden="true")


def state_word(tone: str | rx.Var[str], word: str | rx.Var[str]) -> rx.Component:
    """A state as shape and word."""
    return rx.el.span(shape(tone), rx.el.span(word), class_name="wp-state")
