"""Texts to answer with, for everywhere or for a region, kept by leads."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, MovedOn
from backend.platform.ids import uuid7
from backend.regions import service as regions
from backend.support import filling, settings_repository
from backend.support.changes import READ
from backend.support.errors import NoSuchMacro
from backend.support.rules import Kind, State, WaitingOn
from backend.support.settings_models import MacroRow
from backend.support.settings_schemas import MacroIn, MacroOut

CONFIGURE = "escalations:configure"


async def list_macros(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: Kind | None = None,
) -> list[MacroOut]:
    """Macros of the caller's regions by name, those offered for `region` and `kind` if named."""
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    return [
        macro_out(row) for row in await settings_repository.macros(session, scopes, region, kind)
    ]


async def save_macro(session: AsyncSession, principal: Principal, wanted: MacroIn) -> MacroOut:
    """Keep a macro; needs `escalations:configure` in its region, and where it was before.

    Raises NoSuchMacro, MovedOn, and Invalid for a placeholder that nothing fills.
    """
    identity.authorize(principal, CONFIGURE, wanted.region)
    filling.check(wanted.text)
    if wanted.region not in await regions.region_codes(session):
        detail = f"There is no region {wanted.region}."
        raise Invalid(detail, errors=[FieldError("/region", "unknown_region", detail)])
    row = await _row_of(session, principal, wanted)
    before = _contents(row)
    row.name, row.text, row.region = wanted.name, wanted.text, wanted.region
    row.kind, row.then, row.waiting_on = wanted.kind, wanted.then, wanted.waiting_on
    if row.version and _contents(row) == before:
        return macro_out(row)
    row.version += 1
    row.changed_by_name, row.changed_at = principal.name, clock.now()
    session.add(row)
    await session.flush()
    await identity.record(
        session, principal, "macro.saved", f"macro:{row.id}", region=row.region,
        after={"name": row.name, "text": row.text},
    )  # fmt: skip
    return macro_out(row)


async def _row_of(session: AsyncSession, principal: Principal, wanted: MacroIn) -> MacroRow:
    if wanted.id is None:
        return MacroRow(
            id=uuid7(), name="", text="", region="", version=0, changed_by_name="",
            changed_at=clock.now(),
        )  # fmt: skip
    row = await _seen(session, principal, wanted.id)
    if wanted.seen_version is not None and row.version != wanted.seen_version:
        raise MovedOn(f"{row.changed_by_name} changed {row.name} at {row.changed_at:%H:%M:%S} UTC.")
    return row


def _contents(row: MacroRow) -> tuple[str | None, ...]:
    return row.name, row.text, row.region, row.kind, row.then, row.waiting_on


async def _seen(session: AsyncSession, principal: Principal, macro_id: UUID) -> MacroRow:
    scopes = identity.scopes(principal, READ)
    row = await settings_repository.macro(session, macro_id, scopes)
    if row is None:
        raise NoSuchMacro
    identity.authorize(principal, CONFIGURE, row.region)
    return row


async def remove_macro(session: AsyncSession, principal: Principal, macro_id: UUID) -> None:
    """Forget a macro; raises NoSuchMacro."""
    identity.authorize(principal, CONFIGURE)
    row = await _seen(session, principal, macro_id)
    name, region = row.name, row.region
    await settings_repository.drop_macro(session, macro_id)
    await identity.record(
        session, principal, "macro.removed", f"macro:{macro_id}", region=region,
        before={"name": name},
    )  # fmt: skip


def macro_out(row: MacroRow) -> MacroOut:
    """One macro."""
    return MacroOut(
        id=row.id,
        name=row.name,
        text=row.text,
        region=row.region,
        kind=Kind(row.kind) if row.kind else None,
        then=State(row.then) if row.then else None,
        waiting_on=WaitingOn(row.waiting_on) if row.waiting_on else None,
        version=row.version,
        changed_by_name=row.changed_by_name,
        changed_at=row.changed_at,
    )
