"""A full pass of the garbage collector is short once a process serves, and still finds garbage."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from backend.platform.memory import keep_what_is_loaded


class Knot:
    """Something that only the garbage collector can take away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def kept() -> Iterator[None]:
    keep_what_is_loaded()
    yield
    gc.unfreeze()


def test_a_full_pass_looks_at_nothing_that_was_loaded(kept: None) -> None:
    loaded, made_since = gc.get_freeze_count(), len(gc.get_objects())
    assert loaded > 10_000
    assert made_since < loaded / 10


def test_garbage_that_is_made_later_is_taken_away(kept: None) -> None:
    later = weakref.ref(Knot())
    assert later() is not None
    gc.collect()
    assert later() is None
