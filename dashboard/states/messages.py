"""The outbox: every message to customers and drivers, its state, and many at once."""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageCounts, MessageFilter, MessageState
from dashboard import gateway
from dashboard.components.outcomes import OutcomeRow
from dashboard.gateway import DomainError, Session, requires
from dashboard.states.message_words import (
    CHANNELS,
    PATH,
    READERS,
    STATES,
    TEMPLATES,
    MessageLine,
    message_line,
    state_counts,
)
from dashboard.states.paging import (
    PAGE_ROWS,
    ListState,
    address,
    day_start,
    file_link,
    form_text,
    in_place,
    loads,
    uuid_or_none,
    uuids,
)
from dashboard.states.shell import place_names

FIELDS = ("order", "state", "channel", "template", "to", "from", "until")
TABS = ("", "templates", "phone")
_CSV = "/api/v1/messages.csv"
BULK = {
    "retry": ("Send again", "are tried again", "sent again from the outbox"),
    "cancel": ("Stop", "are stopped", "stopped from the outbox"),
}
"""What a button says, what is said of the messages after, and the reason that is kept."""


class StateChip(TypedDict):
    """How many messages are in a state, leading to them."""

    word: str
    tone: str
    count: str
    link: str
    on: bool


class MessagesState(ListState, rx.State):
    """The page of messages, and its list."""

    tab: str = ""
    demo: bool = False
    filters: dict[str, str] = dict.fromkeys(FIELDS, "")
    filters_key: str = ""
    chips: list[StateChip] = []
    rows: list[MessageLine] = []
    newer: int = 0
    outcome: list[OutcomeRow] = []
    outcome_words: str = ""
    may_write: bool = False
    _shown: tuple[dict[str, str], str | None, str] = ({}, None, "")

    @rx.event(background=True)
    @requires("messages:read")
    @loads
    async def load(self) -> None:
        """Show what the address asks for."""
        async with self:
            self.fault = ""
        await self._look()

    @rx.event(background=True)
    @requires("messages:read", activity=False)
    @loads
    async def refresh(self) -> None:
        """Tell what has changed since, no row moved under the cursor; a timer, not an activity."""
        async with self:
            if self.tab != "":
                return
        await self._look(again=True)

    async def _look(self, *, again: bool = False) -> None:
        async with self:
            filters = {name: self._asked(name) for name in FIELDS}
            tab = self._asked("tab") if self._asked("tab") in TABS else ""
            after = self._asked("after")
            place = await self._place()
            names = await place_names(self)
        wanted = wanted_of(filters, place)
        async with gateway.open(self) as (session, principal):
            page = await notifications.list_messages(
                session, principal, wanted, uuid_or_none(after), PAGE_ROWS
            )
            anywhere = wanted.model_copy(update={"states": ()})
            counts = await notifications.count_messages(session, principal, anywhere)
            may_write = identity.may(principal, "messages:write")
        query = {**filters, "region": self._asked("region")}
        async with self:
            self.tab, self.filters, self.filters_key = tab, filters, address("", filters)
            self.demo = gateway.resources().settings.demo
            rows = [message_line(each, names.get(each.region, "")) for each in page.items]
            if again and (filters, place, after) == self._shown:
                self.rows, self.newer = in_place(self.rows, rows, after)
            else:
                self.rows, self.newer = rows, 0
            self._shown = (filters, place, after)
            self.chips = state_chips(counts, query)
            self.may_write = may_write
            self.csv_link = file_link(_CSV, wanted, {"states": "state"})
            self._link_pages(query, str(page.next_cursor or ""))
            self.fault, self.ready = "", True

    @rx.event
    @requires("messages:read")
    async def narrow(self, form: dict[str, Any]) -> EventSpec:
        """Put the filters into the address."""
        kept = {name: form_text(form, name) for name in FIELDS if name != "state"}
        asked = {**kept, "state": self._asked("state"), "region": self._asked("region")}
        return rx.redirect(address(PATH, asked), replace=True)

    @rx.event(background=True)
    @requires("messages:write")
    async def act(self, action: str, message_ids: list[str]) -> Any:
        """Send the chosen again, or stop them, each for itself."""
        if action not in BULK:
            return None
        async with self:
            names = {row["id"]: f"{row['what']} {row['order']}".strip() for row in self.rows}
        results: list[OutcomeRow] = []
        for message_id in uuids(message_ids):
            name = names.get(str(message_id), str(message_id)[:8])
            try:
                async with gateway.open(self) as (session, principal):
                    word = await _do(session, principal, action, message_id)
            except DomainError as error:
                refused: OutcomeRow = {
                    "name": name, "tone": "critical", "word": "refused", "detail": error.detail
                }  # fmt: skip
                results.append(refused)
            else:
                results.append({"name": name, "tone": "good", "word": word, "detail": ""})
        done = sum(row["tone"] == "good" for row in results)
        async with self:
            self.outcome = results
            self.outcome_words = f"{done} of {len(results)} {BULK[action][1]}"
        return MessagesState.load

    @rx.event
    @requires("messages:read")
    async def close_outcome(self) -> None:
        """Put the results away."""
        self.outcome, self.outcome_words = [], ""


async def _do(session: Session, principal: Principal, action: str, message_id: UUID) -> str:
    verb = notifications.retry_message if action == "retry" else notifications.cancel_message
    after = await verb(session, principal, message_id, BULK[action][2])
    return STATES[after.state][1]


def wanted_of(filters: dict[str, str], region: str | None) -> MessageFilter:
    """What the service is asked; what is not known does not narrow."""

    def known(name: str, words: dict[str, Any]) -> str | None:
        return filters[name] if filters[name] in words else None

    state = known("state", STATES)
    return MessageFilter.model_validate(
        {
            "region": region,
            "states": (state,) if state else (),
            "channel": known("channel", CHANNELS),
            "template": known("template", TEMPLATES),
            "to": known("to", READERS),
            "order": filters["order"][:80] or None,
            "since": day_start(filters["from"]),
            "until": day_start(filters["until"], days=1),
        }
    )


def state_chips(counts: MessageCounts, query: dict[str, str]) -> list[StateChip]:
    """The states that have messages, and the one that is looked at, each leading to its list."""
    told = state_counts(counts.by_state, counts.most)
    on = query["state"]
    chips: list[StateChip] = [
        {"word": "Any state", "tone": "", "count": "", "on": on == "",
         "link": address(PATH, {**query, "state": ""})}
    ]  # fmt: skip
    for state in MessageState:
        if told.get(state, "0") == "0" and on != state:
            continue
        tone, word = STATES[state]
        chips.append(
            {"word": word, "tone": tone, "count": told.get(state, "0"), "on": on == state,
             "link": address(PATH, {**query, "state": state.value})}
        )  # fmt: skip
    return chips
