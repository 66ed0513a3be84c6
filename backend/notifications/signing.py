"""Secrets of webhook endpoints, and the signatures made with them.

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
PURPOSE = "webhook secrets"
"""What the key is for that seals them at rest."""
FORMER_FOR = timedelta(hours=24)
"""How long the secret before a rotation goes on signing beside the new one."""


def new_secret() -> str:
    """A fresh secret of 256 bits in the spelling that receivers' libraries read."""
    return spell(secrets.token_bytes(32))


def spell(key: bytes) -> str:
    """A key as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(key).decode()


def headers(message_id: str, body: str, secrets_: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of a message, with one signature for each secret that is valid."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets_]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
