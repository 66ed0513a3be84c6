"""Keys that follow from the secret key, and small secrets sealed with them for their way."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

from backend.settings import Settings


def key_for(settings: Settings, purpose: str) -> bytes:
    """32 bytes that only this installation knows, different for each purpose."""
    secret = settings.secret_key.get_secret_value().encode()
    return hmac.digest(secret, f"waypost {purpose}".encode(), "sha256")


def seal(settings: Settings, purpose: str, plain: str) -> str:
    """`plain` as a Fernet token, which says nothing to whoever lacks the key."""
    return _fernet(settings, purpose).encrypt(plain.encode()).decode()


def unseal(settings: Settings, purpose: str, sealed: str) -> str:
    """What was sealed; raises ValueError for what was not sealed here for this purpose."""
    try:
        return _fernet(settings, purpose).decrypt(sealed).decode()
    except InvalidToken as error:
        raise ValueError("this was not sealed with our key") from error


def _fernet(settings: Settings, purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(key_for(settings, purpose)))
