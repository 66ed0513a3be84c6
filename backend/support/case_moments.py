"""What happened to an order in all contexts, as sentences of one timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from backend.dispatch.schemas import OrderEventOut
from backend.flags.service import FlagChange
from backend.incidents.schemas import IncidentRow
from backend.notifications.message_schemas import MessageOut
from backend.notifications.service import CHANNEL_WORDS
from backend.payments.schemas import PaymentDetail, TimelineItem
from backend.platform.money import plain
from backend.regions.service import place_words
from backend.support.case_schemas import Moment
from backend.support.schemas import EscalationRow
from backend.tracking.service import Stretch

Tone = Literal["info", "good", "warning", "critical", "off"]

_STEPS: dict[str, tuple[str, Tone]] = {
    "order.created": ("Order taken in", "off"),
    "order.ready": ("Ready for a driver", "off"),
    "order.assigned": ("Assigned to {driver}", "info"),
    "order.accepted": ("Accepted by {driver}", "info"),
    "order.reassigned": ("Given from {former} to {driver}", "info"),
    "order.unassigned": ("Taken from {former}", "warning"),
    "order.at_pickup": ("Driver at the pickup", "info"),
    "order.picked_up": ("Picked up", "good"),
    "order.in_transit": ("On the way to the recipient", "info"),
    "order.arrived": ("Driver at the door", "info"),
    "order.delivered": ("Delivered", "good"),
    "order.failed": ("Delivery failed", "critical"),
    "order.returning": ("On the way back", "warning"),
    "order.returned": ("Given back to the sender", "off"),
    "order.held": ("Put on hold", "warning"),
    "order.released": ("Released from hold", "info"),
    "order.cancelled": ("Cancelled", "critical"),
    "order.changed": ("Details changed: {changed}", "info"),
    "order.flagged": ("Flagged", "warning"),
    "order.flag_settled": ("Flag settled", "info"),
    "order.link_replaced": ("Tracking link replaced", "info"),
}
_PAYMENT_TONES: dict[str, Tone] = {
    "failed": "critical",
    "succeeded": "good",
    "posted": "good",
    "rejected": "warning",
}
_MESSAGE_TONES: dict[str, Tone] = {
    "delivered": "good",
    "failed": "warning",
    "given_up": "critical",
    "suppressed": "off",
    "cancelled": "off",
}
_COLUMNS = {
    "drop_address": "address", "drop_lat": "place", "drop_lon": "place", "hub": "hub",
    "drop_from": "delivery window", "drop_until": "delivery window",
    "pickup_from": "pickup window", "pickup_until": "pickup window",
    "promised_at": "promise", "tags": "tags",
}  # fmt: skip
_SHORTEST_TOLD = timedelta(minutes=4)


def of_dispatch(history: Sequence[OrderEventOut], drivers: Mapping[str, str]) -> list[Moment]:
    """The order's own steps; `drivers` holds codes by id."""
    return [_step(step, drivers) for step in history]


def _step(step: OrderEventOut, drivers: Mapping[str, str]) -> Moment:
    fallback = (step.type.removeprefix("order.").replace("_", " ").capitalize(), "info")
    words, tone = _STEPS.get(step.type, fallback)
    changed = dict.fromkeys(_COLUMNS.get(name, name) for name in step.data.get("changed", []))
    return Moment(
        id=str(step.id),
        at=step.at,
        source="dispatch",
        kind=step.type,
        words=words.format(
            driver=drivers.get(str(step.data.get("driver_id")), "the driver"),
            former=drivers.get(str(step.data.get("former_driver_id")), "the driver"),
            changed=", ".join(changed) or "none",
        ),
        by=step.actor_name,
        detail=step.reason,
        tone=tone,
    )


def of_positions(stretches: Sequence[Stretch], code: str) -> list[Moment]:
    """Where the driver moved, stood still for long or was not heard of."""
    told = []
    for each in stretches:
        length = each.until - each.since
        if length < _SHORTEST_TOLD and each.kind != "silent":
            continue
        minutes = round(length.total_seconds() / 60)
        words, tone = {
            "moved": (f"{code} drove {each.distance_m / 1000:.1f} km in {minutes} min", "off"),
            "stood": (f"{code} stood still for {minutes} min", "warning"),
            "silent": (f"Nothing heard of {code} for {minutes} min", "warning"),
        }[each.kind]
        told.append(
            Moment(
                id=f"position-{each.since.timestamp():.0f}",
                at=each.since,
                until=each.until,
                source="position",
                kind=each.kind,
                words=words,
                detail=f"{each.lat:.5f}, {each.lon:.5f}",
                tone=tone,
            )
        )
    return told


def of_payment(payment: PaymentDetail) -> list[Moment]:
    """What happened to a payment."""
    return [_money(payment, item, n) for n, item in enumerate(payment.timeline)]


def _money(payment: PaymentDetail, item: TimelineItem, n: int) -> Moment:
    amount = f", {plain(item.amount.minor, item.amount.currency)}" if item.amount else ""
    state = f" ({item.state.replace('_', ' ')})" if item.state else ""
    return Moment(
        id=f"payment-{payment.id}-{n}",
        at=item.at,
        source="payment",
        kind=item.source,
        words=f"{item.title}{amount}{state}",
        by=item.data.get("by"),
        detail=item.detail,
        link=f"/payments/{payment.id}",
        tone=_PAYMENT_TONES.get(item.state or "", "info"),
    )


def of_messages(messages: Sequence[MessageOut]) -> list[Moment]:
    """What people were told."""
    return [
        Moment(
            id=str(each.id),
            at=each.sent_at or each.queued_at,
            source="message",
            kind=each.template,
            words=f"Message to the {each.to}: {each.template.replace('_', ' ')}"
            f", {each.state.replace('_', ' ')}"
            + (f" ({CHANNEL_WORDS[each.channel]})" if each.channel else ""),
            by=each.by,
            detail=each.why,
            link="/messages",
            tone=_MESSAGE_TONES.get(each.state, "info"),
        )
        for each in messages
    ]


def of_escalations(escalations: Sequence[EscalationRow]) -> list[Moment]:
    """When tickets were opened, solved and closed."""
    told = []
    for each in escalations:
        ends: list[tuple[str, datetime | None, Tone]] = [
            ("opened", each.opened_at, "warning"),
            ("solved", each.solved_at, "good"),
            ("closed", each.closed_at, "off"),
        ]
        told += [
            Moment(
                id=f"{each.number}-{kind}",
                at=at,
                source="support",
                kind=kind,
                words=f"{each.number} {kind}: {each.subject}",
                by=each.assignee_name if kind == "solved" else None,
                detail=f"{each.kind}, {each.priority}",
                link=f"/support/{each.number}",
                tone=tone,
            )
            for kind, at, tone in ends
            if at is not None
        ]
    return told


def of_incidents(incidents: Sequence[IncidentRow], names: Mapping[str, str]) -> list[Moment]:
    """When incidents began to hurt the order's place, and when they were over."""
    told = []
    for each in incidents:
        ends: list[tuple[str, str, datetime | None, Tone]] = [
            ("began", "began", each.impact_started_at, "critical"),
            ("resolved", "was resolved", each.resolved_at, "good"),
        ]
        told += [
            Moment(
                id=f"{each.number}-{kind}",
                at=at,
                source="incident",
                kind=kind,
                words=f"{each.number} {words}: {each.title}",
                detail=f"{each.severity}, {place_words([each.region], names)}",
                link=f"/incidents/{each.number}",
                tone=tone,
            )
            for kind, words, at, tone in ends
            if at is not None
        ]
    return told


def of_flags(changes: Sequence[FlagChange]) -> list[Moment]:
    """What changed of feature flags meanwhile."""
    return [
        Moment(
            id=f"flag-{each.key}-{each.version}",
            at=each.at,
            source="flag",
            kind=each.cause,
            words=f"Flag {each.key} changed" + (f": {'; '.join(each.words)}" if each.words else ""),
            by=each.by_name,
            detail=each.reason,
            link=f"/flags/{each.key}",
            tone="warning" if each.cause == "kill" else "info",
        )
        for each in changes
    ]


def merged(*parts: Sequence[Moment]) -> list[Moment]:
    """One timeline, oldest first."""
    whole: list[Moment] = [moment for part in parts for moment in part]
    return sorted(whole, key=_place)


def _place(moment: Moment) -> tuple[Any, ...]:
    return moment.at, moment.source, moment.id
