"""Secrets of webhook endpoints, sealed at rest, and the signatures made with them.

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
FORMER_FOR = timedelta(hours=24)
"""How long the secret before a rotation goes on signing beside the new one."""


def new_secret() -> str:
    """A fresh secret of 256 bits in the spelling that receivers' libraries read."""
    return spell(secrets.token_bytes(32))


def spell(key: bytes) -> str:
    """A key as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(key).decode()


@lru_cache(maxsize=4)
def _box(secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"waypost webhook secrets 1", hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: str, secret_key: str) -> bytes:
    """The secret as it is stored: encrypted and authenticated under this system's own key."""
    return _box(secret_key).encrypt(secret.encode())


def unseal(sealed: bytes, secret_key: str) -> str:
    """The secret again; raises cryptography's InvalidToken where SECRET_KEY was another."""
    return _box(secret_key).decrypt(sealed).decode()


def headers(message_id: str, body: str, secrets_: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of a message, with one signature for each secret that is valid."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets_]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
