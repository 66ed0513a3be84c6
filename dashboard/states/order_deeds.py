"""What is done to one order besides moving it: changed, flagged, settled, its link replaced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx

from backend.dispatch import service as dispatch
from backend.dispatch.customer_schemas import LinkIn
from backend.dispatch.doorstep_schemas import OverrideIn
from backend.dispatch.order_schemas import OrderChange
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import Principal
from backend.regions import service as regions
from dashboard import gateway
from dashboard.gateway import DomainError, requires
from dashboard.states.forms import Refusal
from dashboard.states.paging import form_text, form_words
from dashboard.states.shell import tell

TITLES = {
    "change": "Change promise or tags",
    "flag": "Flag for support",
    "settle": "Settle the flag",
    "override": "Waive the proof of delivery",
    "link": "Replace the tracking link",
}
_DONE = {
    "change": "The order is changed.",
    "flag": "The order is flagged.",
    "settle": "The flag is settled.",
    "override": "The proof is waived.",
    "link": "The old link leads nowhere now; the page shows the new one.",
}
_HINTS = {
    "link": "The link that the customer has stops working at once. Send them the new one.",
}
_LOCAL = "%Y-%m-%dT%H:%M"


class OrderDeedsState(rx.State):
    """The drawer of one order."""

    open: bool = False
    deed: str = ""
    title: str = ""
    hint: str = ""
    promised: str = ""
    tags: str = ""
    zone: str = "UTC"
    may_deliver: bool = False
    working: bool = False
    fault: str = ""
    serial: int = 0
    _id: UUID | None = None
    _version: int = 0

    def _number(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1]

    @rx.event(background=True)
    @requires("orders:write")
    async def begin(self, deed: str) -> None:
        """Open the drawer for a deed, filled with how the order stands."""
        if deed not in TITLES:
            return
        async with self:
            number = self._number()
        try:
            async with gateway.open(self) as (session, principal):
                order = await dispatch.get_order(session, principal, number)
                directory = await regions.directory(session, principal)
        except DomainError as error:
            async with self:
                await tell(self, "critical", error.detail)
            return
        async with self:
            city = directory.get(order.region)
            self._fill(order, (city and city.time_zone) or "UTC")
            self.deed, self.title, self.hint = deed, TITLES[deed], _HINTS.get(deed, "")
            self.fault = ""
            self.open, self.working = True, False

    def _fill(self, order: OrderOut, zone: str) -> None:
        there = ZoneInfo(zone)
        self._id, self._version, self.zone = order.id, order.version, zone
        self.promised = local(order.promised_at, there)
        self.tags = ", ".join(order.tags)
        self.may_deliver = order.state == "arrived"

    @rx.event
    @requires("orders:write")
    async def leave(self) -> None:
        """Close the drawer."""
        self.open = False

    @rx.event(background=True)
    @requires("orders:write")
    async def do(self, form: dict[str, Any]) -> None:
        """Do what the drawer asks."""
        async with self:
            if self.working or self._id is None:
                return
            deed, order_id, version = self.deed, self._id, self._version
            sent = self._changed(form)
            self.working, self.fault = True, ""
        with Refusal() as refused:
            async with gateway.open(self) as (session, principal):
                await _do(session, principal, deed, order_id, version, form, sent)
        async with self:
            self.working, self.fault = False, refused.words
            if refused.words:
                return
            self.open = False
            self.serial += 1
            await tell(self, "good", _DONE[deed])

    def _changed(self, form: Mapping[str, object]) -> dict[str, Any]:
        """The fields of the form that differ from how the order stood."""
        there = ZoneInfo(self.zone)
        sent: dict[str, Any] = {}
        if (text := form_text(form, "promised")) and text != self.promised:
            sent["promised_at"] = moment(text, there)
        tags = form_text(form, "tags")
        if tags != self.tags:
            sent["tags"] = form_words(form, "tags")
        return sent


async def _do(
    session: Any,
    principal: Principal,
    deed: str,
    order_id: UUID,
    version: int,
    form: Mapping[str, object],
    sent: Mapping[str, Any],
) -> None:
    reason = form_text(form, "reason")
    if deed == "change":
        wanted = OrderChange(reason=reason, seen_version=version, **sent)
        await dispatch.change_order(session, principal, order_id, wanted)
    elif deed == "flag":
        await dispatch.flag_order(session, principal, order_id, reason)
    elif deed == "settle":
        await dispatch.settle_flag(
            session, principal, order_id, reason=reason, seen_version=version
        )
    elif deed == "link":
        link = LinkIn(reason=reason)
        await dispatch.revoke_tracking(session, principal, order_id, link.reason)
    else:
        deliver = bool(form.get("deliver"))
        waived = OverrideIn(reason=reason, deliver=deliver, seen_version=version)
        await dispatch.override_proof(session, principal, order_id, waived)


def local(at: datetime | str | None, zone: ZoneInfo) -> str:
    """A moment as a `datetime-local` input holds it; empty for none."""
    if not at:
        return ""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return known.astimezone(zone).strftime(_LOCAL)


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The moment that a `datetime-local` input holds; None for anything else."""
    try:
        return datetime.strptime(text, _LOCAL).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
