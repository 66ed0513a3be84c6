"""The templates of messages in their languages, filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter

from backend.notifications.language import LANGUAGES, spoken
from backend.notifications.message_rules import FALLBACK, MUTABLE, URGENT, Kind
from backend.notifications.message_schemas import TemplateOut
from backend.notifications.phrases import driver_words, money_words, reason_words, time_words
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid

_SPACES = re.compile(r" {2,}")


@dataclass(frozen=True, slots=True)
class Written:
    """A message as its reader gets it, and what its template was filled with."""

    subject: str
    text: str
    params: dict[str, str]


def languages() -> dict[str, str]:
    """The languages that messages are written in: code and own name, English first."""
    return {code: spoken(code).name for code in LANGUAGES}


def needed(kind: Kind) -> list[str]:
    """What a template is filled with, in the order in which English names it."""
    template = spoken(FALLBACK).templates[kind]
    names = [name for _, name, _, _ in Formatter().parse(template.text) if name]
    return list(dict.fromkeys(names))


def fill(kind: Kind, language: str, params: Mapping[str, str]) -> Written:
    """A template filled in; raises Invalid with a pointer for each name that nothing is given for.

    The words that come in are never read as a template themselves.
    """
    names = needed(kind)
    missing = [name for name in names if name not in params]
    if missing:
        raise Invalid(
            errors=[
                FieldError(f"/params/{name}", "missing", f"This message needs {name}.")
                for name in missing
            ]
        )
    template = spoken(language).templates[kind]
    used = {name: params[name] for name in names}
    return Written(_filled(template.title, used), _filled(template.text, used), used)


def _filled(template: str, params: Mapping[str, str]) -> str:
    return _SPACES.sub(" ", template.format_map(params)).strip()


def examples(language: str) -> dict[str, str]:
    """What shows a template filled in: an evening in Bengaluru, spelled as the language does."""
    words = spoken(language)
    noon = clock.now().replace(hour=6, minute=30, second=0, microsecond=0)

    def today(hours: int, minutes: int) -> str:
        at = noon + timedelta(hours=hours, minutes=minutes)
        return time_words(words, at, noon, "Asia/Kolkata")

    return {
        "number": "WP-7Q4M2K9X3D",
        "by": today(8, 0),
        "eta": today(6, 40),
        "driver": driver_words(words, None),
        "code": "482913",
        "minutes": "10",
        "amount": money_words(125_000, "INR"),
        "reason": reason_words(words, "nobody_there"),
        "text": "…",
        "link": "https://waypost.example/track/…",
    }


def list_templates() -> list[TemplateOut]:
    """Every template with its example in English."""
    return [
        TemplateOut(
            key=kind,
            languages=list(LANGUAGES),
            example=fill(kind, FALLBACK, examples(FALLBACK)).text,
            params=needed(kind),
            urgent=kind in URGENT,
            mutable=kind in MUTABLE,
        )
        for kind in spoken(FALLBACK).templates
    ]


def preview_template(key: str, language: str, params: Mapping[str, str]) -> str:
    """A template filled in; examples stand for what is left out.

    Raises Invalid for a template or language that there is not.
    """
    if key not in spoken(FALLBACK).templates:
        raise Invalid(errors=[FieldError("/key", "unknown", f"There is no template {key}.")])
    if language not in LANGUAGES:
        detail = f"Nothing is written in {language}."
        raise Invalid(errors=[FieldError("/language", "unknown", detail)])
    return fill(Kind(key), language, {**examples(language), **params}).text
