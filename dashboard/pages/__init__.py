"""One file per page: components composed with one state."""

from dashboard.pages import access, audit, integrations, overview, policies, sessions, tokens
from dashboard.pages import map as live_map

__all__ = [
    "access",
    "audit",
    "integrations",
    "live_map",
    "overview",
    "policies",
    "sessions",
    "tokens",
]
