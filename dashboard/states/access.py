"""Who holds which role where: find a person, give a role, take one back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import ROLES, Grant, GrantIn, Person
from backend.regions.service import in_place, place_words
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    form_text,
    iso,
    loads,
    uuid_or_none,
)
from dashboard.states.shell import EVERYWHERE, place_names, tell

PATH = "/admin/access"
_CSV = "/api/v1/persons.csv"
ROLE_CHOICES = tuple((role, role.replace("_", " ")) for role in ROLES)


class GrantRow(TypedDict):
    """One role a person holds."""

    id: str
    role: str
    region: str
    source: str
    reason: str
    given_by: str
    given_at: str
    ends_at: str
    mine_to_take: bool


class PersonRow(TypedDict):
    """One person of the list."""

    id: str
    name: str
    email: str
    seen_at: str
    holds: list[str]
    link: str


class AccessState(ListState, rx.State):
    """The access page."""

    text: str = ""
    persons: list[PersonRow] = []
    chosen_id: str = ""
    chosen_name: str = ""
    chosen_email: str = ""
    grants: list[GrantRow] = []
    taking: str = ""
    giving: bool = False
    may_write: bool = False

    @rx.event(background=True)
    @requires("access:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for: a search, a page, a chosen person."""
        async with self:
            self.text = text = self._asked("q")
            after, person = self._asked("after"), self._asked("person")
            names = await place_names(self)
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            found = await identity.list_persons(
                session,
                principal,
                text=text or None,
                after=uuid_or_none(after),
                limit=PAGE_ROWS,
            )
            chosen = next((each for each in found if str(each.id) == person), None)
            if person and chosen is None and (wanted := uuid_or_none(person)):
                everyone = await identity.list_persons(session, principal, limit=1_000)
                chosen = next((each for each in everyone if each.id == wanted), None)
            may_write = identity.may(principal, "access:write")
            mine = {
                grant.id: identity.may(principal, "access:write", grant.region)
                for grant in (chosen.grants if chosen else ())
            }
            async with self:
                kept = {"q": text}
                self.csv_link = address(_CSV, {"text": text})
                query = {**kept, "after": after}
                self.persons = [_person_row(each, query, names) for each in found]
                self._link_pages(kept, str(found[-1].id) if len(found) == PAGE_ROWS else "")
                self.chosen_id = str(chosen.id) if chosen else ""
                self.chosen_name = chosen.name if chosen else ""
                self.chosen_email = (chosen.email or "") if chosen else ""
                held = chosen.grants if chosen else ()
                self.grants = [_grant_row(grant, names, mine[grant.id]) for grant in held]
                self.taking = ""
                self.may_write = may_write
                self.ready = True

    @rx.event
    @requires("access:read")
    async def search(self, form: dict[str, Any]) -> EventSpec:
        """Put the search into the address."""
        return rx.redirect(address(PATH, {"q": form_text(form, "q")}), replace=True)

    @rx.event
    @requires("access:write")
    async def ask_why(self, grant_id: str) -> None:
        """Show the reason field of one role, or hide it again."""
        self.taking = "" if self.taking == grant_id else str(grant_id)

    @rx.event(background=True)
    @requires("access:write")
    async def give(self, form: dict[str, Any]) -> Any:
        """Give the chosen person a role."""
        async with self:
            if self.giving:
                return None
            self.giving = True
            person, names = self.chosen_id, await place_names(self)
        try:
            wanted = _wanted(form, person)
            async with gateway.open(self) as (session, principal):
                given = await identity.grant_role(session, principal, wanted)
        except (DomainError, ValidationError, ValueError) as error:
            async with self:
                self.giving = False
                await tell(self, "critical", _words(error))
            return None
        async with self:
            self.giving = False
            role = given.role.replace("_", " ")
            await tell(
                self, "good", f"{given.person_name} is now {role} {in_place(given.region, names)}."
            )
        return AccessState.load

    @rx.event(background=True)
    @requires("access:write")
    async def take(self, form: dict[str, Any]) -> Any:
        """Take a role back; its holder's consoles lose it within a second."""
        grant = uuid_or_none(form_text(form, "grant"))
        reason = form_text(form, "reason")
        try:
            if grant is None or len(reason) < 3:
                raise ValueError("Say why, in a few words.")
            async with gateway.open(self) as (session, principal):
                await identity.revoke_grant(session, principal, grant, reason)
        except (DomainError, ValueError) as error:
            async with self:
                await tell(self, "critical", _words(error))
            return None
        async with self:
            await tell(self, "good", "The role is taken back.")
        return AccessState.load


def _wanted(form: dict[str, Any], person: str) -> GrantIn:
    until = form_text(form, "until")
    ends = day_start(until, days=1) if until else None
    if until and ends is None:
        raise ValueError("The end is not a date.")
    return GrantIn.model_validate(
        {
            "person_id": person,
            "role": form_text(form, "role"),
            "region": form_text(form, "region"),
            "reason": form_text(form, "reason"),
            "expires_at": ends,
        }
    )


def _words(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.detail
    if isinstance(error, ValidationError):
        fields = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        if "reason" in fields:
            return "Say why, in a few words."
        return f"Please check: {', '.join(sorted(fields))}."
    return str(error)


def _person_row(person: Person, query: dict[str, str], names: Mapping[str, str]) -> PersonRow:
    held = sorted({_spoken(grant, names) for grant in person.grants})
    return {
        "id": str(person.id),
        "name": person.name,
        "email": person.email or "",
        "seen_at": iso(person.signed_in_at),
        "holds": held,
        "link": address(PATH, {**query, "person": str(person.id)}),
    }


def _spoken(grant: Grant, names: Mapping[str, str]) -> str:
    words = grant.role.replace("_", " ")
    if grant.region == EVERYWHERE:
        return words
    return f"{words} · {place_words([grant.region], names)}"


def _grant_row(grant: Grant, names: Mapping[str, str], may_take: bool) -> GrantRow:
    return {
        "id": str(grant.id),
        "role": grant.role.replace("_", " "),
        "region": place_words([grant.region], names),
        "source": grant.source,
        "reason": grant.reason,
        "given_by": grant.granted_by_name,
        "given_at": iso(grant.created_at),
        "ends_at": iso(grant.expires_at),
        "mine_to_take": may_take and grant.source == "console",
    }
