"""Rollouts of a flag: start one step by step, hold it, let it go on, end it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import RolloutIn, RolloutStep
from backend.platform.errors import Invalid
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.flag import FlagState
from dashboard.states.flag_words import environment_of
from dashboard.states.flags import fault_words
from dashboard.states.paging import form_text, uuid_or_none
from dashboard.states.shell import EVERYWHERE, tell

_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
_STEP = re.compile(r"^(\d+(?:\.\d{1,3})?)\s*%?(?:\s+for\s+(\d+)\s*(s|min|h|d))?$")


class FlagRolloutState(rx.State):
    """The rollouts of the flag that the address names."""

    busy: bool = False
    fault: str = ""

    @rx.event(background=True)
    @requires("flags:write")
    async def start(self, form: dict[str, Any]) -> Any:
        """Raise a rule's share step by step, guarded where a guard is given."""
        async with self:
            if self.busy:
                return None
            self.busy, self.fault = True, ""
            url = self.router.url
            key = url.path.rstrip("/").rpartition("/")[2][:80]
            environment = environment_of(str(url.query_parameters.get("env", "")))
        fault = ""
        try:
            errors = form_text(form, "most_errors")
            region = form_text(form, "region")
            wanted = RolloutIn(
                environment=environment,
                rule=form_text(form, "rule"),
                steps=steps_of(form_text(form, "steps")),
                slo=form_text(form, "slo") or None,
                region=None if region in ("", EVERYWHERE) else region,
                most_errors=_share(errors) if errors else None,
                version_seen=int(form_text(form, "version_seen") or 0),
                reason=form_text(form, "reason"),
                confirm=form_text(form, "confirm"),
            )
            async with gateway.open(self) as (session, principal):
                found = await flags.start_rollout(session, principal, key, wanted)
        except (DomainError, ValidationError) as error:
            fault = fault_words(error)
        finally:
            async with self:
                self.busy = False
        async with self:
            self.fault = fault
            if not fault:
                waits = found.result.status == "waiting"
                words = "It waits for a second person." if waits else "The rollout is under way."
                await tell(self, "good", words)
        return FlagState.refresh if fault else FlagState.load

    @rx.event(background=True)
    @requires("flags:write")
    async def pause(self, rollout_id: str) -> Any:
        """Stay at the step in force."""
        return await self._do(flags.pause_rollout, rollout_id, "It stays at this step.")

    @rx.event(background=True)
    @requires("flags:write")
    async def resume(self, rollout_id: str) -> Any:
        """Go on from the step in force."""
        return await self._do(flags.resume_rollout, rollout_id, "It goes on.")

    @rx.event(background=True)
    @requires("flags:write")
    async def stop(self, rollout_id: str) -> Any:
        """End the rollout and leave the share as it is."""
        return await self._do(flags.stop_rollout, rollout_id, "Ended; the share stays as it is.")

    async def _do(self, verb: Callable[..., Any], rollout_id: str, words: str) -> Any:
        wanted = uuid_or_none(str(rollout_id))
        if wanted is None:
            return None
        tone = "good"
        try:
            async with gateway.open(self) as (session, principal):
                await verb(session, principal, wanted)
        except DomainError as error:
            tone, words = "critical", error.detail
        async with self:
            await tell(self, tone, words)
        return FlagState.refresh


def steps_of(text: str) -> list[RolloutStep]:
    """The steps that `10 % for 1 h, 50 % for 4 h, 100 %` spells; raises Invalid."""
    steps = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        found = _STEP.match(part)
        if found is None or float(found[1]) > 100:
            raise Invalid(f"'{part}' is no step; write it as '25 % for 2 h' (s, min, h or d).")
        wait_s = int(found[2]) * _UNITS[found[3]] if found[2] else 0
        steps.append(RolloutStep(share=round(float(found[1]) * 1_000), wait_s=wait_s))
    return steps


def _share(text: str) -> float:
    try:
        return float(text) / 100
    except ValueError:
        raise Invalid("More errors than the others: a number in percent.") from None
