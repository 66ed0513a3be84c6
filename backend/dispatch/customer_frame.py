"""The frame of every page that a customer opens by a link: head, policy, languages, apologies."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from fastapi.responses import HTMLResponse

from backend.dispatch.customer_words import Words, languages

_FOLDER = Path(__file__).parent
_TOKENS = (_FOLDER.parents[1] / "assets" / "tokens.css").read_text()
_LIGHT = re.compile(r':root\[data-theme="light"\][^{]*(\{.*?\n\})', re.DOTALL)
SCRIPT = (_FOLDER / "customer_page.js").read_text()

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BRAND = (
    '<span class="brand"><svg class="mark" viewBox="0 0 32 32" aria-hidden="true">'
    '<rect width="32" height="32" rx="7"/><path d="M6 10l4 13 6-11 6 11 4-13"/></svg>'
    "<span>Waypost</span></span>"
)


def _style() -> str:
    """The page's rules, and the tokens of the light theme for who has it set on their phone."""
    light = _LIGHT.search(_TOKENS)
    assert light is not None
    return (
        f"@media (prefers-color-scheme:light){{:root{light[1]}}}\n"
        f"{(_FOLDER / 'customer_page.css').read_text()}"
    )


STYLE = _style()


def framed(title: str, body: str, words: Words, *, status: int = 200) -> HTMLResponse:
    """A page of these contents."""
    html = f"""<!doctype html>
<html lang="{words.language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex, nofollow">
<title>{escape(title)}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/track/page.css">
<script src="/track/page.js" defer></script>
</head><body data-unsent="{words.html("wrong.unsent")}"><header>{_BRAND}{_languages(words)}</header>
{body}</body></html>"""
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": words.language,
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return HTMLResponse(html, status, headers)


def _languages(words: Words) -> str:
    links = "".join(
        f'<li><a href="?lang={code}" lang="{code}" hreflang="{code}"'
        f"{' aria-current=true' if code == words.language else ''}>{escape(name)}</a></li>"
        for code, name in languages().items()
    )
    return (
        f'<details class="languages"><summary><span class="unseen">{words.html("languages")}: '
        f"</span>{words.html('language')}</summary><ul>{links}</ul></details>"
    )


def nowhere(words: Words) -> HTMLResponse:
    """For every link that leads nowhere, whatever the cause."""
    return sorry(words, "nowhere", status=404)


def later(words: Words) -> HTMLResponse:
    """For who asks too often."""
    return sorry(words, "later", status=429)


def sorry(words: Words, key: str, *, status: int, back: str = "") -> HTMLResponse:
    """What went wrong, and the way `back` where there is one."""
    way = f'<p><a href="{escape(back)}">{words.html("wrong.back")}</a></p>' if back else ""
    body = (
        f'<main class="sorry"><h1>{words.html(f"{key}.title")}</h1>'
        f"<p>{words.html(f'{key}.words')}</p>{way}</main>"
    )
    return framed(words.say(f"{key}.title"), body, words, status=status)
