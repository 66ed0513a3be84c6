"""What is set for one driver: how much they carry, their skills and their documents."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import reflex as rx
from pydantic import ValidationError

from backend.dispatch import service as dispatch
from backend.dispatch.roster_schemas import CapacityIn, DocumentIn
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.paging import form_text, form_words, uuid_or_none
from dashboard.states.shell import tell


class DriverCareState(rx.State):
    """The forms of the driver's page."""

    serial: int = 0

    @rx.event(background=True)
    @requires("drivers:write")
    async def set_capacity(self, form: dict[str, Any]) -> None:
        """Keep what the driver can carry at once, and may be sent to do."""
        async with self:
            driver_id = uuid_or_none(self.router.url.path.rstrip("/").rsplit("/", 1)[-1])
        if driver_id is None:
            return
        try:
            wanted = CapacityIn(
                most_orders=whole(form_text(form, "orders")),
                most_weight_g=thousands(form_text(form, "weight_kg")),
                most_volume_cm3=thousands(form_text(form, "volume_l")),
                skills=form_words(form, "skills"),
            )
            async with gateway.open(self) as (session, principal):
                await dispatch.set_capacity(session, principal, driver_id, wanted)
        except (ValidationError, DomainError) as error:
            await self._refuse(error)
            return
        await self._say("The driver's capacity is kept.")

    @rx.event(background=True)
    @requires("drivers:write")
    async def set_document(self, form: dict[str, Any]) -> None:
        """Keep a document that was looked at."""
        async with self:
            driver_id = uuid_or_none(self.router.url.path.rstrip("/").rsplit("/", 1)[-1])
        if driver_id is None:
            return
        try:
            wanted = DocumentIn(
                kind=cast(Any, form_text(form, "kind")),
                number=form_text(form, "number"),
                expires_on=day_or_none(form_text(form, "expires")),
            )
            async with gateway.open(self) as (session, principal):
                await dispatch.set_document(session, principal, driver_id, wanted)
        except (ValidationError, DomainError) as error:
            await self._refuse(error)
            return
        await self._say("The document is kept.")

    async def _say(self, text: str) -> None:
        async with self:
            self.serial += 1
            await tell(self, "good", text)

    async def _refuse(self, error: ValidationError | DomainError) -> None:
        if isinstance(error, DomainError):
            text = error.detail
        else:
            first = error.errors()[0]
            text = f"{str(first['loc'][0]).replace('_', ' ')}: {first['msg']}"
        async with self:
            await tell(self, "critical", text)


def whole(text: str) -> int:
    """A whole number; 0, which no bound allows, for anything else."""
    return int(text) if text.isdecimal() else 0


def thousands(text: str) -> int:
    """Kilograms or litres in grams or cubic centimetres; 0 for anything else."""
    try:
        return round(float(text.replace(",", ".")) * 1000)
    except (ValueError, OverflowError):
        return 0


def day_or_none(text: str) -> date | None:
    """An ISO date; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
