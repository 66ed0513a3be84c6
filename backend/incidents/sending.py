"""Sends calls to people: by mail, by SMS and by webhook, again where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import orjson

from backend.incidents import on_call_repository
from backend.incidents.models import IncidentTable
from backend.incidents.on_call_models import PageTable
from backend.incidents.repository import number_of
from backend.incidents.rules import Channel
from backend.incidents.schedules import webhook_secret
from backend.notifications import service as notifications
from backend.notifications.message_rules import Channel as MessageChannel
from backend.platform import clock
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter
from backend.regions import service as regions
from backend.settings import Settings

MOST_ATTEMPTS = 8
_AT_ONCE = 20
_FIRST_WAIT_S = 5.0
_LONGEST_WAIT_S = 300.0
_LEASE = timedelta(seconds=60)
_TEXT_KEPT = timedelta(hours=1)
_TAKEN = (notifications.Outcome.SENT, notifications.Outcome.DELIVERED)

_log = get_logger(__name__)
_sent = meter.create_counter("waypost.calls.sent", "1", "Calls to people, by channel and outcome")


@asynccontextmanager
async def carriers_of(settings: Settings) -> AsyncIterator[notifications.Carriers]:
    """What carries SMS, until the block ends."""
    carriers = notifications.Carriers(settings)
    try:
        yield carriers
    finally:
        await carriers.close()


async def send_due(
    resources: Resources, outbound: notifications.Outbound, carriers: notifications.Carriers
) -> int:
    """Send the calls that are due, all at once; answers how many were tried.

    They are claimed first and written down after: a crash in between sends one twice, loses none.
    """
    now = clock.now()
    async with resources.database.unit_of_work() as session:
        due = await on_call_repository.due_pages(session, now, _AT_ONCE)
        names = await regions.region_names(session) if due else {}
        for page, _ in due:
            page.next_at = now + _LEASE
    outcomes = await asyncio.gather(
        *(_send(resources, outbound, carriers, page, incident, names) for page, incident in due)
    )
    async with resources.database.unit_of_work() as session:
        for (page, _), why in zip(due, outcomes, strict=True):
            await on_call_repository.settle_page(session, page.id, **_outcome(page, why))
            _sent.add(1, {"channel": page.channel, "outcome": "failed" if why else "sent"})
    return len(due)


def _outcome(page: PageTable, why: str | None) -> dict[str, Any]:
    now = clock.now()
    attempts = page.attempts + 1
    if why is None:
        return {"state": "sent", "attempts": attempts, "sent_at": now, "why": None}
    _log.warning("call_not_sent", page=str(page.id), channel=page.channel, why=why)
    if attempts >= MOST_ATTEMPTS:
        return {"state": "failed", "attempts": attempts, "why": why}
    wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (attempts - 1))
    return {
        "state": "pending",
        "attempts": attempts,
        "why": why,
        "next_at": now + timedelta(seconds=wait_s),
    }


async def _send(
    resources: Resources,
    outbound: notifications.Outbound,
    carriers: notifications.Carriers,
    page: PageTable,
    incident: IncidentTable,
    names: Mapping[str, str],
) -> str | None:
    """Why a call could not be sent, None where it was."""
    assert page.target is not None
    if page.channel == Channel.EMAIL:
        smtp_url = resources.settings.smtp_url
        if not smtp_url:
            return "WAYPOST_SMTP_URL is not set"
        message = letter(resources.settings, page, incident, names)
        answer = await asyncio.to_thread(notifications.hand_over_mail, smtp_url, message)
        return answer.why if answer.outcome not in _TAKEN else None
    if page.channel == Channel.SMS:
        answer = await carriers.send(text_message(resources.settings, page, incident))
        return answer.why if answer.outcome not in _TAKEN else None
    at = clock.now()
    body = orjson.dumps(notice(resources.settings, page, incident)).decode()
    secret = webhook_secret(resources.settings.secret_key.get_secret_value(), page.person_id)
    headers = {
        "content-type": "application/json",
        "user-agent": "Waypost-Calls/1",
        **notifications.signed_headers(str(page.id), body, [secret], at),
    }
    attempt = await outbound.send(page.target, body, headers)
    return None if attempt.succeeded else attempt.why or f"answered {attempt.status}"


def text_message(
    settings: Settings, page: PageTable, incident: IncidentTable
) -> notifications.Letter:
    """The SMS that calls a person; worth nothing once the next steps have been taken."""
    number = number_of(incident)
    title = _one_line(incident.title)[:160]
    return notifications.Letter(
        id=page.id,
        attempt=page.attempts + 1,
        repeat=False,
        channel=MessageChannel.SMS,
        address=str(page.target),
        subject=number,
        text=f"{incident.severity} {number}: {title}\n{_page_of(settings, incident.id)}",
        kind="incident_called",
        params={"severity": incident.severity, "number": number, "title": title},
        language="en",
        expires_at=page.created_at + _TEXT_KEPT,
    )


def letter(
    settings: Settings, page: PageTable, incident: IncidentTable, names: Mapping[str, str]
) -> EmailMessage:
    """The mail that calls a person; regions by their names."""
    message = EmailMessage()
    number = number_of(incident)
    message["From"] = settings.mail_from
    message["To"] = page.target
    message["Subject"] = _one_line(f"[{incident.severity}] {number} {incident.title}")
    message["Message-ID"] = f"<{page.id}@waypost>"
    # So that a mail program keeps all calls of one incident together.
    message["References"] = f"<{incident.id}@waypost>"
    message.set_content(
        f"{page.name}, you are called to {number} ({incident.severity}).\n\n"
        f"{incident.title}\n"
        f"Services: {', '.join(incident.services)}\n"
        f"Regions: {regions.place_words(incident.regions, names)}\n"
        f"Impact since {incident.impact_started_at:%Y-%m-%d %H:%M:%S} UTC\n\n"
        f"{_page_of(settings, incident.id)}\n"
    )
    return message


def notice(settings: Settings, page: PageTable, incident: IncidentTable) -> dict[str, Any]:
    """What a webhook that calls a person is sent."""
    return {
        "type": "incident.called",
        "id": str(page.id),
        "at": _iso(clock.now()),
        "data": {
            "person_id": page.person_id,
            "step": page.step + 1,
            "incident": {
                "id": str(incident.id),
                "number": number_of(incident),
                "title": incident.title,
                "severity": incident.severity,
                "state": incident.state,
                "regions": incident.regions,
                "services": incident.services,
                "impact_started_at": _iso(incident.impact_started_at),
                "url": _page_of(settings, incident.id),
            },
        },
    }


def _page_of(settings: Settings, incident_id: UUID) -> str:
    return f"{settings.public_url.rstrip('/')}/incidents/{incident_id}"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _one_line(text: str) -> str:
    return " ".join(text.split())
