"""API and device tokens: make one, see what they are used for, revoke one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import ROLES, Token
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    form_text,
    iso,
    loads,
    uuid_or_none,
    uuids,
)
from dashboard.states.shell import EVERYWHERE, place_names, tell

PATH = "/admin/tokens"
_CSV = "/api/v1/tokens.csv"
SECRET_FIELD = "token-secret"  # noqa: S105 - the name of a field
ROLE_CHOICES = (
    ("", "Named permissions below"),
    *((role, role.replace("_", " ")) for role in ROLES),
)
LIFETIMES = (
    ("8", "8 hours"),
    ("24", "1 day"),
    ("168", "7 days"),
    ("720", "30 days"),
    ("2160", "90 days"),
    ("8760", "1 year"),
)
KINDS = (("service", "Services"), ("device", "Devices"), ("all", "All kinds"))


class TokenRow(TypedDict):
    """One token."""

    id: str
    kind: str
    name: str
    hint: str
    may: str
    places: str
    made_by: str
    made_at: str
    ends_at: str
    used_at: str


class TokensState(ListState, rx.State):
    """The tokens page."""

    kind: str = "service"
    rows: list[TokenRow] = []
    grantable: list[str] = []
    may_write: bool = False
    making: bool = False
    shows_secret: bool = False
    made_name: str = ""
    revoking: str = ""

    @rx.event(background=True)
    @requires("tokens:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            kind = self._asked("kind")
            kind = kind if kind in ("device", "all") else "service"
            after, names = self._asked("after"), await place_names(self)
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            found = await identity.list_tokens(
                session,
                principal,
                kind=None if kind == "all" else kind,
                after=uuid_or_none(after),
                limit=PAGE_ROWS,
            )
            may_write = identity.may(principal, "tokens:write")
            grantable = sorted(
                name
                for name in identity.current_policy().permissions
                if identity.may(principal, name)
            )
        async with self:
            self.kind = kind
            self.csv_link = address(_CSV, {"kind": "" if kind == "all" else kind})
            self.rows = [_row(token, names) for token in found]
            self._link_pages({"kind": kind}, str(found[-1].id) if len(found) == PAGE_ROWS else "")
            self.may_write = may_write
            self.grantable = grantable
            self.revoking = ""
            self.ready = True

    @rx.event
    @requires("tokens:read")
    async def arrive(self) -> Any:
        """Open the page; a secret shown before is gone."""
        self.shows_secret = False
        self.made_name = ""
        return TokensState.load

    @rx.event
    @requires("tokens:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filter into the address."""
        return rx.redirect(address(PATH, {"kind": form_text(form, "kind")}), replace=True)

    @rx.event(background=True)
    @requires("tokens:write")
    async def make(self, form: dict[str, Any]) -> Any:
        """Make a token and show its secret once; the secret never enters the state."""
        async with self:
            if self.making:
                return
            self.making = True
        role = form_text(form, "role")
        named = {
            name.removeprefix("may-")
            for name, value in form.items()
            if name.startswith("may-") and value
        }
        hours = form_text(form, "hours")
        try:
            async with gateway.open(self) as (session, principal):
                issued = await identity.issue_api_token(
                    session,
                    principal,
                    form_text(form, "name"),
                    role=role or None,
                    permissions=frozenset() if role else frozenset(named),
                    regions=(form_text(form, "region") or EVERYWHERE,),
                    ttl=timedelta(hours=int(hours) if hours.isdigit() else 8),
                )
        except DomainError as error:
            async with self:
                self.making = False
                await tell(self, "critical", error.detail)
            return
        async with self:
            self.making = False
            self.shows_secret = True
            self.made_name = form_text(form, "name")
        yield rx.set_value(SECRET_FIELD, issued.secret)
        yield TokensState.load

    @rx.event
    @requires("tokens:write")
    async def forget_secret(self) -> Any:
        """Hide the secret for good."""
        self.shows_secret = False
        self.made_name = ""
        return rx.set_value(SECRET_FIELD, "")

    @rx.event
    @requires("tokens:write")
    async def ask_revoke(self, token_id: str) -> None:
        """Ask once more before revoking, or stop asking."""
        self.revoking = "" if self.revoking == token_id else str(token_id)

    @rx.event(background=True)
    @requires("tokens:write")
    async def revoke_chosen(self, action: str, token_ids: list[str]) -> Any:
        """Stop the chosen tokens from working, all or none."""
        wanted = uuids(token_ids)
        if action != "revoke" or not wanted:
            return None
        try:
            async with gateway.open(self) as (session, principal):
                for token_id in wanted:
                    await identity.revoke_token(session, principal, token_id)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", f"{len(wanted)} tokens no longer work.")
        return TokensState.load

    @rx.event(background=True)
    @requires("tokens:write")
    async def revoke(self, token_id: str) -> Any:
        """Stop a token from working everywhere."""
        wanted = uuid_or_none(str(token_id))
        if wanted is None:
            return None
        try:
            async with gateway.open(self) as (session, principal):
                await identity.revoke_token(session, principal, wanted)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return None
        async with self:
            await tell(self, "good", "The token no longer works.")
        return TokensState.load


def _row(token: Token, names: Mapping[str, str]) -> TokenRow:
    return {
        "id": str(token.id),
        "kind": token.kind,
        "name": token.name if token.kind == "service" else f"phone of driver …{token.name[-6:]}",
        "hint": f"{token.hint}…",
        "may": (token.role or "").replace("_", " ") or ", ".join(token.permissions),
        "places": place_words(token.regions, names) if token.regions else "",
        "made_by": token.created_by_name,
        "made_at": iso(token.created_at),
        "ends_at": iso(token.expires_at),
        "used_at": iso(token.used_at),
    }
