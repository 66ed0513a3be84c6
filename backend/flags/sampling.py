"""Leaves a bounded sample of recent contexts behind, from which a change's reach is estimated."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any

import orjson

from backend.flags.samples import kept, people_key, sample_key, slot_of
from backend.platform import clock
from backend.platform.resources import Resources

KEPT_FOR_S = 24 * 3600

_PEOPLE_KEPT_FOR_S = 8 * 24 * 3600
# What one process holds between two hand-overs: slots of contexts, and people counted.
_MOST_CONTEXTS = 2_000
_MOST_PEOPLE = 50_000
_NO_APP = "other"
_APPS = frozenset({"shiptrack", "drivemate", "console"})


class Sampler:
    """Contexts of people since the last hand-over, one for each slot."""

    def __init__(self) -> None:
        self._contexts: dict[str, dict[int, dict[str, Any]]] = {}
        self._people: dict[tuple[str, str], set[str]] = {}

    def note(self, environment: str, context: Mapping[str, Any]) -> None:
        """Remember who asked; a context that names nobody is left out."""
        person = context.get("targetingKey")
        if not isinstance(person, str) or not person:
            return
        app = context.get("app")
        named = (environment, app if app in _APPS else _NO_APP)
        people = self._people.setdefault(named, set())
        if len(people) < _MOST_PEOPLE:
            people.add(person[:200])
        contexts = self._contexts.setdefault(environment, {})
        if len(contexts) < _MOST_CONTEXTS:
            contexts[slot_of(person)] = {**context, "at": time()}

    async def hand_over(self, resources: Resources) -> None:
        """Put the sample into Redis; what it does not take is not missed."""
        contexts, self._contexts = self._contexts, {}
        people, self._people = self._people, {}
        if not people:
            return
        async with resources.redis.pipeline(transaction=False) as pipe:
            for environment, by_slot in contexts.items():
                key = sample_key(environment)
                rows = {
                    str(slot): orjson.dumps({**kept(context), "at": context["at"]})
                    for slot, context in by_slot.items()
                }
                pipe.hset(key, mapping=rows)
                pipe.expire(key, KEPT_FOR_S)
            for (environment, app), persons in people.items():
                key = people_key(environment, app, clock.now())
                pipe.pfadd(key, *persons)
                pipe.expire(key, _PEOPLE_KEPT_FOR_S)
            await pipe.execute()
