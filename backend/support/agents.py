"""Who works on escalations, who takes what comes in, and whose turn it is."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.roles import GrantScope
from backend.identity.schemas import SYSTEM, Person, Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.regions import service as regions
from backend.support import list_repository, repository, settings_repository
from backend.support.changes import READ, WRITE, actor_of, tell, touch
from backend.support.models import EscalationTable
from backend.support.settings_models import AgentRow
from backend.support.settings_schemas import AgentOut

LAPSES_AFTER = timedelta(hours=12)
_AT_ONCE = 200


async def set_available(session: AsyncSession, principal: Principal, available: bool) -> AgentOut:
    """Say whether one takes what comes in; lapses after 12 hours. Needs `escalations:write`."""
    identity.authorize(principal, WRITE)
    row = await settings_repository.agent(session, principal.id)
    if row is None:
        row = AgentRow(person_id=principal.id, name=principal.name, regions=[])
        session.add(row)
    row.name, row.regions = principal.name, list(identity.scopes(principal, WRITE))
    row.until = clock.now() + LAPSES_AFTER if available else None
    await session.flush()
    counted = await list_repository.unsolved_by_assignee(session, [principal.id])
    return _agent_out(principal.id, principal.name, row, counted.get(principal.id, 0))


async def agents_on(session: AsyncSession, principal: Principal, region: str) -> list[AgentOut]:
    """Who may work on tickets in a region, the available first, each with how many they have.

    Needs `escalations:read` there.
    """
    identity.authorize(principal, READ, region)
    names = {f"user:{person.id}": person.name for person in await _holders(session, region)}
    said = await settings_repository.agents(session, list(names))
    counted = await list_repository.unsolved_by_assignee(session, list(names))
    found = [
        _agent_out(person, name, said.get(person), counted.get(person, 0))
        for person, name in names.items()
    ]
    return sorted(found, key=lambda each: (not each.available, each.unsolved, each.name))


async def name_of_agent(session: AsyncSession, person_id: str, region: str) -> str:
    """The name of somebody who may work on tickets in a region; raises Invalid for another."""
    person = await _holder(session, person_id, region)
    if person is not None:
        return person.name
    where = regions.in_place(region, await regions.region_names(session))
    detail = f"Nobody of this name may work on tickets {where}."
    raise Invalid(detail, errors=[FieldError("/assignee", "not_an_agent", detail)])


async def give_in_turn(session: AsyncSession, row: EscalationTable) -> None:
    """Give what is fresh to the available agent of its region who was given something longest ago.

    Nobody is given anything where a lead has switched this off, or nobody is available.
    """
    policy = await settings_repository.policy_around(session, row.region)
    if policy is not None and not policy.round_robin:
        return
    now = clock.now()
    for agent in await settings_repository.available(session, row.region, now):
        # Roles are taken back while people are available.
        if await _holder(session, agent.person_id, row.region) is None:
            agent.until = None
            continue
        agent.given_at = now
        row.assignee, row.assignee_name = agent.person_id, agent.name
        touch(row, SYSTEM, f"gave it to {agent.name}")
        words = f"Given to {agent.name}, whose turn it was."
        repository.write(session, row, "assigned", actor_of(SYSTEM), words, to=agent.person_id)
        await tell(session, SYSTEM, row, "escalation.assigned")
        return


async def _holder(session: AsyncSession, person_id: str, region: str) -> Principal | None:
    """Somebody by their id, if their roles let them work on escalations in a region."""
    person = await identity.person_now(session, person_id)
    return person if person is not None and identity.may(person, WRITE, region) else None


async def _holders(session: AsyncSession, region: str) -> list[Person]:
    """The people whose roles let them work on escalations in a region, by name."""
    found: list[Person] = []
    after = None
    while True:
        page = await identity.list_persons(session, SYSTEM, after=after, limit=_AT_ONCE)
        found += [person for person in page if _works_in(person, region)]
        if len(page) < _AT_ONCE:
            return found
        after = page[-1].id


def _works_in(person: Person, region: str) -> bool:
    grants = tuple(GrantScope(grant.role, grant.region) for grant in person.grants)
    return identity.current_policy().allows(grants, WRITE, region)


def _agent_out(person_id: str, name: str, row: AgentRow | None, unsolved: int) -> AgentOut:
    until = row.until if row is not None else None
    available = until is not None and until > clock.now()
    return AgentOut(
        person_id=person_id,
        name=name,
        available=available,
        until=until if available else None,
        unsolved=unsolved,
    )
