"""The tables of identity: persons, grants, tokens, saved views and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

_ACTIVE = text("revoked_at IS NULL")


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ...,
        sa_type=DateTime(timezone=True),
        nullable=nullable,
    )


class PersonTable(SQLModel, table=True):
    """Someone of the company, known by directory tenant and object id, never by e-mail."""

    __tablename__ = "identity_person"
    __table_args__ = (UniqueConstraint("tenant_id", "object_id", name="uq_identity_person_oid"),)

    id: UUID = Field(primary_key=True)
    tenant_id: str
    object_id: str
    name: str
    email: str | None = None
    created_at: datetime = _moment()
    signed_in_at: datetime | None = _moment(nullable=True)


class GrantTable(SQLModel, table=True):
    """A role that a person holds in a region, from the directory or given in the console."""

    __tablename__ = "identity_grant"
    __table_args__ = (
        Index(
            "uq_identity_grant_active",
            "person_id",
            "role",
            "region",
            "source",
            unique=True,
            postgresql_where=_ACTIVE,
        ),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="identity_person.id", index=True)
    role: str
    region: str
    source: str
    reason: str
    granted_by: str
    granted_by_name: str
    created_at: datetime = _moment()
    expires_at: datetime | None = _moment(nullable=True)
    revoked_at: datetime | None = _moment(nullable=True)
    revoked_by: str | None = None


class TokenTable(SQLModel, table=True):
    """An API or device token; only the digest of its secret is kept."""

    __tablename__ = "identity_token"

    id: UUID = Field(primary_key=True)
    kind: str
    name: str
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    hint: str
    role: str | None = None
    permissions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    driver_id: UUID | None = Field(default=None, index=True)
    created_by: str
    created_by_name: str
    created_at: datetime = _moment()
    expires_at: datetime = _moment()
    used_at: datetime | None = _moment(nullable=True)
    revoked_at: datetime | None = _moment(nullable=True)
    revoked_by: str | None = None


class ViewTable(SQLModel, table=True):
    """A person's own name for what a page's address asks for."""

    __tablename__ = "identity_view"
    __table_args__ = (UniqueConstraint("person_id", "page", "name", name="uq_identity_view_name"),)

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="identity_person.id")
    page: str
    name: str
    query: str
    created_at: datetime = _moment()


class AuditTable(SQLModel, table=True):
    """One thing that was done or refused; rows are only ever added, each sealing the one before."""

    __tablename__ = "identity_audit"
    __table_args__ = (
        Index("ix_identity_audit_actor", "actor", "seq"),
        Index("ix_identity_audit_action", "action", "seq"),
        Index("ix_identity_audit_object", "object", "seq"),
        Index("ix_identity_audit_at", "at"),
    )

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: UUID = Field(unique=True)
    at: datetime = _moment()
    actor: str
    actor_name: str
    session_id: str | None = None
    address: str | None = None
    action: str
    outcome: str
    object: str
    region: str | None = None
    # json, not jsonb: the text must come back exactly as it was sealed.
    before: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    after: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    reason: str | None = None
    trace_id: str | None = None
    seal: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
