"""Persons and callers of the identity tests."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.access import DirectoryPerson, enrol
from backend.identity.schemas import GrantScope, Principal

ADMIN = Principal("user", "user:admin", "Ada Admin", (GrantScope("admin", "*"),))
ADMIN_TH = Principal("user", "user:admin-th", "Chai Admin", (GrantScope("admin", "TH"),))
MANAGER_TH10 = Principal(
    "user", "user:manager", "Nok Manager", (GrantScope("fleet_manager", "TH-10"),)
)
NOBODY = Principal("user", "user:nobody", "No Role")


async def enrolled(session: AsyncSession, name: str, *grants: GrantScope) -> UUID:
    """A person of the directory who has signed in holding `grants`."""
    person = DirectoryPerson("tenant", f"oid-{name}", name, f"{name}@example.com", grants)
    person_id, _ = await enrol(session, person)
    return person_id
