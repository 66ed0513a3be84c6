"""Who looks at payments in the tests."""

from __future__ import annotations

from backend.identity.schemas import GrantScope, Principal


def person(name: str, role: str, region: str = "*") -> Principal:
    """Somebody with a role in a region."""
    return Principal("user", f"user:{name}", name.title(), (GrantScope(role, region),))


AGENT = person("agent", "support_agent", "TH")
OTHER_AGENT = person("other", "support_agent", "TH")
LEAD = person("lead", "support_lead", "TH")
SECOND_LEAD = person("second", "support_lead", "TH")
FOREIGN_LEAD = person("foreign", "support_lead", "IN")
MANAGER = person("manager", "fleet_manager", "TH-10")
