"""The page on which a customer follows their order: plain HTML, drawn on the server, no sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.customer_frame import framed
from backend.dispatch.customer_map import draw
from backend.dispatch.customer_schemas import Area, Near, StepOut, Tracking
from backend.dispatch.customer_times import city_of, day_of, moment_of, time_of
from backend.dispatch.customer_words import Words
from backend.dispatch.rules import TERMINAL
from backend.platform import clock
from backend.regions.rules import haversine_m


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who looks at an order by its link.

    `asked` is whether the page's address names the language; `done` is what they just sent.
    """

    token: str
    order_id: UUID
    told: Tracking
    words: Words
    asked: bool = False
    done: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock the page goes by."""
        return ZoneInfo(self.told.time_zone)

    @property
    def over(self) -> bool:
        """Whether nothing more happens to the order."""
        return self.told.state in TERMINAL

    def address(self, tail: str = "") -> str:
        """Where a form of the page goes, or the page itself, in the same language."""
        query = f"?lang={self.words.language}" if self.asked else ""
        return f"/track/{self.token}{tail}{query}"


Part = Callable[[AsyncSession, Visit], Awaitable[str]]
"""A section of the page that another context draws; empty where it has nothing to show."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What other contexts show: before the steps of the way, and after them."""

    before: Sequence[Part]
    after: Sequence[Part]


def follow(
    visit: Visit, before: Sequence[str], after: Sequence[str], help_words: str
) -> HTMLResponse:
    """The order as its customer sees it, with what the other contexts have drawn beside it."""
    told, words = visit.told, visit.words
    look = (
        ""
        if visit.over
        else f' data-look="/api/track/{visit.token}?lang={words.language}"'
        f' data-revision="{told.revision}"'
    )
    near = " data-near" if told.position else ""
    ask = f'<p class="ask">{escape(help_words)}</p>' if help_words else ""
    number = f"<code>{escape(told.number)}</code>"
    city = escape(city_of(told.time_zone, words))
    body = (
        f'<main id="order"{look}{near}>'
        f'<div class="first">{_status(visit)}{"".join(before)}{_map(visit)}</div>'
        f'<div class="second">{_steps(visit)}{"".join(after)}{ask}</div>'
        f'</main><p id="news" role="status" class="unseen"></p>'
        f"<footer>{words.html('foot', number=number, city=city)}</footer>"
    )
    return framed(f"{told.headline} · {told.number}", body, words)


def _status(visit: Visit) -> str:
    told = visit.told
    detail = f'<p class="detail">{escape(told.detail)}</p>' if told.detail else ""
    return (
        f'<section class="status" data-tone="{told.tone}"><h1><i aria-hidden="true"></i>'
        f"<span>{escape(told.headline)}</span></h1>{detail}{_when(visit)}{_who(visit)}</section>"
    )


def _when(visit: Visit) -> str:
    told, words, zone = visit.told, visit.words, visit.zone
    if told.proof is not None:
        by = f'<p class="proof">{escape(told.proof.by)}</p>' if told.proof.by else ""
        day = escape(day_of(told.proof.at, zone, words))
        return f'<p class="when"><span>{time_of(told.proof.at, zone)}</span> {day}</p>{by}'
    if told.ended_at is not None:
        return f'<p class="quiet">{escape(moment_of(told.ended_at, zone, words))}</p>'
    if told.eta is None:
        return _planned(visit)
    if told.eta.high < clock.now():
        return f'<p class="quiet">{words.html("eta.any_moment")}</p>'
    low, high = (f"<span>{time_of(at, zone)}</span>" for at in (told.eta.low, told.eta.high))
    expected = words.say("eta.expected", day=day_of(told.eta.at, zone, words))
    if told.late:
        expected += " " + words.say("eta.later", time=time_of(told.promised_at, zone))
    return (
        f'<p class="when">{words.html("eta.span", low=low, high=high)}</p>'
        f'<p class="quiet">{escape(expected)}</p>'
    )


def _planned(visit: Visit) -> str:
    """What was promised, where nobody can say yet when it will come."""
    told, words = visit.told, visit.words
    if told.state in ("arrived", "failed", "returning"):
        return ""
    planned = words.say("eta.planned", moment=moment_of(told.promised_at, visit.zone, words))
    if told.late:
        planned += " " + words.say("eta.longer")
    return f'<p class="quiet">{escape(planned)}</p>'


def _who(visit: Visit) -> str:
    told = visit.told
    if not told.driver or told.proof is not None:
        return ""
    name = escape(told.driver)
    words = visit.words.html("driver", name=f"<b>{name}</b>")
    return f'<p class="driver"><i aria-hidden="true">{name[:1]}</i><span>{words}</span></p>'


def _map(visit: Visit) -> str:
    told, words = visit.told, visit.words
    if told.position is None or told.area is None:
        return ""
    seen = _seen(told.position, words)
    caption = words.say("map.caption", away=_away(told.position, told.area, words), seen=seen)
    return (
        f'<figure class="near">{draw(told.region, told.area, told.position, words)}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _seen(near: Near, words: Words) -> str:
    age_s = max(0, round((clock.now() - near.recorded_at).total_seconds()))
    if age_s < 20:
        return words.say("seen.now")
    if age_s < 90:
        return words.say("seen.seconds", n=age_s)
    return words.say("seen.minutes", n=age_s // 60)


def _away(near: Near, area: Area, words: Words) -> str:
    """A distance as vague as the area is."""
    km = haversine_m(near.lat, near.lon, area.lat, area.lon) / 1000
    return words.say("map.near") if km < 1 else words.say("map.far", km=f"{km:.0f}")


def _steps(visit: Visit) -> str:
    lines = "".join(_step(step, visit) for step in visit.told.steps)
    return f'<section class="steps"><h2>{visit.words.html("steps")}</h2><ol>{lines}</ol></section>'


def _step(step: StepOut, visit: Visit) -> str:
    words = visit.words
    at = f"<time>{escape(moment_of(step.at, visit.zone, words))}</time>" if step.at else ""
    here = ' aria-current="step"' if step.mark == "now" else ""
    return (
        f'<li data-mark="{step.mark}"{here}><span>{escape(step.label)}'
        f'<span class="unseen">, {words.html(f"mark.{step.mark}")}</span></span>{at}</li>'
    )
