"""The verbs of notifications that other contexts, the console and the worker call."""

from backend.notifications.channels.mail import hand_over as hand_over_mail
from backend.notifications.channels.protocol import Letter, Outcome
from backend.notifications.channels.registry import Carriers
from backend.notifications.deliveries import (
    drop_expired,
    get_delivery,
    list_deliveries,
    replay,
    success_by_hour,
    try_endpoint,
    waiting_for,
)
from backend.notifications.message_rules import CHANNEL_WORDS
from backend.notifications.message_views import (
    NoSuchMessage,
    cancel_message,
    count_messages,
    drop_old_messages,
    get_message,
    list_messages,
    message_body,
    messages_of_order,
    retry_message,
)
from backend.notifications.messages import queue_message
from backend.notifications.outbound import Outbound
from backend.notifications.phone_messages import acknowledge_pushes, pushes_to_phone
from backend.notifications.preferences import (
    preferences_of_order,
    set_device,
    set_preferences_of_order,
)
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
from backend.notifications.wording import languages, list_templates, preview_template

__all__ = [
    "CHANNEL_WORDS",
    "Carriers",
    "Letter",
    "NoSuchDelivery",
    "NoSuchEndpoint",
    "NoSuchMessage",
    "Outbound",
    "Outcome",
    "acknowledge_pushes",
    "cancel_message",
    "change_endpoint",
    "count_messages",
    "create_endpoint",
    "drop_expired",
    "drop_old_messages",
    "get_delivery",
    "get_endpoint",
    "get_message",
    "hand_over_mail",
    "languages",
    "list_deliveries",
    "list_endpoints",
    "list_messages",
    "list_templates",
    "message_body",
    "messages_of_order",
    "preferences_of_order",
    "preview_template",
    "pushes_to_phone",
    "queue_message",
    "remove_endpoint",
    "replay",
    "retry_message",
    "rotate_secret",
    "set_device",
    "set_preferences_of_order",
    "signed_headers",
    "success_by_hour",
    "try_endpoint",
    "url_fault",
    "waiting_for",
]
