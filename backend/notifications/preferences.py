"""How people want to be written to: language, hours, channels, and what they do without."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import message_repository
from backend.notifications.message_models import PreferenceRow
from backend.notifications.message_rules import MUTABLE, Channel, Kind, Quiet, language_of
from backend.notifications.message_schemas import DeviceIn, Preferences, PreferencesIn, QuietHours
from backend.notifications.readers import NO_MERCHANT, key_of, key_of_driver
from backend.platform import clock
from backend.platform.errors import FieldError, Forbidden, Invalid
from backend.platform.resources import current
from backend.platform.sealing import seal, unseal

PURPOSE = "addresses of messages"
"""What the key is for that seals mail addresses and devices at rest."""
READ, WRITE = "messages:read", "messages:write"


async def preferences_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> Preferences:
    """How the customer of an order is written to, about all that its marketplace sends them.

    Needs `messages:read` where the order is.
    """
    order = await dispatch.contact_of(session, principal, order_id, READ)
    row = await message_repository.preference(session, key_of(order.customer_phone), order.merchant)
    return _shown(row, order.city)


async def set_preferences_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID, wanted: PreferencesIn
) -> Preferences:
    """Keep how the customer of an order wants to be written to; needs `messages:write`.

    Who asks for the customer behind a tracking link has judged the link and comes as the system.
    A mail address that is left out stays; an empty one is forgotten.
    """
    order = await dispatch.contact_of(session, principal, order_id, WRITE)
    if kept := [kind for kind in wanted.muted if kind not in MUTABLE]:
        detail = f"{kept[0]} always comes: it is about the handover or answers a question."
        raise Invalid(errors=[FieldError("/muted", "not_mutable", detail)])
    row = await _row(session, key_of(order.customer_phone), order.merchant, principal)
    row.language = wanted.language
    row.muted = sorted(set(wanted.muted))
    row.channels = list(dict.fromkeys(wanted.channels))
    row.quiet_begins = wanted.quiet.begins if wanted.quiet else None
    row.quiet_ends = wanted.quiet.ends if wanted.quiet else None
    if wanted.email is not None:
        row.email = seal(current().settings, PURPOSE, wanted.email) if wanted.email else None
    await message_repository.put_preference(session, row)
    await identity.record(
        session,
        principal,
        "messages.preferences_set",
        f"order:{order.order_id}",
        region=order.place,
        after={
            "number": order.number,
            **wanted.model_dump(mode="json", include={"language", "muted", "channels", "quiet"}),
        },
    )
    return _shown(row, order.city)


async def set_device(session: AsyncSession, principal: Principal, wanted: DeviceIn) -> None:
    """Keep where pushes to the calling driver's phone go."""
    if principal.driver_id is None:
        raise Forbidden("Only a driver's phone has a device of its own.")
    row = await _row(session, key_of_driver(principal.driver_id), NO_MERCHANT, principal)
    row.device = seal(current().settings, PURPOSE, wanted.token) if wanted.token else None
    await message_repository.put_preference(session, row)


async def _row(
    session: AsyncSession, key: str, merchant: str, principal: Principal
) -> PreferenceRow:
    row = await message_repository.preference(session, key, merchant, lock=True)
    if row is None:
        row = PreferenceRow(recipient=key, merchant=merchant, muted=[], channels=[], updated_by="")
    elif row.merchant != merchant:
        # What they wished of all marketplaces goes on for the others.
        row = PreferenceRow(**{**row.model_dump(), "merchant": merchant})
    row.updated_by, row.updated_at = principal.id, clock.now()
    return row


def quiet_of(row: PreferenceRow | None) -> Quiet:
    """The hours that are quiet for a person: their own, else the usual ones."""
    if row is not None and row.quiet_begins is not None and row.quiet_ends is not None:
        return Quiet(row.quiet_begins, row.quiet_ends)
    settings = current().settings
    return Quiet(settings.message_quiet_begins, settings.message_quiet_ends)


def addresses_of(row: PreferenceRow | None) -> dict[Channel, str]:
    """Where a person is reached by what they told us themselves.

    What was sealed under another key is as if it had never been told.
    """
    if row is None:
        return {}
    found = {}
    for channel, sealed in ((Channel.EMAIL, row.email), (Channel.PUSH, row.device)):
        if sealed is not None:
            with suppress(ValueError):
                found[channel] = unseal(current().settings, PURPOSE, sealed)
    return found


def _shown(row: PreferenceRow | None, city: str) -> Preferences:
    quiet = quiet_of(row)
    email = addresses_of(row).get(Channel.EMAIL)
    chosen = row.language if row else None
    return Preferences(
        language=chosen or language_of(city),
        language_chosen=chosen is not None,
        muted=[Kind(each) for each in row.muted] if row else [],
        mutable=sorted(MUTABLE),
        channels=[Channel(each) for each in row.channels] if row else [],
        quiet=QuietHours(begins=quiet.begins, ends=quiet.ends),
        quiet_chosen=row is not None and row.quiet_begins is not None,
        email=identity.mask({"email": email})["email"] if email else None,
        updated_at=row.updated_at if row else None,
    )
