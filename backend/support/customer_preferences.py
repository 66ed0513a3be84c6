"""How a customer wants to be written to, as they set it on the page of their order."""

from __future__ import annotations

from datetime import time
from html import escape
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.customer_page import Visit
from backend.dispatch.customer_words import languages
from backend.identity.schemas import SYSTEM
from backend.notifications import service as notifications
from backend.notifications.message_schemas import Kind, Preferences, PreferencesIn, QuietHours
from backend.support.customer_schemas import CustomerPreferences, Hours

_PROGRESS = (Kind.ORDER_RECEIVED, Kind.ON_ITS_WAY, Kind.DELIVERED)
_TROUBLE = (Kind.DELAYED, Kind.FAILED, Kind.INCIDENT_NOTICE)
# The same hour twice: none is quiet.
_NEVER = QuietHours(begins=time(0), ends=time(0))
_NIGHT = Hours(begins=time(21), ends=time(8))


async def language_of(session: AsyncSession, order_id: UUID) -> tuple[str, bool]:
    """In which language the customer of an order is written to, and whether they chose it."""
    kept = await notifications.preferences_of_order(session, SYSTEM, order_id)
    return kept.language, kept.language_chosen


async def wishes_of(session: AsyncSession, token: str) -> CustomerPreferences:
    """How the customer behind a link wants to be written to; raises NoSuchLink."""
    order = await dispatch.order_of_link(session, token)
    return _wishes(await notifications.preferences_of_order(session, SYSTEM, order.id))


def _wishes(kept: Preferences) -> CustomerPreferences:
    muted = set(kept.muted)
    quiet = kept.quiet.begins != kept.quiet.ends
    return CustomerPreferences(
        language=kept.language,
        progress=not muted.issuperset(_PROGRESS),
        trouble=not muted.issuperset(_TROUBLE),
        quiet=Hours(begins=kept.quiet.begins, ends=kept.quiet.ends) if quiet else None,
    )


async def set_wishes(
    session: AsyncSession, token: str, wanted: CustomerPreferences
) -> CustomerPreferences:
    """Keep how the customer wants to be written to; what the page does not show stays as it was.

    Raises NoSuchLink.
    """
    order = await dispatch.order_of_link(session, token)
    kept = await notifications.preferences_of_order(session, SYSTEM, order.id)
    shown = {*_PROGRESS, *_TROUBLE}
    muted = [kind for kind in kept.muted if kind not in shown]
    muted += [] if wanted.progress else _PROGRESS
    muted += [] if wanted.trouble else _TROUBLE
    hours = QuietHours(**wanted.quiet.model_dump()) if wanted.quiet else _NEVER
    usual = hours == kept.quiet and not kept.quiet_chosen
    changed = await notifications.set_preferences_of_order(
        session,
        SYSTEM,
        order.id,
        PreferencesIn(
            language=wanted.language,
            muted=muted,
            channels=kept.channels,
            quiet=None if usual else hours,
        ),
    )
    return _wishes(changed)


async def preferences(session: AsyncSession, visit: Visit) -> str:
    """The section for preferences, closed up until it is wanted."""
    words = visit.words
    known = await notifications.preferences_of_order(session, SYSTEM, visit.order_id)
    kept = _wishes(known)
    quiet = kept.quiet or _NIGHT
    # Who reads this page in a language is best written to in it, unless they chose another.
    tongue = kept.language if known.language_chosen else words.language
    tongues = "".join(
        f'<option value="{code}" lang="{code}"{" selected" if code == tongue else ""}>'
        f"{escape(name)}</option>"
        for code, name in languages().items()
    )
    done = visit.done == "preferences"
    return (
        f'<section class="preferences" id="preferences">'
        f'<details id="preferences-more"{" open" if done else ""}>'
        f"<summary><h2>{words.html('preferences.title')}</h2></summary>"
        f'<form method="post" action="{visit.address("/preferences")}">'
        f'<label for="messages-in">{words.html("preferences.language")}</label>'
        f'<select id="messages-in" name="language">{tongues}</select>'
        f"{_check(visit, 'progress', kept.progress)}{_check(visit, 'trouble', kept.trouble)}"
        f"{_check(visit, 'quiet', kept.quiet is not None)}"
        f'<div class="hours">{_hour(visit, "quiet_from", quiet.begins)}'
        f"{_hour(visit, 'quiet_until', quiet.ends)}</div>"
        f'<p class="quiet">{words.html("preferences.always")}</p>'
        f'<p role="status">{words.html("preferences.saved") if done else ""}</p>'
        f'<button class="send">{words.html("preferences.save")}</button></form></details></section>'
    )


def _check(visit: Visit, name: str, checked: bool) -> str:
    return (
        f'<label class="check"><input type="checkbox" name="{name}" id="messages-{name}"'
        f"{' checked' if checked else ''}><span>{visit.words.html(f'preferences.{name}')}</span>"
        "</label>"
    )


def _hour(visit: Visit, name: str, at: time) -> str:
    return (
        f'<div><label for="{name}">{visit.words.html(f"preferences.{name}")}</label>'
        f'<input type="time" id="{name}" name="{name}" value="{at:%H:%M}" required></div>'
    )
