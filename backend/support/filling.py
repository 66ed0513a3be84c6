"""What stands in an answer for what is known of the order: `{number}`, `{eta}` and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backend.platform.errors import FieldError, Invalid

CUSTOMER = "customer"
PLACEHOLDERS = (CUSTOMER, "number", "eta", "agent", "incident")
_PLACE = re.compile(r"\{(\w+)\}")


def check(text: str) -> None:
    """Raise Invalid for a placeholder that nothing fills."""
    unknown = sorted({name for name in _PLACE.findall(text) if name not in PLACEHOLDERS})
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        detail = f"Nothing fills {{{unknown[0]}}}; there are {known}."
        raise Invalid(detail, errors=[FieldError("/text", "unknown_placeholder", detail)])


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with what is known; the customer's name stays a placeholder.

    Raises Invalid where something is asked for that is not known now.
    """
    check(text)

    def known(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == CUSTOMER:
            return match.group()
        if name not in facts:
            detail = f"There is nothing yet that {{{name}}} could stand for."
            raise Invalid(detail, errors=[FieldError("/text", "nothing_known", detail)])
        return facts[name]

    return _PLACE.sub(known, text)


def for_customer(text: str, first_name: str) -> str:
    """The text as its reader gets it, by name."""
    return text.replace(f"{{{CUSTOMER}}}", first_name)
