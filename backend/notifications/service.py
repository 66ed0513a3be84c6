"""The verbs of notifications that other contexts, the console and the worker call."""

from backend.notifications.deliveries import (
    drop_expired,
    get_delivery,
    list_deliveries,
    replay,
    success_by_hour,
    try_endpoint,
    waiting_for,
)
from backend.notifications.outbound import Outbound
from backend.notifications.reach import NoSuchDelivery, NoSuchEndpoint
from backend.notifications.rules import url_fault
from backend.notifications.signing import headers as signed_headers
from backend.notifications.subscriptions import (
    change_endpoint,
    create_endpoint,
    get_endpoint,
    list_endpoints,
    remove_endpoint,
    rotate_secret,
)

__all__ = [
    "NoSuchDelivery",
    "NoSuchEndpoint",
    "Outbound",
    "change_endpoint",
    "create_endpoint",
    "drop_expired",
    "get_delivery",
    "get_endpoint",
    "list_deliveries",
    "list_endpoints",
    "remove_endpoint",
    "replay",
    "rotate_secret",
    "signed_headers",
    "success_by_hour",
    "try_endpoint",
    "url_fault",
    "waiting_for",
]
