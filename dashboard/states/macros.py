"""Macros: texts to answer with, and what a ticket becomes with them."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.regions.service import place_words
from backend.support import service as support
from backend.support.settings_schemas import MacroIn, MacroOut
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves, tells
from dashboard.states.paging import ListState, form_text, iso, loads, uuid_or_none
from dashboard.states.shell import EVERYWHERE, place_names
from dashboard.states.support_words import KIND_WORDS
from dashboard.states.ticket_facts import becomes

THEN_CHOICES = (
    ("", "Stays as it is"),
    ("pending customer", "Waits on the customer"),
    ("pending third_party", "Waits on a third party"),
    ("solved", "Solved"),
)
PLACEHOLDERS = ("{customer}", "{number}", "{eta}", "{agent}", "{incident}")


class MacroRow(TypedDict):
    """One macro."""

    id: str
    name: str
    text: str
    about: str
    place: str
    then: str
    changed: str
    at: str


class MacrosState(ListState, FormState, rx.State):
    """The tab of macros."""

    rows: list[MacroRow] = []
    may_configure: bool = False
    form_id: str = ""
    form: dict[str, str] = {}
    _kept: dict[str, MacroOut] = {}

    @rx.event(background=True)
    @requires("escalations:read")
    @loads
    async def load(self) -> None:
        """Show all macros of the person's regions."""
        async with self:
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            found = await support.list_macros(session, principal)
            may_configure = identity.may(principal, "escalations:configure")
        async with self:
            self.rows = [macro_row(each, names) for each in found]
            self._kept = {str(each.id): each for each in found}
            self.may_configure = may_configure
            self.fault, self.ready = "", True

    @rx.event
    @requires("escalations:configure")
    async def begin(self, macro_id: str) -> None:
        """Open the form of a macro, or of a new one."""
        kept = self._kept.get(str(macro_id))
        self.form_id = str(kept.id) if kept else ""
        self.form = {
            "name": kept.name if kept else "",
            "text": kept.text if kept else "",
            "region": kept.region if kept else EVERYWHERE,
            "kind": (kept.kind or "") if kept else "",
            "then": becomes(kept) if kept else "",
        }
        self.open, self.form_fault, self.working = True, "", False

    @rx.event
    @requires("escalations:read")
    async def leave(self) -> None:
        """Close the form."""
        self.open = False

    @rx.event(background=True)
    @requires("escalations:configure")
    @saves
    async def save(self, form: dict[str, Any]) -> str:
        """Keep the macro."""
        async with self:
            kept = self._kept.get(self.form_id)
        then, _, on = form_text(form, "then").partition(" ")
        wanted = MacroIn.model_validate(
            {
                "id": kept.id if kept else None,
                "seen_version": kept.version if kept else None,
                "name": form_text(form, "name"),
                "text": form_text(form, "text"),
                "region": form_text(form, "region") or EVERYWHERE,
                "kind": form_text(form, "kind") or None,
                "then": then or None,
                "waiting_on": on or None,
            }
        )
        async with gateway.open(self) as (session, principal):
            await support.save_macro(session, principal, wanted)
        return ""

    @rx.event(background=True)
    @requires("escalations:configure")
    @tells
    async def remove(self, macro_id: str) -> str:
        """Forget a macro."""
        wanted = uuid_or_none(str(macro_id))
        if wanted is not None:
            async with gateway.open(self) as (session, principal):
                await support.remove_macro(session, principal, wanted)
        return ""


def macro_row(each: MacroOut, names: dict[str, str]) -> MacroRow:
    """A macro in words."""
    return {
        "id": str(each.id),
        "name": each.name,
        "text": each.text,
        "about": KIND_WORDS[each.kind] if each.kind else "any kind",
        "place": place_words([each.region], names),
        "then": dict(THEN_CHOICES).get(becomes(each), str(each.then)).lower(),
        "changed": each.changed_by_name,
        "at": iso(each.changed_at),
    }
