"""One file per page: components composed with one state."""

from dashboard.pages import (
    access,
    audit,
    driver,
    drivers,
    order,
    order_import,
    orders,
    overview,
    policies,
    sessions,
    tokens,
)
from dashboard.pages import map as live_map

__all__ = [
    "access",
    "audit",
    "driver",
    "drivers",
    "live_map",
    "order",
    "order_import",
    "orders",
    "overview",
    "policies",
    "sessions",
    "tokens",
]
