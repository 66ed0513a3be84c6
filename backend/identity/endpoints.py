"""The HTTP doorways of access, tokens, sessions and the audit trail, under `/api/v1`."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from backend.identity import access, audit, sessions, tokens
from backend.identity.callers import Caller, Requirement, caller, identify, requires
from backend.identity.policy import current_policy, scopes
from backend.identity.rules import API_PREFIX
from backend.identity.schemas import (
    AuditEntry,
    AuditFilter,
    Grant,
    GrantIn,
    GrantOut,
    Me,
    Page,
    Person,
    PolicyRow,
    Principal,
    SessionInfo,
    Token,
    TokenIn,
    TokenOut,
)
from backend.platform.cursors import decode_id, decode_number, encode
from backend.platform.http import Res, Uow
from backend.platform.idempotency import Once

__all__ = ["Caller", "Requirement", "caller", "identify", "requires", "router"]

router = APIRouter(prefix="/api/v1", tags=["identity"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=100)]


def _after(cursor: str | None) -> UUID | None:
    return None if cursor is None else decode_id(cursor)


def _next(found: list[Grant] | list[Token] | list[Person], limit: int) -> str | None:
    return encode(found[-1].id) if len(found) == limit else None


@router.get("/me")
async def me(principal: Caller) -> Me:
    """The caller, and where they hold which permission."""
    held = {name: list(scopes(principal, name)) for name in sorted(current_policy().permissions)}
    return Me(
        id=principal.id,
        kind=principal.kind,
        name=principal.name,
        grants=list(principal.grants),
        permissions={name: regions for name, regions in held.items() if regions},
    )


@router.get("/tokens")
async def list_tokens(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("tokens:read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: str | None = None,
) -> Page[Token]:
    """Tokens that are not revoked, newest first."""
    found = await tokens.list_tokens(
        session, principal, kind=kind, after=_after(cursor), limit=limit
    )
    return Page(items=found, next_cursor=_next(found, limit))


@router.post("/tokens", status_code=201, response_model=TokenOut)
async def create_token(
    session: Uow,
    resources: Res,
    principal: Annotated[Principal, Depends(requires("tokens:write"))],
    wanted: TokenIn,
    once: Once,
) -> Response:
    """Make a token; its secret is in this answer and nowhere else."""
    derived = once.derive(resources.settings.secret_key.get_secret_value(), principal.id)
    secret = None if derived is None else API_PREFIX + derived
    shown: list[str] = []

    async def make() -> TokenOut:
        issued = await tokens.issue_api_token(
            session,
            principal,
            wanted.name,
            role=wanted.role,
            permissions=frozenset(wanted.permissions),
            regions=tuple(wanted.regions),
            ttl=timedelta(seconds=wanted.ttl_s),
            secret=secret,
        )
        shown.append(issued.secret)
        return TokenOut(id=issued.id, name=wanted.name, token="", expires_at=issued.expires_at)

    # What is kept for a repeat holds no secret; it is derived again from the key.
    answer = await once.answer(session, principal.id, make)
    body = {**orjson.loads(answer.body), "token": shown[0] if shown else secret}
    replayed = {
        name: value for name, value in answer.headers.items() if name == "idempotent-replayed"
    }
    return Response(orjson.dumps(body), answer.status_code, replayed, media_type="application/json")


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("tokens:write"))],
    token_id: UUID,
) -> None:
    """Stop a token from working."""
    await tokens.revoke_token(session, principal, token_id)


@router.get("/sessions")
async def list_sessions(
    session: Uow, principal: Caller, person_id: UUID | None = None
) -> Page[SessionInfo]:
    """Live sessions; one's own need no permission."""
    found = await sessions.list_sessions(session, principal, person_id=person_id)
    return Page(items=found)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(session: Uow, principal: Caller, session_id: str) -> None:
    """End a session everywhere."""
    await sessions.revoke_session(session, principal, session_id)


@router.get("/persons")
async def list_persons(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("access:read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[Person]:
    """Persons who have signed in, with their grants."""
    found = await access.list_persons(
        session, principal, text=text, after=_after(cursor), limit=limit
    )
    return Page(items=found, next_cursor=_next(found, limit))


@router.get("/grants")
async def list_grants(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("access:read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Grant]:
    """Roles held now, newest first."""
    found = await access.list_grants(session, principal, after=_after(cursor), limit=limit)
    return Page(items=found, next_cursor=_next(found, limit))


@router.post("/grants", status_code=201, response_model=Grant)
async def grant_role(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("access:write"))],
    wanted: GrantIn,
    once: Once,
) -> Response:
    """Give a person a role in a region."""

    async def make() -> GrantOut:
        return GrantOut(await access.grant_role(session, principal, wanted))

    return await once.answer(session, principal.id, make)


@router.delete("/grants/{grant_id}", status_code=204)
async def revoke_grant(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("access:write"))],
    grant_id: UUID,
    reason: Annotated[str, Query(min_length=3, max_length=500)],
) -> None:
    """Take a role back."""
    await access.revoke_grant(session, principal, grant_id, reason)


@router.get("/policies")
async def list_policies(
    principal: Annotated[Principal, Depends(requires("policies:read"))],
) -> Page[PolicyRow]:
    """What each role may, as the policy file says."""
    return Page(items=access.list_policies(principal))


def audit_filter(
    actor: str | None = None,
    action: str | None = None,
    object: str | None = None,  # noqa: A002 - the query parameter's name
    region: str | None = None,
    outcome: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
) -> AuditFilter:
    return AuditFilter(actor, action, object, region, outcome, since, until, text)


Wanted = Annotated[AuditFilter, Depends(audit_filter)]
Auditor = Annotated[Principal, Depends(requires("audit:read"))]


@router.get("/audit")
async def list_audit(
    session: Uow, principal: Auditor, wanted: Wanted, limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditEntry]:
    """The audit trail, newest first."""
    found = await audit.list_audit(
        session,
        principal,
        wanted,
        before_seq=decode_number(cursor) if cursor else None,
        limit=limit,
    )
    more = encode(found[-1].seq) if len(found) == limit else None
    return Page(items=found, next_cursor=more)
