"""What each role may do, and who may do something somewhere."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import ROLES, GrantScope, PolicyRow, Principal
from backend.regions.service import in_place, place_words
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.paging import ListState, address, form_text, loads
from dashboard.states.shell import EVERYWHERE, place_names

PATH = "/admin/policies"
_GRANTS_AT_MOST = 1_000


class PermissionRow(TypedDict):
    """One permission and, per role, how it is held: `direct`, the role it comes through, or not."""

    permission: str
    object: str
    first: bool
    cells: list[str]


class HolderRow(TypedDict):
    """Someone who may do what was asked."""

    name: str
    role: str
    place: str
    ends: str


class PoliciesState(ListState, rx.State):
    """The policies page."""

    roles: list[str] = [role.replace("_", " ") for role in ROLES]
    rows: list[PermissionRow] = []
    permissions: list[str] = []
    version: str = ""
    asked_permission: str = ""
    asked_region: str = ""
    asked_where: str = ""
    answer_roles: str = ""
    holders: list[HolderRow] = []
    sees_people: bool = False

    @rx.event(background=True)
    @requires("policies:read")
    @loads
    async def load(self) -> None:
        """Show the matrix, and the answer to the question in the address."""
        async with self:
            permission, region = self._asked("permission"), self._asked("region") or EVERYWHERE
            names = await place_names(self)
            self.fault = ""
        async with gateway.open(self) as (session, principal):
            policy = identity.list_policies(principal)
            rows = matrix(policy)
            known = [row["permission"] for row in rows]
            permission = permission if permission in known else ""
            sees_people = identity.may(principal, "access:read")
            holders: list[HolderRow] = []
            if permission and sees_people:
                grants = await identity.list_grants(session, principal, limit=_GRANTS_AT_MOST)
                holders = [
                    {
                        "name": grant.person_name,
                        "role": grant.role.replace("_", " "),
                        "place": place_words([grant.region], names),
                        "ends": grant.expires_at.isoformat() if grant.expires_at else "",
                    }
                    for grant in grants
                    if holds(GrantScope(grant.role, grant.region), permission, region)
                ]
        with_it = [role for role in ROLES if holds(GrantScope(role, region), permission, region)]
        async with self:
            self.rows = rows
            self.permissions = known
            self.version = identity.current_policy().version
            self.asked_permission, self.asked_region = permission, region
            self.asked_where = in_place(region, names)
            self.answer_roles = ", ".join(role.replace("_", " ") for role in with_it) or "no role"
            self.holders = sorted(holders, key=lambda row: row["name"])
            self.sees_people = sees_people
            self.ready = True

    @rx.event
    @requires("policies:read")
    async def ask(self, form: dict[str, Any]) -> EventSpec:
        """Put the question into the address."""
        query = {name: form_text(form, name) for name in ("permission", "region")}
        return rx.redirect(address(PATH, query), replace=True)


def holds(grant: GrantScope, permission: str, region: str) -> bool:
    """Whether somebody with this one grant may do it there."""
    if not permission:
        return False
    someone = Principal(kind="user", id="user:asked", name="", grants=(grant,))
    return identity.may(someone, permission, region)


def matrix(policy: list[PolicyRow]) -> list[PermissionRow]:
    """One row per permission, ordered by object; one cell per role of `ROLES`."""
    held = {
        (row.permission, row.role): row.through.replace("_", " ") if row.through else "direct"
        for row in sorted(policy, key=lambda each: each.through is None)
        if row.allows
    }
    rows: list[PermissionRow] = []
    previous = ""
    for permission in sorted({row.permission for row in policy}):
        about = permission.partition(":")[0]
        cells = [held.get((permission, role), "") for role in ROLES]
        rows.append(
            {
                "permission": permission,
                "object": about,
                "first": about != previous,
                "cells": cells,
            }
        )
        previous = about
    return rows
