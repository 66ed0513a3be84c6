"""Which pages may open a socket here with the visitor's cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.settings import Settings


def allowed_origin(settings: Settings, origin: str | None) -> bool:
    """Whether a socket's `Origin` is that of `PUBLIC_URL`; a missing one counts as foreign."""
    if not origin:
        return False
    page, own = urlsplit(origin), urlsplit(settings.public_url)
    return (page.scheme, page.netloc) == (own.scheme, own.netloc)
