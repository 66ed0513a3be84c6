"""Sessions of signed-in persons: begin, recognise, list, end, and tell who holds sockets open."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import repository, session_store
from backend.identity.access import grants_of_person, persons_seen
from backend.identity.audit import record
from backend.identity.changes import CHANNEL
from backend.identity.policy import authorize
from backend.identity.rules import digest_of, new_secret
from backend.identity.schemas import Principal, SessionInfo
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.resources import Resources, current

_MOST_LISTED = 1_000
_LONGEST_COOKIE = 100


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who signs in, from where."""

    person_id: UUID
    name: str
    email: str | None
    address: str
    agent: str
    # The provider's session id, and the hint that spares choosing an account when signing out.
    sid: str = ""
    logout_hint: str = ""


def session_id_of(cookie_value: str) -> str:
    """The id under which a cookie's session is stored and shown: the digest, in hexadecimal."""
    return digest_of(cookie_value).hex()


async def begin_session(resources: Resources, visitor: Visitor) -> str:
    """Start a session; answers the cookie's value. The oldest over the cap are ended."""
    settings = resources.settings
    cookie_value = new_secret()
    evicted = await session_store.create(
        resources.redis,
        session_id_of(cookie_value),
        visitor.person_id,
        visitor.sid,
        {
            "name": visitor.name,
            "email": visitor.email or "",
            "address": visitor.address,
            "agent": visitor.agent[:200],
            "logout_hint": visitor.logout_hint,
        },
        idle_s=settings.session_idle_s,
        absolute_s=settings.session_absolute_s,
        cap=settings.session_cap,
    )
    for session_id in evicted:
        await _tell(resources.redis, f"user:{visitor.person_id}", session_id, "evicted")
    return cookie_value


async def principal_of_session(
    resources: Resources, cookie_value: str, *, touch: bool = True
) -> Principal | None:
    """Who the cookie stands for, None if its session has ended; `touch` counts as activity."""
    if not cookie_value or len(cookie_value) > _LONGEST_COOKIE:
        return None
    session_id = session_id_of(cookie_value)
    idle_s = resources.settings.session_idle_s if touch else None
    fields = await session_store.read(resources.redis, session_id, idle_s)
    if not fields:
        return None
    person_id = UUID(fields["person"])
    return Principal(
        kind="user",
        id=f"user:{person_id}",
        name=fields["name"],
        grants=await grants_of_person(resources, person_id),
        session_id=session_id,
        address=fields["address"],
    )


async def session_info(resources: Resources, cookie_value: str) -> SessionInfo | None:
    """The cookie's session with its times, None if it has ended; not an activity."""
    session_id = session_id_of(cookie_value)
    fields = await session_store.read(resources.redis, session_id, None)
    return session_store.describe(session_id, fields) if fields else None


async def rotate_session(resources: Resources, cookie_value: str) -> str | None:
    """A new id for the same session, for a step-up; None if it has ended."""
    session_id = session_id_of(cookie_value)
    fields = await session_store.read(resources.redis, session_id, None)
    if not fields:
        return None
    visitor = Visitor(
        UUID(fields["person"]),
        fields["name"],
        fields["email"] or None,
        fields["address"],
        fields["agent"],
        fields["sid"],
        fields["logout_hint"],
    )
    await end_session(resources, session_id, "rotated")
    return await begin_session(resources, visitor)


async def end_session(resources: Resources, session_id: str, reason: str) -> dict[str, str]:
    """End one session everywhere; its fields as they were, empty if it had ended already."""
    fields = await session_store.read(resources.redis, session_id, None)
    if fields:
        await session_store.remove(
            resources.redis, session_id, fields["person"], fields.get("sid", "")
        )
        await _tell(resources.redis, f"user:{fields['person']}", session_id, reason)
    return fields


async def end_sessions_of_sid(resources: Resources, sid: str) -> int:
    """End the sessions that began in the provider's session `sid`; answers how many there were."""
    ended = [
        await end_session(resources, session_id, "signed out at the provider")
        for session_id in await session_store.of_sid(resources.redis, sid)
    ]
    return sum(1 for fields in ended if fields)


async def list_sessions(
    session: AsyncSession, principal: Principal, *, person_id: UUID | None = None, text: str = ""
) -> list[SessionInfo]:
    """Live sessions, newest first: the caller's own, or with `sessions:read` those of others.

    Whoever reads sessions in a region sees the persons who hold a role there. `text` is looked for
    in names, e-mails and addresses.
    """
    redis = current().redis
    if person_id is not None and principal.id == f"user:{person_id}":
        return await session_store.of_person(redis, person_id)
    authorize(principal, "sessions:read")
    if person_id is not None:
        found = await session_store.of_person(redis, person_id)
    else:
        found = await session_store.everyone(redis, _MOST_LISTED)
    seen = await _persons_seen(session, principal, "sessions:read", found)
    wanted = text.casefold()
    return [
        info
        for info in found
        if info.person_id in seen
        and wanted in f"{info.name} {info.email or ''} {info.address}".casefold()
    ]


async def revoke_session(session: AsyncSession, principal: Principal, session_id: str) -> None:
    """End a session of one's own, or with `sessions:write` someone else's."""
    resources = current()
    fields = await session_store.read(resources.redis, session_id, None)
    if not fields:
        raise NotFound("There is no such session.")
    info = session_store.describe(session_id, fields)
    if principal.id != f"user:{info.person_id}":
        authorize(principal, "sessions:write")
        if not await _persons_seen(session, principal, "sessions:write", [info]):
            raise NotFound("There is no such session.")
    await record(
        session,
        principal,
        "session.revoked",
        f"user:{info.person_id}",
        before={"session": info.id[:12], "address": info.address, "agent": info.agent},
    )
    await end_session(resources, session_id, "revoked")


async def revoke_sessions_of(session: AsyncSession, principal: Principal, person_id: UUID) -> int:
    """End all of a person's sessions; answers how many there were."""
    found = await list_sessions(session, principal, person_id=person_id)
    for info in found:
        await revoke_session(session, principal, info.id)
    return len(found)


async def _persons_seen(
    session: AsyncSession, principal: Principal, permission: str, found: list[SessionInfo]
) -> set[UUID]:
    ids = list({info.person_id for info in found})
    held = await repository.grants_of(session, ids, clock.now())
    return persons_seen(principal, permission, held, ids)


async def _tell(redis: Redis, principal_id: str, session_id: str, reason: str) -> None:
    await redis.publish(CHANNEL, f"ended {principal_id} {session_id} {reason}")
