"""What a customer says and reads on the page of their order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from backend.notifications.message_schemas import ClockTime, Language
from backend.support.rules import Kind
from backend.support.schemas import Word

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$"),
]


class HelpIn(BaseModel):
    """A call for help; a second one with the same `key` is the first."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Kind.OTHER
    text: Words
    key: Word | None = None


class CustomerSaid(BaseModel):
    """One word of the conversation."""

    at: datetime
    by: Literal["you", "us"]
    text: str


class CustomerConversation(BaseModel):
    """All that the customer of an order and we have said; `open` while somebody works on it."""

    items: list[CustomerSaid]
    open: bool
    asked: bool


class Help(CustomerConversation):
    """The conversation, what may be asked about, and a word that changes with what was said."""

    choices: list[Kind]
    revision: str


class CustomerWord(BaseModel):
    """One more word of the customer's; a second one with the same `key` is the first."""

    model_config = ConfigDict(extra="forbid")

    text: Words
    key: Word | None = None


class Hours(BaseModel):
    """From one time of day to another by the city's clock, over midnight where it ends first."""

    model_config = ConfigDict(extra="forbid")

    begins: ClockTime
    ends: ClockTime


class CustomerPreferences(BaseModel):
    """How a customer is written to: whether the order's progress and trouble are told, and when
    only what cannot wait may come."""

    model_config = ConfigDict(extra="forbid")

    language: Language
    progress: bool
    trouble: bool
    quiet: Hours | None
