"""The playground of a flag: why somebody is served what they are, rule by rule."""

from __future__ import annotations

import json
from typing import Any, TypedDict

import reflex as rx
from pydantic import ValidationError

from backend.flags import service as flags
from backend.flags.schemas import ContextIn, Explanation
from backend.platform.errors import Invalid
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.flag_words import environment_of
from dashboard.states.flags import fault_words
from dashboard.states.paging import form_text
from dashboard.states.shell import EVERYWHERE

_ATTRIBUTES = ("targetingKey", "app", "app_version", "platform", "role")


class StepRow(TypedDict):
    """One thing that was looked at."""

    number: str
    what: str
    detail: str
    tone: str
    word: str
    decided: bool


class Answer(TypedDict):
    """What is served, and why."""

    variant: str
    value: str
    reason: str
    fault: str
    bucket: str
    version: str
    context: str


_NONE: Answer = {
    "variant": "", "value": "", "reason": "", "fault": "", "bucket": "", "version": "",
    "context": "",
}  # fmt: skip


class FlagTryState(rx.State):
    """A context tried against the flag that the address names."""

    answer: Answer = _NONE
    steps: list[StepRow] = []
    fault: str = ""

    @rx.event
    @requires("flags:read")
    async def forget(self) -> None:
        """Another flag: nothing has been tried yet."""
        self.answer, self.steps, self.fault = _NONE, [], ""

    @rx.event(background=True)
    @requires("flags:read")
    async def explain(self, form: dict[str, Any]) -> None:
        """Say what this context is served and which rule decided it."""
        async with self:
            url = self.router.url
            key = url.path.rstrip("/").rpartition("/")[2][:80]
            environment = environment_of(str(url.query_parameters.get("env", "")))
        try:
            context = _context(form)
            async with gateway.open(self) as (session, principal):
                found = await flags.explain(
                    session, principal, key, ContextIn(environment=environment, context=context)
                )
        except (DomainError, ValidationError) as error:
            async with self:
                self.answer, self.steps, self.fault = _NONE, [], fault_words(error)
            return
        async with self:
            self.fault = ""
            self.answer = _answer(found, context)
            self.steps = [
                {
                    "number": str(number),
                    "what": step.what,
                    "detail": step.detail,
                    "tone": "good" if step.passed else "off",
                    "word": "decides" if step.decided else "holds" if step.passed else "does not",
                    "decided": step.decided,
                }
                for number, step in enumerate(found.steps, 1)
            ]


def _context(form: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = {
        name: value for name in _ATTRIBUTES if (value := form_text(form, name))
    }
    region = form_text(form, "region")
    if region not in ("", EVERYWHERE):
        context["country"] = region[:2]
        if len(region) > len("TH"):
            context["city"] = region.partition(".")[0]
        if "." in region:
            context["hub"] = region
    segments = [each.strip() for each in form_text(form, "segment").split(",") if each.strip()]
    if segments:
        context["segment"] = segments
    more = form_text(form, "more")
    if more:
        try:
            added = json.loads(more)
        except ValueError as error:
            raise Invalid(f"More attributes are no JSON: {error}") from None
        if not isinstance(added, dict):
            raise Invalid('More attributes are a JSON object, such as {"fleet": "night"}.')
        context |= added
    return context


def _answer(found: Explanation, context: dict[str, Any]) -> Answer:
    return {
        "variant": found.variant or "the program's own",
        "value": json.dumps(found.value, ensure_ascii=False),
        "reason": found.reason.replace("_", " ").lower(),
        "fault": (found.error_code or "").replace("_", " ").lower(),
        "bucket": "" if found.bucket is None else f"{found.bucket:.3f} %",
        "version": str(found.version),
        "context": json.dumps(context, ensure_ascii=False),
    }
