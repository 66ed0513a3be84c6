"""The lists of access, tokens, sessions and the audit trail as CSV files; each is recorded."""

from dataclasses import asdict, fields
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from backend.identity import access, audit, sessions, tokens
from backend.identity.callers import requires
from backend.identity.endpoints import audit_filter
from backend.identity.schemas import AuditEntry, AuditFilter, Principal
from backend.platform.http import Uow
from backend.platform.spreadsheet import MOST_ROWS, csv_answer

router = APIRouter(prefix="/api/v1", tags=["identity"], default_response_class=Response)

Text = Annotated[str, Query(max_length=100)]


@router.get("/audit.csv")
async def export_audit(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("audit:read"))],
    wanted: Annotated[AuditFilter, Depends(audit_filter)],
) -> Response:
    """The newest 10,000 matching rows."""
    found = await audit.list_audit(session, principal, wanted, limit=MOST_ROWS)
    filters = {name: value for name, value in asdict(wanted).items() if value}
    await audit.record(
        session, principal, "audit.exported", "audit", after={"rows": len(found), **filters}
    )
    heads = [field.name for field in fields(AuditEntry)]
    rows = ([getattr(entry, name) for name in heads] for entry in found)
    return csv_answer("waypost-audit", heads, rows)


@router.get("/persons.csv")
async def export_persons(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("access:read"))],
    text: Text = "",
) -> Response:
    """Persons and what they hold, a line for each role."""
    found = await access.list_persons(session, principal, text=text or None, limit=MOST_ROWS)
    await audit.record(session, principal, "persons.exported", "access", after={"rows": len(found)})
    rows = (
        (
            *(person.id, person.name, person.email, person.signed_in_at),
            *((grant.role, grant.region, grant.source, grant.expires_at) if grant else ("",) * 4),
        )
        for person in found
        for grant in person.grants or (None,)
    )
    heads = ("id", "name", "email", "signed_in_at", "role", "region", "source", "expires_at")
    return csv_answer("waypost-access", heads, rows)


@router.get("/tokens.csv")
async def export_tokens(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("tokens:read"))],
    kind: Text = "",
) -> Response:
    """Tokens that are not revoked, without anything of their secrets."""
    found = await tokens.list_tokens(session, principal, kind=kind or None, limit=MOST_ROWS)
    await audit.record(session, principal, "tokens.exported", "tokens", after={"rows": len(found)})
    rows = (
        (
            *(token.id, token.kind, token.name, token.role, " ".join(token.permissions)),
            *(" ".join(token.regions), token.created_by_name),
            *(token.created_at, token.used_at, token.expires_at),
        )
        for token in found
    )
    heads = ("id", "kind", "name", "role", "permissions", "regions", "made_by", "made_at",
             "used_at", "expires_at")  # fmt: skip
    return csv_answer("waypost-tokens", heads, rows)


@router.get("/sessions.csv")
async def export_sessions(
    session: Uow,
    principal: Annotated[Principal, Depends(requires("sessions:read"))],
    text: Text = "",
) -> Response:
    """Who is signed in, from where and since when."""
    found = await sessions.list_sessions(session, principal, text=text)
    await audit.record(
        session, principal, "sessions.exported", "sessions", after={"rows": len(found)}
    )
    rows = (
        (info.name, info.email, info.address, info.agent, info.created_at, info.seen_at,
         info.ends_at)
        for info in found
    )  # fmt: skip
    heads = ("name", "email", "address", "agent", "began_at", "seen_at", "ends_at")
    return csv_answer("waypost-sessions", heads, rows)
