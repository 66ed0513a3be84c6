"""What every list page does alike: read its address, load one page of rows, tell of trouble."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx
from pydantic import BaseModel, ValidationError

from backend.platform.moments import FIRST_YEAR, LAST_YEAR
from dashboard.gateway import DomainError, Unauthenticated
from dashboard.states.shell import EVERYWHERE, ShellState

PAGE_ROWS = 50
_LONGEST_REGION = 64
_FIRST_DAY = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(LAST_YEAR, 12, 31, tzinfo=UTC)
State = TypeVar("State", bound="ListState")
Row = TypeVar("Row", bound=Mapping[str, Any])
"""A line of a list, with its `id` and whether it is `gone`."""


class ListState(rx.State, mixin=True):
    """Vars that every list page has."""

    ready: bool = False
    fault: str = ""
    first_page: str = ""
    next_page: str = ""
    csv_link: str = ""

    def _asked(self, name: str) -> str:
        """One value of the address's query, without surrounding space and what no text holds."""
        return str(self.router.url.query_parameters.get(name, "")).replace("\0", "").strip()

    async def _place(self) -> str | None:
        """The region of the address, else the one the frame looks at; None for everywhere."""
        shell = await self.get_state(ShellState)
        region = self._asked("region") or shell.region
        return None if region == EVERYWHERE else region[:_LONGEST_REGION]

    def _link_pages(self, query: Mapping[str, str], after: str) -> None:
        """Set the links to the first and the next page of a list."""
        path = self.router.url.path
        kept = {name: value for name, value in query.items() if value}
        on_first = not self._asked("after")
        self.first_page = "" if on_first else address(path, kept)
        self.next_page = address(path, {**kept, "after": after}) if after else ""


def loads(load: Callable[[State], Awaitable[None]]) -> Callable[[State], Awaitable[None]]:
    """For a background handler that loads a page: a refusal becomes the page's fault line."""

    @wraps(load)
    async def loading(self: State) -> None:
        try:
            await load(self)
        except Unauthenticated:
            raise
        except DomainError as error:
            async with self:
                self.fault = error.detail
                self.ready = True

    return loading


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with those values of the query that are not empty."""
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


def file_link(path: str, wanted: BaseModel, names: Mapping[str, str] | None = None) -> str:
    """What a list asks its service, asked of the HTTP doorway for all rows as a file.

    `names` holds what the doorway calls a filter where that is another word.
    """
    asked = wanted.model_dump(mode="json", exclude_defaults=True)
    query = {(names or {}).get(name, name): value for name, value in asked.items()}
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def uuid_or_none(text: str) -> UUID | None:
    """The id that `text` spells, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuids(values: object) -> list[UUID]:
    """The ids among what a browser sent as a list, each once, at most a page of them."""
    found = (uuid_or_none(str(value)) for value in values) if isinstance(values, list) else ()
    return list(dict.fromkeys(each for each in found if each is not None))[:PAGE_ROWS]


def iso(moment: datetime | None) -> str:
    """A moment as the browser parts read it; empty for none."""
    return "" if moment is None else moment.astimezone(UTC).isoformat()


def day_start(text: str, *, days: int = 0) -> datetime | None:
    """Midnight UTC of an ISO date, `days` later; None for anything else.

    A date beyond all that is kept is the nearest that can be counted with.
    """
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return min(max(day, _FIRST_DAY), _LAST_DAY - timedelta(days=days)) + timedelta(days=days)


def form_text(form: Mapping[str, object], name: str) -> str:
    """One text field of a submitted form; empty for anything that is not text."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def form_words(form: Mapping[str, object], name: str) -> list[str]:
    """What one text field of a submitted form lists, parted by commas."""
    return [word for each in form_text(form, name).split(",") if (word := each.strip())]


def first_fault(error: ValidationError) -> str:
    """The first thing wrong with a form, with the field's name."""
    found = error.errors()[0]
    field = " ".join(str(part) for part in found["loc"]).replace("_", " ")
    return f"{field}: {found['msg']}" if field else found["msg"]


def in_place(shown: Sequence[Row], now: Sequence[Row], after: str = "") -> tuple[list[Row], int]:
    """The rows shown, each as it is now but none moved, and how many are not yet among them.

    What is new stands on the first page, so that none is counted `after` another.

    A row that is missing now before one that is still there no longer matches; those after the
    last of these may only have been pushed to the next page. Where nothing is shown, nothing can
    jump, and what is there now is shown.
    """
    if not shown:
        return list(now), 0
    fresh = {row["id"]: row for row in now}
    last = max((at for at, row in enumerate(shown) if row["id"] in fresh), default=-1)
    kept: list[Row] = []
    for at, row in enumerate(shown):
        gone = row["id"] not in fresh and (at < last or len(now) < PAGE_ROWS)
        kept.append(fresh.get(row["id"]) or cast(Row, {**row, "gone": gone}))
    known = {row["id"] for row in shown}
    return kept, 0 if after else sum(row["id"] not in known for row in now)
