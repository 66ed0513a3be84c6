"""What every handler that changes something does alike: once at a time, and its outcome told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Self

import reflex as rx
from pydantic import ValidationError

from dashboard.gateway import DomainError
from dashboard.states.paging import first_fault
from dashboard.states.shell import tell

Deed = Callable[..., Awaitable[str]]
"""A handler's own part, which returns the words to tell; empty where there is nothing to say."""


class FormState(rx.State, mixin=True):
    """Vars of a page that keeps what a form says."""

    open: bool = False
    """Whether the form's drawer is open, where it is in one."""
    working: bool = False
    form_fault: str = ""
    serial: int = 0
    """How often something was kept; a form with a new serial is drawn anew, empty."""


class Refusal:
    """Within it, a form that says too little or a verb that refuses leaves its `words` behind.

    They are empty when nothing was refused.
    """

    def __init__(self) -> None:
        self.words = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, ValidationError):
            self.words = first_fault(error)
        elif isinstance(error, DomainError):
            self.words = error.detail
        return bool(self.words)


def saves(save: Deed) -> Callable[..., Awaitable[Any]]:
    """For a background handler that keeps a form, once at a time; the page then shows it.

    A refusal becomes the form's fault line and leaves its drawer open, and nothing is loaded.
    """

    @wraps(save)
    async def saving(self: Any, *args: Any, **named: Any) -> Any:
        async with self:
            if self.working:
                return None
            self.working, self.form_fault = True, ""
            was_open = self.open
        said = ""
        with Refusal() as refused:
            try:
                said = await save(self, *args, **named)
            finally:
                async with self:
                    self.working = False
        async with self:
            self.form_fault = refused.words
            self.open = was_open and bool(refused.words)
            self.serial += not refused.words
            if said:
                await tell(self, "good", said)
        return None if refused.words else self.__class__.load

    return saving


def tells(act: Deed) -> Callable[..., Awaitable[Any]]:
    """For a background handler that acts on a row: its outcome is told, and the page shows it."""

    @wraps(act)
    async def acting(self: Any, *args: Any, **named: Any) -> Any:
        said = ""
        with Refusal() as refused:
            said = await act(self, *args, **named)
        if words := refused.words or said:
            async with self:
                await tell(self, "critical" if refused.words else "good", words)
        return self.__class__.load

    return acting
