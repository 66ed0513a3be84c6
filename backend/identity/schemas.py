"""What identity tells the rest of the system and the outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, RootModel

from backend.identity.roles import ROLES, GrantScope, Role

__all__ = [
    "ROLES",
    "SYSTEM",
    "AuditCheck",
    "AuditEntry",
    "AuditFilter",
    "Grant",
    "GrantIn",
    "GrantOut",
    "GrantScope",
    "Kind",
    "Me",
    "Page",
    "Person",
    "PolicyRow",
    "Principal",
    "RevealCount",
    "Revocation",
    "Role",
    "SavedView",
    "SessionInfo",
    "Token",
    "TokenIn",
    "TokenOut",
]

Item = TypeVar("Item")

Kind = Literal["user", "service", "device", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: a person in a session, an integration, a driver's device, or Waypost itself.

    `id` is `user:<uuid>`, `service:<name>`, `driver:<uuid>` or `system`. Persons and role tokens
    act by `grants`; an integration's token may name `permissions` that hold in `regions` instead.
    """

    kind: Kind
    id: str
    name: str
    grants: tuple[GrantScope, ...] = ()
    permissions: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    session_id: str | None = None
    token_id: UUID | None = None
    address: str | None = None
    driver_id: UUID | None = None


SYSTEM = Principal(kind="system", id="system", name="Waypost")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of the company who has signed in at least once."""

    id: UUID
    name: str
    email: str | None
    signed_in_at: datetime | None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held by a person in a region; `source` is `entra` or `console`."""

    id: UUID
    person_id: UUID
    person_name: str
    role: str
    region: str
    source: str
    reason: str
    granted_by: str
    granted_by_name: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """What is shown of a token after it was made; never its secret."""

    id: UUID
    kind: str
    name: str
    hint: str
    role: str | None
    permissions: tuple[str, ...]
    regions: tuple[str, ...]
    driver_id: UUID | None
    created_by_name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SavedView:
    """A person's own name for what a page's address asks for; `query` without question mark."""

    id: UUID
    page: str
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One sign-in that is still alive; `id` is the digest of the cookie, safe to show."""

    id: str
    person_id: UUID
    name: str
    email: str | None
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit trail."""

    seq: int
    id: UUID
    at: datetime
    actor: str
    actor_name: str
    session_id: str | None
    address: str | None
    action: str
    outcome: str
    object: str
    region: str | None
    before: Any
    after: Any
    reason: str | None
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show of the audit trail; an empty field asks nothing."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    region: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The result of walking the audit chain; `broken_seq` is None when every seal holds."""

    checked: int
    broken_seq: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """Something open must be closed: one session, or all of a principal's connections."""

    principal_id: str
    session_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One line of the policy file, with the role that brings it in."""

    role: str
    permission: str
    region: str
    allows: bool
    through: str | None


class GrantIn(BaseModel):
    """A role to give."""

    person_id: UUID
    role: Role
    region: str = Field(examples=["TH-10"])
    reason: str = Field(min_length=3, max_length=500)
    expires_at: AwareDatetime | None = None


class GrantOut(RootModel[Grant]):
    """A grant as an answer."""


class TokenIn(BaseModel):
    """A token to make: a role or named permissions, in regions, for a time."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", examples=["marketplace-th"])
    role: Role | None = None
    permissions: list[str] = Field(default_factory=list, max_length=50)
    regions: list[str] = Field(default_factory=lambda: ["*"], min_length=1, max_length=50)
    ttl_s: int = Field(default=8 * 3600, ge=60, le=400 * 86_400)


class TokenOut(BaseModel):
    """A token just made; `token` is shown this once."""

    id: UUID
    name: str
    token: str
    expires_at: datetime


class Me(BaseModel):
    """The caller as the system sees it."""

    id: str
    kind: Kind
    name: str
    grants: list[GrantScope]
    permissions: dict[str, list[str]]


class Page(BaseModel, Generic[Item]):
    """One page of a list and the cursor of the next, None at the end."""

    items: list[Item]
    next_cursor: str | None = None


class RevealCount(BaseModel):
    """How many unmasked fields a person has looked at in the last hour, and may."""

    used: int
    limit: int
