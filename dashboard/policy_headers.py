"""Security headers, and the content security policy of the console's pages."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from backend.settings import Settings
from dashboard.build import STATIC

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def common_headers(settings: Settings) -> list[tuple[str, str]]:
    """Headers that every answer carries."""
    headers = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ]
    if settings.secure_cookies:
        headers.append(("strict-transport-security", "max-age=63072000; includeSubDomains"))
    return headers


class ConsolePolicy:
    """The content security policy of each page: own scripts, and the page's inline ones by hash."""

    def __init__(self, settings: Settings, static: Path = STATIC) -> None:
        self._rest = "; ".join(
            f"{name} {' '.join(filter(None, values))}" for name, values in _rules(settings).items()
        )
        self._scripts = {
            page.relative_to(static).as_posix(): inline_script_hashes(page.read_text())
            for page in static.rglob("*.html")
        }
        self._unknown = sorted(
            {
                source
                for name in ("404.html", "__spa-fallback.html")
                for source in self._scripts.get(name, [])
            }
        )

    def is_folder(self, path: str) -> bool:
        """Whether the page at `path` is built as the index of a folder."""
        return f"{path.strip('/')}/index.html" in self._scripts

    def of(self, path: str) -> str:
        """The header's value for the page or file at `path`."""
        name = path.strip("/")
        for page in (f"{name}/index.html".lstrip("/"), f"{name}.html"):
            if page in self._scripts:
                return self._with(self._scripts[page])
        return self._with(self._unknown if "." not in name.rsplit("/", 1)[-1] else [])

    def _with(self, hashes: list[str]) -> str:
        sources = " ".join(["'self'", *hashes])
        return f"script-src {sources}; {self._rest}"


def _rules(settings: Settings) -> dict[str, list[str]]:
    public = urlsplit(settings.public_url)
    socket = f"{'wss' if public.scheme == 'https' else 'ws'}://{public.netloc}"
    maps = sorted({_origin(url) for url in (settings.map_style_url, settings.map_style_url_dark)})
    return {
        "default-src": ["'none'"],
        # The hash is that of nothing: libraries make an empty style element and fill it by rules.
        "style-src": ["'self'", "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
        # React sets styles through the object model; the prerendered pages carry a few attributes.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:", *maps],
        "font-src": ["'self'"],
        "connect-src": ["'self'", socket, *maps],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        # Signing out is a form that ends at the provider.
        "form-action": ["'self'", _origin(settings.oidc_authority)],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def inline_script_hashes(html: str) -> list[str]:
    """The hash sources of every inline script in a page."""
    hashes = set()
    for script in _INLINE_SCRIPT.findall(html):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        hashes.add(f"'sha256-{digest}'")
    return sorted(hashes)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
