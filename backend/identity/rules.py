"""Pure decisions of identity: app roles, safe addresses, masks, cookie names, digests."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from backend.identity.roles import ROLES, GrantScope

_REGION = re.compile(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3}(\.[a-z0-9][a-z0-9-]{0,62})?)?")
_TOKEN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NO_ROUND_TRIP = ("/auth", "/api", "/_event", "/_upload")

API_PREFIX = "wpt_"
DEVICE_PREFIX = "wpd_"

_MASK = "•"
_HIDDEN = frozenset({"secret", "token", "password", "otp", "digest", "id_token", "access_token"})
_PARTLY = frozenset({"phone", "email", "address", "line1", "line2", "account", "iban"})


def is_region_code(text: str) -> bool:
    """Whether `text` is spelled as a region code: `*`, `TH`, `TH-10` or `TH-10.siam`."""
    return _REGION.fullmatch(text) is not None


def is_token_name(text: str) -> bool:
    """Whether `text` can stand in `service:<name>`."""
    return _TOKEN_NAME.fullmatch(text) is not None


def parse_app_role(value: str) -> GrantScope | None:
    """The grant an Entra app role stands for, None where it is not one of ours.

    `fleet_manager` holds everywhere, `fleet_manager.TH-10` in that region. The first dot parts
    role and region: app role values may hold letters, digits and `-_.` but no white space.
    """
    role, dot, region = value.partition(".")
    if role not in ROLES or (dot and not is_region_code(region)):
        return None
    return GrantScope(role, region or "*")


def parse_app_roles(values: Iterable[object]) -> tuple[list[GrantScope], list[str]]:
    """The grants among `values`, each once, and the values that are none."""
    grants: dict[GrantScope, None] = {}
    unknown = []
    for value in values:
        grant = parse_app_role(value) if isinstance(value, str) else None
        if grant is None:
            unknown.append(str(value))
        else:
            grants[grant] = None
    return list(grants), unknown


def safe_next(target: str | None) -> str:
    """`target` if it is a path of this console, else `/`.

    Refuses other origins in every spelling browsers accept (`//host`, `/\\host`, control
    characters that browsers drop) and the doorways that are not pages.
    """
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return "/"
    if any(ord(character) <= 0x20 or character in "\\\x7f" for character in target):
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or ".." in parts.path.split("/"):
        return "/"
    if any(parts.path == door or parts.path.startswith(f"{door}/") for door in _NO_ROUND_TRIP):
        return "/"
    return target


def session_cookie(*, secure: bool) -> str:
    """The name of the session cookie; the `__Host-` prefix needs https."""
    return "__Host-waypost" if secure else "waypost"


def sign_in_cookie(*, secure: bool) -> str:
    """The name of the cookie that ties a sign-in to the browser that began it."""
    return "__Host-waypost-signin" if secure else "waypost-signin"


def new_secret(prefix: str = "") -> str:
    """A fresh secret of 256 bits, URL-safe."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret of 256 bits; it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def mask_text(text: str) -> str:
    """`text` with all but its ends hidden: `+66812345678` becomes `+6•••78`."""
    if len(text) <= 4:
        return _MASK * 3
    name, at, domain = text.partition("@")
    if at:
        return f"{name[:1]}{_MASK * 3}@{domain}"
    return f"{text[:2]}{_MASK * 3}{text[-2:]}"


def mask(value: Any) -> Any:
    """`value` with secrets hidden and contact details masked, however deep they lie."""
    if isinstance(value, Mapping):
        return {str(key): _mask_field(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(inner) for inner in value]
    return value


def _mask_field(key: str, value: Any) -> Any:
    if value is None:
        return None
    if key in _HIDDEN:
        return _MASK * 3
    if key in _PARTLY and isinstance(value, str):
        return mask_text(value)
    return mask(value)
