"""The demo provider's own pages, marked as a demo so that nobody takes them for a company's."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse

from backend.identity.demo_people import PEOPLE, DemoPerson
from backend.identity.pages import page


def _directory(title: str, inner: str, *, status: int = 200, policy: str = "") -> HTMLResponse:
    body = (
        '<div class="directory"><main class="card wide"><p class="stamp">Demo directory</p>'
        f"{inner}</main></div>"
    )
    return page(title, body, status=status, policy=policy)


def _row(person: DemoPerson) -> str:
    return (
        f'<li><button name="person" value="{escape(person.key)}">'
        f'<span class="avatar" aria-hidden="true">{escape(person.initials)}</span>'
        f'<span class="who"><strong>{escape(person.name)}</strong>'
        f"<span>{escape(person.email)}</span></span>"
        f'<span class="what"><strong>{escape(person.title)}</strong>'
        f"<span>{escape(person.place)}</span></span></button></li>"
    )


def picker(query: dict[str, str]) -> HTMLResponse:
    """Everyone there is to sign in as; the choice is posted with the request it answers."""
    rows = "".join(_row(person) for person in PEOPLE)
    inner = (
        '<h1>Choose a person</h1><p class="lead">Stands in for Microsoft Entra ID on this machine. '
        "Each person holds the role and the region written beside the name.</p>"
        f'<form method="post" action="?{escape(urlencode(query))}"><ul class="people">{rows}</ul>'
        "</form>"
    )
    return _directory("Choose a person", inner)


def fault(message: str) -> HTMLResponse:
    """A request that the provider does not take."""
    inner = (
        '<p class="note critical" role="alert"><i></i><span>The request was refused.</span></p>'
        f'<h1>This sign-in cannot go on</h1><p class="lead">{escape(message)}</p>'
    )
    return _directory("Request refused", inner, status=400)


def signed_out(front_channel: str, return_to: str) -> HTMLResponse:
    """Tells the console in a frame that the session has ended, then leads back to it."""
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-src 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    inner = (
        '<h1>Signing out</h1><p class="lead">One moment.</p>'
        f'<iframe class="away" title="signing out" src="{escape(front_channel)}"></iframe>'
        f'<a class="button quiet" href="{escape(return_to)}"><span>Back to Waypost</span></a>'
    )
    answer = _directory("Signing out", inner, policy=policy)
    answer.headers["Refresh"] = f"1; url={return_to}"
    return answer
