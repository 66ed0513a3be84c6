"""A flag's way from staging to production: what it would change there, and sending it."""

from __future__ import annotations

from typing import Any

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import PromoteIn
from backend.regions import service as regions
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.flag import FlagState
from dashboard.states.flag_facts import Preview, no_preview, preview_of
from dashboard.states.flag_words import came_of
from dashboard.states.flags import fault_words
from dashboard.states.shell import tell


class FlagPromoteState(rx.State):
    """The promotion that is looked at; `shown` names its flag and both versions, or is empty."""

    shown: str = ""
    staging_version: int = 0
    production_version: int = 0
    preview: Preview = no_preview("")
    fault: str = ""
    busy: bool = False

    @rx.event(background=True)
    @requires("flags:write")
    async def look(self) -> None:
        """Tell what promoting the flag would do in production, and to whom."""
        async with self:
            self.shown, self.fault = "", ""
        await self._look()

    async def _look(self) -> None:
        async with self:
            key = self._key()
        try:
            async with gateway.open(self) as (session, principal):
                found = await flags.preview_promotion(session, principal, key)
                tree = await regions.directory(session, principal)
        except DomainError as error:
            async with self:
                self.shown, self.fault = "", fault_words(error)
            return
        shown = f"{key}#{found.staging_version}-{found.production_version}"
        preview = preview_of(
            found.preview, shown, lambda code: getattr(tree.get(code), "name", code)
        )
        async with self:
            if key != self._key():
                return
            self.staging_version = found.staging_version
            self.production_version = found.production_version
            self.preview, self.shown = preview, shown

    @rx.event(background=True)
    @requires("flags:write")
    async def send(self, sent: dict[str, Any]) -> None:
        """Publish staging's rules in production, or keep them for a second person."""
        async with self:
            if self.busy or not self.shown.startswith(f"{self._key()}#"):
                return
            self.busy, self.fault, key = True, "", self._key()
            seen = (self.staging_version, self.production_version)
        fault = ""
        try:
            wanted = PromoteIn(
                staging_version=seen[0],
                version_seen=seen[1],
                reason=str(sent.get("reason", "")),
                confirm=str(sent.get("confirm", "")),
            )
            async with gateway.open(self) as (session, principal):
                done = await flags.promote_flag(session, principal, key, wanted)
        except (DomainError, ValidationError) as error:
            fault = fault_words(error)
        finally:
            async with self:
                self.busy = False
        if fault:
            # Where either side moved, the words and figures shown are no longer what would happen.
            await self._look()
            async with self:
                self.fault = self.fault or fault
            return
        async with self:
            self.shown = ""
            (await self.get_state(FlagState)).asking = ""
            await tell(self, "good", f"Production: {came_of(done)}")

    def _key(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2][:80]
