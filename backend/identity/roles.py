"""The roles there are, and a role held in a region."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["viewer", "fleet_manager", "support_agent", "support_lead", "admin", "auditor"]
ROLES: tuple[Role, ...] = (
    "viewer",
    "fleet_manager",
    "support_agent",
    "support_lead",
    "admin",
    "auditor",
)


class GrantScope(NamedTuple):
    """A role held in a region and everything below it."""

    role: str
    region: str
