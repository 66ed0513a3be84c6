"""The drawer in which an incident is acted on: what is asked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentFilter
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.incident import IncidentState
from dashboard.states.incident_deeds import (
    ASKED,
    KINDS,
    TITLES,
    Asked,
    Wanted,
    carry_out,
)
from dashboard.states.incident_words import PATH, SEVERITY_WORDS
from dashboard.states.paging import uuid_or_none
from dashboard.states.shell import EVERYWHERE, RegionChoice, ShellState, tell


class Choice(TypedDict):
    """One thing to choose."""

    value: str
    word: str
    hint: str


class IncidentActsState(rx.State):
    """The drawer of the incident's page."""

    open: bool = False
    key: str = ""
    title: str = ""
    hint: str = ""
    asks: Asked = ASKED["acknowledge"]
    choices: list[Choice] = []
    regions: list[RegionChoice] = []
    working: bool = False
    fault: str = ""
    serial: int = 0
    noted: int = 0
    reviewed: int = 0

    @rx.event(background=True)
    @requires("incidents:write")
    async def begin(self, key: str) -> Any:
        """Open the drawer of a deed, or do at once what asks nothing."""
        if not isinstance(key, str) or key not in ASKED:
            return
        if not ASKED[key]["form"]:
            await self._carry_out(key, {})
            return
        async with self:
            shell = await self.get_state(ShellState)
            page = await self.get_state(IncidentState)
            regions = places(shell.region_choices, page._regions, cities=key.endswith("_matching"))
            own, alerts, person = page._id, dict(page._alerts), page._person
        choices = await self._choices(key, own, alerts, person)
        async with self:
            self.key, self.asks = key, ASKED[key]
            self.title, self.hint = TITLES[key]
            self.choices, self.regions = choices, regions
            self.fault, self.working, self.open = "", False, True

    async def _choices(
        self, key: str, own: str, alerts: Mapping[str, str], person: str
    ) -> list[Choice]:
        """What a deed lets the person choose from."""
        if key == "set_severity":
            return [_choice(each, each, words) for each, words in SEVERITY_WORDS.items()]
        if key == "set_kind":
            return [_choice(each, each.replace("_", " "), "") for each in KINDS]
        if key == "split":
            return [_choice(alert, title, "") for alert, title in alerts.items()]
        if key == "merge":
            async with gateway.open(self) as (session, principal):
                page = await incidents.list_incidents(session, principal, IncidentFilter())
            return [
                _choice(str(each.id), f"{each.number} {each.title}", each.severity)
                for each in page.items
                if str(each.id) != own
            ]
        if key == "set_role":
            async with gateway.open(self) as (session, principal):
                on_call = await incidents.who_is_on_call(session, principal)
            others = {each.person.person_id: each for each in on_call}
            return [
                _choice(person, "Yourself", ""),
                *(
                    _choice(each.person.person_id, each.person.name, f"on call, {each.schedule}")
                    for other, each in others.items()
                    if other != person
                ),
            ]
        return []

    @rx.event
    @requires("incidents:read")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event(background=True)
    @requires("incidents:write")
    async def act(self, form: dict[str, Any]) -> Any:
        """Do what the drawer asks about."""
        async with self:
            key = self.key
            if self.working or not self.open:
                return None
        return await self._carry_out(key, form)

    @rx.event(background=True)
    @requires("incidents:write")
    async def take(self, role: str) -> Any:
        """Take a part in the incident oneself."""
        if role not in ("commander", "responder", "communicator"):
            return None
        async with self:
            page = await self.get_state(IncidentState)
            person = page._person
        return await self._carry_out("set_role", {"role": role, "person": person})

    @rx.event(background=True)
    @requires("incidents:write")
    async def drop(self, role: str, person: str) -> Any:
        """Take a part from somebody."""
        return await self._carry_out(
            "set_role", {"role": str(role), "person": str(person), "remove": "yes"}
        )

    @rx.event(background=True)
    @requires("incidents:write")
    async def note(self, form: dict[str, Any]) -> Any:
        """Write into the story."""
        return await self._carry_out("add_note", form)

    @rx.event(background=True)
    @requires("incidents:write")
    async def review(self, form: dict[str, Any]) -> Any:
        """Save the review."""
        return await self._carry_out("save_review", form)

    async def _carry_out(self, key: str, form: Mapping[str, Any]) -> Any:
        """Do it as the page shows the incident; what has moved on since is refused with why."""
        async with self:
            page = await self.get_state(IncidentState)
            incident, seen = uuid_or_none(page._id), page._version
            names = {choice["value"]: choice["word"] for choice in self.choices}
            people = {each["id"]: each["name"] for each in page.people}
            if incident is None or self.working:
                return None
            self.working, self.fault = True, ""
        wanted = Wanted(incident, seen, form, {**names, **people})
        fault, said = "", ""
        elsewhere = ""
        try:
            async with gateway.open(self) as (session, principal):
                said, elsewhere = await carry_out(key, session, principal, wanted)
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
        except DomainError as error:
            fault = error.detail
        finally:
            async with self:
                self.working = False
        async with self:
            if fault and self.open:
                self.fault = fault
            elif fault:
                await tell(self, "critical", fault)
            else:
                self.open = False
                self.noted += key == "add_note"
                self.reviewed += key == "save_review"
                if said:
                    await tell(self, "good", said)
            # Also after a refusal: the page then shows what was done meanwhile.
            self.serial += 1
        return rx.redirect(f"{PATH}/{elsewhere}") if elsewhere else None


def _choice(value: str, word: str, hint: str) -> Choice:
    return {"value": value, "word": word, "hint": hint}


def places(
    known: list[RegionChoice], within: list[str], *, cities: bool = False
) -> list[RegionChoice]:
    """The regions at or below those of an incident, of which `cities` keeps the cities."""

    def inside(code: str) -> bool:
        return any(
            each in (EVERYWHERE, code) or code.startswith((f"{each}-", f"{each}."))
            for each in within
        )

    return [
        choice
        for choice in known
        if choice["code"] != EVERYWHERE and inside(choice["code"])
        if not cities or ("-" in choice["code"] and "." not in choice["code"])
    ]
