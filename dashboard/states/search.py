"""The search of the palette and of /support: any order, driver, ticket, incident or payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import reflex as rx

from backend.flags import service as flags
from backend.flags.schemas import FlagFilter, FlagOut
from backend.identity import service as identity
from backend.regions.service import place_words
from backend.support import service as support
from backend.support.search_schemas import Hit
from dashboard import gateway
from dashboard.gateway import requires
from dashboard.states.shell import place_names

SHORTEST = 2
_LONGEST = 80
_AT_MOST = 12
_FLAGS_AT_MOST = 5
_GROUPS = {
    "order": "Orders",
    "escalation": "Tickets",
    "incident": "Incidents",
    "payment": "Payments",
    "driver": "Drivers",
}

_WHY = {
    "number": "by its number",
    "reference": "by its reference",
    "barcode": "by a parcel's barcode",
    "phone": "by the phone's last digits",
    "name": "by the name",
    "code": "by its code",
    "plate": "by the plate",
    "gateway_ref": "by the gateway's reference",
    "words": "by its words",
}
"""Why something was found, for each way of finding it."""


class Found(TypedDict):
    """One thing found: where it leads, and why it answers; `words` is what it was found by."""

    id: str
    group: str
    label: str
    detail: str
    hint: str
    why: str
    href: str
    words: str


class SearchState(rx.State):
    """What was found for what the person typed last."""

    found: list[Found] = []
    found_for: str = ""

    @rx.event(background=True)
    @requires("console:use")
    async def find(self, text: str) -> None:
        """Find it wherever the person may look."""
        wanted = str(text).replace("\0", "").strip()[:_LONGEST]
        if len(wanted) < SHORTEST:
            return
        found: list[Found] = []
        async with self:
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            if identity.may(principal, "orders:read"):
                hits = await support.search(session, principal, wanted, _AT_MOST)
                found = found_rows(hits, wanted, names)
            if identity.may(principal, "flags:read"):
                named = FlagFilter(q=wanted)
                page = await flags.list_flags(session, principal, named, limit=_FLAGS_AT_MOST)
                found += [_flag(each, wanted) for each in page.items]
        async with self:
            self.found, self.found_for = found, wanted


def found_rows(hits: Sequence[Hit], wanted: str, names: Mapping[str, str]) -> list[Found]:
    """The hits with those of a kind together, the kind of the best hit first."""
    kinds = list(dict.fromkeys(hit.kind for hit in hits))
    return [_row(hit, wanted, names) for kind in kinds for hit in hits if hit.kind == kind]


def _row(hit: Hit, wanted: str, names: Mapping[str, str]) -> Found:
    return {
        "id": f"{hit.kind}-{hit.link}",
        "group": _GROUPS[hit.kind],
        "label": hit.title,
        "detail": hit.detail,
        "hint": place_words([hit.region], names) if hit.region else "",
        "why": _WHY[hit.matched_by],
        "href": hit.link,
        # Found by a barcode or a phone number, it is not told by its own words.
        "words": f"{hit.title} {wanted}",
    }


def _flag(flag: FlagOut, wanted: str) -> Found:
    return {
        "id": f"flag-{flag.key}",
        "group": "Flags",
        "label": flag.key,
        "detail": flag.description,
        "hint": flag.in_words,
        "why": "",
        "href": f"/flags/{flag.key}",
        "words": f"{flag.key} {flag.description} {wanted}",
    }
