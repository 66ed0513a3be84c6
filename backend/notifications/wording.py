"""The templates of messages in their languages, filled in."""

from __future__ import annotations

from collections.abc import Mapping

from backend.notifications.message_schemas import TemplateOut


def languages() -> dict[str, str]:
    """The languages that messages are written in: code and own name, English first."""
    raise NotImplementedError


def list_templates() -> list[TemplateOut]:
    """Every template with its example in English."""
    raise NotImplementedError


def preview_template(key: str, language: str, params: Mapping[str, str]) -> str:
    """A template filled in; examples stand for what is left out.

    Raises Invalid for a template or language that there is not.
    """
    raise NotImplementedError
