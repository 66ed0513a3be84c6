"""One file per page: components composed with one state."""

from dashboard.pages import (
    access,
    audit,
    cash,
    dispatch,
    ledger,
    order,
    orders,
    overview,
    payment,
    payments,
    policies,
    reconciliation,
    refunds,
    sessions,
    tokens,
    wallets,
)
from dashboard.pages import map as live_map

__all__ = [
    "access",
    "audit",
    "cash",
    "dispatch",
    "ledger",
    "live_map",
    "order",
    "orders",
    "overview",
    "payment",
    "payments",
    "policies",
    "reconciliation",
    "refunds",
    "sessions",
    "tokens",
    "wallets",
]
