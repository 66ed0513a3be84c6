"""The demo's phone: what the customer of an order received, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.dispatch import service as dispatch
from backend.identity.schemas import Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageFilter, MessageOut, MessageState
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.regions import service as regions
from dashboard import gateway
from dashboard.gateway import Session, requires
from dashboard.states.message_words import CHANNELS, PATH, READERS, TEMPLATES
from dashboard.states.order_words import clock_words
from dashboard.states.paging import ListState, address, form_text, iso, loads

_RECEIVED = (MessageState.SENT, MessageState.DELIVERED)
_LOOKED_AT = 100


class Phone(TypedDict):
    """A customer whose phone may be looked at, told by their order."""

    order: str
    recipient: str
    what: str
    at: str
    link: str
    on: bool


class Bubble(TypedDict):
    """One message as it stands on the phone."""

    id: str
    text: str
    channel: str
    clock: str
    state: str


class SandboxState(ListState, rx.State):
    """The phone of the order that the address names, or the one written to last."""

    phones: list[Phone] = []
    bubbles: list[Bubble] = []
    order: str = ""
    recipient: str = ""
    language: str = ""

    @rx.event(background=True)
    @requires("messages:read")
    @loads
    async def load(self) -> None:
        """Show the phones that were written to, and what stands on one of them."""
        async with self:
            self.fault = ""
        await self._look()

    @rx.event(background=True)
    @requires("messages:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Look again; a timer, not an activity."""
        await self._look()

    async def _look(self) -> None:
        async with self:
            asked = self._asked("order")
            place = await self._place()
            if self._asked("tab") != "phone":
                return
        if not gateway.resources().settings.demo:
            raise NotFound("Only the demo has a phone to look at: everybody else's is their own.")
        async with gateway.open(self) as (session, principal):
            wanted = MessageFilter(region=place, to="customer", states=_RECEIVED)
            page = await notifications.list_messages(session, principal, wanted, None, _LOOKED_AT)
            newest = next((each.order for each in page.items if each.order), "")
            number = asked or newest or ""
            found: list[MessageOut] = []
            if number:
                order = await dispatch.get_order(session, principal, number)
                found = await notifications.messages_of_order(session, principal, order.id)
            received = [each for each in found if each.to == "customer" and each.state in _RECEIVED]
            bubbles = await _bubbles(session, principal, received)
        async with self:
            self.phones = phones(page.items, number, self._asked("region"))
            self.bubbles, self.order = bubbles, number
            self.recipient = received[-1].recipient if received else ""
            spoken = received[-1].language if received else ""
            self.language = notifications.languages().get(spoken, spoken)
            self.fault, self.ready = "", True

    @rx.event
    @requires("messages:read")
    async def pick(self, form: dict[str, Any]) -> EventSpec:
        """Put the order's number into the address."""
        number = form_text(form, "order").upper()[:40]
        return rx.redirect(address(PATH, {"tab": "phone", "order": number}), replace=True)


async def _bubbles(
    session: Session, principal: Principal, received: Sequence[MessageOut]
) -> list[Bubble]:
    """What the customer reads, the oldest first."""
    directory = await regions.directory(session, principal)
    now = clock.now()
    told: list[Bubble] = []
    for each in sorted(received, key=lambda one: one.sent_at or one.queued_at):
        body = await notifications.message_body(session, principal, each.id)
        place = directory.get(each.region)
        zone = (place and place.time_zone) or "UTC"
        told.append(
            {
                "id": str(each.id),
                "text": body.text,
                "channel": CHANNELS[each.channel] if each.channel else "",
                "clock": clock_words(each.sent_at or each.queued_at, zone, now),
                "state": each.state.value,
            }
        )
    return told


def phones(messages: Sequence[MessageOut], chosen: str, region: str) -> list[Phone]:
    """Each order's phone once, the one written to last first."""
    newest: dict[str, MessageOut] = {}
    for each in messages:
        if each.order:
            newest.setdefault(each.order, each)
    return [
        {
            "order": number,
            "recipient": each.recipient or READERS[each.to],
            "what": TEMPLATES[each.template],
            "at": iso(each.queued_at),
            "link": address(PATH, {"tab": "phone", "order": number, "region": region}),
            "on": number == chosen,
        }
        for number, each in newest.items()
    ]
