"""What support does about an order: the owning context's verb, once for each key."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.support.case_schemas import CaseActionDone, CaseActionIn


async def act_on_case(
    session: AsyncSession, principal: Principal, number: str, wanted: CaseActionIn
) -> CaseActionDone:
    """Do it, or answer what the key did before; raises what the owning verb raises.

    The same key with another request is Invalid, one in flight a Conflict.
    """
    raise NotImplementedError
