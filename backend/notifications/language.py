"""What is written in each language: templates, how times are spelled, how drivers are called."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from backend.notifications.message_rules import FALLBACK, Kind

_FOLDER = Path(__file__).parent / "templates"
LANGUAGES = ("en", "hi", "th", "vi", "id", "bn", "ta", "fil", "ms")


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Template(_Read):
    """One message in one language, with {names} to be filled in."""

    title: str
    text: str


class DriverWords(_Read):
    """How a driver is called, with a name and without."""

    named: str
    unnamed: str


class Language(_Read):
    """All that is written in one language."""

    name: str
    time: str
    halves: tuple[str, str]
    driver: DriverWords
    reasons: dict[str, str]
    templates: dict[Kind, Template]


@cache
def spoken(language: str) -> Language:
    """What is written in a language, English where there is none."""
    known = language if language in LANGUAGES else FALLBACK
    text = (_FOLDER / f"{known}.yaml").read_text(encoding="utf-8")
    return Language.model_validate(yaml.safe_load(text))
