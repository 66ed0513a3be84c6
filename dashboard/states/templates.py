"""The templates of messages, as they read in every language."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx

from backend.notifications import service as notifications
from backend.notifications.message_schemas import TemplateOut
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.message_words import PATH, TEMPLATES
from dashboard.states.paging import ListState, address, loads


class TemplateRow(TypedDict):
    """One template, and what may be said about it in a line."""

    key: str
    word: str
    note: str
    link: str
    on: bool


class Preview(TypedDict):
    """A template in one language."""

    code: str
    language: str
    text: str


class TemplatesState(ListState, rx.State):
    """The template that the address names, in all languages."""

    templates: list[TemplateRow] = []
    chosen: str = ""
    word: str = ""
    params: str = ""
    previews: list[Preview] = []

    @rx.event(background=True)
    @requires("messages:read")
    @loads
    async def load(self) -> None:
        """Show the templates, and one of them as customers read it."""
        async with self:
            asked, self.fault = self._asked("template"), ""
            if self._asked("tab") != "templates":
                return
        # Nothing of this is in a store; the caller's session is verified all the same.
        await gateway.principal_of(self)
        known = {each.key.value: each for each in notifications.list_templates()}
        chosen = asked if asked in known else next(iter(known))
        names = notifications.languages()
        previews: list[Preview] = [
            {
                "code": code,
                "language": name,
                "text": notifications.preview_template(chosen, code, {}),
            }
            for code, name in names.items()
        ]
        async with self:
            self.templates = [_row(each, chosen) for each in known.values()]
            self.chosen, self.word = chosen, TEMPLATES[chosen]
            self.params = ", ".join(known[chosen].params)
            self.previews, self.ready = previews, True


def _row(each: TemplateOut, chosen: str) -> TemplateRow:
    notes = ("comes at night too" if each.urgent else "", "may be muted" if each.mutable else "")
    return {
        "key": each.key.value,
        "word": TEMPLATES[each.key],
        "note": ", ".join(filter(None, notes)) or "always sent",
        "link": address(PATH, {"tab": "templates", "template": each.key.value}),
        "on": each.key.value == chosen,
    }
