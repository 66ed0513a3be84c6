"""API tokens of operators and services, device tokens of drivers, and their fast look-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import repository
from backend.identity.audit import record
from backend.identity.changes import announce, memory_of
from backend.identity.models import TokenTable
from backend.identity.policy import Denied, authorize, current_policy, scopes
from backend.identity.rules import (
    API_PREFIX,
    DEVICE_PREFIX,
    digest_of,
    is_region_code,
    is_token_name,
    new_secret,
)
from backend.identity.schemas import ROLES, GrantScope, Principal, Token
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE, covers

DEVICE_TTL = timedelta(days=365)
_LONGEST_TOKEN = 200
# A new phone is tried out before the old one is put away, and a spare may be in the van.
_DEVICES_KEPT = 3


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `secret` is shown this once and kept nowhere."""

    id: UUID
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: datetime


async def issue_api_token(
    session: AsyncSession,
    principal: Principal,
    name: str,
    *,
    role: str | None = None,
    permissions: frozenset[str] = frozenset(),
    regions: tuple[str, ...] = (EVERYWHERE,),
    ttl: timedelta = timedelta(hours=8),
    secret: str | None = None,
) -> IssuedToken:
    """Make a token that acts by `role` or by named `permissions` in `regions`.

    Nobody hands out more than they hold: raises Denied for what the maker may not do, Invalid for
    an unknown role, permission, region or name. `secret` is for makers that must repeat an answer.
    """
    authorize(principal, "tokens:write")
    _check(name, role, permissions, regions)
    wanted = current_policy().permissions_of(role) if role else permissions
    for region in regions:
        for permission in ("tokens:write", *sorted(wanted)):
            authorize(principal, permission, region)
    row, secret = _new(principal, "service", name, ttl, secret or new_secret(API_PREFIX))
    row.role, row.permissions, row.regions = role, sorted(permissions), list(regions)
    return await _save(session, principal, row, secret)


async def issue_device_token(
    session: AsyncSession,
    principal: Principal,
    driver_id: UUID,
    region: str,
    *,
    secret: str | None = None,
) -> IssuedToken:
    """Make the token of a driver's phone; the two before it go on working, older ones stop.

    Needs `drivers:write` in the driver's region.
    """
    authorize(principal, "drivers:write", region)
    working = await repository.device_tokens_for_update(session, driver_id)
    for old in working[_DEVICES_KEPT - 1 :]:
        _revoke(session, principal, old)
    row, secret = _new(
        principal, "device", str(driver_id), DEVICE_TTL, secret or new_secret(DEVICE_PREFIX)
    )
    row.role, row.regions, row.driver_id = "device", [region], driver_id
    return await _save(session, principal, row, secret)


async def revoke_token(session: AsyncSession, principal: Principal, token_id: UUID) -> None:
    """Stop a token from working, in every process within a second."""
    authorize(principal, "tokens:write")
    row = await repository.token_for_update(session, token_id)
    if row is None or row.revoked_at is not None or not _sees(principal, row.regions):
        raise NotFound("There is no such token.")
    for region in row.regions:
        authorize(principal, "tokens:write", region)
    _revoke(session, principal, row)
    await record(
        session,
        principal,
        "token.revoked",
        f"token:{row.id}",
        region=row.regions[0],
        before={"name": row.name, "kind": row.kind, "hint": row.hint},
    )


async def stands_behind(session: AsyncSession, principal: Principal) -> str:
    """The id of who answers for the caller's deeds: the maker of a token, else the caller."""
    if principal.token_id is None:
        return principal.id
    return await repository.maker_of_token(session, principal.token_id) or principal.id


async def list_tokens(
    session: AsyncSession,
    principal: Principal,
    *,
    kind: str | None = None,
    driver_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Token]:
    """Tokens that are not revoked, newest first, in the caller's regions."""
    authorize(principal, "tokens:read")
    return await repository.tokens(
        session,
        kind=kind,
        driver_id=driver_id,
        regions=scopes(principal, "tokens:read"),
        after=after,
        limit=limit,
    )


async def principal_of_bearer(resources: Resources, token: str) -> Principal | None:
    """Who a token stands for, None if it is unknown, expired or revoked.

    Answers from this process's memory where it can: a microsecond, against a query.
    """
    if not token.startswith((API_PREFIX, DEVICE_PREFIX)) or len(token) > _LONGEST_TOKEN:
        return None
    digest = digest_of(token)
    key = f"token:{digest.hex()}"
    memory = memory_of(resources)
    await memory.confirm()
    known: _Known | None = memory.get(key)
    if known is None:
        generation = memory.generation
        known = await _load(resources, digest)
        if known is None:
            return None
        memory.put(key, known, generation)
    return known.principal if known.expires_at > clock.now() else None


async def _load(resources: Resources, digest: bytes) -> _Known | None:
    async with resources.database.unit_of_work() as session:
        row = await repository.token_by_digest(session, digest)
        if row is None or row.revoked_at is not None or row.expires_at <= clock.now():
            return None
        await repository.mark_used(session, [row.id], clock.now())
    return _Known(_principal(row), row.expires_at)


def _principal(row: TokenTable) -> Principal:
    if row.kind == "device":
        # A driver moves between regions; what binds the phone is the driver it belongs to.
        grants: tuple[GrantScope, ...] = (GrantScope("device", EVERYWHERE),)
        base = Principal("device", f"driver:{row.driver_id}", f"driver {row.driver_id}", grants)
        home = tuple(row.regions)
        return replace(base, regions=home, token_id=row.id, driver_id=row.driver_id)
    grants = tuple(GrantScope(row.role, region) for region in row.regions) if row.role else ()
    return Principal(
        kind="service",
        id=f"service:{row.name}",
        name=row.name,
        grants=grants,
        permissions=frozenset(row.permissions),
        regions=tuple(row.regions),
        token_id=row.id,
    )


def _check(
    name: str, role: str | None, permissions: frozenset[str], regions: tuple[str, ...]
) -> None:
    faults = []
    if not is_token_name(name):
        detail = "Lower-case letters, digits, dots, dashes; up to 63."
        faults.append(FieldError("/name", "bad_name", detail))
    if (role is None) == (not permissions):
        faults.append(FieldError("/role", "role_or_permissions", "Give a role or permissions."))
    if role is not None and role not in ROLES:
        faults.append(FieldError("/role", "unknown_role", f"There is no role {role}."))
    faults += [
        FieldError("/permissions", "unknown_permission", f"There is no permission {permission}.")
        for permission in sorted(permissions - current_policy().permissions)
    ]
    faults += [
        FieldError("/regions", "bad_region", f"{region} is not a region code.")
        for region in regions
        if not is_region_code(region)
    ]
    if not regions:
        faults.append(FieldError("/regions", "missing", "Name at least one region, or *."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


def _new(
    principal: Principal, kind: str, name: str, ttl: timedelta, secret: str
) -> tuple[TokenTable, str]:
    now = clock.now()
    row = TokenTable(
        id=uuid7(),
        kind=kind,
        name=name,
        digest=digest_of(secret),
        hint=secret[:8],
        permissions=[],
        regions=[],
        created_by=principal.id,
        created_by_name=principal.name,
        created_at=now,
        expires_at=now + ttl,
    )
    return row, secret


async def _save(
    session: AsyncSession, principal: Principal, row: TokenTable, secret: str
) -> IssuedToken:
    session.add(row)
    await session.flush()
    await record(
        session,
        principal,
        "token.issued",
        f"token:{row.id}",
        region=row.regions[0],
        after={
            "name": row.name,
            "kind": row.kind,
            "role": row.role,
            "permissions": row.permissions,
            "regions": row.regions,
            "expires_at": row.expires_at,
        },
    )
    return IssuedToken(row.id, secret, row.expires_at)


def _revoke(session: AsyncSession, principal: Principal, row: TokenTable) -> None:
    row.revoked_at, row.revoked_by = clock.now(), principal.id
    holder = f"driver:{row.driver_id}" if row.kind == "device" else f"service:{row.name}"
    announce(session, f"token:{row.digest.hex()}", holder)


def _sees(principal: Principal, regions: list[str]) -> bool:
    held = scopes(principal, "tokens:read")
    return any(covers(scope, region) for scope in held for region in regions)


__all__ = [
    "Denied",
    "IssuedToken",
    "issue_api_token",
    "issue_device_token",
    "list_tokens",
    "principal_of_bearer",
    "revoke_token",
    "stands_behind",
]
