"""Has the demo's people known before anybody has signed in, so that they can be on call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import repository
from backend.identity.demo_people import BY_KEY
from backend.identity.demo_provider import TENANT
from backend.identity.models import PersonTable
from backend.platform import clock
from backend.platform.ids import uuid7


async def known(session: AsyncSession, key: str) -> tuple[UUID, str, str]:
    """Id, name and e-mail address of one of the demo's people; roles come with their sign-in."""
    person = BY_KEY[key]
    row = PersonTable(
        id=uuid7(),
        tenant_id=TENANT,
        object_id=person.oid,
        name=person.name,
        email=person.email,
        created_at=clock.now(),
    )
    return await repository.upsert_person(session, row), person.name, person.email
