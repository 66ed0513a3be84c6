"""The cookies the console's edge reads and sets."""

from __future__ import annotations

import hashlib
from http.cookies import CookieError, SimpleCookie

from backend.identity.service import session_cookie
from backend.settings import get_settings

TAB_COOKIE = "waypost-tab"
"""Tells console.js that another session has begun; opens nothing."""


def session_cookie_of(header: str) -> str | None:
    """The session cookie's value in a Cookie header, if there is one."""
    try:
        morsel = SimpleCookie(header).get(session_cookie(secure=get_settings().secure_cookies))
    except CookieError:
        return None
    return morsel.value if morsel else None


def tab_tag(session_id: str) -> str:
    """A mark that differs between sessions and tells nothing about them."""
    return hashlib.sha256(f"tab {session_id}".encode()).hexdigest()[:16]
