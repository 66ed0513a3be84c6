"""The palette's search as a part of a page."""

from __future__ import annotations

import reflex as rx

from dashboard.components.frame_parts import search_box
from dashboard.states.search import SearchState


def search_part(label: str = "Search") -> rx.Component:
    """A box that finds what the palette finds, each with why, and leads to it."""
    return search_box(
        label=label,
        placeholder="Number, phone's last digits, name, reference, barcode or plate",
        found=SearchState.found,
        found_for=SearchState.found_for,
        on_find=SearchState.find,
    )
