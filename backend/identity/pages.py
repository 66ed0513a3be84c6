"""The pages before sign-in: plain HTML, no script, styled by the console's tokens."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse

STYLE = (Path(__file__).parent / "pages.css").read_text()
STYLE_PATH = "/auth/pages.css"

_MARK = (
    '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7"/>'
    '<path d="M6 10l4 13 6-11 6 11 4-13"/></svg>'
)
_MICROSOFT = (
    '<svg class="microsoft" viewBox="0 0 21 21" aria-hidden="true">'
    '<path class="a" d="M0 0h10v10H0z"/>'
    '<path class="b" d="M11 0h10v10H11z"/><path class="c" d="M0 11h10v10H0z"/>'
    '<path class="d" d="M11 11h10v10H11z"/></svg>'
)
# Streets, and drivers on them: the console's map, drawn from the tokens.
_STREETS = (Path(__file__).parent / "streets.svg").read_text()


def page(
    title: str, body: str, *, status: int = 200, policy: str = "", forms_to: str = ""
) -> HTMLResponse:
    """A whole page; nothing on it runs, and nothing may frame it.

    `forms_to` is the origin of the identity provider where a form's answer leads there.
    """
    rules = policy or (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self';"
        f" form-action 'self' {forms_to}; base-uri 'none'; frame-ancestors 'none'"
    )
    html = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><meta name="robots" content="noindex">
<title>{escape(title)} - Waypost</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="{STYLE_PATH}">
</head><body>{body}</body></html>"""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": rules,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)


def _framed(
    title: str, inner: str, *, status: int = 200, environment: str = "", forms_to: str = ""
) -> HTMLResponse:
    badge = f'<span class="badge">{escape(environment)}</span>' if environment else ""
    body = (
        f'<div class="split"><main class="side"><header class="brand">{_MARK}<span>Waypost</span>'
        f'{badge}</header><div class="card">{inner}</div><footer>Every sign-in is recorded in the '
        f'audit trail.</footer></main><div class="picture">{_STREETS}</div></div>'
    )
    return page(title, body, status=status, forms_to=forms_to)


def sign_in(target: str, *, environment: str, signed_out: bool = False) -> HTMLResponse:
    """The page a stranger sees first."""
    start = escape("/auth/start?" + urlencode({"next": target}))
    demo = environment == "demo"
    note = (
        '<p class="note info" role="status"><i></i><span>You have signed out.</span></p>'
        if signed_out
        else ""
    )
    label = "Continue to the demo directory" if demo else "Sign in with Microsoft"
    icon = "" if demo else _MICROSOFT
    hint = (
        "The demo has a directory of its own with a person for each role. No password is asked."
        if demo
        else "Use your company account. Access is given by role and region in Microsoft Entra ID."
    )
    inner = (
        f'{note}<h1>Sign in</h1><p class="lead">Live operations of the last mile: drivers, orders, '
        f"incidents and money, in your regions.</p>"
        f'<a class="button" href="{start}">{icon}<span>{label}</span></a><p class="hint">{hint}</p>'
    )
    return _framed("Sign in", inner, environment=environment)


def refused(code: str, detail: str, *, environment: str, status: int = 403) -> HTMLResponse:
    """What went wrong in words, and the way to try again."""
    inner = (
        '<p class="note critical" role="alert"><i></i><span>Sign-in did not complete.</span></p>'
        f'<h1>Try that again</h1><p class="lead">{escape(detail)}</p>'
        '<a class="button" href="/auth/login"><span>Back to sign-in</span></a>'
        f'<p class="hint">If it keeps happening, tell an administrator this code: '
        f"<code>{escape(code)}</code></p>"
    )
    return _framed("Sign-in did not complete", inner, environment=environment, status=status)


def without_role(name: str, email: str | None, *, environment: str, provider: str) -> HTMLResponse:
    """For a person the directory knows and nobody has given a role."""
    account = escape(email or name)
    inner = (
        '<p class="note warning" role="status"><i></i><span>No role yet.</span></p>'
        f"<h1>Welcome, {escape(name)}</h1>"
        '<p class="lead">Your company account works, but nobody has given it a role in Waypost. '
        "Ask your administrator for a role and the regions you work in; then sign in again.</p>"
        f'<p class="account"><span>Signed in as</span><strong>{account}</strong></p>'
        '<form method="post" action="/auth/logout"><button class="button quiet">'
        "<span>Use another account</span></button></form>"
    )
    return _framed("No role yet", inner, environment=environment, status=403, forms_to=provider)


def confirm_sign_out(*, environment: str, provider: str) -> HTMLResponse:
    """Asks before signing out somebody whom another site sent here."""
    inner = (
        '<h1>Sign out?</h1><p class="lead">This ends your session here and at your company\'s '
        "directory.</p>"
        '<form method="post" action="/auth/logout"><button class="button"><span>Sign out</span>'
        '</button></form><a class="button quiet" href="/"><span>Stay signed in</span></a>'
    )
    return _framed("Sign out", inner, environment=environment, forms_to=provider)
