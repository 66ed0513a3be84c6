"""The page on which a customer follows their order: plain HTML, drawn on the server, no sign-in."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from backend.dispatch.customer_map import draw
from backend.dispatch.customer_schemas import Area, Near, StepOut, Tracking
from backend.dispatch.rules import TERMINAL, OrderState
from backend.platform import clock
from backend.regions.rules import haversine_m

_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "customer_page.css").read_text()
SCRIPT = (_FOLDER / "customer_page.js").read_text()

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
    " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_BRAND = (
    '<header class="brand"><svg class="mark" viewBox="0 0 32 32" aria-hidden="true">'
    '<rect width="32" height="32" rx="7"/><path d="M6 10l4 13 6-11 6 11 4-13"/></svg>'
    "<span>Waypost</span></header>"
)
_SPOKEN = {"done": "done", "now": "now", "ahead": "still to come", "failed": "ended here"}


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    html = f"""<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light"><meta name="robots" content="noindex, nofollow">
<title>{escape(title)}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/track/page.css">
<script src="/track/page.js" defer></script>
</head><body>{_BRAND}{body}</body></html>"""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return HTMLResponse(html, status, headers)


def nowhere() -> HTMLResponse:
    """For every link that leads nowhere, whatever the cause."""
    return _sorry(
        "This link leads nowhere",
        "It may be mistyped, or its order was completed a while ago. "
        "The message that brought you here holds the newest link.",
        status=404,
    )


def later() -> HTMLResponse:
    """For who asks too often."""
    return _sorry("One moment, please", "This was opened very often. Try again soon.", status=429)


def _sorry(title: str, words: str, *, status: int) -> HTMLResponse:
    body = f'<main class="sorry"><h1>{title}</h1><p>{words}</p></main>'
    return _page(title, body, status=status)


def follow(told: Tracking, token: str, help_words: str) -> HTMLResponse:
    """The order as its customer sees it."""
    zone = ZoneInfo(told.time_zone)
    open_ = "" if told.state in TERMINAL else f' data-follow="{token}"'
    body = (
        f'<main id="order" data-revision="{told.revision}"{open_}>'
        f'<div class="first">{_status(told, zone)}{_map(told)}</div>'
        f'<div class="second">{_rating(told, token)}{_steps(told, zone)}'
        f'<section class="help"><h2>Questions?</h2><p>{escape(help_words)}</p></section></div>'
        f'</main><p id="news" role="status" class="unseen"></p>'
        f"<footer>Order <code>{escape(told.number)}</code>. Times are those of "
        f"{escape(told.time_zone.rpartition('/')[2].replace('_', ' '))}.</footer>"
    )
    return _page(f"{told.headline} · {told.number}", body)


def _status(told: Tracking, zone: ZoneInfo) -> str:
    detail = f'<p class="detail">{escape(told.detail)}</p>' if told.detail else ""
    return (
        f'<section class="status" data-tone="{told.tone}"><h1><i aria-hidden="true"></i>'
        f"{escape(told.headline)}</h1>{detail}{_when(told, zone)}{_who(told)}</section>"
    )


def _when(told: Tracking, zone: ZoneInfo) -> str:
    if told.proof is not None:
        by = f'<p class="proof">{escape(told.proof.by)}</p>' if told.proof.by else ""
        day = _day(told.proof.at, zone)
        at = _clock(told.proof.at, zone)
        return f'<p class="when"><span>{at}</span> {day}</p>{by}'
    if told.ended_at is not None:
        return f'<p class="quiet">{_moment(told.ended_at, zone)}</p>'
    if told.eta is None:
        if told.state in ("arrived", "failed", "returning"):
            return ""
        words = _moment(told.promised_at, zone)
        late = " It takes longer than planned." if told.late else ""
        return f'<p class="quiet">Planned for {words} at the latest.{late}</p>'
    if told.eta.high < clock.now():
        return '<p class="quiet">Any moment now; it takes longer than expected.</p>'
    low, high = (_clock(moment, zone) for moment in (told.eta.low, told.eta.high))
    late = f" Later than planned ({_clock(told.promised_at, zone)})." if told.late else ""
    return (
        f'<p class="when"><span>{low}</span> to <span>{high}</span></p>'
        f'<p class="quiet">Expected {_day(told.eta.at, zone)}.{late}</p>'
    )


def _rating(told: Tracking, token: str) -> str:
    if told.state != OrderState.DELIVERED:
        return ""
    stars = "".join(
        f'<button type="button" data-stars="{number}" aria-pressed="false"'
        f' aria-label="{number} of 5 stars">\N{BLACK STAR}</button>'
        for number in range(1, 6)
    )
    return (
        f'<section class="rate" data-token="{token}"><h2>How was it?</h2>'
        f'<div role="group" aria-label="Stars">{stars}</div><p role="status"></p></section>'
    )


def _who(told: Tracking) -> str:
    if not told.driver or told.proof is not None:
        return ""
    name = escape(told.driver)
    return (
        f'<p class="driver"><span aria-hidden="true">{name[:1]}</span>'
        f"<b>{name}</b> brings it to you</p>"
    )


def _map(told: Tracking) -> str:
    if told.position is None or told.area is None:
        return ""
    age_s = max(0, round((clock.now() - told.position.recorded_at).total_seconds()))
    seen = (
        "just now" if age_s < 20 else f"{age_s} s ago" if age_s < 90 else f"{age_s // 60} min ago"
    )
    away = _away(told.position, told.area)
    return (
        f'<figure class="near">{draw(told.region, told.area, told.position)}'
        f"<figcaption>Your driver, {away}, seen {seen}</figcaption></figure>"
    )


def _away(near: Near, area: Area) -> str:
    """A distance as vague as the area is."""
    km = haversine_m(near.lat, near.lon, area.lat, area.lon) / 1000
    return "less than 1 km away" if km < 1 else f"about {km:.0f} km away"


def _steps(told: Tracking, zone: ZoneInfo) -> str:
    lines = "".join(_step(step, zone) for step in told.steps)
    return f'<section class="steps"><h2>Its way</h2><ol>{lines}</ol></section>'


def _step(step: StepOut, zone: ZoneInfo) -> str:
    at = f"<time>{_moment(step.at, zone)}</time>" if step.at else ""
    here = ' aria-current="step"' if step.mark == "now" else ""
    return (
        f'<li data-mark="{step.mark}"{here}><span>{escape(step.label)}'
        f'<span class="unseen">, {_SPOKEN[step.mark]}</span></span>{at}</li>'
    )


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M")


def _day(moment: datetime, zone: ZoneInfo) -> str:
    days = (moment.astimezone(zone).date() - clock.now().astimezone(zone).date()).days
    if days in (0, 1):
        return ("today", "tomorrow")[days]
    return moment.astimezone(zone).strftime("on %A, %-d %B")


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    day = _day(moment, zone)
    at = _clock(moment, zone)
    return at if day == "today" else f"{day.removeprefix('on ')}, {at}"
