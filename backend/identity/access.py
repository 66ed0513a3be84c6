"""Persons and what they may: grants from the directory and grants given in the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import repository
from backend.identity.audit import record
from backend.identity.changes import announce, memory_of
from backend.identity.models import GrantTable, PersonTable
from backend.identity.policy import authorize, current_policy, may, scopes
from backend.identity.rules import is_region_code
from backend.identity.schemas import (
    ROLES,
    SYSTEM,
    Grant,
    GrantIn,
    GrantScope,
    Person,
    PolicyRow,
    Principal,
)
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE, covers

DIRECTORY = "entra"
CONSOLE = "console"


class HeldThroughDirectory(Conflict):
    """The role comes from the directory and would be back at the next sign-in."""

    code = "held_through_directory"
    title = "This role is assigned in Entra ID; remove the app role there"


class AlreadyHeld(Conflict):
    """The person holds this role in this region."""

    def __init__(self, holder: str, role: str, region: str, called: str | None = None) -> None:
        place = "everywhere" if region == EVERYWHERE else f"in {called or region}"
        super().__init__(f"{holder} already holds {role} {place}.")
        self.holder = holder
        self.role = role
        self.region = region

    def told(self, names: Mapping[str, str]) -> AlreadyHeld:
        """The same for people, who know role and region by their names."""
        role = self.role.replace("_", " ")
        return AlreadyHeld(self.holder, role, self.region, names.get(self.region))


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """Who the directory says has signed in."""

    tenant_id: str
    object_id: str
    name: str
    email: str | None
    grants: tuple[GrantScope, ...]


async def enrol(session: AsyncSession, person: DirectoryPerson) -> tuple[UUID, list[Grant]]:
    """Bring person and directory grants up to date at sign-in; all grants held now."""
    now = clock.now()
    row = PersonTable(
        id=uuid7(),
        tenant_id=person.tenant_id,
        object_id=person.object_id,
        name=person.name,
        email=person.email,
        created_at=now,
        signed_in_at=now,
    )
    person_id = await repository.upsert_person(session, row)
    await repository.close_expired(session, person_id, now)
    held = await repository.grants_of(session, [person_id], now)
    from_directory = {
        GrantScope(grant.role, grant.region): grant for grant in held if grant.source == DIRECTORY
    }
    for scope in set(person.grants) - set(from_directory):
        session.add(_directory_grant(person_id, scope, now))
    for scope, grant in from_directory.items():
        if scope not in person.grants:
            gone = await repository.grant_for_update(session, grant.id)
            if gone is not None:
                gone.revoked_at, gone.revoked_by = now, SYSTEM.id
    if set(person.grants) != set(from_directory):
        await session.flush()
        await record(
            session,
            SYSTEM,
            "grants.synchronised",
            f"user:{person_id}",
            before=sorted(from_directory),
            after=sorted(person.grants),
            reason="app roles at sign-in",
        )
        announce(session, f"user:{person_id}")
    return person_id, await repository.grants_of(session, [person_id], now)


def _directory_grant(person_id: UUID, scope: GrantScope, now: datetime) -> GrantTable:
    return GrantTable(
        id=uuid7(),
        person_id=person_id,
        role=scope.role,
        region=scope.region,
        source=DIRECTORY,
        reason="app role in Entra ID",
        granted_by=SYSTEM.id,
        granted_by_name="Entra ID",
        created_at=now,
    )


async def grants_of_person(resources: Resources, person_id: UUID) -> tuple[GrantScope, ...]:
    """What the person holds at this moment, remembered until it changes."""
    key = f"user:{person_id}"
    memory = memory_of(resources)
    await memory.confirm()
    held: list[tuple[GrantScope, datetime | None]] | None = memory.get(key)
    now = clock.now()
    if held is None:
        generation = memory.generation
        async with resources.database.unit_of_work() as session:
            rows = await repository.grants_of(session, [person_id], now)
        held = [(GrantScope(row.role, row.region), row.expires_at) for row in rows]
        memory.put(key, held, generation)
    return tuple(dict.fromkeys(scope for scope, ends in held if ends is None or ends > now))


async def person_now(session: AsyncSession, who: str) -> Principal | None:
    """A person by their principal's id with what they hold at this moment; None for a program."""
    kind, _, named = who.partition(":")
    try:
        person_id = UUID(named)
    except ValueError:
        return None
    if kind != "user":
        return None
    row = await repository.person(session, person_id)
    held = await repository.grants_of(session, [person_id], clock.now())
    grants = tuple(GrantScope(grant.role, grant.region) for grant in held)
    return Principal("user", who, row.name if row is not None else who, grants)


async def list_grants(
    session: AsyncSession, principal: Principal, *, after: UUID | None = None, limit: int = 50
) -> list[Grant]:
    """Active grants in the caller's regions, newest first."""
    authorize(principal, "access:read")
    regions = scopes(principal, "access:read")
    return await repository.grants(session, clock.now(), regions=regions, after=after, limit=limit)


async def list_persons(
    session: AsyncSession,
    principal: Principal,
    *,
    text: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Person]:
    """Persons by name or e-mail, each with the grants the caller may see.

    Whoever manages access in one region finds everyone by name, for they may need a role there.
    """
    authorize(principal, "access:read")
    rows = await repository.persons(session, text, after, limit)
    held = await repository.grants_of(session, [row.id for row in rows], clock.now())
    return [
        repository.describe_person(
            row,
            [
                grant
                for grant in held
                if grant.person_id == row.id and may(principal, "access:read", grant.region)
            ],
        )
        for row in rows
    ]


async def grant_role(session: AsyncSession, principal: Principal, wanted: GrantIn) -> Grant:
    """Give a role in a region; needs `access:write` there, and never to oneself."""
    _check(wanted)
    authorize(principal, "access:write", wanted.region)
    if principal.id == f"user:{wanted.person_id}":
        raise Forbidden("Someone else has to give you a role.")
    holder = await repository.person(session, wanted.person_id)
    if holder is None:
        raise NotFound("There is no such person.")
    now = clock.now()
    await repository.close_expired(session, wanted.person_id, now)
    row = GrantTable(
        id=uuid7(),
        source=CONSOLE,
        granted_by=principal.id,
        granted_by_name=principal.name,
        created_at=now,
        **wanted.model_dump(),
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise AlreadyHeld(holder.name, wanted.role, wanted.region) from error
    announce(session, f"user:{holder.id}")
    await record(
        session,
        principal,
        "grant.given",
        f"user:{holder.id}",
        region=wanted.region,
        after={"person": holder.name, "role": wanted.role, "expires_at": wanted.expires_at},
        reason=wanted.reason,
    )
    found = await repository.grants_of(session, [holder.id], now)
    return next(grant for grant in found if grant.id == row.id)


async def revoke_grant(
    session: AsyncSession, principal: Principal, grant_id: UUID, reason: str
) -> None:
    """Take a role back; open sessions lose it within a second."""
    authorize(principal, "access:write")
    row = await repository.grant_for_update(session, grant_id)
    if row is None or not may(principal, "access:read", row.region):
        raise NotFound("There is no such grant.")
    authorize(principal, "access:write", row.region)
    if row.source == DIRECTORY:
        raise HeldThroughDirectory
    row.revoked_at, row.revoked_by = clock.now(), principal.id
    announce(session, f"user:{row.person_id}")
    await record(
        session,
        principal,
        "grant.revoked",
        f"user:{row.person_id}",
        region=row.region,
        before={"role": row.role, "region": row.region, "expires_at": row.expires_at},
        reason=reason,
    )


def list_policies(principal: Principal) -> list[PolicyRow]:
    """Every permission of every role, with the included role that brings it."""
    authorize(principal, "policies:read")
    policy = current_policy()
    rows = []
    for role in policy.roles:
        for source in _closure(role, policy.includes):
            through = None if source == role else source
            rows += [
                PolicyRow(role, line.permission, line.region, line.allows, through)
                for line in policy.lines
                if line.subject == f"role:{source}"
            ]
    return rows


def _closure(role: str, includes: dict[str, tuple[str, ...]]) -> list[str]:
    found = [role]
    for name in found:
        found += [inner for inner in includes.get(name, ()) if inner not in found]
    return found


def _check(wanted: GrantIn) -> None:
    faults = []
    if wanted.role not in ROLES:
        faults.append(FieldError("/role", "unknown_role", f"There is no role {wanted.role}."))
    if not is_region_code(wanted.region):
        detail = f"{wanted.region} is not a region code."
        faults.append(FieldError("/region", "bad_region", detail))
    if wanted.expires_at is not None and wanted.expires_at <= clock.now() + timedelta(minutes=1):
        faults.append(FieldError("/expires_at", "in_past", "The end has to lie ahead."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


def persons_seen(
    principal: Principal, permission: str, held: Sequence[Grant], person_ids: Sequence[UUID]
) -> set[UUID]:
    """Of `person_ids`, those with a grant in a region where the caller holds `permission`."""
    regions = scopes(principal, permission)
    if EVERYWHERE in regions:
        return set(person_ids)
    return {
        grant.person_id for grant in held if any(covers(code, grant.region) for code in regions)
    }
