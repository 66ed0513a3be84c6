"""What the customer's page says, in nine languages: one file for each, the same keys in all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

import yaml

FALLBACK = "en"
_CODES = (FALLBACK, "hi", "th", "vi", "id", "bn", "ta", "fil", "ms")
# What browsers still call these languages.
_ALIASES = {"tl": "fil", "in": "id"}
_MOST_ACCEPTED = 20


class Words:
    """All that the page says in one language."""

    def __init__(self, language: str, content: Mapping[str, Any]) -> None:
        self.language = language
        self.days: list[str] = content["days"]
        self.months: list[str] = content["months"]
        self._said = dict(_flat(content))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of everything that is said."""
        return frozenset(self._said)

    def say(self, key: str, **values: object) -> str:
        """The words of a key, filled in."""
        return self._said[key].format(**values)

    def find(self, key: str) -> str | None:
        """The words of a key, None where there is nothing to say."""
        return self._said.get(key)

    def html(self, key: str, **markup: str) -> str:
        """The same for a page: words escaped, filled in with what is markup already."""
        return escape(self._said[key]).format(**markup)


def _flat(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        elif isinstance(value, str):
            yield f"{before}{key}", value


@lru_cache
def words_in(language: str) -> Words:
    """The words of one of the nine languages."""
    folder = files("backend.dispatch").joinpath("customer_words")
    return Words(language, yaml.safe_load(folder.joinpath(f"{language}.yaml").read_text("utf-8")))


@lru_cache
def languages() -> dict[str, str]:
    """The languages of the page by their codes, each by its own name, English first."""
    return {code: words_in(code).say("language") for code in _CODES}


def spoken(tag: str) -> str | None:
    """The language of the page that a language tag (BCP 47) means, None where there is none."""
    primary = tag.strip().partition("-")[0].lower()
    code = _ALIASES.get(primary, primary)
    return code if code in _CODES else None


def accepted(header: str) -> str | None:
    """The best of the page's languages by an `Accept-Language` header (RFC 9110, 12.5.4)."""
    wished: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:_MOST_ACCEPTED]):
        tag, _, weight = part.partition(";")
        code = spoken(tag)
        quality = _quality(weight)
        if code is not None and quality > 0:
            wished.append((-quality, place, code))
    return min(wished)[2] if wished else None


def _quality(weight: str) -> float:
    name, _, value = weight.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, float(value))
    except ValueError:
        return 0.0


def choose(wanted: str | None, preferred: str | None, header: str, usual: str) -> Words:
    """The words for who asked for a language, prefers one, accepts some; else the usual ones."""
    asked = spoken(wanted) if wanted else None
    return words_in(asked or preferred or accepted(header) or spoken(usual) or FALLBACK)
