"""What an environment serves in this process: its flags with their answers ready to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import orjson

from backend.flags.evaluation import Evaluation, FlagSet
from backend.flags.schemas import Published

Origin = Literal["nowhere", "disk", "database"]


class Served:
    """An evaluation of a flag as it goes over the wire; the same object whenever it comes out so.

    `body` is OFREP's item; a float stays a float in it, and `variant` is always there.
    """

    __slots__ = ("body", "evaluation", "key", "value_given")

    def __init__(self, key: str, evaluation: Evaluation) -> None:
        self.key = key
        self.evaluation = evaluation
        self.value_given = evaluation.error_code is None
        self.body = orjson.dumps(_item(key, evaluation))


def _item(key: str, found: Evaluation) -> dict[str, Any]:
    item: dict[str, Any] = {"key": key}
    if found.error_code is not None:
        item |= {"errorCode": found.error_code, "errorDetails": found.error_details or ""}
    else:
        # Without a value the program's own default counts.
        item |= {} if found.variant is None else {"value": found.value}
        item |= {"reason": found.reason, "variant": found.variant or ""}
    return item | ({"metadata": dict(found.metadata)} if found.metadata else {})


class Snapshot:
    """The flags of one version; never changed once made."""

    def __init__(self, flags: FlagSet, version: int, published_at: datetime | None) -> None:
        self.flags = flags
        self.version = version
        self.published_at = published_at
        # By identity: what a flag comes to are the same few objects each time.
        self._ready: dict[int, Served] = {}

    def one(self, key: str, context: Mapping[str, Any]) -> Served:
        """A flag for a client; FLAG_NOT_FOUND where there is none of that name."""
        return self._of(key, self.flags.evaluate(key, context, strict=True))

    def all(self, context: Mapping[str, Any]) -> list[Served]:
        """Every flag for a client, by key."""
        ready, of = self._ready, self._of
        return [
            ready.get(id(found)) or of(key, found)
            for key, found in self.flags.evaluate_all(context, strict=True)
        ]

    def _of(self, key: str, found: Evaluation) -> Served:
        known = self._ready.get(id(found))
        if known is not None:
            return known
        served = Served(key, found)
        # An error may speak of what the client sent, and is made anew each time.
        if found.error_code is None:
            self._ready[id(found)] = served
        return served


class ServedEnvironment:
    """One environment's newest snapshot, where it comes from, and a way to wait for the next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.origin: Origin = "nowhere"
        self.snapshot = Snapshot(FlagSet({"flags": {}}), 0, None)
        self.confirmed_at: float | None = None
        """When the database last said that this is the newest, on the monotonic clock."""
        self._news = asyncio.Event()

    @property
    def version(self) -> int:
        """The environment's version as this process knows it, 0 before anything is known."""
        return self.snapshot.version

    def take_document(
        self, document: Mapping[str, Any], version: int, published_at: datetime | None
    ) -> None:
        """Serve a whole document that was kept on disk."""
        self._replace(Snapshot(FlagSet(document), version, published_at), "disk")

    def take(self, news: Published, *, whole: bool) -> None:
        """Serve what was published: all there is, or what changed since the version at hand."""
        base = FlagSet({"flags": {}}) if whole else self.snapshot.flags
        flags = base.with_changes(news.flags, news.evaluators)
        self._replace(Snapshot(flags, news.version, news.published_at), "database")

    async def newer_than(self, version: int, *, within_s: float) -> bool:
        """Wait until another version than this is served; False where none came in time."""
        if self.version != version:
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _replace(self, snapshot: Snapshot, origin: Origin) -> None:
        self.snapshot, self.origin = snapshot, origin
        self._news.set()
        self._news = asyncio.Event()
